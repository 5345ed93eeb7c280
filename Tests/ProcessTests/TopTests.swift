import Foundation
import ScriptedBridge
import Subprocess
import Testing

/// `lcp top` as a process on a terminal.
@Suite(.timeLimit(.minutes(10))) struct TopTests {
    private let peer = "02" + String(repeating: "07", count: 32)

    @Test func `all is shown in 24 lines of 80, and q gives the terminal back`() async throws {
        let peer = peer
        try await ScriptedBus.with { bridge, lcp in
            let terminal = try PseudoTerminal()
            let status = try await terminal.run(
                Program(name: "lcp"),
                ["top", "--bus-dir", lcp.directory]
            ) { session in
                let terminal = session.terminal
                try await terminal.expect("scripted 0.0")
                try await terminal.expect("quoting 0")
                try await terminal.expect("PEERS  1 connected")
                #expect(terminal.isRaw)
                while await bridge.count("watchJobs") == 0 {
                    try await Task.sleep(for: .milliseconds(10))
                }
                _ = try await lcp.run(["quote", "--peer", peer, "--profile", "echo", "x"])
                try await terminal.expect("quoted 1")
                _ = try await lcp.run(["quote", "--peer", peer, "--profile", "refused", "x"])
                try await terminal.expect("failed 1")
                try await terminal.expect("refused-by-peer")
                terminal.type("q")
            }
            #expect(status == .exited(0))
            #expect(!terminal.isRaw)
            let text = await terminal.text
            #expect(text.hasSuffix("\u{1b}[?25h\u{1b}[?1049l"))
            #expect(text.contains("\u{1b}[?2026h"))
            try checkPicture(text, rows: 24, columns: 80)
        }
    }

    @Test func `a bridge that goes and comes back is waited for`() async throws {
        let peer = peer
        try await ScriptedBus.withDirectory { directory in
            let first = try await ScriptedBridge(in: directory)
            let lcp = BusCommand(directory: directory)
            let terminal = try PseudoTerminal(rows: 30, columns: 100)
            let status = try await terminal.run(
                Program(name: "lcp"),
                ["top", "--bus-dir", directory]
            ) { session in
                let market = try await ScriptedBus.serving(first) {
                    try await session.terminal.expect("PEERS  1 connected")
                    return await first.market
                }
                try await session.terminal.expect("the bridge is silent")
                let second = try await ScriptedBridge(in: directory, market: market, epoch: 2)
                try await ScriptedBus.serving(second) {
                    try await session.terminal.expect("lnd ready")
                    _ = try await lcp.run(["quote", "--peer", peer, "--profile", "echo", "x"])
                    try await session.terminal.expect("quoted 1")
                    try session.signal(.terminate)
                }
            }
            #expect(status == .exited(0))
            #expect(!terminal.isRaw)
            #expect(await terminal.text.hasSuffix("\u{1b}[?25h\u{1b}[?1049l"))
        }
    }

    @Test func `in a pipe the figures are one object`() async throws {
        try await ScriptedBus.with { _, lcp in
            let figures = try await lcp.run(["top"]).object()
            #expect((figures["bridge"] as? NSDictionary)?["lnd_state"] as? String == "ready")
            #expect((figures["open_jobs"] as? NSDictionary)?["running"] as? Int == 0)
            #expect((figures["workers"] as? [Any])?.count == 1)
        }
    }

    /// Every line is written to a row that exists and fits into it.
    private func checkPicture(_ text: String, rows: Int, columns: Int) throws {
        let places = text.matches(of: /\u{1b}\[(\d+);1H([^\u{1b}]*)/)
        #expect(places.count >= 20)
        for place in places {
            #expect(try (1...rows).contains(#require(Int(place.output.1))))
            #expect(place.output.2.count <= columns, "\(place.output.2)")
        }
    }
}
