import BridgeProtocol
import Foundation
import ScriptedBridge
import Subprocess
import Testing

/// `lcp chat` as a process, in a pipe and on a terminal.
@Suite(.timeLimit(.minutes(10))) struct ChatTests {
    private let peer = "02" + String(repeating: "07", count: 32)

    private var order: [String] { ["chat", "--peer", peer, "--profile", "echo"] }

    @Test func `in a pipe each line is a message that carries what was said before`() async throws {
        try await ScriptedBus.with { bridge, lcp in
            let outcome = try await lcp.run(
                order + ["--json", "--budget", "1000"],
                input: "one\n\ntwo\n"
            )
            #expect(outcome.status == .exited(0), "\(outcome.errors)")
            let answers = try outcome.lines()
            #expect(
                answers.map { $0["result"] as? String }
                    == ["one", "User: one\n\nAssistant: one\n\nUser: two\n\nAssistant:"]
            )
            // Fees count: 21 msat for each payment.
            #expect(answers.map { $0["total_msat"] as? Int } == [57_376, 114_752])
            #expect(await bridge.orders("accept") == 2)
        }
    }

    @Test func `instructions go first, and clearing forgets the rest`() async throws {
        try await ScriptedBus.with { _, lcp in
            let outcome = try await lcp.run(
                order + ["--json", "--max-price", "60", "--system", "Be brief."],
                input: "one\n/clear\n//two\n"
            )
            #expect(
                try outcome.lines().map { $0["result"] as? String } == [
                    "System: Be brief.\n\nUser: one\n\nAssistant:",
                    "System: Be brief.\n\nUser: /two\n\nAssistant:",
                ]
            )
        }
    }

    @Test func `the budget holds over all messages, fees included`() async throws {
        try await ScriptedBus.with { bridge, lcp in
            // Twice 57.355 would fit, but for the first one's fee.
            let outcome = try await lcp.run(
                order + ["--budget", "114.710"],
                input: "one\ntwo\nthree\n"
            )
            #expect(outcome.status == .exited(10))
            #expect(outcome.output == "one\n")
            #expect(outcome.errors.contains("57.334 sat are left of --budget"), "\(outcome.errors)")
            #expect(await bridge.orders("accept") == 1)
        }
    }

    @Test func `without a limit nothing is paid in a pipe`() async throws {
        try await ScriptedBus.with { bridge, lcp in
            let outcome = try await lcp.run(order, input: "one\n")
            #expect(outcome.status == .exited(10))
            #expect(outcome.errors.contains("--budget"), "\(outcome.errors)")
            #expect(await bridge.count("accept") == 0)
        }
    }

    @Test func `what the peer could not receive is left out and announced`() async throws {
        try await ScriptedBus.with { bridge, lcp in
            let long = String(repeating: "x", count: 6_000)
            let outcome = try await lcp.run(
                order + ["--budget", "1000"],
                input: "\(long)\n\(long)\n/cost\n"
            )
            #expect(outcome.status == .exited(0), "\(outcome.errors)")
            #expect(outcome.errors.contains("The 2 oldest messages are left out"))
            #expect(outcome.errors.contains("2 answers, 114.752 sat of 1000 sat"))
            // The bare question again, since nothing said before has room.
            #expect(outcome.output == "\(long)\n\(long)\n")
            let tooLong = try await lcp.run(
                order + ["--json", "--budget", "1000"],
                input: String(repeating: "x", count: 17_000) + "\n"
            )
            #expect(tooLong.status == .exited(65))
            #expect(tooLong.errors.contains("prompt-too-long"), "\(tooLong.errors)")
        }
    }

    @Test func `a conversation is saved for its owner alone and over nothing`() async throws {
        try await ScriptedBus.with { _, lcp in
            let file = "\(lcp.directory)/talk.txt"
            let outcome = try await lcp.run(
                order + ["--budget", "1000"],
                input: "one\n/save \(file)\n/save \(file)\n"
            )
            #expect(outcome.status == .exited(73))
            let saved = try String(contentsOfFile: file, encoding: .utf8)
            #expect(saved == "User: one\n\nAssistant: one\n")
            let attributes = try FileManager.default.attributesOfItem(atPath: file)
            #expect(attributes[.posixPermissions] as? Int == 0o600)
        }
    }

    @Test func `an answer that costs and fails still counts`() async throws {
        let peer = peer
        try await ScriptedBus.with { _, lcp in
            let terminal = try PseudoTerminal()
            let chat = ["chat", "--peer", peer, "--profile", "broken", "--budget", "1000"]
            let status = try await terminal.run(
                Program(name: "lcp"),
                chat + ["--bus-dir", lcp.directory]
            ) { session in
                try await session.terminal.expect("> ")
                session.terminal.type("hello\r")
                try await session.terminal.expect("answered with an error")
                try await session.terminal.expect("> ")
                session.terminal.type("/cost\r")
                try await session.terminal.expect("1 answers, 57.376 sat of 1000 sat")
                try await session.terminal.expect("> ")
                session.terminal.type("/quit\r")
            }
            #expect(status == .exited(0))
        }
    }

    @Test func `on a terminal without a limit each price is asked for, and no is no`() async throws
    {
        try await ScriptedBus.with { bridge, lcp in
            let terminal = try PseudoTerminal()
            let status = try await terminal.run(
                Program(name: "lcp"),
                order + ["--bus-dir", lcp.directory],
                isControlling: true
            ) { session in
                let terminal = session.terminal
                try await terminal.expect("> ")
                terminal.type("one\r")
                try await terminal.expect("Pay 57.355 sat, plus routing fees? [y/N]")
                #expect(await bridge.count("accept") == 0)
                terminal.type("y\n")
                try await terminal.expect("57.355 sat, fee 0.021 sat")
                try await terminal.expect("> ")
                terminal.type("two\r")
                try await terminal.expect("[y/N]")
                terminal.type("\n")
                try await terminal.expect("declined")
                try await terminal.expect("> ")
                terminal.type("/cost\r")
                try await terminal.expect("1 answers, 57.376 sat, fees 0.021 sat included")
                terminal.type("/quit\r")
            }
            #expect(status == .exited(0))
            #expect(await bridge.orders("accept") == 1)
            #expect(await bridge.orders("cancel") == 1)
        }
    }

    @Test func `lines are edited, a paste is one message, and history comes back`() async throws {
        try await ScriptedBus.with { bridge, lcp in
            let terminal = try PseudoTerminal()
            let status = try await terminal.run(
                Program(name: "lcp"),
                order + ["--budget", "1000", "--bus-dir", lcp.directory]
            ) { session in
                let terminal = session.terminal
                try await terminal.expect("> ")
                #expect(terminal.isRaw)
                // Home, insert, end, kill a word: "ab 漢".
                terminal.type("b 漢 wrong\u{01}a\u{05}\u{17}\u{7f}\r")
                try await terminal.expect("job ")
                try await terminal.expect("ab 漢\r\n")
                try await terminal.expect("57.355 sat, fee 0.021 sat")
                try await terminal.expect("> ")
                terminal.type("/clear\r")
                try await terminal.expect("forgotten")
                try await terminal.expect("> ")
                terminal.type("\u{1b}[200~two\rlines\u{1b}[201~\r")
                try await terminal.expect("job ")
                try await terminal.expect("two\r\nlines\r\n")
                try await terminal.expect("> ")
                terminal.type("/clear\r")
                try await terminal.expect("forgotten")
                try await terminal.expect("> ")
                // Past /clear, the paste (two lines, so up goes through it) and /clear to the first.
                terminal.type("\u{1b}[A\u{1b}[A\u{1b}[A\u{1b}[A\u{1b}[A!\r")
                try await terminal.expect("job ")
                try await terminal.expect("ab 漢!\r\n")
                try await terminal.expect("> ")
                terminal.type("\u{03}")
                try await terminal.expect("/quit or Ctrl-D")
                try await terminal.expect("> ")
                terminal.type("\u{04}")
            }
            #expect(status == .exited(0))
            #expect(!terminal.isRaw)
            #expect(await bridge.orders("submit") == 3)
        }
    }

    @Test func `a signal gives the terminal back, and a job under way goes on`() async throws {
        let peer = peer
        try await ScriptedBus.with { bridge, lcp in
            let chat = ["chat", "--peer", peer, "--budget", "1000", "--bus-dir", lcp.directory]
            let terminal = try PseudoTerminal()
            let status = try await terminal.run(
                Program(name: "lcp"),
                chat + ["--profile", "echo"]
            ) { session in
                try await session.terminal.expect("> ")
                #expect(session.terminal.isRaw)
                try session.signal(.terminate)
            }
            #expect(status == .exited(130))
            #expect(!terminal.isRaw)

            let other = try PseudoTerminal()
            let interrupted = try await other.run(
                Program(name: "lcp"),
                chat + ["--profile", "endless"]
            ) { session in
                try await session.terminal.expect("> ")
                session.terminal.type("hello\r")
                try await session.terminal.expect("running")
                try session.signal(.interrupt)
                let job = String(repeating: "01", count: 32)
                try await session.terminal.expect("lcp result \(job)")
            }
            #expect(interrupted == .exited(130))
            #expect(await bridge.market.jobs.map(\.view.stage) == [.running])
        }
    }
}
