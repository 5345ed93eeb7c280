import Foundation
import LightningTypes
import LndRPC
import Testing

/// What lnd says when peers and lnd itself go away, and what `LndNode` makes of it.
@Suite(.timeLimit(.minutes(10))) struct LndDisturbanceTests {
    /// What a call failed with.
    private func failure(_ body: () async throws -> Void) async -> LndError? {
        do {
            try await body()
            return nil
        } catch {
            return error as? LndError
        }
    }

    /// Waits until so many streams and waiting calls are open on a node.
    private func wait(for count: Int, on name: String, _ net: SimnetProcess) async throws {
        while true {
            let lines = try await net.ctl("status").split(separator: "\n")
            let line = lines.first { $0.hasPrefix("\(name) ") }
            if line?.hasSuffix(" \(count) streams") == true { return }
        }
    }

    @Test(arguments: [("handshake", "disconnected"), ("queue", "peer exiting")])
    func `a peer that goes while a message waits leaves its fate open`(
        _ wait: String,
        _ words: String
    ) async throws {
        try await withSimnetProcess(["alice", "bob"], ["alice:bob:1000000"]) { net in
            let (alice, bobID) = (try net.client("alice"), try net.id("bob"))
            try await net.ctl("messages", "alice", "bob", "--wait", wait)
            let message = PeerMessage(peer: bobID, type: 42_081, data: [1])
            async let refusal = failure { try await alice.sendCustomMessage(message) }
            try await self.wait(for: 1, on: "alice", net)
            try await net.ctl("separate", "alice", "bob")
            let error = try #require(await refusal)
            #expect(error.code == .peerDisconnected && error.outcomeIsUnknown)
            #expect(error.detail.contains(words))
            #expect(error.description.contains("Send again when the peer is back."))
        }
    }

    @Test func `a call that waits longer than its timeout fails, and sends nothing`() async throws {
        try await withSimnetProcess(["alice", "bob"], ["alice:bob:1000000"]) { net in
            let node = try net.node("alice")
            let hurried = try SimnetProcess.client(
                address: node.rpc_address,
                certificate: node.tls_cert,
                macaroon: node.macaroon,
                timeout: .seconds(2)
            )
            let message = PeerMessage(peer: try net.id("bob"), type: 42_081, data: [1])
            try await withClients([hurried]) {
                // The time is for the call, not for the connection.
                try await hurried.waitUntilReady { _ in }
                try await net.ctl("messages", "alice", "bob", "--wait", "queue")
                let error = await failure { try await hurried.sendCustomMessage(message) }
                #expect(error?.code == .deadlineExceeded && error?.outcomeIsUnknown == true)
                try await wait(for: 0, on: "alice", net)
            }
        }
    }

    @Test func `a payment that is registered without an HTLC is in flight`() async throws {
        try await withSimnetProcess(["alice", "bob"], ["bob:alice:1000000"]) { net in
            let (alice, bob) = (try net.client("alice"), try net.client("bob"))
            let added = try await alice.addInvoice(.of(MilliSatoshi(msat: 1000)))
            try await net.ctl("payments", "bob", "--register-only")
            async let first = bob.pay(.of(added.paymentRequest))
            try await wait(for: 1, on: "bob", net)
            let error = await failure { _ = try await bob.pay(.of(added.paymentRequest)) }
            #expect(error?.code == .paymentInFlight && error?.outcomeIsUnknown == false)
            #expect(error?.detail.hasSuffix("payment already exists") == true)
            #expect(error?.description.contains("Don't pay again") == true)
            try await net.ctl("release", "bob")
            guard case .succeeded = try await first.status else {
                Issue.record("the payment did not go on")
                return
            }
        }
    }

    @Test func `an lnd that is told to stop says so on its streams`() async throws {
        try await withSimnetProcess(["alice", "bob"], ["alice:bob:1000000"]) { net in
            let alice = try net.client("alice")
            async let messages = failure {
                try await alice.subscribeCustomMessages { for try await _ in $0 {} }
            }
            try await wait(for: 1, on: "alice", net)
            try await net.ctl("restart", "alice", "--orderly")
            let error = try #require(await messages)
            #expect(error.code == .serverExiting && error.detail.hasSuffix("shutdown"))
            #expect(error.description != error.detail)
            try await alice.waitUntilReady { _ in }
            #expect(try await alice.getState() == .serverActive)
        }
    }

    @Test func `waiting outlives the other certificate of a locked lnd with an encrypted key`()
        async throws
    {
        try await withSimnetProcess(["alice"], options: ["--tls-encrypt-key"]) { net in
            let alice = try net.client("alice")
            try await net.ctl("wallet", "alice", "locked")
            let (phases, tell) = AsyncStream<LndStartup.Phase>.makeStream()
            async let ready: Void = alice.waitUntilReady { tell.yield($0) }
            for await phase in phases {
                guard case .noAnswer(let error) = phase else { continue }
                // The operator reads what to look at.
                if error.code == .notReached, error.detail.contains("certificate") { break }
            }
            try await net.ctl("wallet", "alice", "server-active")
            try await ready
            #expect(try await alice.getState() == .serverActive)
        }
    }
}
