import CZeroMQ
import Glibc
import Synchronization

/// One thread that runs an actor's jobs and, between them, waits for sockets.
final class PollThread: SerialExecutor {
    /// What other threads ask of the loop without being able to await it.
    enum Note: Sendable {
        /// The last handle of a socket is gone.
        case close(PortID)
        /// The task that waits to send gave up.
        case cancelSend(PortID, UInt64)
        /// The task that waits for subscription events gave up.
        case cancelEvents(PortID)
        /// A consumer took its batch; the socket may be drained again.
        case resume
    }

    /// A job and, if a task prefers this thread, the executor it is run for.
    private struct Job {
        let job: UnownedJob
        let taskExecutor: UnownedTaskExecutor?
    }

    private struct State {
        var jobs: [Job] = []
        var notes: [Note] = []
        var isAwake = true
        var isStopping = false
        var isAbandoned = false
        var hasTasks = true

        var mayEnd: Bool { isAbandoned && !hasTasks && jobs.isEmpty }
    }

    private let state = Mutex(State())
    /// An eventfd that ends the poll.
    let wakeUp: Int32
    /// `pthread_self()` of the loop; 0 before it runs.
    private let thread = Atomic<UInt>(0)

    init() throws(ZeroMQError) {
        wakeUp = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        guard wakeUp >= 0 else {
            throw ZeroMQError(during: "creating an eventfd", errno)
        }
    }

    deinit { close(wakeUp) }

    // MARK: - For any thread

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        change { $0.jobs.append(Job(job: job, taskExecutor: nil)) }
    }

    func enqueue(_ job: UnownedJob, on taskExecutor: UnownedTaskExecutor) {
        change { $0.jobs.append(Job(job: job, taskExecutor: taskExecutor)) }
    }

    func post(_ note: Note) {
        change { $0.notes.append(note) }
    }

    /// Asks the loop to close all sockets; the actor's jobs go on running.
    func stop() { change { $0.isStopping = true } }

    /// Says that the actor is gone, so that no job can come any more, and lets the thread end.
    func abandon() { change { $0.isAbandoned = true } }

    /// Says that no task can prefer this thread any more.
    func releaseTasks() { change { $0.hasTasks = false } }

    func checkIsolated() {
        precondition(isOwnThread, "not on the reactor's thread")
    }

    func isIsolatingCurrentContext() -> Bool? { isOwnThread }

    private var isOwnThread: Bool { thread.load(ordering: .relaxed) == UInt(pthread_self()) }

    private func change(_ body: (inout State) -> Void) {
        let mustWake = state.withLock { state in
            body(&state)
            defer { state.isAwake = true }
            return !state.isAwake
        }
        guard mustWake else { return }
        var one: UInt64 = 1
        // Fails only when the counter is full, and then the loop wakes anyway.
        _ = write(wakeUp, &one, MemoryLayout<UInt64>.size)
    }

    // MARK: - For the loop's own thread

    /// Starts the loop.
    func start(_ reactor: Reactor) throws(ZeroMQError) {
        let start = Unmanaged.passRetained(Start(thread: self, reactor: reactor))
        var id = pthread_t()
        let failure = pthread_create(
            &id,
            nil,
            { argument in
                if let argument {
                    Unmanaged<Start>.fromOpaque(argument).takeRetainedValue().run()
                }
                return nil
            },
            start.toOpaque()
        )
        guard failure == 0 else {
            start.release()
            throw ZeroMQError(.exhausted, "no thread: \(String(cString: strerror(failure)))")
        }
        pthread_detach(id)
    }

    /// Whether the poll may sleep: nothing has been asked since the loop last looked.
    func maySleep() -> Bool {
        state.withLock { state in
            let isIdle =
                state.jobs.isEmpty && state.notes.isEmpty
                && !state.isStopping && !state.mayEnd
            state.isAwake = !isIdle
            return isIdle
        }
    }

    /// Says that the loop is awake after a poll that a socket has ended.
    func rested() { state.withLock { $0.isAwake = true } }

    /// Empties the eventfd after a poll.
    func woke() {
        state.withLock { $0.isAwake = true }
        var count: UInt64 = 0
        _ = read(wakeUp, &count, MemoryLayout<UInt64>.size)
    }

    func takeNotes() -> [Note] {
        state.withLock { state in
            defer { state.notes = [] }
            return state.notes
        }
    }

    /// How often jobs that follow from jobs run before the sockets are looked at again.
    private static let roundsPerTurn = 16

    private func runJobs() {
        for _ in 0..<Self.roundsPerTurn {
            let jobs = state.withLock { state in
                defer { state.jobs = [] }
                return state.jobs
            }
            guard !jobs.isEmpty else { return }
            for job in jobs {
                if let taskExecutor = job.taskExecutor {
                    job.job.runSynchronously(on: taskExecutor)
                } else {
                    job.job.runSynchronously(on: asUnownedSerialExecutor())
                }
            }
        }
    }

    /// Serves sockets and jobs until it is stopped, then jobs alone until the actor is gone.
    private func run(_ start: Start) {
        thread.store(UInt(pthread_self()), ordering: .relaxed)
        // Signals are for the threads that wait for them.
        var signals = sigset_t()
        sigfillset(&signals)
        pthread_sigmask(SIG_BLOCK, &signals, nil)

        while !state.withLock({ $0.isStopping }) {
            runJobs()
            start.reactor?.assumeIsolated { $0.turn() }
        }
        start.reactor?.assumeIsolated { $0.tearDown() }
        // From here on a caller's reference is all that keeps the actor, and calls find it closed.
        start.reactor = nil
        while !state.withLock({ $0.mayEnd }) {
            runJobs()
            state.withLock { _ = ($0.notes = [], $0.isStopping = false) }
            var item = pollfd(fd: wakeUp, events: Int16(POLLIN), revents: 0)
            if maySleep() { _ = poll(&item, 1, -1) }
            woke()
        }
    }

    /// What the new thread is given.
    private final class Start: @unchecked Sendable {
        // Sendable: handed to the new thread once and touched by it alone.
        let thread: PollThread
        var reactor: Reactor?

        init(thread: PollThread, reactor: Reactor) {
            self.thread = thread
            self.reactor = reactor
        }

        func run() { thread.run(self) }
    }
}
