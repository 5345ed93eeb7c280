/// Pins an actor to a loop.
///
/// Its state is touched on the loop's thread only, and the compiler checks that. What else runs on
/// the thread may use `assumeIsolated`.
///
/// Not the loop itself: the runtime takes a task off an actor's executor at each call of a function
/// that is not isolated to it. A task that prefers the loop would be enqueued again each time.
final class LoopIsolation: SerialExecutor {
    private let loop: EventLoop

    init(_ loop: EventLoop) { self.loop = loop }

    func enqueue(_ job: consuming ExecutorJob) { loop.enqueue(job, of: self) }

    func checkIsolated() { precondition(loop.isOnThread, "not on the event loop's thread") }

    func isIsolatingCurrentContext() -> Bool? { loop.isOnThread }
}
