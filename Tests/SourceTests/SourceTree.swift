import Foundation

/// The files these tests read.
enum SourceTree {
    /// The folder of `Package.swift`.
    static let root = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// The files below a folder, at any depth, as paths relative to ``root``.
    static func files(under folder: String, withSuffix suffix: String) throws -> [String] {
        try FileManager.default.subpathsOfDirectory(atPath: root.appending(path: folder).path())
            .filter { $0.hasSuffix(suffix) }
            .map { "\(folder)/\($0)" }
    }
}
