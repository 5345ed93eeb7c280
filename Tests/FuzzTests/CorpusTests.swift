import Foundation
import FuzzTargets
import Testing

/// What fuzzing started from and what it found, again and without libFuzzer.
@Suite struct CorpusTests {
    private static let corpus = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../Fuzz/Corpus").standardizedFileURL

    private func inputs(of target: FuzzTarget) throws -> [(name: String, bytes: [UInt8])] {
        let folder = Self.corpus.appending(path: target.rawValue)
        return try FileManager.default.contentsOfDirectory(
            at: folder,
            includingPropertiesForKeys: nil
        )
        .map { ($0.lastPathComponent, Array(try Data(contentsOf: $0))) }
    }

    @Test(arguments: FuzzTarget.allCases)
    func `every input of the corpus, and every beginning of it, leaves the properties intact`(
        target: FuzzTarget
    ) throws {
        let inputs = try inputs(of: target)
        #expect(inputs.count >= 4)
        for (name, bytes) in inputs {
            #expect(throws: Never.self, "\(name)") { try target.run(bytes) }
            // Cut short, the framing of the outer layers no longer fits what is inside.
            for count in stride(from: 0, to: bytes.count, by: max(1, bytes.count / 16)) {
                #expect(throws: Never.self, "\(name), \(count) bytes") {
                    try target.run(Array(bytes.prefix(count)))
                }
            }
        }
    }

    @Test func `no target lacks a corpus, and no corpus a target`() throws {
        let folders = try FileManager.default.contentsOfDirectory(atPath: Self.corpus.path())
        #expect(folders.sorted() == FuzzTarget.allCases.map(\.rawValue).sorted())
    }
}
