import CGuard
import CLinux
import CrashPoints
import Glibc
import WorkerKit

/// One run of a program: its input, its output, and the end of it and of all it started.
///
/// A value that lives on the thread of the run; only ``ChildCancellation`` is shared.
struct ChildProcess: ~Copyable {
    /// What to run.
    struct Command: Sendable {
        /// The program's file.
        var path: String
        /// Its arguments, the name first.
        var arguments: [String]
        /// Its environment, `NAME=value`.
        var environment: [String]
    }

    /// What it may use.
    struct Limits: Sendable {
        /// How long it may run.
        var time: Duration
        /// How many bytes it may write.
        var outputBytes: Int
        /// How long it has between SIGTERM and SIGKILL.
        var grace: Duration
    }

    /// How it ended.
    enum Ending: Equatable, Sendable {
        case exited(code: Int32)
        case signaled(Int32)
        /// The program could not be executed.
        case notStarted(errno: Int32)
        /// We ended it.
        case stopped(Stop)
    }

    /// Why we ended it.
    enum Stop: Equatable, Sendable {
        case cancelled
        case timeLimit
        case outputLimit
    }

    /// What is left of it.
    struct Outcome: Sendable {
        var ending: Ending
        var output: ResultOutput
        /// The last bytes of its standard error.
        var errorTail: [UInt8]
    }

    /// How often the lease of a quiet program is renewed.
    private static let heartbeat = Duration.seconds(1)
    private static let errorTailBytes = 2_048
    private static let readBytes = 65_536

    private let guardID: Int32
    private let limits: Limits
    private let cancellation: ChildCancellation
    private let start = ContinuousClock.now
    private let report: OwnedFile
    private var input: OwnedFile?
    private var output: OwnedFile?
    private var errors: OwnedFile?
    private var unsent: ArraySlice<UInt8>
    private var result: ResultOutput
    private var errorTail: [UInt8] = []
    private var ending: Ending?
    private var stop: Stop?
    private var killAt: ContinuousClock.Instant?

    /// Starts the program.
    ///
    /// - Parameters:
    ///   - command: What to run.
    ///   - bytes: What it reads on standard input.
    ///   - result: Gathers what it writes.
    ///   - limits: What it may use.
    ///   - cancellation: Ends it from elsewhere.
    /// - Throws: ``SystemError`` when the system gives no process or no file.
    init(
        _ command: Command,
        input bytes: [UInt8],
        result: ResultOutput,
        limits: Limits,
        cancellation: ChildCancellation
    ) throws(SystemError) {
        let toChild = try Pipe()
        let fromChild = try Pipe()
        let errorsOfChild = try Pipe()
        let reports = try Pipe()
        guardID = try Self.start(
            command,
            files: [
                toChild.readEnd.number, fromChild.writeEnd.number, errorsOfChild.writeEnd.number,
            ],
            report: reports.writeEnd.number
        )
        self.limits = limits
        self.cancellation = cancellation
        self.result = result
        unsent = bytes[...]
        // The other ends close here, so that the child's end is the end of its streams.
        input = toChild.intoWriteEnd()
        output = fromChild.intoReadEnd()
        errors = errorsOfChild.intoReadEnd()
        report = reports.intoReadEnd()
    }

    private static func start(
        _ command: Command,
        files: [Int32],
        report: Int32
    ) throws(SystemError) -> Int32 {
        var arguments = command.arguments.map { strdup($0) } + [nil]
        var environment = command.environment.map { strdup($0) } + [nil]
        defer { for text in arguments + environment { free(text) } }
        let pid = lcp_guard_start(command.path, &arguments, &environment, files, report)
        guard pid > 0 else { throw SystemError("fork", -pid) }
        return pid
    }

    // MARK: - The run

    /// Serves the program until it has ended.
    ///
    /// - Parameter beat: Called at least once a second.
    /// - Returns: What is left; nothing of its group runs any more.
    consuming func run(beat: () -> Void) -> Outcome {
        while ending == nil {
            beat()
            WorkerCrashPoint.duringProgram.reach()
            wait()
        }
        // What the program wrote before its end is in the pipes; a process that left the group may
        // hold them open for ever.
        drain()
        // The guard is killed, by itself or by us; nothing else waits for it.
        kill(-guardID, SIGKILL)
        var status: Int32 = 0
        while waitpid(guardID, &status, 0) < 0, errno == EINTR {}
        WorkerCrashPoint.afterProgram.reach()
        return Outcome(
            ending: stop.map { .stopped($0) } ?? ending ?? .signaled(SIGKILL),
            output: result,
            errorTail: errorTail
        )
    }

