import BridgeProtocol
import BusClient
import Foundation
import Glibc
import LightningTypes
import LocalNetwork
import Testing

/// A bridge that stays connected to a provider with which there is no channel.
@Suite(.timeLimit(.minutes(30))) struct KeptPeerTests {
    @Test func `a bridge stays connected to its provider until it is told not to`() async throws {
        var plan = LocalNetworkPlan.market()
        plan.nodes = [.bare("alice"), .bare("bob")]
        plan.channels = []
        let bare = plan
        try await Market.run({ _ in bare }) { market in
            let alice = try await market.network.node("alice")
            let bob = try await market.network.node("bob")
            let bridge = try await ChildProcess(
                "\(Market.programs)/lcp-bridge",
                [
                    "--lnd-address", alice.lndAddress, "--lnd-tls-cert", alice.certificate,
                    "--lnd-macaroon", alice.macaroon, "--journal", alice.journal, "--bus-dir",
                    alice.busDirectory, "--provider", "\(bob.id)@\(bob.peerAddress)",
                ],
                log: "\(market.directory)/logs/bridge.log"
            )
            // Patient enough for the start of the bridge.
            var settings = BusClientSettings()
            settings.connectTimeout = .seconds(300)
            try await BusClient.connected(to: alice.busDirectory, settings: settings) { client in
                func connected() async throws -> Bool {
                    try await client.peers().first { $0.id == Data(bob.id.bytes) }?.connected
                        ?? false
                }
                func attempts() async throws -> UInt64 {
                    try await client.status().counters["peer.connect_tried"] ?? 0
                }
                try await eventually("bob is connected at first") { try await connected() }
                let first = try await attempts()
                #expect(first >= 1)

                try await market.control("separate", "alice", "bob")
                try await eventually("bob is connected again") {
                    guard try await attempts() > first else { return false }
                    return try await connected()
                }

                let outcome = try await market.lcp("alice", ["peers", "disconnect", "\(bob.id)"])
                #expect(try outcome.object()["connected"] as? Bool == false)
                let before = try await attempts()
                let address = "\(bob.id)@\(bob.peerAddress)"
                let back = try await market.lcp("alice", ["peers", "connect", address])
                #expect(try back.object()["connected"] as? Bool == true)
                #expect(try await attempts() == before)
                // Who is not connected can't be disconnected, and stays unknown.
                let twice = try await market.lcp(
                    "alice",
                    ["peers", "disconnect", "02" + String(repeating: "07", count: 32)]
                )
                #expect(twice.exit == 16)
            }
            bridge.signal(SIGTERM)
            #expect(await bridge.wait() == .exited(0))
        }
    }
}
