import Foundation
import LightningCrypto
import LightningTypes
import LndRPC
import Testing

/// `LndNode` over our transport against real `lcp-simnet` processes.
@Suite(.timeLimit(.minutes(10))) struct LndNodeTests {
    static let capacity = MilliSatoshi(msat: 1_000_000_000)

    private static func message(_ peer: NodeID, _ data: [UInt8], type: UInt16 = 42_081)
        -> PeerMessage
    {
        PeerMessage(peer: peer, type: type, data: data)
    }

    private static func preimage() throws -> (Preimage, PaymentHash) {
        let bytes = (0..<32).map { _ in UInt8.random(in: .min ... .max) }
        let preimage = Preimage(try #require(Bytes32(bytes)))
        return (preimage, PaymentHash(SHA256.hash(bytes)))
    }

    @Test func `a node tells who it is, its version and its state`() async throws {
        try await withSimnetProcess(["alice", "bob"], ["alice:bob:1000000"]) { net in
            let alice = try net.client("alice")
            let info = try await alice.getInfo()
            #expect(info.nodeID == (try net.id("alice")))
            #expect(info.isSyncedToChain && info.peerCount == 1 && info.activeChannelCount == 1)
            let build = try await alice.getVersion()
            #expect(build.version >= LndVersion.minimum)
            #expect(info.version.hasPrefix(build.version.description))
            #expect(try await alice.getState() == .serverActive)
        }
    }

    @Test func `nodes connect, list each other, hear of each other and part`() async throws {
        try await withSimnetProcess(["alice", "bob", "carol"]) { net in
            let (alice, bob) = (try net.client("alice"), try net.client("bob"))
            let (aliceID, bobID) = (try net.id("alice"), try net.id("bob"))
            let bobAddress = try net.node("bob").p2p_address
            let heard = Heard()
            async let events = alice.subscribePeerEvents { stream in
                var found: [PeerEvent] = []
                for try await event in stream {
                    heard.note()
                    guard event.nodeID == bobID else { continue }
                    found.append(event)
                    if found.count == 2 { break }
                }
                return found
            }
            let carolID = try net.id("carol")
            let carolAddress = try net.node("carol").p2p_address
            while !heard.anything {
                _ = try await alice.connectPeer(carolID, address: carolAddress)
                try await alice.disconnectPeer(carolID)
            }
            #expect(try await alice.connectPeer(bobID, address: bobAddress) == .begun)
            #expect(try await alice.connectPeer(bobID, address: bobAddress) == .alreadyConnected)
            let peers = try await (alice.listPeers(), bob.listPeers())
            #expect(peers.0.map(\.nodeID) == [bobID] && peers.0.map(\.isInbound) == [false])
            #expect(peers.1.map(\.nodeID) == [aliceID] && peers.1.map(\.isInbound) == [true])
            try await alice.disconnectPeer(bobID)
            #expect(try await events.map(\.kind) == [.online, .offline])
            #expect(
                await code { try await alice.disconnectPeer(bobID) } == .peerNotConnected
            )
            #expect(
                await code { _ = try await alice.connectPeer(aliceID, address: bobAddress) }
                    == .cannotConnectToSelf
            )
        }
    }

    @Test func `messages of every size arrive in order, and only where they should`() async throws {
        try await withSimnetProcess(["alice", "bob"]) { net in
            let (alice, bob) = (try net.client("alice"), try net.client("bob"))
            let (aliceID, bobID) = (try net.id("alice"), try net.id("bob"))
            let hello = Self.message(bobID, [1])
            #expect(
                await code { try await alice.sendCustomMessage(hello) } == .peerNotConnected
            )
            _ = try await alice.connectPeer(bobID, address: net.node("bob").p2p_address)
            let sizes = [0, 1, 16_384, 65_533, 2] + Array(repeating: 100, count: 200)
            let found = try await collectMessages(
                sizes.count,
                at: bob,
                called: bobID,
                from: alice
            ) {
                for (number, size) in sizes.enumerated() {
                    let data = [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: size)
                    try await alice.sendCustomMessage(Self.message(bobID, data))
                }
            }
            #expect(found.map(\.data.count) == sizes)
            #expect(found.allSatisfy { $0.peer == aliceID && $0.type == 42_081 })
            for (number, message) in found.enumerated() {
                #expect(message.data.allSatisfy { $0 == UInt8(truncatingIfNeeded: number) })
            }
            // The cliff is ours to avoid: lnd would drop the peer.
            let large = Self.message(bobID, Array(repeating: 0, count: 65_534))
            #expect(
                await code { try await alice.sendCustomMessage(large) } == .messageTooLarge
            )
            let low = Self.message(bobID, [], type: 32_767)
            #expect(await code { try await alice.sendCustomMessage(low) } == .typeNotCustom)
            #expect(try await alice.listPeers().count == 1)
        }
    }

    @Test func `an invoice is made, paid, seen settled, and never paid again`() async throws {
        try await withSimnetProcess(["alice", "bob"], ["bob:alice:1000000"]) { net in
            let (alice, bob) = (try net.client("alice"), try net.client("bob"))
            let aliceID = try net.id("alice")
            let amount = MilliSatoshi(msat: 123_456)
            let events = try await collectInvoices(2, at: alice) {
                let added = try await alice.addInvoice(.of(amount))
                let decoded = try await bob.decodePayReq(added.paymentRequest)
                #expect(decoded.payee == aliceID && decoded.amount == amount)
                #expect(decoded.paymentHash == added.paymentHash && decoded.hasPaymentSecret)
                let payment = try await bob.pay(.of(added.paymentRequest))
                guard case .succeeded(let preimage?) = payment.status else {
                    Issue.record("\(payment.status)")
                    return
                }
                let secret = preimage.secret.reveal("its hash is what was paid for").bytes
                #expect(PaymentHash(SHA256.hash(secret)) == added.paymentHash)
                #expect(payment.amount == amount && payment.fee == .zero)
            }
            #expect(events.map(\.state) == [.open, .settled])
            let settled = try #require(events.last)
            #expect(settled.amountPaid == amount && settled.settleIndex == 1)
            #expect(try await alice.lookupInvoice(settled.paymentHash) == settled)
            #expect(try await alice.lookupInvoiceV2(settled.paymentHash) == settled)

            let request = try #require(settled.paymentRequest)
            #expect(await code { _ = try await bob.pay(.of(request)) } == .alreadyPaid)
            let hash = settled.paymentHash
            #expect(
                await code { try await alice.cancelInvoice(hash) } == .invoiceAlreadySettled
            )
            let tracked = try await bob.trackPaymentV2(hash) { try await $0.finalState() }
            #expect(tracked.amount == amount)
            #expect(try await bob.listPayments().elements.map(\.paymentHash) == [hash])
            let balance = try await bob.channelBalance()
            #expect(balance.local.msat == Self.capacity.msat - amount.msat)
            #expect(try await alice.channelBalance().local == amount)
            #expect(
                try await bob.listChannels(with: aliceID).map(\.remoteBalance.msat) == [123_000]
            )
        }
    }

    @Test func `a backlog follows the indices`() async throws {
        try await withSimnetProcess(["alice", "bob"], ["bob:alice:1000000"]) { net in
            let (alice, bob) = (try net.client("alice"), try net.client("bob"))
            var added: [AddedInvoice] = []
            for msat in UInt64(1)...4 {
                added.append(try await alice.addInvoice(.of(MilliSatoshi(msat: msat * 1000))))
            }
            for number in [1, 0] { _ = try await bob.pay(.of(added[number].paymentRequest)) }
            try await alice.cancelInvoice(added[2].paymentHash)
            #expect(added.map(\.addIndex) == [1, 2, 3, 4])
            // Adds above 1, without the cancelled one, then settlements above 1.
            let found = try await collectInvoices(3, at: alice, addIndex: 1, settleIndex: 1) {}
            #expect(found.map(\.addIndex) == [2, 4, 1])
            #expect(found.map(\.state) == [.settled, .open, .settled])
            let page = try await alice.listInvoices(after: 1, limit: 2)
            #expect(page.elements.map(\.addIndex) == [2, 3] && page.lastIndex == 3)
        }
    }

    @Test func `a hold invoice is accepted, then settled or cancelled`() async throws {
        try await withSimnetProcess(["alice", "bob"], ["bob:alice:1000000"]) { net in
            let (alice, bob) = (try net.client("alice"), try net.client("bob"))
            for settles in [true, false] {
                let (preimage, hash) = try Self.preimage()
                let added = try await alice.addHoldInvoice(
                    .of(MilliSatoshi(msat: 5000)),
                    paymentHash: hash
                )
                #expect(
                    await code { try await alice.settleInvoice(preimage) } == .invoiceStillOpen
                )
                async let payment = bob.pay(.of(added.paymentRequest))
                let states = try await alice.subscribeSingleInvoice(hash) { stream in
                    var states: [Invoice.State] = []
                    for try await invoice in stream {
                        states.append(invoice.state)
                        guard invoice.state == .accepted else { continue }
                        #expect(
                            await code { _ = try await bob.pay(.of(added.paymentRequest)) }
                                == .paymentInFlight
                        )
                        if settles {
                            try await alice.settleInvoice(preimage)
                        } else {
                            try await alice.cancelInvoice(hash)
                        }
                    }
                    return states
                }
                #expect(states.suffix(2) == [.accepted, settles ? .settled : .canceled])
                let status = try await payment.status
                #expect(
                    status == (settles ? .succeeded(preimage) : .failed(.incorrectPaymentDetails))
                )
            }
        }
    }

    @Test func `a payment finds its way over another node, within its fee limit`() async throws {
        let channels = ["alice:carol:1000000", "carol:bob:1000000"]
        try await withSimnetProcess(["alice", "bob", "carol"], channels) { net in
            let (alice, bob) = (try net.client("alice"), try net.client("bob"))
            let added = try await bob.addInvoice(.of(MilliSatoshi(msat: 50_000_000)))
            let free = try await alice.pay(.of(added.paymentRequest))
            #expect(free.status == .failed(.noRoute))
            let limit = MilliSatoshi(msat: 100_000)
            let paid = try await alice.pay(.of(added.paymentRequest, feeLimit: limit))
            #expect(paid.fee > .zero && paid.fee < limit)
            let spent = Self.capacity.msat - (try await alice.channelBalance().local.msat)
            #expect(spent == 50_000_000 + paid.fee.msat)
            let large = try await bob.addInvoice(.of(MilliSatoshi(msat: 2_000_000_000)))
            let tooMuch = try await alice.pay(.of(large.paymentRequest, feeLimit: limit))
            #expect(tooMuch.status == .failed(.insufficientBalance))
        }
    }

    @Test func `refusals are told apart`() async throws {
        try await withSimnetProcess(["alice", "bob"], ["bob:alice:1000000"]) { net in
            let (alice, bob) = (try net.client("alice"), try net.client("bob"))
            let (preimage, hash) = try Self.preimage()
            #expect(
                await code { _ = try await alice.lookupInvoice(hash) } == .invoiceUnknown
            )
            #expect(await code { try await alice.cancelInvoice(hash) } == .invoiceUnknown)
            #expect(await code { try await alice.settleInvoice(preimage) } == .invoiceUnknown)
            #expect(
                await code {
                    _ = try await bob.trackPaymentV2(hash) { try await $0.finalState() }
                } == .paymentUnknown
            )
            let order = NewInvoice.of(MilliSatoshi(msat: 1000), preimage: preimage)
            let added = try await alice.addInvoice(order)
            #expect(await code { _ = try await alice.addInvoice(order) } == .invoiceExists)
            #expect(
                await code { _ = try await alice.pay(.of(added.paymentRequest)) }
                    == .selfPayment
            )
            let (aliceID, bobID) = (try net.id("alice"), try net.id("bob"))
            #expect(
                await code { try await alice.disconnectPeer(bobID) } == .hasActiveChannels
            )
            #expect(
                await code { try await bob.disconnectPeer(aliceID) } == .hasActiveChannels
            )
            #expect(
                await code { _ = try await bob.decodePayReq(Redacted("lnbc1qqqqqqqqqq")) }
                    == .invoiceInvalid
            )
            try await net.ctl("time", "1000")
            #expect(
                await code { _ = try await bob.pay(.of(added.paymentRequest)) }
                    == .invoiceExpired
            )
        }
    }

    @Test func `a baked macaroon opens its calls, and is read again when it was refused`()
        async throws
    {
        try await withSimnetProcess(["alice", "bob"]) { net in
            let alice = try net.client("alice")
            let node = try net.node("alice")
            let path = "\(net.directory)/baked.macaroon"
            @Sendable func bake(_ methods: [String]) async throws {
                let permissions = methods.map { MacaroonPermission(entity: "uri", action: $0) }
                let baked = try await alice.bakeMacaroon(permissions)
                #expect(
                    try await alice.checkMacaroonPermissions(
                        baked,
                        [MacaroonPermission(entity: "info", action: "read")]
                    ) == false
                )
                let bytes = baked.reveal("the client reads it from this file")
                try Data(bytes).write(to: URL(filePath: path), options: .atomic)
            }
            try await bake(["/lnrpc.Lightning/GetInfo"])
            let client = try SimnetProcess.client(
                address: node.rpc_address,
                certificate: node.tls_cert,
                macaroon: path
            )
            try await withClients([client]) {
                _ = try await client.getInfo()
                #expect(
                    await code { _ = try await client.listPeers() } == .permissionDenied
                )
                try await bake(["/lnrpc.Lightning/ListPeers"])
                #expect(try await client.listPeers().isEmpty)
            }
            #expect(
                await code {
                    _ = try await alice.bakeMacaroon([
                        MacaroonPermission(entity: "uri", action: "/lnrpc.Lightning/Nothing")
                    ])
                } == .invalidRequest
            )
        }
    }

    @Test func `a macaroon of another node and a certificate of another node are refused`()
        async throws
    {
        try await withSimnetProcess(["alice", "bob"]) { net in
            let (alice, bob) = (try net.node("alice"), try net.node("bob"))
            let foreign = try SimnetProcess.client(
                address: alice.rpc_address,
                certificate: alice.tls_cert,
                macaroon: bob.macaroon
            )
            let none = try SimnetProcess.client(
                address: alice.rpc_address,
                certificate: alice.tls_cert,
                macaroon: nil
            )
            try await withClients([foreign, none]) {
                #expect(await code { _ = try await foreign.getInfo() } == .macaroonInvalid)
                #expect(await code { _ = try await none.getInfo() } == .macaroonMissing)
            }
            let distrusting = try SimnetProcess.client(
                address: alice.rpc_address,
                certificate: bob.tls_cert,
                macaroon: alice.macaroon
            )
            await withTaskGroup(of: Void.self) { group in
                // Cancelling it is how it ends here.
                group.addTask { try? await distrusting.run() }
                let refusal = await code { _ = try await distrusting.getInfo() }
                #expect(refusal == .notReached)
                group.cancelAll()
            }
        }
    }

    @Test func `every state of a start has its own error, and waiting ends when lnd is ready`()
        async throws
    {
        try await withSimnetProcess(["alice"]) { net in
            let alice = try net.client("alice")
            let rows: [(String, WalletState, LndError.Code)] = [
                ("waiting-to-start", .waitingToStart, .waitingToStart),
                ("non-existing", .nonExisting, .walletNotCreated),
                ("locked", .locked, .walletLocked),
                ("unlocked", .unlocked, .starting),
            ]
            for (name, state, expected) in rows {
                try await net.ctl("wallet", "alice", name)
                #expect(try await alice.getState() == state)
                #expect(await code { _ = try await alice.getInfo() } == expected)
            }
            try await net.ctl("wallet", "alice", "locked")
            let (phases, tell) = AsyncStream<LndStartup.Phase>.makeStream()
            async let ready: Void = alice.waitUntilReady { tell.yield($0) }
            for await phase in phases where phase == .walletLocked { break }
            try await net.ctl("wallet", "alice", "server-active")
            try await ready
            _ = try await alice.getInfo()
        }
    }

    @Test func `a lost stream leaves the payment open, and tracking tells its end`() async throws {
        try await withSimnetProcess(["alice", "bob"], ["bob:alice:1000000"]) { net in
            let (alice, bob) = (try net.client("alice"), try net.client("bob"))
            let added = try await alice.addInvoice(.of(MilliSatoshi(msat: 1000)))
            try await net.ctl("payments", "bob", "--break-stream", "1")
            do {
                _ = try await bob.pay(.of(added.paymentRequest))
                Issue.record("the stream did not break")
            } catch let error as LndError {
                #expect(error.code == .unavailable && error.outcomeIsUnknown)
            }
            let end = try await bob.trackPaymentV2(added.paymentHash) {
                try await $0.finalState()
            }
            guard case .succeeded(_?) = end.status else {
                Issue.record("\(end.status)")
                return
            }
        }
    }

    @Test func `after a kill everything is there and subscriptions are gone`() async throws {
        let directory = temporaryDirectory()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let first = try await withSimnetProcess(
            ["alice", "bob"],
            ["bob:alice:1000000"],
            in: directory
        ) { net in
            let (alice, bob) = (try net.client("alice"), try net.client("bob"))
            let paid = try await alice.addInvoice(.of(MilliSatoshi(msat: 1000)))
            _ = try await bob.pay(.of(paid.paymentRequest))
            return try await alice.lookupInvoice(paid.paymentHash)
        }
        try await withSimnetProcess([], in: directory) { net in
            let (alice, bob) = (try net.client("alice"), try net.client("bob"))
            #expect(try await alice.lookupInvoice(first.paymentHash) == first)
            #expect(try await bob.listPayments().elements.count == 1)
            #expect(try await alice.channelBalance().local.msat == 1000)
        }
    }

    @Test func `a client outlives the restart of its node`() async throws {
        try await withSimnetProcess(["alice", "bob"], ["bob:alice:1000000"]) { net in
            let alice = try net.client("alice")
            let heard = Heard()
            async let ended = code {
                try await alice.subscribeInvoices { stream in
                    for try await _ in stream { heard.note() }
                }
            }
            while !heard.anything { _ = try await alice.addInvoice(.of(.probe)) }
            try await net.ctl("restart", "alice")
            #expect(await ended == .unavailable)
            try await alice.waitUntilReady { _ in }
            #expect(try await alice.getInfo().nodeID == (try net.id("alice")))
            let found = try await collectInvoices(1, at: alice) {
                _ = try await alice.addInvoice(.of(MilliSatoshi(msat: 1)))
            }
            #expect(found.count == 1)
        }
    }
}