    private mutating func wait() {
        let now = ContinuousClock.now
        if stop == nil, now - start >= limits.time { end(.timeLimit) }
        if let killAt, now >= killAt {
            kill(-guardID, SIGKILL)
            self.killAt = nil
        }
        var files = [
            Self.interest(report.number, POLLIN),
            // Asked once: its file stays readable.
            Self.interest(stop == nil ? cancellation.file : -1, POLLIN),
            Self.interest(input?.number ?? -1, POLLOUT),
            Self.interest(output?.number ?? -1, POLLIN),
            Self.interest(errors?.number ?? -1, POLLIN),
        ]
        guard poll(&files, UInt(files.count), timeout(now)) > 0 else { return }
        if files[1].revents != 0 { end(.cancelled) }
        if files[2].revents != 0 { write() }
        if files[3].revents != 0 { readOutput() }
        if files[4].revents != 0 { readErrors() }
        // Last: what the program wrote before its end comes before the end.
        if files[0].revents != 0 { readReport() }
    }

    private static func interest(_ file: Int32, _ events: Int32) -> pollfd {
        pollfd(fd: file, events: Int16(events), revents: 0)
    }

    private func timeout(_ now: ContinuousClock.Instant) -> Int32 {
        var wait = Self.heartbeat
        if stop == nil { wait = min(wait, limits.time - (now - start)) }
        if let killAt { wait = min(wait, killAt - now) }
        let parts = max(wait, .zero).components
        // Rounded up, so that the time has come when the poll returns.
        return Int32(parts.seconds * 1_000 + parts.attoseconds / 1_000_000_000_000_000 + 1)
    }

    /// Ends the group: SIGTERM now, SIGKILL after the grace.
    private mutating func end(_ reason: Stop) {
        guard stop == nil else { return }
        stop = reason
        killAt = ContinuousClock.now + limits.grace
        kill(-guardID, SIGTERM)
    }

    // MARK: - Streams

    private mutating func write() {
        guard let file = input?.number else { return }
        let written = unsent.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
        if written >= 0 { unsent = unsent.dropFirst(written) }
        let isClosed = written < 0 && errno != EAGAIN && errno != EINTR
        // A program need not read what it does not want.
        if isClosed || unsent.isEmpty { input = nil }
    }

    private mutating func readOutput() {
        guard let file = output?.number else { return }
        guard let bytes = Self.read(file) else { return }
        if bytes.isEmpty { output = nil }
        result.append(bytes)
        if result.total > limits.outputBytes || result.isHopeless { end(.outputLimit) }
    }

    private mutating func readErrors() {
        guard let file = errors?.number else { return }
        guard let bytes = Self.read(file) else { return }
        if bytes.isEmpty { errors = nil }
        errorTail = Array((errorTail + bytes).suffix(Self.errorTailBytes))
    }

    private mutating func readReport() {
        var words: [Int32] = [0, 0]
        let count = words.withUnsafeMutableBytes { Glibc.read(report.number, $0.baseAddress, 8) }
        if count < 0, errno == EINTR { return }
        switch (count, words[0]) {
        case (8, Int32(LCP_GUARD_EXITED)): ending = .exited(code: words[1])
        case (8, Int32(LCP_GUARD_NOT_STARTED)): ending = .notStarted(errno: words[1])
        case (8, _): ending = .signaled(words[1])
        // The guard was killed and could not say.
        default: ending = .signaled(SIGKILL)
        }
    }

    /// Reads what is there without waiting.
    private mutating func drain() {
        // Bounded by the limit: a process that left the group may go on writing.
        var left = limits.outputBytes
        while left > 0, let file = output?.number, let bytes = Self.read(file), !bytes.isEmpty {
            result.append(bytes)
            left -= bytes.count
        }
        if let file = errors?.number, let bytes = Self.read(file) {
            errorTail = Array((errorTail + bytes).suffix(Self.errorTailBytes))
        }
    }

    /// Some bytes, none at the end of the stream; nil when there are none now.
    private static func read(_ file: Int32) -> [UInt8]? {
        var count = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: readBytes) { buffer, used in
            count = Glibc.read(file, buffer.baseAddress, readBytes)
            // `read` filled so many bytes and no more.
            used = max(0, count)
        }
        return count < 0 && (errno == EAGAIN || errno == EINTR) ? nil : bytes
    }
}
