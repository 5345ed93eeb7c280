import Foundation
import Subprocess
import SystemPackage
import Testing

/// Generates the committed code once more and compares; `GeneratedCodeTests` compares only hashes.
@Suite(.timeLimit(.minutes(5))) struct CodeGenerationTests {
    private static let root = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    @Test(
        .enabled("protoc 3.21 is not installed (Debian 12: protobuf-compiler)") {
            await hasProtoc()
        }
    )
    func `protoc writes the Python types that are committed`() async throws {
        try await compare(["ipc-schema/python/lcp"], generatedWith: ["--python"])
    }

    @Test(
        .enabled("protoc 3.21 or the generators are missing: run Tests/CodeGeneration/generate") {
            await hasProtoc() && hasGenerators()
        }
    )
    func `protoc and its plugins write the Swift types that are committed`() async throws {
        try await compare(
            [
                "Sources/BridgeProtocol/Generated", "Sources/LndRPC/Generated",
                "Sources/LndSim/Generated", "Sources/WorkerKit/Generated",
            ],
            generatedWith: []
        )
    }

    private func compare(_ folders: [String], generatedWith options: [String]) async throws {
        let fresh = FileManager.default.temporaryDirectory
            .appending(path: "code-generation-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: fresh) }
        let result = try await Subprocess.run(
            .path(FilePath(Self.root.appending(path: "Tests/CodeGeneration/generate").path())),
            arguments: Arguments(options + ["--into", fresh.path()]),
            output: .string(limit: 1 << 20),
            error: .string(limit: 1 << 20)
        )
        try #require(result.terminationStatus == .exited(0), "\(result.standardError)")
        for folder in folders {
            let committed = try Self.contents(of: folder, in: Self.root)
            let generated = try Self.contents(of: folder, in: fresh)
            #expect(!committed.isEmpty)
            #expect(committed.keys.sorted() == generated.keys.sorted())
            for (path, bytes) in committed {
                #expect(
                    generated[path] == bytes,
                    "\(path): run Tests/CodeGeneration/generate and commit its output"
                )
            }
        }
    }

    private static func contents(of folder: String, in root: URL) throws -> [String: Data] {
        let base = root.appending(path: folder)
        var contents: [String: Data] = [:]
        for path in try FileManager.default.subpathsOfDirectory(atPath: base.path()) {
            // Python leaves compiled modules beside those it ran.
            guard !path.hasSuffix(".pyc"), !base.appending(path: path).isFolder else { continue }
            contents["\(folder)/\(path)"] = try Data(contentsOf: base.appending(path: path))
        }
        return contents
    }

    private static func hasProtoc() async -> Bool {
        let result = try? await Subprocess.run(
            .name("protoc"),
            arguments: ["--version"],
            output: .string(limit: 1024),
            error: .discarded
        )
        return result?.standardOutput.hasPrefix("libprotoc 3.21.") == true
    }

    private static func hasGenerators() -> Bool {
        let folder = root.appending(path: ".build/code-generation/debug")
        return ["protoc-gen-swift", "protoc-gen-grpc-swift-2"].allSatisfy {
            FileManager.default.isExecutableFile(atPath: folder.appending(path: $0).path())
        }
    }
}

extension URL {
    fileprivate var isFolder: Bool {
        (try? resourceValues(forKeys: [.isDirectoryKey]))?.isDirectory == true
    }
}
