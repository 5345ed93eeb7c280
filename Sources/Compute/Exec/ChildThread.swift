import CGuard
import Glibc

/// A thread outside the shared pool that lives as long as one child process.
///
/// The kernel tells a guard of the death of the *thread* that started it, and threads of the
/// shared pool come and go.
enum ChildThread {
    private final class Body: Sendable {
        let run: @Sendable () -> Void

        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    /// Runs something on a thread of its own, on which every signal is blocked.
    ///
    /// - Returns: False when the system gives no thread; then nothing runs.
    static func start(_ run: @escaping @Sendable () -> Void) -> Bool {
        // Retained here, released by the thread, or below when there is none.
        let body = Unmanaged.passRetained(Body(run))
        var thread = pthread_t()
        let failure = pthread_create(
            &thread,
            nil,
            { body in
                lcp_guard_block_signals()
                if let body { Unmanaged<Body>.fromOpaque(body).takeRetainedValue().run() }
                return nil
            },
            body.toOpaque()
        )
        guard failure == 0 else {
            body.release()
            return false
        }
        pthread_detach(thread)
        return true
    }
}
