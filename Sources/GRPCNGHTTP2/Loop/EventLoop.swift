import CLinux
import Glibc
import Synchronization

/// One thread that waits for sockets and timers and runs the actors pinned to it.
///
/// An actor whose executor is a loop has its state isolated to the loop's thread, and the compiler
/// checks that. Handlers and timers run on that thread too, so they may use `assumeIsolated`.
/// Tasks that prefer the loop as their executor run there as well. Loops live as long as the
/// process; nothing that could block runs on them.
final class EventLoop: SerialExecutor, TaskExecutor {
    /// What a descriptor is watched for, or became ready for.
    struct Readiness: OptionSet, Sendable {
        var rawValue: UInt32
        static let readable = Readiness(rawValue: EPOLLIN.rawValue | EPOLLRDHUP.rawValue)
        static let writable = Readiness(rawValue: EPOLLOUT.rawValue)
        static let failed = Readiness(rawValue: EPOLLERR.rawValue | EPOLLHUP.rawValue)
    }

    /// Names one watched descriptor, also after its number was reused.
    struct Watch: Hashable, Sendable {
        fileprivate var token: UInt64
        fileprivate var descriptor: Int32
    }

    private enum Work: Sendable {
        case job(UnownedJob)
        case action(@Sendable () -> Void)
    }

    private struct State {
        var work: [Work] = []
        var timers = TimerHeap()
        var handlers: [UInt64: @Sendable (Readiness) -> Void] = [:]
        var lastToken: UInt64 = 0
        var isAsleep = false
    }

    private static let workRounds = 64

    private let epoll: Int32
    private let wakeUp: Int32
    private let thread = Atomic<UInt>(0)
    private let state = Mutex(State())

    /// Makes a loop and starts its thread.
    init() throws(GRPCTransportError) {
        epoll = lcp_epoll_create()
        wakeUp = lcp_eventfd()
        guard epoll >= 0, wakeUp >= 0,
            lcp_epoll_control(epoll, EPOLL_CTL_ADD, wakeUp, EPOLLIN.rawValue, 0) == 0
        else { throw .system(.resourcesExhausted, "can't make an event loop") }
        // The thread keeps the loop alive for ever: a job enqueued on a loop always runs.
        guard Thread.start({ self.run() }) else {
            throw GRPCTransportError(.resourcesExhausted, "can't start a thread for the event loop")
        }
    }

    // MARK: - Executor

    func enqueue(_ job: consuming ExecutorJob) { add(.job(UnownedJob(job))) }

    func checkIsolated() {
        precondition(isOnThread, "not on the event loop's thread")
    }

    func isIsolatingCurrentContext() -> Bool? { isOnThread }

    private var isOnThread: Bool { thread.load(ordering: .relaxed) == pthread_self() }

    // MARK: - Work and timers

    /// Runs something on the loop's thread, soon.
    func execute(_ action: @escaping @Sendable () -> Void) { add(.action(action)) }

    /// Runs something on the loop's thread after a while.
    func schedule(
        after delay: Duration,
        _ action: @escaping @Sendable () -> Void
    ) -> TimerID {
        let deadline = ContinuousClock.now.advanced(by: delay)
        let (timer, mustWake) = state.withLock { state in
            let timer = state.timers.add(deadline, action)
            defer { state.isAsleep = false }
            return (timer, state.isAsleep)
        }
        if mustWake { wake() }
        return timer
    }

    /// Forgets a timer; one that has run or was cancelled is ignored.
    func cancel(_ timer: TimerID) {
        state.withLock { $0.timers.cancel(timer) }
    }

    private func add(_ work: Work) {
        let mustWake = state.withLock { state in
            state.work.append(work)
            defer { state.isAsleep = false }
            return state.isAsleep
        }
        if mustWake { wake() }
    }

    private func wake() {
        var one: UInt64 = 1
        // Fails only when the counter is full, and then the loop is awake anyway.
        _ = write(wakeUp, &one, 8)
    }

    // MARK: - Descriptors

