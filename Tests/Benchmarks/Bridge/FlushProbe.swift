import Foundation
import Glibc

/// What one flush of the disk costs here and now.
enum FlushProbe {
    /// The median of 200 flushes after 4 KiB written, each to the same file.
    static func median(in directory: String) throws -> Duration {
        let descriptor = open("\(directory)/flush", O_CREAT | O_WRONLY, 0o600)
        guard descriptor >= 0 else { throw POSIXError(.EIO) }
        defer { close(descriptor) }
        let block = [UInt8](repeating: 1, count: 4_096)
        var times: [Duration] = []
        for _ in 0..<200 {
            guard write(descriptor, block, block.count) == block.count else {
                throw POSIXError(.EIO)
            }
            times.append(ContinuousClock().measure { _ = fdatasync(descriptor) })
        }
        return times.sorted()[times.count / 2]
    }
}
