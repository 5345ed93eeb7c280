import CLinux
import Glibc

/// Ends a run from another thread: a file that the run's thread waits for beside the others.
final class ChildCancellation: Sendable {
    /// Readable once the run is to end.
    let file: Int32

    init() throws(SystemError) {
        file = lcp_eventfd()
        guard file >= 0 else { throw SystemError("eventfd") }
    }

    deinit { close(file) }

    /// Safe to repeat, from any thread, also after the run.
    func cancel() {
        var one: UInt64 = 1
        // Fails only when the counter is full, and then the file is readable.
        _ = write(file, &one, MemoryLayout<UInt64>.size)
    }
}
