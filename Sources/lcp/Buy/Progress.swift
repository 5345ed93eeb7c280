import BridgeProtocol
import Glibc
import LCPInspector
import LightningTypes
import Synchronization

/// Tells on standard error how a job gets on.
///
/// On a terminal one line that changes, seconds included; else one line a stage. With `--json` only
/// the job's id, as JSON.
final class Progress: Sendable {
    private struct State {
        var job: BusJob?
        var stageBegan = ContinuousClock.now
        var isShowing = false
        var isPaused = false
    }

    private let state = Mutex(State())
    private let isJSON: Bool
    private let isLive: Bool

    init(json: Bool) {
        isJSON = json
        isLive = !json && isatty(STDERR_FILENO) == 1
    }

    /// Runs a closure while the seconds of the present stage go on.
    func ticking<Result: Sendable>(
        _ body: @escaping @Sendable () async throws -> Result
    ) async throws -> Result {
        guard isLive else { return try await body() }
        return try await withThrowingTaskGroup(of: Result?.self) { group in
            group.addTask {
                while true {
                    try await Task.sleep(for: .seconds(1))
                    self.draw()
                }
            }
            group.addTask { try await body() }
            defer {
                group.cancelAll()
                clear()
            }
            guard let result = try await group.next() ?? nil else { throw CancellationError() }
            return result
        }
    }

    /// Shows nothing while somebody types.
    func pausing<Result>(_ body: () async throws -> Result) async rethrows -> Result {
        clear()
        state.withLock { $0.isPaused = true }
        defer { state.withLock { $0.isPaused = false } }
        return try await body()
    }

    /// Says which job it is, before any money moves.
    func say(job: BusJob) {
        let id = Hex.encode(job.key.jobID)
        if isJSON {
            let line: JSONText = [
                "job_id": .string(id), "peer_id": .string(Hex.encode(job.key.peer)),
            ]
            write("\(line)\n")
        } else {
            clear()
            write("job \(id)\n")
        }
    }

    /// Takes a new state in.
    func show(_ job: BusJob) {
        let isNewStage = state.withLock { state in
            defer { state.job = job }
            guard state.job?.view.stage != job.view.stage else { return false }
            state.stageBegan = .now
            return true
        }
        if isLive {
            draw()
        } else if isNewStage, !isJSON, !job.view.stage.isEnd {
            write(Self.words(job) + "\n")
        }
    }

    /// Removes the line, so that something else can be printed.
    func clear() {
        let wasShowing = state.withLock { state in
            defer { state.isShowing = false }
            return state.isShowing
        }
        if wasShowing { write("\r\u{1b}[K") }
    }

    private func draw() {
        let line = state.withLock { state -> String? in
            guard let job = state.job, !state.isPaused, !job.view.stage.isEnd else { return nil }
            state.isShowing = true
            return Self.words(job) + " · " + Words.seconds(.now - state.stageBegan)
        }
        if let line { write("\r\u{1b}[K" + Paint.dim(line, on: STDERR_FILENO)) }
    }

    private static func words(_ job: BusJob) -> String {
        let price = Words.sats(job.view.priceMsat)
        return switch job.view.stage {
        case .quoting: "waiting for a quote"
        case .quoted: "quoted \(price)"
        case .paying: "quoted \(price) · paying"
        case .running: "quoted \(price) · paid · running"
        case .done, .failed, .cancelled, .unanswered, .paidFailed, .unspecified, .UNRECOGNIZED:
            job.view.stage.label
        }
    }

    private func write(_ text: String) {
        // Progress that can't be shown is no reason to give a job up.
        try? StandardOutput.write(Array(text.utf8), to: STDERR_FILENO)
    }
}
