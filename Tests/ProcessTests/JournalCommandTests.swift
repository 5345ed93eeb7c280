import Foundation
import Subprocess
import SystemPackage
import Testing

/// `lcp journal` beside a process that has the journal open, and on files that nobody has.
@Suite(.timeLimit(.minutes(10))) struct JournalCommandTests {
    private let lcp = Program(name: "lcp")
    private let folder: TestFolder

    init() throws { folder = try TestFolder() }

    private var journal: String { folder.path + "/journal" }

    @Test func `a journal in use is measured, checked and copied without a word of its contents`()
        async throws
    {
        let journal = journal
        let copy = folder.path + "/copy"
        let result = try await whileHeld { lcp in
            let info = try await lcp.run("journal", "info", "--json", journal)
            let check = try await lcp.run("journal", "check", "--json", journal)
            let backup = try await lcp.run("journal", "backup", "--json", journal, copy)
            return [info, check, backup]
        }
        #expect(result.map(\.status) == [.exited(0), .exited(0), .exited(0)])
        let info = try #require(try result[0].lines().first)
        #expect(info["open_jobs"] as? Int == 20)
        #expect(info["parked_jobs"] as? Int == 0)
        #expect(info["unresolved_payments"] as? Int == 1)
        #expect(info["reserved_msat"] as? Int == 1_010)
        #expect(info["changed_at"] as? Int == 120)
        #expect(info["backed_up_at"] is NSNull)
        #expect((info["log_bytes"] as? Int ?? 0) > 0)
        #expect(try result[1].lines() == [["sound": true, "findings": []]])
        let copied = try #require(try result[2].lines().first)
        #expect(copied["copy"] as? String == copy)
        let size = try FileManager.default.attributesOfItem(atPath: copy)[.size] as? Int
        #expect(copied["file_bytes"] as? Int == size)

        let ofCopy = try await lcp.run("journal", "info", "--json", copy)
        let summary = try #require(try ofCopy.lines().first)
        #expect(summary["open_jobs"] as? Int == 20)
        #expect((summary["backed_up_at"] as? Int ?? 0) > 1_700_000_000)
        let output = (result + [ofCopy]).map { $0.output + $0.errors }.joined()
        #expect(!output.contains("canary"))
        #expect(!output.contains("lnbcrt"))
    }

    @Test func `looking leaves the file as it is, readable by its owner alone`() async throws {
        _ = try await whileHeld { _ in [] }
        let before = try Data(contentsOf: URL(filePath: journal))
        for command in ["info", "check"] {
            #expect(try await lcp.run("journal", command, journal).status == .exited(0))
        }
        #expect(try Data(contentsOf: URL(filePath: journal)) == before)
        let copy = folder.path + "/copy"
        #expect(try await lcp.run("journal", "backup", journal, copy).status == .exited(0))
        let expected = ["copy", "journal"]
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
        #expect(files.filter { !$0.contains("-") && !$0.contains(".") } == expected)
        for file in files {
            let mode = try FileManager.default
                .attributesOfItem(atPath: "\(folder.path)/\(file)")[.posixPermissions]
            #expect(mode as? Int == 0o600, "\(file)")
        }
    }

    @Test func `damage is found, exits 65, and the findings name no contents`() async throws {
        _ = try await whileHeld { _ in [] }
        let file = try FileHandle(forUpdating: URL(filePath: journal))
        let size = try file.seekToEnd()
        for page in stride(from: UInt64(4096 * 4), to: size, by: 4096) {
            try file.seek(toOffset: page)
            try file.write(contentsOf: Data(repeating: 0xee, count: 512))
        }
        try file.close()
        let check = try await lcp.run("journal", "check", "--json", journal)
        #expect(check.status == .exited(65))
        let verdict = try check.lines().first
        if let verdict {
            #expect(verdict["sound"] as? Bool == false)
            #expect((verdict["findings"] as? [String])?.isEmpty == false)
        } else {
            #expect(check.errors.contains(#""code":"damaged""#))
        }
        #expect(!(check.output + check.errors).contains("canary"))
    }

    /// A path that is no journal: what is there, the label, and the exit code.
    @Test(arguments: [
        ("nothing", "path-unusable", 66), ("empty", "not-a-journal", 65), ("text", "damaged", 65),
        ("folder/missing", "path-unusable", 66),
    ])
    func `what is no journal is refused and left as it is`(
        name: String,
        code: String,
        status: Int
    ) async throws {
        let path = "\(folder.path)/\(name)"
        switch name {
        case "empty": try Data().write(to: URL(filePath: path))
        case "text": try Data(repeating: 0x61, count: 8192).write(to: URL(filePath: path))
        default: break
        }
        let before = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        for command in ["check", "info"] {
            let outcome = try await lcp.run("journal", command, "--json", path)
            #expect(outcome.status == .exited(CInt(status)), "\(command) \(outcome.errors)")
            #expect(outcome.errors.contains(#""code":"\#(code)""#), "\(outcome.errors)")
            #expect(outcome.output.isEmpty)
        }
        let after = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        #expect(before.sorted() == after.sorted())
    }

    @Test func `a copy replaces no file and needs a folder`() async throws {
        _ = try await whileHeld { _ in [] }
        for target in [journal, folder.path + "/missing/copy"] {
            let outcome = try await lcp.run("journal", "backup", "--json", journal, target)
            #expect(outcome.status == .exited(73))
            #expect(outcome.errors.contains(#""code":"path-unusable""#))
        }
        #expect(try await lcp.run("journal", "check", journal).status == .exited(0))
    }

    /// Runs commands while another process has the journal open.
    private func whileHeld(
        _ body: @escaping @Sendable (Program) async throws -> [Program.Outcome]
    ) async throws -> [Program.Outcome] {
        let lcp = lcp
        let result = try await Subprocess.run(
            Program(name: "journal-writer").executable,
            arguments: [journal, "hold"],
            input: .inputWriter,
            output: .sequence,
            error: .discarded
        ) { execution in
            var lines = execution.standardOutput.strings().makeAsyncIterator()
            #expect(try await lines.next()?.hasPrefix("ready") == true)
            let outcomes = try await body(lcp)
            try await execution.standardInputWriter.finish()
            #expect(try await lines.next() == nil)
            return outcomes
        }
        #expect(result.terminationStatus == .exited(0))
        return result.closureResult
    }
}

/// A folder of a test's own, gone with the test.
final class TestFolder: Sendable {
    let path: String

    init() throws {
        let url = FileManager.default.temporaryDirectory.appending(path: "lcp-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        path = url.path(percentEncoded: false)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}
