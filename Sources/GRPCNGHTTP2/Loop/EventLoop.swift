import CLinux
import Glibc
import Synchronization

/// One thread that waits for sockets and timers, and runs the tasks that prefer it and the actors
/// pinned to it by a ``LoopIsolation``.
///
/// Handlers and timers run on that thread too. Loops live as long as the process; nothing that
/// could block runs on them.
final class EventLoop: TaskExecutor {
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
        case task(UnownedJob)
        case actor(UnownedJob, LoopIsolation)
        case action(@Sendable () -> Void)
    }

    private struct State {
        var work: [Work] = []
        var lastWork: [@Sendable () -> Void] = []
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

    func enqueue(_ job: consuming ExecutorJob) { add(.task(UnownedJob(job))) }

    /// Runs a step of an actor that is pinned to the loop.
    func enqueue(_ job: consuming ExecutorJob, of isolation: LoopIsolation) {
        add(.actor(UnownedJob(job), isolation))
    }

    /// Whether the caller is on the loop's thread.
    var isOnThread: Bool { thread.load(ordering: .relaxed) == pthread_self() }

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

    /// Runs something on the loop's thread once nothing else waits to be run.
    ///
    /// For what is cheaper done once than often, as sending is. Only for callers on that thread.
    func executeLast(_ action: @escaping @Sendable () -> Void) {
        state.withLock { $0.lastWork.append(action) }
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
            let timeout = runWork()
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
        // One piece of work often leads to the next; asking the system after each would cost more
        // than the work. Bounded, so that sockets get their turn.
        for _ in 0..<Self.workRounds {
            for action in state.withLock({ $0.timers.isEmpty ? [] : $0.timers.due(at: .now) }) {
                action()
            }
            let work = state.withLock { state in
                defer { state.work = [] }
                return state.work
            }
            for item in work { run(item) }
            guard work.isEmpty else { continue }
            guard runLastWork() else { break }
        }
        // Last work does not wait for a round that others fill.
        _ = runLastWork()
        return state.withLock { state in
            guard state.work.isEmpty, state.lastWork.isEmpty else { return 0 }
            state.isAsleep = true
            guard let earliest = state.timers.earliest() else { return -1 }
            let wait = ContinuousClock.now.duration(to: earliest)
            // Round up, so that a timer is due when the thread wakes for it.
            let milliseconds = wait / .milliseconds(1)
            return Int32(max(0, min(milliseconds.rounded(.up), 3_600_000)))
        }
    }

    /// False when there was nothing to do.
    private func runLastWork() -> Bool {
        let actions = state.withLock { state in
            defer { state.lastWork = [] }
            return state.lastWork
        }
        for action in actions { action() }
        return !actions.isEmpty
    }

    private func run(_ work: Work) {
        switch work {
        case .task(let job): job.runSynchronously(on: asUnownedTaskExecutor())
        case .actor(let job, let isolation):
            job.runSynchronously(on: isolation.asUnownedSerialExecutor())
        case .action(let action): action()
        }
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
