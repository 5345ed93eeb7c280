import Foundation
import Glibc
import LocalNetwork
import Subprocess
import SystemPackage
import Testing

/// An image of a system with LCP installed in it, by the script that operators use.
struct Installation: Sendable {
    /// The image's root.
    let root: String

    /// Where the programs are: `swift test` runs the bundle from the directory of the products.
    static let programs = LocalNetworkPlan.directory(of: CommandLine.arguments[0])
    /// The package's own folder.
    static let package = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path()
    static let names = [
        "lcp", "lcp-bridge", "lcp-compute", "lcp-gateway", "lcp-provider", "lcp-requester",
    ]

    /// Installs, runs a closure, and removes the image.
    static func run(_ body: (Installation) async throws -> Void) async throws {
        let root = "/tmp/lcp-image-\(UUID().uuidString.prefix(8))"
        defer { try? FileManager.default.removeItem(atPath: root) }
        let image = Installation(root: root)
        try await image.install()
        try await body(image)
    }

    /// Runs the script once more.
    func install() async throws {
        let installed = try await Self.run(
            "\(Self.package)/systemd/install",
            "--destdir",
            root,
            "--binaries",
            Self.programs
        )
        try #require(installed.status == .exited(0), "\(installed.errors)")
    }

    /// A path in the image.
    func path(_ path: String) -> String { "\(root)\(path)" }

    /// The text of a file in the image.
    func text(_ path: String) throws -> String {
        try String(contentsOfFile: self.path(path), encoding: .utf8)
    }

    /// Every file in the image.
    func files() throws -> [String] {
        try FileManager.default.subpathsOfDirectory(atPath: root).filter { path in
            var isDirectory: ObjCBool = false
            return FileManager.default.fileExists(
                atPath: "\(root)/\(path)",
                isDirectory: &isDirectory
            )
                && !isDirectory.boolValue
        }
    }

    /// What a finished program left behind.
    struct Outcome: Sendable {
        var status: TerminationStatus
        var output: String
        var errors: String
    }

    /// Runs a program to its end; a name without a slash is looked for on the path.
    static func run(_ program: String, _ arguments: String...) async throws -> Outcome {
        try await run(program, arguments)
    }

    /// Runs a program to its end; a name without a slash is looked for on the path.
    static func run(_ program: String, _ arguments: [String]) async throws -> Outcome {
        let result = try await Subprocess.run(
            program.contains("/") ? .path(FilePath(program)) : .name(program),
            arguments: Arguments(arguments),
            output: .string(limit: 1 << 20),
            error: .string(limit: 1 << 20)
        )
        return Outcome(
            status: result.terminationStatus,
            output: result.standardOutput,
            errors: result.standardError
        )
    }

    /// Whether a program is on the path.
    static func has(_ program: String) -> Bool {
        (getenv("PATH").map { String(cString: $0) } ?? "").split(separator: ":").contains {
            access("\($0)/\(program)", X_OK) == 0
        }
    }
}
