import Foundation
import Testing

/// A Python program of `Tests/InteropTests/Python` that prints one JSON line for each of its checks.
enum ForeignChecks {
    private struct Verdict: Decodable {
        var check: String
        var passed: Bool
        var detail: String?
    }

    private struct Name: Decodable {
        var check: String
    }

    /// Runs every check; each that fails, or gives no verdict, is an issue of the present test.
    static func run(_ python: String, _ arguments: [String]) async throws {
        let names = try decode(
            Name.self,
            try await Executables.output(of: python, arguments + ["--list"])
        )
        let verdicts = try decode(
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
