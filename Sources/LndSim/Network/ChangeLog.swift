import LightningTypes

/// Why a log of changes could not be read.
package struct ChangeLogError: Error, Equatable, Sendable {
    /// What was found at which byte.
    package let detail: String
}

extension ChangeLogError: CustomStringConvertible {
    /// Detail and advice in one line.
    package var description: String {
        "\(detail). The log is damaged or from another version; start with a new directory."
    }
}

/// The bytes of a log of changes: batches that are applied whole or not at all.
///
/// A batch is its length (4 bytes, big-endian), a checksum (8 bytes of SHA-256), then its changes.
/// A process killed while writing leaves at most one incomplete batch, at the end.
package enum ChangeLog {
    /// The bytes of one batch.
    package static func encode(_ changes: [Change]) -> [UInt8] {
        var writer = LogWriter(headerLength: headerLength)
        for change in changes { change.write(to: &writer) }
        return writer.finished()
    }

    /// Reads batches until the bytes end or a batch is incomplete.
    ///
    /// - Parameter bytes: A whole log.
    /// - Returns: The changes in order, and how many bytes they took; what follows was never
    ///   answered for and is to be cut off.
    /// - Throws: ``ChangeLogError`` when a complete batch holds what this version never wrote.
    package static func decode(
        _ bytes: [UInt8]
    ) throws(ChangeLogError) -> (changes: [Change], length: Int) {
        var changes: [Change] = []
        var start = 0
        while bytes.count - start >= headerLength {
            let length = bytes[start..<start + 4].reduce(0) { $0 << 8 | Int($1) }
            let body = start + headerLength
            guard bytes.count - body >= length else { break }
            let content = bytes[body..<body + length]
            guard LogWriter.checksum(content) == Array(bytes[start + 4..<body]) else { break }
            var reader = LogReader(content)
            while !reader.isAtEnd { changes.append(try Change(from: &reader)) }
            start = body + length
        }
        return (changes, start)
    }

    private static let headerLength = 12
}
