import Foundation
import LightningCrypto
import LightningTypes
import LndRPC
import LndSim
import Testing

/// Our own client against our own service, over TLS.
@Suite struct ClientTests {
    private static func order(_ request: Redacted<String>) -> PaymentOrder {
        PaymentOrder(
            paymentRequest: request,
            feeLimit: MilliSatoshi(msat: 10_000),
            timeoutSeconds: 30
        )
    }

    private static func invoice(_ msat: UInt64) -> NewInvoice {
        NewInvoice(
            amount: MilliSatoshi(msat: msat),
            description: .hash(.zero),
            expirySeconds: 600
        )
    }

    @Test func `a message and a payment go from alice to bob`() async throws {
        try await withSimnet(["alice", "bob"], ["alice:bob:1000000"]) { net in
            let (alice, bob) = (try net.client("alice"), try net.client("bob"))
            let info = try await alice.getInfo()
            #expect(info.nodeID == (try net.id("alice")))

            let message = PeerMessage(
                peer: try net.id("bob"),
                type: 42_081,
                data: Array(repeating: 7, count: 65_533)
            )
            let (opened, isOpen) = AsyncStream<Void>.makeStream()
            async let received = bob.subscribeCustomMessages {
                isOpen.yield()
            } _: { messages in
                for try await message in messages { return Optional(message) }
                return nil
            }
            for await _ in opened { break }
            _ = try await bob.getInfo()
            try await alice.sendCustomMessage(message)
            #expect(try await received?.data == message.data)

            let added = try await bob.addInvoice(Self.invoice(57_355))
            let payment = try await alice.sendPaymentV2(Self.order(added.paymentRequest)) {
                try await $0.finalState()
            }
            guard case .succeeded(let preimage?) = payment.status else {
                Issue.record("\(payment.status)")
                return
            }
            let bytes = preimage.secret.reveal("to check it").bytes
            #expect(SHA256.hash(bytes) == added.paymentHash.bytes)
            #expect(try await bob.lookupInvoice(added.paymentHash).state == .settled)
        }
    }

    @Test func `refusals reach the client as what they are`() async throws {
        try await withSimnet(["alice", "bob"], ["alice:bob:1000000"]) { net in
            let (alice, bob) = (try net.client("alice"), try net.client("bob"))
            let added = try await bob.addInvoice(Self.invoice(1000))
            let own = try await alice.addInvoice(Self.invoice(1000))
            let stranger = try #require(NodeID([2] + Array(repeating: 9, count: 32)))

            func code(_ body: () async throws -> Void) async -> LndError.Code? {
                do {
                    try await body()
                    return nil
                } catch {
                    return (error as? LndError)?.code
                }
            }
            func pay(_ request: Redacted<String>) async throws {
                _ = try await alice.sendPaymentV2(Self.order(request)) {
                    try await $0.finalState()
                }
            }
            #expect(
                await code {
                    let message = PeerMessage(peer: stranger, type: 42_081, data: [])
                    try await alice.sendCustomMessage(message)
                } == .peerNotConnected
            )
            #expect(
                await code { try await alice.disconnectPeer(net.id("bob")) } == .hasActiveChannels
            )
            #expect(await code { try await pay(own.paymentRequest) } == .selfPayment)
            #expect(await code { try await pay(added.paymentRequest) } == nil)
            #expect(await code { try await pay(added.paymentRequest) } == .alreadyPaid)
            #expect(
                await code { try await bob.cancelInvoice(added.paymentHash) }
                    == .invoiceAlreadySettled
            )
            #expect(
                await code { _ = try await bob.lookupInvoice(PaymentHash(.zero)) }
                    == .invoiceUnknown
            )
            #expect(
                await code {
                    _ = try await alice.trackPaymentV2(PaymentHash(.zero)) {
                        try await $0.finalState()
                    }
                } == .paymentUnknown
            )
        }
    }

    @Test func `what was there before a restart of the process is there after it`() async throws {
        let directory = temporaryDirectory()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let (hashes, tellHash) = AsyncStream<PaymentHash>.makeStream()
        try await withSimnet(["alice", "bob"], ["alice:bob:1000000"], in: directory) { net in
            let bob = try net.client("bob")
            let added = try await bob.addInvoice(Self.invoice(5000))
            _ = try await net.client("alice").sendPaymentV2(Self.order(added.paymentRequest)) {
                try await $0.finalState()
            }
            tellHash.yield(added.paymentHash)
        }
        try await withSimnet([], [], in: directory) { net in
            for await hash in hashes {
                let state = try await net.client("bob").lookupInvoice(hash).state
                #expect(state == .settled)
                break
            }
            let balance = try await net.client("alice").channelBalance()
            #expect(balance.local == MilliSatoshi(msat: 1_000_000_000 - 5000))
        }
    }

    @Test func `two processes never share a directory`() async throws {
        try await withSimnet(["alice"]) { net in
            await #expect(throws: SimnetError.self) {
                _ = try await Simnet(SimnetOptions(directory: net.directory, nodes: []))
            }
        }
    }

    @Test(arguments: ["a b", "", "../x", "ä", String(repeating: "a", count: 33)])
    func `a name that is no plain file name is refused`(_ name: String) async throws {
        let directory = temporaryDirectory()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        await #expect(throws: SimnetError.self) {
            _ = try await Simnet(SimnetOptions(directory: directory, nodes: [name]))
        }
    }

    @Test func `a channel is written as opener, acceptor, capacity and perhaps what is pushed`()
        throws
    {
        let option = try #require(ChannelOption("alice:bob:1000000:250"))
        #expect(option.opener == "alice" && option.acceptor == "bob")
        #expect(option.capacitySat == 1_000_000 && option.pushedSat == 250)
        #expect(ChannelOption("alice:bob:5")?.pushedSat == 0)
        for text in ["alice:bob", "alice:bob:x", "alice:bob:1:y", "a:b:1:2:3", "alice:bob:-1"] {
            #expect(ChannelOption(text) == nil)
        }
    }
}
