import Glibc

/// A thread outside the shared pool, for what blocks.
enum Thread {
    private final class Body: Sendable {
        let run: @Sendable () -> Void

        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    /// Runs something on a thread of its own, which ends with it.
    ///
    /// - Returns: False when the system gives no thread; then nothing runs.
    static func start(_ run: @escaping @Sendable () -> Void) -> Bool {
        // Retained here, released by the thread, or below when there is none.
        let body = Unmanaged.passRetained(Body(run))
        var thread = pthread_t()
        let status = pthread_create(&thread, nil, main, body.toOpaque())
        guard status == 0 else {
            body.release()
            return false
        }
        pthread_detach(thread)
        return true
    }

    private static let main: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? =
        { body in
            if let body { Unmanaged<Body>.fromOpaque(body).takeRetainedValue().run() }
            return nil
        }
}
