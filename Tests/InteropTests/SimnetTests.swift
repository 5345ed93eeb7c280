import Foundation
import Testing

/// A client and a schema that share nothing with ours drive real `lcp-simnet` processes.
@Suite struct SimnetTests {
    /// What the Python program says of one check.
    struct Verdict: Decodable {
        var check: String
        var passed: Bool
        var detail: String?
    }

    struct Name: Decodable {
        var check: String
    }

    @Test(
        .enabled(
            if: Executables.python != nil,
            "LCP_PYTHON names no interpreter with Tests/requirements.txt; Tests/run makes one"
        ),
        .timeLimit(.minutes(10))
    )
    func `grpcio with a schema of its own can use lcp-simnet as if it were lnd`() async throws {
        let python = try #require(Executables.python)
        let arguments = [
            Executables.script("simnet_checks.py"), Executables.simnet,
            "--schema", Executables.schema,
        ]
        let names = try Self.decode(
            Name.self,
            try await Executables.output(of: python, arguments + ["--list"])
        )
        let verdicts = try Self.decode(
            Verdict.self,
            try await Executables.output(of: python, arguments)
        )
        #expect(!names.isEmpty)
        #expect(Set(names.map(\.check)) == Set(verdicts.map(\.check)), "a check gave no verdict")
        for verdict in verdicts {
            #expect(verdict.passed, "\(verdict.check): \(verdict.detail ?? "")")
        }
    }

    private static func decode<Line: Decodable>(
        _ type: Line.Type,
        _ output: String
    ) throws -> [Line] {
        try output.split(separator: "\n").map {
            try JSONDecoder().decode(type, from: Data($0.utf8))
        }
    }
}
