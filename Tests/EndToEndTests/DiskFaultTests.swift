import BridgeProtocol
import BusClient
import Foundation
import Glibc
import LightningTypes
import LocalNetwork
import Subprocess
import Testing

/// Whole markets on volumes that are full, and bridges on journals that are damaged.
@Suite(.timeLimit(.minutes(30))) struct DiskFaultTests {
    /// Whether this user may mount a volume that nobody else sees.
    private static func mayMount() async -> Bool {
        let result = try? await Subprocess.run(
            .name("unshare"),
            arguments: ["--mount", "mount", "-t", "tmpfs", "lcp", "/mnt"],
            output: .discarded,
            error: .discarded
        )
        return result?.terminationStatus == .exited(0)
    }

    /// A market whose bridges have each a journal on a volume of their own, of 12 MiB.
    private static func plan(_ directory: String) throws -> LocalNetworkPlan {
        var plan = LocalNetworkPlan.market()
        let manager = FileManager.default
        for folder in ["programs", "volume"] {
            try manager.createDirectory(
                atPath: "\(directory)/\(folder)",
                withIntermediateDirectories: false
            )
        }
        for program in ["lcp-simnet", "lcp-provider", "lcp-requester", "lcp-compute"] {
            try manager.createSymbolicLink(
                atPath: "\(directory)/programs/\(program)",
                withDestinationPath: "\(Market.programs)/\(program)"
            )
        }
        let wrapper = """
            #!/bin/sh
            exec unshare --mount sh -c '
                mount -t tmpfs -o size=12m,mode=700 lcp "$0" && exec "$@"
            ' "\(directory)/volume" "\(Market.programs)/lcp-bridge" "$@"

            """
        try Data(wrapper.utf8).write(to: URL(filePath: "\(directory)/programs/lcp-bridge"))
        try manager.setAttributes(
            [.posixPermissions: 0o755],
            ofItemAtPath: "\(directory)/programs/lcp-bridge"
        )
        plan.arguments["lcp-bridge", default: []] += ["--journal", "\(directory)/volume/journal"]
        return plan
    }

    @Test(.enabled("this user may not mount a tmpfs in a namespace") { await mayMount() })
    func `a full disk pays nothing, takes nothing, and trade goes on when there is room`()
        async throws
    {
        try await Market.run {
            try Self.plan($0)
        } programs: {
            "\($0)/programs"
        } _: { market in
            let before = try await market.balances()
            #expect(try await market.end(of: try await market.submit("first")).view.stage == .done)

            // The buyer's. What still fits into the log is taken; no more than that.
            let alice = try await Volume(of: "alice", in: market)
            try alice.fill()
            var taken: [BusJobKey] = []
            var refusal: BusClientError?
            while refusal == nil {
                try Task.checkCancellation()
                do {
                    taken.append(try await market.submit("no room \(taken.count)"))
                } catch let error as BusClientError {
                    refusal = error
                }
            }
            #expect(refusal.map { "\($0)".contains("diskFull") } == true)
            let status = try await market.network.client(of: "alice").status()
            #expect(status.lndState == "ready")
            try alice.empty()
            for key in taken + [try await market.submit("room")] {
                #expect(try await market.end(of: key).view.stage == .done)
            }

            // The seller's, with a payment on its way.
            try await market.control("payments", "alice", "--hang")
            let earlier = try await market.calls(of: "SendPaymentV2", at: "alice")
            let paid = try await market.submit("paid while full")
            // The stage comes before the call, and only what was called can be released.
            try await eventually("its payment hangs") {
                try await market.calls(of: "SendPaymentV2", at: "alice") > earlier
            }
            let bob = try await Volume(of: "bob", in: market)
            try bob.fill()
            try await market.control("release", "alice")
            try await eventually("the buyer has paid") {
                try await market.network.client(of: "alice").job(paid).view.stage == .running
            }
            try bob.empty()
            #expect(try await market.end(of: paid).view.stage == .done)
            try await market.expectBalancedBooks(before: before)
            let ledger = try await market.network.client(of: "alice").ledger(limit: 1_000)
            #expect(ledger.entries.count == taken.count + 3)
            #expect(
                try await market.calls(of: "SendPaymentV2", at: "alice") == ledger.entries.count
            )
        }
    }

    @Test func `a bridge does not start on a damaged journal, and says what to do`() async throws {
        try await Market.run { market in
            #expect(try await market.end(of: try await market.submit("first")).view.stage == .done)
            let bridge = ProcessName("alice", .bridge)
            await market.network.kill(bridge)
            let path = try await market.network.node("alice").journal
            let file = try FileHandle(forUpdating: URL(filePath: path))
            // The first page, where every start begins; the log does not have it.
            try Data().write(to: URL(filePath: path + "-wal"))
            try file.write(contentsOf: Data(repeating: 0xee, count: 4_096))
            try file.close()
            try await market.network.start(bridge)
            let process = try #require(await market.network.process(bridge))
            #expect(await process.wait() == .exited(65))
            let log = try String(contentsOfFile: market.network.log(of: bridge), encoding: .utf8)
            #expect(log.contains("restore the last backup"), "\(log.suffix(500))")
            #expect(try await market.calls(of: "SendPaymentV2", at: "alice") == 1)
        }
    }
}

/// The volume of a bridge's journal, seen from outside its namespace.
private struct Volume {
    private let ballast: String

    init(of node: String, in market: Market) async throws {
        let process = try #require(await market.network.process(ProcessName(node, .bridge)))
        ballast = "/proc/\(process.pid)/root\(market.directory)/volume/ballast"
    }

    /// Leaves no room at all.
    func fill() throws {
        let file = open(ballast, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        try #require(file >= 0)
        defer { close(file) }
        for size in [65_536, 4_096] {
            let bytes = [UInt8](repeating: 0, count: size)
            while write(file, bytes, size) > 0 {}
        }
        try #require(errno == ENOSPC)
    }

    /// Makes room again.
    func empty() throws { try #require(unlink(ballast) == 0) }
}
