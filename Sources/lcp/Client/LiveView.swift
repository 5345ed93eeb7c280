import BridgeProtocol
import BusClient
import FoundationEssentials
import Glibc
import LightningTypes
import Synchronization

/// Bytes of the schema's messages.
typealias Bytes = Data

/// A bridge on a terminal: how it stands, and its newest jobs, drawn anew when something changes.
final class LiveView: Sendable {
    fileprivate struct Content: Sendable {
        var status: BusStatus?
        var workers: [BusWorker] = []
        /// The latest states, newest last; bounded, because nobody reads more than a screen.
        var jobs: [BusJob] = []
        var isStale = true
    }

    fileprivate static let limit = 200

    private let client: BusClient
    private let content = Mutex(Content())

    init(_ client: BusClient) { self.client = client }

    /// Draws until cancelled, or until all named jobs have ended.
    func run(_ states: JobStates, endsWith jobs: Set<Bytes>) async throws {
        // The cursor is hidden while we draw, and must come back whatever happens.
        try Self.write("\u{1b}[?25l\u{1b}[2J")
        defer { try? Self.write("\u{1b}[?25h") }
        try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                var open = jobs
                while jobs.isEmpty || !open.isEmpty, let job = try await states.next() {
                    self.content.withLock { $0.take(job) }
                    if job.view.stage.isEnd { open.remove(job.key.jobID) }
                }
                return true
            }
            group.addTask {
                while true {
                    // A bridge that is away is shown as such; the figures stay as they were.
                    let status = try? await self.client.status()
                    let workers = try? await self.client.workers()
                    self.content.withLock { $0.take(status, workers) }
                    try await Task.sleep(for: .seconds(1))
                }
            }
            group.addTask {
                while true {
                    try self.draw()
                    try await Task.sleep(for: .milliseconds(100))
                }
            }
            defer { group.cancelAll() }
            _ = try await group.next()
        }
        try draw()
    }

    private func draw() throws {
        let shown = content.withLock { content in
            defer { content.isStale = false }
            return content.isStale ? content : nil
        }
        guard let shown else { return }
        let size = Self.terminalSize()
        let lines = Self.text(shown, client.link, rows: size.rows).split(
            separator: "\n",
            omittingEmptySubsequences: false
        )
        // Home, each line cut at the right edge and cleared behind, then nothing below.
        let cut = lines.prefix(size.rows - 1).map { $0.prefix(size.columns) + "\u{1b}[K" }
        try Self.write("\u{1b}[H" + cut.joined(separator: "\r\n") + "\u{1b}[J\r\n")
    }

    private static func text(_ content: Content, _ link: BridgeLink, rows: Int) -> String {
        var head = link == .silent ? "bridge: silent, waiting for it\n" : ""
        if let status = content.status {
            let busy = content.workers.reduce(0) { $0 + Int($1.busy) }
            head += """
                \(Table.printable(status.program))  node \(Words.short(status.nodeID))  \
                \(Table.printable(status.network))  lnd \(Table.printable(status.lndState))
                jobs      \(status.openJobs) open, \(status.parkedJobs) parked
                workers   \(content.workers.count), items \(busy) busy, \(status.queuedItems) waiting
                spent     \(Words.sats(status.spentTodayMsat)) today of \
                \(Words.sats(status.dailyBudgetMsat))

                """
        }
        let rows = content.jobs.suffix(max(1, rows - 8)).reversed().map { job in
            [
                Words.time(job.changedUnix == 0 ? job.createdUnix : job.changedUnix),
                job.key.role.label, job.view.stage.label + (job.parked ? " (parked)" : ""),
                job.view.priceMsat == 0 ? "" : Words.sats(job.view.priceMsat), job.view.profile,
                Words.short(job.key.peer), Hex.encode(job.key.jobID),
            ]
        }
        let header = ["CHANGED", "ROLE", "STAGE", "PRICE", "PROFILE", "PEER", "JOB"]
        return head + "\n" + Columns.render(header, rows)
    }

    private static func terminalSize() -> (rows: Int, columns: Int) {
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_row > 3 else {
            return (24, 80)
        }
        return (Int(size.ws_row), max(20, Int(size.ws_col)))
    }

    private static func write(_ text: String) throws {
        try StandardOutput.write(Array(text.utf8))
    }
}

extension LiveView.Content {
    fileprivate mutating func take(_ job: BusJob) {
        jobs.removeAll { $0.key == job.key }
        jobs.append(job)
        if jobs.count > LiveView.limit { jobs.removeFirst() }
        isStale = true
    }

    fileprivate mutating func take(_ status: BusStatus?, _ workers: [BusWorker]?) {
        self.status = status ?? self.status
        self.workers = workers ?? self.workers
        isStale = true
    }
}