    /// Calls a handler whenever the descriptor is ready, until ``unwatch(_:)``.
    func watch(
        _ descriptor: Int32,
        for readiness: Readiness,
        _ handler: @escaping @Sendable (Readiness) -> Void
    ) throws(GRPCTransportError) -> Watch {
        let token = state.withLock { state in
            state.lastToken += 1
            state.handlers[state.lastToken] = handler
            return state.lastToken
        }
        guard
            lcp_epoll_control(epoll, EPOLL_CTL_ADD, descriptor, readiness.rawValue, token) == 0
        else {
            state.withLock { $0.handlers[token] = nil }
            throw .system(.resourcesExhausted, "can't watch a socket")
        }
        return Watch(token: token, descriptor: descriptor)
    }

    /// Changes what a descriptor is watched for.
    func change(_ watch: Watch, to readiness: Readiness) {
        _ = lcp_epoll_control(
            epoll,
            EPOLL_CTL_MOD,
            watch.descriptor,
            readiness.rawValue,
            watch.token
        )
    }

    /// Stops watching; call it before closing the descriptor.
    func unwatch(_ watch: Watch) {
        _ = lcp_epoll_control(epoll, EPOLL_CTL_DEL, watch.descriptor, 0, watch.token)
        state.withLock { $0.handlers[watch.token] = nil }
    }

    // MARK: - The thread

    private func run() {
        thread.store(pthread_self(), ordering: .relaxed)
        var tokens = [UInt64](repeating: 0, count: Int(LCP_EPOLL_BATCH))
        var ready = [UInt32](repeating: 0, count: Int(LCP_EPOLL_BATCH))
        while true {
            // One piece of work often leads to the next; asking the system after each would cost
            // more than the work. Bounded, so that sockets get their turn.
            var timeout = runWork()
            var rounds = 1
            while timeout == 0, rounds < Self.workRounds {
                timeout = runWork()
                rounds += 1
            }
            let count = lcp_epoll_wait(epoll, &tokens, &ready, timeout)
            state.withLock { $0.isAsleep = false }
            // A signal interrupts the wait; nothing is ready then.
            for index in 0..<max(0, Int(count)) {
                guard tokens[index] != 0 else {
                    var counter: UInt64 = 0
                    _ = read(wakeUp, &counter, 8)
                    continue
                }
                // A handler that was removed earlier in this round is not called again.
                let handler = state.withLock { $0.handlers[tokens[index]] }
                handler?(Readiness(rawValue: ready[index]))
            }
        }
    }

    /// Runs what waits; returns how many milliseconds the thread may sleep, -1 for ever.
    private func runWork() -> Int32 {
        let now = ContinuousClock.now
        let (work, due, timeout) = state.withLock { state -> ([Work], [TimerHeap.Action], Int32) in
            let work = state.work
            state.work = []
            let due = state.timers.due(at: now)
            guard work.isEmpty, due.isEmpty else { return (work, due, 0) }
            state.isAsleep = true
            guard let earliest = state.timers.earliest() else { return ([], [], -1) }
            let wait = now.duration(to: earliest)
            // Round up, so that a timer is due when the thread wakes for it.
            let milliseconds = wait / .milliseconds(1)
            return ([], [], Int32(max(0, min(milliseconds.rounded(.up), 3_600_000))))
        }
        for action in due { action() }
        for item in work {
            switch item {
            case .job(let job):
                job.runSynchronously(
                    isolatedTo: asUnownedSerialExecutor(),
                    taskExecutor: asUnownedTaskExecutor()
                )
            case .action(let action): action()
            }
        }
        return timeout
    }
}

extension GRPCTransportError {
    /// An error with the system's words for `errno`.
    static func system(_ code: Code, _ what: String, _ number: Int32 = errno) -> GRPCTransportError
    {
        GRPCTransportError(code, "\(what): \(systemErrorText(number))")
    }
}

/// The system's words for an error number.
func systemErrorText(_ number: Int32) -> String {
    var buffer = [CChar](repeating: 0, count: 256)
    guard strerror_r(number, &buffer, buffer.count) == 0 else { return "error \(number)" }
    return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
