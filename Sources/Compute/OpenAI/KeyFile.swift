import Foundation
package import LightningTypes

/// The server's key, as a file holds it.
package enum KeyFile {
    /// No key is as long, in bytes.
    private static let sizeLimit = 4_096

    /// Why there is no key.
    package enum Failure: Error, Equatable, Sendable {
        /// The file is not there, or this user may not read it.
        case unreadable
        /// What is in it can't be a header's value, or is nothing.
        case notAKey
    }

    /// Reads the key; spaces and line feeds around it are left out.
    ///
    /// - Parameter path: The file.
    /// - Returns: The key.
    /// - Throws: ``Failure``, which says nothing of what is in the file.
    package static func read(_ path: String) throws(Failure) -> Redacted<String> {
        guard let file = FileHandle(forReadingAtPath: path) else { throw .unreadable }
        defer { try? file.close() }
        guard let bytes = try? file.read(upToCount: sizeLimit + 1) else { throw .unreadable }
        guard bytes.count <= sizeLimit else { throw .notAKey }
        let blank: Set<UInt8> = [0x20, 0x09, 0x0a, 0x0d]
        let key = bytes.drop { blank.contains($0) }.reversed().drop { blank.contains($0) }
            .reversed()
        // Nothing else may stand in a header; a second line would be a second header.
        guard !key.isEmpty, key.allSatisfy({ (0x21...0x7e).contains($0) }) else { throw .notAKey }
        return Redacted(String(decoding: Array(key), as: UTF8.self))
    }
}
