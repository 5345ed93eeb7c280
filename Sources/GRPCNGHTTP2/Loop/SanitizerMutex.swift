#if LCP_SANITIZE_THREAD
    import Glibc

    /// Stands in for `Synchronization.Mutex` while the thread sanitizer looks on.
    ///
    /// The library's mutex is made of futex calls inside the uninstrumented runtime, which the
    /// sanitizer can't see: it reports every value behind one as a race. It knows pthread's.
    // Sendable: `value` is touched only between lock and unlock.
    final class Mutex<Value: ~Copyable>: @unchecked Sendable {
        private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
        private var value: Value

        init(_ value: consuming sending Value) {
            self.value = value
            pthread_mutex_init(lock, nil)
        }

        deinit {
            pthread_mutex_destroy(lock)
            lock.deallocate()
        }

        func withLock<R: ~Copyable, E: Error>(
            _ body: (inout sending Value) throws(E) -> sending R
        ) throws(E) -> sending R {
            pthread_mutex_lock(lock)
            defer { pthread_mutex_unlock(lock) }
            return try body(&value)
        }
    }
#endif
