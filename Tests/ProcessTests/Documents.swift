import Foundation
import Testing

/// What people read: the README, the articles, and the schema's page.
enum Documents {
    /// The folder of `Package.swift`.
    static let root = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// Every document, as a path below ``root``.
    static func all() throws -> [String] {
        let articles = try FileManager.default.subpathsOfDirectory(
            atPath: root.appending(path: "Sources").path()
        )
        .filter { $0.hasSuffix(".md") }.map { "Sources/\($0)" }
        return (["README.md", "ipc-schema/README.md"] + articles).sorted()
    }

    /// A file's text.
    static func text(_ path: String) throws -> String {
        try String(contentsOf: root.appending(path: path), encoding: .utf8)
    }

    /// The programs that this package is made for: its executable products.
    static func programs() throws -> [String] {
        let manifest = try text("Package.swift")
        let names = manifest.matches(of: /\.executable\(name: "([^"]+)"/).map { String($0.1) }
        try #require(names.count > 5)
        return names
    }
}
