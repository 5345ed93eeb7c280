import Foundation
import LightningCrypto
import LightningTypes
import Testing

/// Committed code belongs to the schema beside it: neither is changed alone.
@Suite struct GeneratedCodeTests {
    /// A schema's folder and the folder of the code made from it.
    struct Schema: CustomTestStringConvertible {
        var protos: String
        var output: String
        var record = "schema.sha256"
        var suffixes = [".swift"]
        var testDescription: String { output }

        static let all = [
            Schema(protos: "Sources/LndRPC/Protos", output: "Sources/LndRPC/Generated"),
            Schema(protos: "Sources/LndSim/Protos", output: "Sources/LndSim/Generated"),
            Schema(protos: "ipc-schema/lcp/bus", output: "Sources/BridgeProtocol/Generated"),
            Schema(protos: "ipc-schema/lcp/state", output: "Sources/WorkerKit/Generated"),
            Schema(
                protos: "ipc-schema/lcp/bus",
                output: "ipc-schema/python/lcp/bus",
                record: "v1/schema.sha256",
                suffixes: [".py", ".pyi"]
            ),
            Schema(
                protos: "ipc-schema/lcp/state",
                output: "ipc-schema/python/lcp/state",
                record: "v1/schema.sha256",
                suffixes: [".py", ".pyi"]
            ),
        ]

        /// What `schema.sha256` says: the hash by path, as `sha256sum` writes it.
        func recorded() throws -> [String: String] {
            let manifest = try String(
                contentsOf: SourceTree.root.appending(path: "\(output)/\(record)"),
                encoding: .utf8
            )
            var hashes: [String: String] = [:]
            for line in manifest.split(separator: "\n") {
                let parts = line.split(separator: " ", maxSplits: 1)
                try #require(parts.count == 2, "unreadable line: \(line)")
                hashes[parts[1].trimmingCharacters(in: .whitespaces)] = String(parts[0])
            }
            return hashes
        }
    }

    @Test(arguments: Schema.all)
    func `generated code is what the present schema and generators give`(schema: Schema) throws {
        let recorded = try schema.recorded()
        #expect(recorded.count > 2)
        for (path, hash) in recorded {
            let bytes = try Data(contentsOf: SourceTree.root.appending(path: path))
            #expect(
                SHA256.hash([UInt8](bytes)).hex == hash,
                "\(path) changed: run Tests/CodeGeneration/generate and commit its output"
            )
        }
    }

    @Test(arguments: Schema.all)
    func `no schema file and no generated file is missing from the record`(
        schema: Schema
    ) throws {
        let recorded = try schema.recorded().keys
        let present =
            try SourceTree.files(under: schema.protos, withSuffix: ".proto")
            + schema.suffixes.flatMap {
                try SourceTree.files(under: schema.output, withSuffix: $0)
            }
            + ["Package.swift", "generate", "modules.asciipb"].map { "Tests/CodeGeneration/\($0)" }
        #expect(recorded.sorted() == present.sorted())
    }
}
