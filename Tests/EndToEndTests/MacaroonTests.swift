import BridgeProtocol
import BusClient
import Foundation
import GRPCNGHTTP2
import LightningTypes
import LndRPC
import LocalNetwork
import Testing

/// Bridges that hold what `lcp macaroon` bakes, and `lcp doctor` about it.
@Suite(.timeLimit(.minutes(30))) struct MacaroonTests {
    @Test func `a job is bought and sold with the least macaroons`() async throws {
        try await Market.run { market in
            for (name, role) in [("alice", "requester"), ("bob", "provider")] {
                let node = try await market.network.node(name)
                let admin = "\(node.macaroon).admin"
                try FileManager.default.moveItem(atPath: node.macaroon, toPath: admin)
                let order = ["--role", role, "--bake", node.macaroon] + lnd(of: node, admin)
                let baked = try await Market.run("lcp", ["macaroon"] + order)
                #expect(baked.exit == 0, "\(baked.errors)")
                let file = try FileManager.default.attributesOfItem(atPath: node.macaroon)
                #expect((file[.posixPermissions] as? Int) == 0o600)
                // What is there is not written over.
                #expect(try await Market.run("lcp", ["macaroon"] + order).exit == 73)
                try await restart(name, in: market)
                let findings = try await examine(node, market, node.macaroon)
                #expect(findings.exit == 0, "\(findings.output)")
                #expect(try level(of: "lnd.macaroon", in: findings) == "ok")
                #expect(try finding("lnd.macaroon.width", in: findings) == nil)
                let wide = try await examine(node, market, admin)
                #expect(try level(of: "lnd.macaroon.width", in: wide) == "warning")
            }
            try await market.network.waitForOffers(of: "bob", at: "alice")
            let answer = try await market.ask("with the least that is needed")
            #expect(answer.exit == 0, "\(answer.errors)")
            #expect(try answer.object()["stage"] as? String == "done")
        }
    }

    @Test func `one permission fewer fails and the doctor names it`() async throws {
        try await Market.run { market in
            let lacks: [(String, BridgeRole, LndCall)] = [
                ("bob", .provider, .addInvoice), ("alice", .requester, .sendPaymentV2),
            ]
            for (name, role, call) in lacks {
                let node = try await market.network.node(name)
                let admin = "\(node.macaroon).admin"
                try FileManager.default.copyItem(atPath: node.macaroon, toPath: admin)
                let permissions = LndCall.needed(by: role).filter { $0 != call }
                    .map { MacaroonPermission(calling: $0.method) }
                try await bake(permissions, admin, at: node, into: node.macaroon)
                try await restart(name, in: market)
                try await market.network.waitForOffers(of: "bob", at: "alice")

                let answer = try await market.ask(
                    "lacking \(call.name)",
                    ["--max-price", "1000", "--timeout", "5"]
                )
                #expect(answer.exit != 0)
                #expect(try await market.network.client(of: "bob").ledger(limit: 1).earnedMsat == 0)
                let findings = try await examine(node, market, node.macaroon)
                #expect(findings.exit == 17)
                let found = try #require(try finding("lnd.macaroon", in: findings))
                #expect(found["level"] as? String == "problem")
                #expect((found["detail"] as? String)?.hasSuffix("lacks uri:\(call.path)") == true)
                #expect((found["fix"] as? String)?.contains("--role \(role.rawValue)") == true)

                try FileManager.default.removeItem(atPath: node.macaroon)
                try FileManager.default.moveItem(atPath: admin, toPath: node.macaroon)
            }
        }
    }

    @Test func `the doctor names each permission that a macaroon lacks`() async throws {
        var plan = LocalNetworkPlan.market()
        plan.nodes = [.bare("alice"), .bare("bob")]
        let bare = plan
        try await Market.run({ _ in bare }) { market in
            let node = try await market.network.node("alice")
            for call in LndCall.needed(by: .both) {
                let permissions = LndCall.needed(by: .both).filter { $0 != call }
                    .map { MacaroonPermission(calling: $0.method) }
                let file = "\(market.directory)/\(call.name).macaroon"
                try await bake(permissions, node.macaroon, at: node, into: file)
                let findings = try await examine(node, market, file, ["--role", "both"])
                let found = try #require(try finding("lnd.macaroon", in: findings))
                #expect((found["detail"] as? String)?.hasSuffix("lacks uri:\(call.path)") == true)
            }
        }
    }

    @Test func `a locked wallet, no lnd and a stranger's are told apart`() async throws {
        var plan = LocalNetworkPlan.market()
        plan.nodes = [.bare("alice"), .bare("bob")]
        let bare = plan
        try await Market.run({ _ in bare }) { market in
            let (alice, bob) = (
                try await market.network.node("alice"), try await market.network.node("bob")
            )
            let wrong = try await Market.run(
                "lcp",
                [
                    "doctor", "--json", "--bus-dir", alice.busDirectory, "--lnd-address",
                    alice.lndAddress, "--lnd-tls-cert", bob.certificate,
                ]
            )
            #expect(try level(of: "lnd", in: wrong) == "problem")
            #expect(wrong.output.contains("ertificate"), "\(wrong.output)")

            try await market.control("wallet", "alice", "locked")
            let locked = try await examine(alice, market, alice.macaroon)
            #expect(try finding("lnd", in: locked)?["fix"] as? String == "lncli unlock")

            let nobody = try await Market.run(
                "lcp",
                [
                    "doctor", "--json", "--bus-dir", alice.busDirectory, "--lnd-address",
                    "127.0.0.1:9", "--lnd-tls-cert", alice.certificate,
                ]
            )
            #expect(nobody.exit == 17)
            #expect(try level(of: "lnd", in: nobody) == "problem")
        }
    }

    // MARK: - Steps

    private func lnd(of node: LocalNode, _ macaroon: String) -> [String] {
        [
            "--lnd-address", node.lndAddress, "--lnd-tls-cert", node.certificate,
            "--lnd-macaroon", macaroon,
        ]
    }

    private func restart(_ name: String, in market: Market) async throws {
        await market.network.kill(ProcessName(name, .bridge))
        try await market.network.start(ProcessName(name, .bridge))
        try await market.network.waitForBridge(of: name)
        try await market.network.waitForWorkers(of: name)
    }

    private func examine(
        _ node: LocalNode,
        _ market: Market,
        _ macaroon: String,
        _ more: [String] = []
    ) async throws -> Market.Outcome {
        let order = ["doctor", "--json", "--bus-dir", node.busDirectory] + lnd(of: node, macaroon)
        return try await Market.run("lcp", order + more)
    }

    private func bake(
        _ permissions: [MacaroonPermission],
        _ admin: String,
        at node: LocalNode,
        into file: String
    ) async throws {
        let lnd = LndNode(
            try LndConnection(
                address: node.lndAddress,
                certificatePath: node.certificate,
                macaroonPath: admin
            )
        )
        let bytes = try await withThrowingTaskGroup(of: [UInt8]?.self) { group in
            group.addTask {
                try await lnd.run()
                return nil
            }
            group.addTask {
                try await lnd.bakeMacaroon(permissions).reveal("the test writes its file")
            }
            defer { group.cancelAll() }
            return try await group.next() ?? nil
        }
        try Data(#require(bytes)).write(to: URL(filePath: file))
    }

    private func finding(_ check: String, in outcome: Market.Outcome) throws -> NSDictionary? {
        let findings = try #require(try outcome.object()["findings"] as? [NSDictionary])
        return findings.first { $0["check"] as? String == check }
    }

    private func level(of check: String, in outcome: Market.Outcome) throws -> String? {
        try finding(check, in: outcome)?["level"] as? String
    }
}
