import CLinux
import FoundationEssentials
import Glibc
import Synchronization

/// A process that can't outlive this one.
///
/// It runs in a process group of its own, so that Ctrl-C reaches only us and we end it in order. If we
/// are killed, the kernel kills it.
package final class ChildProcess: Sendable {
    /// How a process ended.
    package enum Ending: Equatable, Sendable {
        /// By itself, with a status.
        case exited(CInt)
        /// By a signal.
        case signalled(CInt)
    }

    private struct State {
        var ending: Ending?
        var waiters: [CheckedContinuation<Ending, Never>] = []
    }

    /// The process's number.
    package let pid: Int32

    private let descriptor: CInt
    private let exit: Exit

    /// Where the thread that waits leaves how the process ended.
    private final class Exit: Sendable {
        let state = Mutex(State())

        func set(_ ending: Ending) {
            let waiters = state.withLock { state in
                state.ending = ending
                defer { state.waiters = [] }
                return state.waiters
            }
            for waiter in waiters { waiter.resume(returning: ending) }
        }
    }

    /// Starts a program.
    ///
    /// - Parameters:
    ///   - program: Its path.
    ///   - arguments: Its arguments, without its name.
    ///   - environment: Variables it has besides ours, or instead of them.
    ///   - log: The file that standard output and error are appended to.
    /// - Throws: ``LocalNetworkError`` `missingProgram` or `notStarted`.
    package init(
        _ program: String,
        _ arguments: [String],
        environment: [String: String] = [:],
        log: String
    ) async throws {
        guard access(program, X_OK) == 0 else {
            throw LocalNetworkError(.missingProgram, "\(program) is not there")
        }
        let exit = Exit()
        let started: (pid_t, CInt)? = await withCheckedContinuation { continuation in
            // The thread that starts a process also waits for it: the kernel would kill the process
            // when its thread ends, and threads of the shared pool end as they like.
            let isRunning = WaitingThread.start {
                guard let pid = Self.spawn(program, arguments, environment, log: log) else {
                    return continuation.resume(returning: nil)
                }
                // Nobody but us reaps it, so the number is still its own here.
                continuation.resume(returning: (pid, lcp_pidfd_open(pid)))
                var status: CInt = 0
                while waitpid(pid, &status, 0) < 0, errno == EINTR {}
                let number = status & 0x7f
                exit.set(number == 0 ? .exited(status >> 8 & 0xff) : .signalled(number))
            }
            if !isRunning { continuation.resume(returning: nil) }
        }
        guard let started else {
            throw LocalNetworkError(.notStarted, "the system gives no process for \(program)")
        }
        (pid, descriptor) = started
        self.exit = exit
    }

    deinit { close(descriptor) }

    /// How it ended; nil while it runs.
    package var ending: Ending? { exit.state.withLock { $0.ending } }

    /// Sends a signal; nothing happens when the process has ended.
    package func signal(_ number: CInt) { _ = lcp_pidfd_signal(descriptor, number) }

    /// Waits for the end, also when the caller is cancelled.
    package func wait() async -> Ending {
        await withCheckedContinuation { continuation in
            let ending = exit.state.withLock { state in
                if state.ending == nil { state.waiters.append(continuation) }
                return state.ending
            }
            if let ending { continuation.resume(returning: ending) }
        }
    }

    /// Ends the process: SIGTERM, and SIGKILL when that takes too long.
    ///
    /// - Parameter patience: How long it may take.
    package func terminate(within patience: Duration = .seconds(5)) async {
        signal(SIGTERM)
        let killer = Task {
            try await Task.sleep(for: patience)
            signal(SIGKILL)
        }
        _ = await wait()
        killer.cancel()
    }

    private static func spawn(
        _ program: String,
        _ arguments: [String],
        _ environment: [String: String],
        log: String
    ) -> pid_t? {
        let input = open("/dev/null", O_RDONLY | O_CLOEXEC)
        let output = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        defer {
            close(input)
            close(output)
        }
        guard input >= 0, output >= 0 else { return nil }
        // `strdup` may give nil only without memory; the list then ends early.
        let texts = ([program] + arguments).map { strdup($0) }
        let variables = ProcessInfo.processInfo.environment
            .merging(environment) { $1 }
            .map { strdup("\($0)=\($1)") }
        defer { (texts + variables).forEach { free($0) } }
        // The pointers live until the `defer` above, and the child has copies of them.
        let pid = (texts + [nil]).withUnsafeBufferPointer { texts in
            (variables + [nil]).withUnsafeBufferPointer { variables in
                lcp_spawn(program, texts.baseAddress, variables.baseAddress, input, output)
            }
        }
        return pid > 0 ? pid : nil
    }
}

/// A thread that blocks in `waitpid` for as long as its child lives.
private enum WaitingThread {
    private final class Body: Sendable {
        let run: @Sendable () -> Void

        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    /// Runs something on a thread of its own; false when the system gives none.
    static func start(_ run: @escaping @Sendable () -> Void) -> Bool {
        // Retained here, released by the thread, or below when there is none.
        let body = Unmanaged.passRetained(Body(run))
        var thread = pthread_t()
        let status = pthread_create(
            &thread,
            nil,
            { body in
                if let body { Unmanaged<Body>.fromOpaque(body).takeRetainedValue().run() }
                return nil
            },
            body.toOpaque()
        )
        guard status == 0 else {
            body.release()
            return false
        }
        pthread_detach(thread)
        return true
    }
}
