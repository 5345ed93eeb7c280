import Foundation
import Glibc
import LocalNetwork
import Subprocess
import SystemPackage
import Testing

/// Processes that a local network starts, and what becomes of them.
@Suite(.timeLimit(.minutes(10))) struct LocalNetworkTests {
    private func withDirectory<Result>(
        _ body: (String) async throws -> Result
    ) async throws -> Result {
        let path = "/tmp/lcp-net-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: path) }
        return try await body(path)
    }

    @Test func `a child's output goes to its log and its status is told`() async throws {
        try await withDirectory { directory in
            let log = "\(directory)/log"
            let child = try await ChildProcess("/bin/sh", ["-c", "echo out; exit 7"], log: log)
            #expect(await child.wait() == .exited(7))
            #expect(child.ending == .exited(7))
            #expect(try String(contentsOfFile: log, encoding: .utf8) == "out\n")
            child.signal(SIGKILL)  // says nothing to whoever may have its number now
        }
    }

    @Test func `a child that ignores SIGTERM is killed`() async throws {
        try await withDirectory { directory in
            let log = "\(directory)/log"
            let child = try await ChildProcess(
                "/bin/sh",
                ["-c", "trap '' TERM; echo ready; while :; do sleep 1; done"],
                log: log
            )
            while try String(contentsOfFile: log, encoding: .utf8).isEmpty {
                try await Task.sleep(for: .milliseconds(10))
            }
            await child.terminate(within: .milliseconds(50))
            #expect(child.ending == .signalled(SIGKILL))
        }
    }

    @Test func `a child gets default signals although we ignore them`() async throws {
        try await withDirectory { directory in
            signal(SIGUSR2, SIG_IGN)
            let child = try await ChildProcess(
                "/bin/sh",
                ["-c", "kill -USR2 $$; exit 0"],
                log: "\(directory)/log"
            )
            #expect(await child.wait() == .signalled(SIGUSR2))
        }
    }

    @Test func `a missing program is named`() async throws {
        try await withDirectory { directory in
            var plan = LocalNetworkPlan.market()
            plan.programs = directory
            await #expect(throws: LocalNetworkError.self) {
                try await LocalNetwork.run(plan, in: directory) { _ in }
            }
        }
    }

    @Test func `a bridge that dies at once is told with its last words, and nothing is left`()
        async throws
    {
        try await withDirectory { directory in
            // The real simulated network, and a bridge that can't start.
            let products = LocalNetworkPlan.directory(of: CommandLine.arguments[0])
            // `ls` knows none of a bridge's options.
            for (name, program) in [("simnet", "\(products)/lcp-simnet"), ("bridge", "/bin/ls")] {
                try FileManager.default.createSymbolicLink(
                    atPath: "\(directory)/lcp-\(name)",
                    withDestinationPath: program
                )
            }
            var plan = LocalNetworkPlan.market()
            plan.programs = directory
            let error = await #expect(throws: LocalNetworkError.self) {
                try await LocalNetwork.run(plan, in: directory) { _ in }
            }
            #expect(error?.code == .died)
            #expect(error?.detail.contains("--help") == true, "\(error?.detail ?? "")")
            #expect(try processes(mentioning: directory).isEmpty)
        }
    }

    @Test func `a demonstration whose bridge is missing leaves nothing behind`() async throws {
        try await withLonelyPrograms(["lcp"]) { directory in
            let result = try await Subprocess.run(
                .path(FilePath("\(directory)/lcp")),
                arguments: ["demo", "--json"],
                output: .string(limit: 1 << 20),
                error: .string(limit: 1 << 20)
            )
            #expect(result.terminationStatus == .exited(69))
            #expect(result.standardError.contains("missingProgram"))
            #expect(try processes(mentioning: directory).isEmpty)
        }
    }

    @Test(arguments: [SIGINT, SIGTERM, SIGKILL])
    func `a demonstration takes its processes with it, however it ends`(
        signal: Int32
    ) async throws {
        try await withLonelyPrograms(["lcp", "lcp-simnet"]) { directory in
            // A bridge that never gets ready. Written by a process of its own: a program that is
            // being written can't be executed, and what this one writes others may inherit.
            let script = "printf '#!/bin/sh\nexec tail -f \"$0\"\n' > $1; chmod 755 $1"
            let writer = try await ChildProcess(
                "/bin/sh",
                ["-c", script, "sh", "\(directory)/lcp-bridge"],
                log: "\(directory)/log"
            )
            #expect(await writer.wait() == .exited(0))
            let demo = try await ChildProcess(
                "\(directory)/lcp",
                ["demo"],
                log: "\(directory)/demo.log"
            )
            // The simulated network and two bridges.
            while try processes(mentioning: "\(directory)/lcp-").count < 3 {
                try await Task.sleep(for: .milliseconds(10))
            }
            let temporary = try demonstrations(of: directory)
            #expect(temporary.count == 1)
            demo.signal(signal)
            #expect(await demo.wait() == (signal == SIGKILL ? .signalled(SIGKILL) : .exited(130)))
            while try !processes(mentioning: "\(directory)/lcp-").isEmpty {
                try await Task.sleep(for: .milliseconds(10))
            }
            guard signal != SIGKILL else {
                // The next demonstration removes what a killed one could not, maybe already.
                for path in temporary { try? FileManager.default.removeItem(atPath: path) }
                return
            }
            for path in temporary { #expect(!FileManager.default.fileExists(atPath: path)) }
        }
    }

    /// A directory with some of our programs and no others.
    ///
    /// A program finds the others beside itself, so they are links: copying would race with exec.
    private func withLonelyPrograms(
        _ names: [String],
        _ body: (String) async throws -> Void
    ) async throws {
        let products = LocalNetworkPlan.directory(of: CommandLine.arguments[0])
        let alone = "\(products)/alone-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: alone, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: alone) }
        for name in names {
            try FileManager.default.linkItem(
                atPath: "\(products)/\(name)",
                toPath: "\(alone)/\(name)"
            )
        }
        try await body(alone)
    }

    /// The temporary directories of demonstrations whose programs lie in a directory.
    private func demonstrations(of directory: String) throws -> Set<String> {
        var found: Set<String> = []
        for pid in try processes(mentioning: "\(directory)/lcp-simnet") {
            let command = FileManager.default.contents(atPath: "/proc/\(pid)/cmdline") ?? Data()
            let arguments = String(decoding: command, as: UTF8.self).split(separator: "\0")
            guard let flag = arguments.firstIndex(of: "--dir"), flag + 1 < arguments.endIndex else {
                continue
            }
            found.insert(
                URL(filePath: String(arguments[flag + 1])).deletingLastPathComponent().path
            )
        }
        return found
    }

    /// The processes whose command line has a text in it.
    private func processes(mentioning text: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: "/proc").filter { name in
            guard let pid = Int32(name), pid != getpid() else { return false }
            let command = FileManager.default.contents(atPath: "/proc/\(name)/cmdline") ?? Data()
            return String(decoding: command, as: UTF8.self).contains(text)
        }
    }
}
