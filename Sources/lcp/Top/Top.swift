import ArgumentParser
import BridgeProtocol
import BusClient
import Glibc
import LCPInspector
import Synchronization
import Terminal

/// `lcp top`: a bridge at work.
struct Top: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "top",
        abstract: "Watch the bridge at work: jobs, pace, money, workers, peers, errors.",
        discussion: """
            On a terminal, until q or a signal; a restart of the bridge is waited for. Pace and \
            ended jobs are counted since the start. In a pipe or with --json, the figures of this \
            moment as one object.

            \(ExitStatus.clientHelp)
            """
    )

    @OptionGroup var bus: BusOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        guard !output.json, StandardOutput.isTerminal else {
            let figures = try await bus.withClient { try await BridgeFigures(of: $0) }
            return try StandardOutput.write(Array("\(JSONText(figures))\n".utf8))
        }
        do {
            try await bus.withClient { try await TopView($0).run() }
        } catch is Interruption {
            // A signal is one way to leave.
        }
    }
}

/// Keeps the picture up to date until somebody leaves.
private final class TopView: Sendable {
    private let client: BusClient
    private let model = Mutex(TopModel(since: UInt64(clamping: Glibc.time(nil))))

    init(_ client: BusClient) { self.client = client }

    func run() async throws {
        // Whatever ends this, the terminal is given back as it was.
        let mode = TerminalMode(STDIN_FILENO)
        try Self.write(Screen.enter)
        defer {
            try? Self.write(Screen.leave)
            mode?.restore()
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await self.followJobs() }
            group.addTask { try await self.followFigures() }
            group.addTask { try await self.draw() }
            if mode != nil {
                group.addTask { try await Self.waitForQuit() }
            }
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    private static func waitForQuit() async throws {
        var keys = KeyReader()
        while let bytes = try await TerminalInput.bytes(from: STDIN_FILENO), !bytes.isEmpty {
            let leaves: [Key] = [.text("q"), .text("Q"), .interrupt, .endOfInput]
            if keys.read(bytes).contains(where: leaves.contains) { return }
            keys.timeOut()
        }
        // Nobody can type any more; a signal still ends it.
        while true { try await Task.sleep(for: .seconds(3_600)) }
    }

    private func followJobs() async throws {
        while true {
            do {
                try await client.watch([]) { states in
                    while let job = try await states.next() {
                        self.model.withLock { $0.take(job, at: .now) }
                    }
                }
            } catch is BusClientError {
                try await Task.sleep(for: .seconds(1))
            }
        }
    }

    private func followFigures() async throws {
        while true {
            do {
                let figures = try await BridgeFigures(of: client)
                model.withLock { $0.figures = figures }
            } catch is BusClientError {
                // A bridge that is away is shown as such; the figures stay as they were.
            }
            try await Task.sleep(for: .seconds(1))
        }
    }

    private func draw() async throws {
        var screen = Screen()
        while true {
            let size = TerminalSize(of: STDOUT_FILENO)
            let link = client.link
            let lines = model.withLock { model in
                model.link = link
                return TopScreen.lines(
                    &model,
                    size: size,
                    unix: UInt64(clamping: Glibc.time(nil)),
                    now: .now
                )
            }
            let output = screen.draw(lines, size: size)
            if !output.isEmpty { try Self.write(output) }
            try await Task.sleep(for: .milliseconds(200))
        }
    }

    private static func write(_ text: String) throws {
        try StandardOutput.write(Array(text.utf8))
    }
}

extension JSONText {
    /// A bridge in numbers.
    fileprivate init(_ figures: BridgeFigures) {
        func money(_ sums: BridgeFigures.Money) -> JSONText {
            [
                "earned_msat": .number(sums.earned), "spent_msat": .number(sums.spent),
                "fees_msat": .number(sums.fees),
            ]
        }
        let stages = BusJobStage.named.filter { !$0.isEnd }
        self = [
            "bridge": JSONText(figures.status),
            "open_jobs": .object(
                stages.map { .init(name: $0.label, value: .number(figures.jobs(at: $0))) }
            ),
            "total": money(figures.total),
            "last_24h": money(figures.day),
            "workers": .array(figures.workers.map { JSONText($0) }),
            "peers": .array(figures.peers.map { JSONText($0) }),
        ]
    }
}
