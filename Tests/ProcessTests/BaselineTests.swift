import Foundation
import Subprocess
import Testing

/// `Tests/Benchmarks/compare`, which holds a run's figures against the stored ones.
@Suite struct BaselineTests {
    @Test func `a figure beyond its tolerance fails, in its worse direction alone`() async throws {
        try await withBaseline { baseline in
            try await baseline.check(["--record"], ["a\t10\tlower", "b\t10\thigher"], exits: 0)
            try await baseline.check([], ["a\t12\tlower", "b\t8\thigher"], exits: 0)
            try await baseline.check([], ["a\t5\tlower", "b\t20\thigher"], exits: 0)
            try await baseline.check([], ["a\t13\tlower", "b\t10\thigher"], exits: 1)
            try await baseline.check([], ["a\t10\tlower", "b\t7\thigher"], exits: 1)
        }
    }

    @Test func `recording keeps tolerances and what was not measured`() async throws {
        try await withBaseline { baseline in
            try Data("a\t10\t60\tlower\nb\t10\t25\thigher\n".utf8)
                .write(to: URL(filePath: baseline.path))
            try await baseline.check(["--record"], ["a\t20\tlower"], exits: 0)
            let lines = try String(contentsOfFile: baseline.path, encoding: .utf8)
                .split(separator: "\n").dropFirst()
            #expect(lines == ["a\t20\t60\tlower", "b\t10\t25\thigher"])
        }
    }

    @Test func `a run without figures fails`() async throws {
        try await withBaseline { baseline in
            try await baseline.check([], [], exits: 1)
        }
    }

    private func withBaseline(_ body: (ScratchBaseline) async throws -> Void) async throws {
        let baseline = ScratchBaseline()
        defer { try? FileManager.default.removeItem(atPath: baseline.path) }
        try await body(baseline)
    }
}

/// A baseline of a test's own.
private struct ScratchBaseline {
    let path = FileManager.default.temporaryDirectory
        .appending(path: "baseline-\(UUID().uuidString).tsv").path()

    /// Runs the program on a log with these figures.
    func check(_ options: [String], _ figures: [String], exits code: Int32) async throws {
        let log = path + ".log"
        let text = (["noise"] + figures.map { "ratio\t" + $0 }).joined(separator: "\n")
        try Data((text + "\n").utf8).write(to: URL(filePath: log))
        defer { try? FileManager.default.removeItem(atPath: log) }
        let program = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../Benchmarks/compare").standardized.path()
        let outcome = try await Program.run(
            .name("env"),
            ["LCP_BASELINE=\(path)", program] + options + [log]
        )
        #expect(outcome.status == .exited(code), "\(outcome.output)\(outcome.errors)")
    }
}
