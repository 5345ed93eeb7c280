/// Runs tasks on the thread of a context's sockets.
///
/// A task that prefers it sends and receives without waking another thread, which halves the time
/// of a round trip. While such a task runs, no socket is served: it is for handlers that answer at
/// once, never for work that computes or blocks.
package final class ContextExecutor: TaskExecutor {
    private let thread: PollThread

    init(_ thread: PollThread) { self.thread = thread }

    /// Queues a job; called by the concurrency runtime.
    package func enqueue(_ job: consuming ExecutorJob) {
        thread.enqueue(UnownedJob(job), on: asUnownedTaskExecutor())
    }

    // The thread must outlive every task that may still come back to it.
    deinit { thread.releaseTasks() }
}
