import Foundation
import GRPCCore
import LightningTypes
import SwiftProtobuf
import Testing

@testable import LndRPC

/// Each RPC: what goes out, and what comes back.
@Suite struct LndNodeTests {
    @Test func `info, version and state are asked for`() async throws {
        var lnd = ScriptedLnd()
        lnd.on(Lightning.GetInfo.descriptor) { (_: Lnrpc_GetInfoRequest, _) in Sample.info }
        lnd.on(Versioner.GetVersion.descriptor) { (_: Verrpc_VersionRequest, _) in
            Verrpc_Version.with {
                $0.appMinor = 20
                $0.appPatch = 1
                $0.appPreRelease = "beta"
                $0.commit = "v0.20.1-beta"
                $0.buildTags = ["routerrpc"]
            }
        }
        lnd.on(State.GetState.descriptor) { (_: Lnrpc_GetStateRequest, _) in
            Lnrpc_GetStateResponse.with { $0.state = .locked }
        }
        try await lnd.run { node in
            #expect(try await node.getInfo().alias == "alice")
            let build = try await node.getVersion()
            #expect(build.version == LndVersion(0, 20, 1))
            #expect(build.preRelease == "beta" && build.commit == "v0.20.1-beta")
            #expect(build.tags == ["routerrpc"])
            #expect(try await node.getState() == .locked)
        }
    }

    @Test func `peers are listed, connected and disconnected`() async throws {
        let connects = Recorder<Lnrpc_ConnectPeerRequest>()
        let disconnects = Recorder<String>()
        var lnd = ScriptedLnd()
        lnd.on(Lightning.ListPeers.descriptor) { (_: Lnrpc_ListPeersRequest, _) in
            Lnrpc_ListPeersResponse.with {
                $0.peers = [
                    .with {
                        $0.pubKey = Sample.nodeHex
                        $0.address = "127.0.0.1:40000"
                        $0.inbound = true
                        $0.pingTime = 1500
                        $0.flapCount = 3
                    }
                ]
            }
        }
        lnd.on(Lightning.ConnectPeer.descriptor) { (request: Lnrpc_ConnectPeerRequest, _) in
            connects.record(request)
            return Lnrpc_ConnectPeerResponse()
        }
        lnd.on(Lightning.DisconnectPeer.descriptor) { (request: Lnrpc_DisconnectPeerRequest, _) in
            disconnects.record(request.pubKey)
            return Lnrpc_DisconnectPeerResponse()
        }
        try await lnd.run { node in
            let peer = try Sample.node()
            let expected = Peer(
                nodeID: peer,
                address: "127.0.0.1:40000",
                isInbound: true,
                pingTime: .microseconds(1500),
                flapCount: 3
            )
            #expect(try await node.listPeers() == [expected])
            let outcome = try await node.connectPeer(
                peer,
                address: "10.0.0.1",
                isPermanent: true,
                timeoutSeconds: 7
            )
            #expect(outcome == .begun)
            try await node.disconnectPeer(peer)
        }
        let request = try #require(connects.values.first)
        #expect(request.addr.pubkey == Sample.nodeHex)
        #expect(request.addr.host == "10.0.0.1")
        #expect(request.perm)
        #expect(request.timeout == 7)
        #expect(disconnects.values == [Sample.nodeHex])
    }

    @Test func `being connected already is what one wanted`() async throws {
        var lnd = ScriptedLnd()
        lnd.refuse(
            Lightning.ConnectPeer.descriptor,
            RPCError(code: .unknown, message: "already connected to peer: \(Sample.nodeHex)@1:2")
        )
        try await lnd.run { node in
            let outcome = try await node.connectPeer(try Sample.node(), address: "10.0.0.1")
            #expect(outcome == .alreadyConnected)
        }
    }

    @Test func `a custom message goes out as it is`() async throws {
        let sent = Recorder<Lnrpc_SendCustomMessageRequest>()
        var lnd = ScriptedLnd()
        lnd.on(Lightning.SendCustomMessage.descriptor) {
            (request: Lnrpc_SendCustomMessageRequest, _) in
            sent.record(request)
            return Lnrpc_SendCustomMessageResponse()
        }
        try await lnd.run { node in
            let peer = try Sample.node()
            for (type, length) in [(32_768, 0), (65_535, 65_533)] as [(UInt16, Int)] {
                try await node.sendCustomMessage(
                    PeerMessage(peer: peer, type: type, data: [UInt8](repeating: 1, count: length))
                )
            }
        }
        #expect(sent.values.map(\.type) == [32_768, 65_535])
        #expect(sent.values.map(\.data.count) == [0, 65_533])
        #expect(try sent.values.allSatisfy { [UInt8]($0.peer) == (try Sample.node().bytes) })
    }

    // BOLT #1 [message-size]
    @Test func `a message that would cost the peer its connection never reaches lnd`() async throws
    {
        let sent = Recorder<UInt32>()
        var lnd = ScriptedLnd()
        lnd.on(Lightning.SendCustomMessage.descriptor) {
            (request: Lnrpc_SendCustomMessageRequest, _) in
            sent.record(request.type)
            return Lnrpc_SendCustomMessageResponse()
        }
        try await lnd.run { node in
            let peer = try Sample.node()
            let long = PeerMessage(
                peer: peer,
                type: 42_081,
                data: [UInt8](repeating: 1, count: 65_534)
            )
            let low = PeerMessage(peer: peer, type: 32_767, data: [])
            let tooLong = try await lndError { try await node.sendCustomMessage(long) }
            #expect(tooLong?.code == .messageTooLarge)
            let error = try await lndError { try await node.sendCustomMessage(low) }
            #expect(error?.code == .typeNotCustom)
        }
        #expect(sent.values.isEmpty)
    }

    @Test func `an invoice is asked for with all it should carry`() async throws {
        let added = Recorder<Lnrpc_Invoice>()
        var lnd = ScriptedLnd()
        lnd.on(Lightning.AddInvoice.descriptor) { (request: Lnrpc_Invoice, _) in
            added.record(request)
            return Lnrpc_AddInvoiceResponse.with {
                $0.rHash = Data(Sample.paymentHash.bytes.bytes)
                $0.paymentRequest = Sample.invoiceText
                $0.addIndex = 8
                $0.paymentAddr = Data(repeating: 3, count: 32)
            }
        }
        try await lnd.run { node in
            let made = try await node.addInvoice(
                NewInvoice(
                    amount: MilliSatoshi(msat: 57_355),
                    description: .hash(try Sample.bytes32(9)),
                    expirySeconds: 600,
                    preimage: try Sample.preimage(),
                    finalCLTVDelta: 40,
                    includesPrivateChannels: true
                )
            )
            #expect(made.paymentHash == Sample.paymentHash)
            #expect(made.paymentRequest.reveal("test") == Sample.invoiceText)
            #expect(made.addIndex == 8)
            _ = try await node.addInvoice(
                NewInvoice(amount: nil, description: .text(Redacted("tea")), expirySeconds: 1)
            )
        }
        let full = try #require(added.values.first)
        #expect(full.valueMsat == 57_355 && full.value == 0)
        #expect(full.descriptionHash == Data(repeating: 9, count: 32) && full.memo.isEmpty)
        #expect(full.expiry == 600)
        #expect(full.rPreimage == Data(Sample.preimageBytes))
        #expect(full.cltvExpiry == 40)
        #expect(full.private)
        let bare = try #require(added.values.last)
        #expect(bare.valueMsat == 0 && bare.memo == "tea" && bare.descriptionHash.isEmpty)
        #expect(bare.expiry == 1 && bare.rPreimage.isEmpty && !bare.private)
    }

    @Test func `an invoice that lnd would make otherwise than asked is refused here`() async throws
    {
        let lnd = ScriptedLnd()
        let good = NewInvoice(
            amount: MilliSatoshi(msat: 1),
            description: .text(Redacted(String(repeating: "é", count: 512))),
            expirySeconds: 31_536_000
        )
        let changes: [@Sendable (inout NewInvoice) -> Void] = [
            { $0.expirySeconds = 0 },
            { $0.expirySeconds = 31_536_001 },
            { $0.amount = .zero },
            { $0.amount = MilliSatoshi(msat: .max) },
            { $0.description = .text(Redacted(String(repeating: "é", count: 513))) },
        ]
        try await lnd.run { node in
            // The good one reaches the script, which knows no call.
            let reached = try await lndError { try await node.addInvoice(good) }
            #expect(reached?.code == .unimplemented)
            for change in changes {
                var order = good
                change(&order)
                let refused = order
                let error = try await lndError { try await node.addInvoice(refused) }
                #expect(error?.code == .invalidRequest)
            }
            var known = good
            known.preimage = try Sample.preimage()
            let hold = known
            let error = try await lndError {
                try await node.addHoldInvoice(hold, paymentHash: Sample.paymentHash)
            }
            #expect(error?.code == .invalidRequest)
        }
    }

    @Test func `a hold invoice is made, settled and cancelled by hash and preimage`() async throws {
        let seen = Recorder<Data>()
        var lnd = ScriptedLnd()
        lnd.on(Invoices.AddHoldInvoice.descriptor) {
            (request: Invoicesrpc_AddHoldInvoiceRequest, _) in
            #expect(request.valueMsat == 1000 && request.expiry == 60 && request.memo == "m")
            seen.record(request.hash)
            return Invoicesrpc_AddHoldInvoiceResp.with {
                $0.paymentRequest = Sample.invoiceText
                $0.addIndex = 4
            }
        }
        lnd.on(Invoices.SettleInvoice.descriptor) { (request: Invoicesrpc_SettleInvoiceMsg, _) in
            seen.record(request.preimage)
            return Invoicesrpc_SettleInvoiceResp()
        }
        lnd.on(Invoices.CancelInvoice.descriptor) { (request: Invoicesrpc_CancelInvoiceMsg, _) in
            seen.record(request.paymentHash)
            return Invoicesrpc_CancelInvoiceResp()
        }
        try await lnd.run { node in
            let order = NewInvoice(
                amount: MilliSatoshi(msat: 1000),
                description: .text(Redacted("m")),
                expirySeconds: 60
            )
            let made = try await node.addHoldInvoice(order, paymentHash: Sample.paymentHash)
            #expect(made.paymentHash == Sample.paymentHash && made.addIndex == 4)
            try await node.settleInvoice(try Sample.preimage())
            try await node.cancelInvoice(Sample.paymentHash)
        }
        let hash = Data(Sample.paymentHash.bytes.bytes)
        #expect(seen.values == [hash, Data(Sample.preimageBytes), hash])
    }

    @Test func `invoices are looked up by hash in both ways`() async throws {
        var lnd = ScriptedLnd()
        let hash = Data(Sample.paymentHash.bytes.bytes)
        lnd.on(Lightning.LookupInvoice.descriptor) { (request: Lnrpc_PaymentHash, _) in
            guard request.rHash == hash, request.rHashStr.isEmpty else {
                throw RPCError(code: .notFound, message: "unable to locate invoice")
            }
            return Sample.invoice
        }
        lnd.on(Invoices.LookupInvoiceV2.descriptor) { (request: Invoicesrpc_LookupInvoiceMsg, _) in
            #expect(request.invoiceRef == .paymentHash(hash))
            return Sample.invoice
        }
        try await lnd.run { node in
            #expect(try await node.lookupInvoice(Sample.paymentHash).addIndex == 5)
            #expect(try await node.lookupInvoiceV2(Sample.paymentHash).addIndex == 5)
            let other = PaymentHash(try Sample.bytes32(1))
            let error = try await lndError { try await node.lookupInvoice(other) }
            #expect(error?.code == .invoiceUnknown)
        }
    }

    @Test func `an answer about another invoice is not taken for the one asked for`() async throws {
        var lnd = ScriptedLnd()
        lnd.on(Lightning.LookupInvoice.descriptor) { (_: Lnrpc_PaymentHash, _) in Sample.invoice }
        try await lnd.run { node in
            let other = PaymentHash(try Sample.bytes32(1))
            let error = try await lndError { try await node.lookupInvoice(other) }
            #expect(error?.code == .malformedAnswer)
        }
    }

    @Test func `lists come in pages`() async throws {
        var lnd = ScriptedLnd()
        lnd.on(Lightning.ListInvoices.descriptor) { (request: Lnrpc_ListInvoiceRequest, _) in
            #expect(request.pendingOnly && !request.reversed)
            return Lnrpc_ListInvoiceResponse.with {
                guard request.indexOffset == 0, request.numMaxInvoices == 2 else { return }
                $0.invoices = [Sample.invoice]
                $0.lastIndexOffset = 5
            }
        }
        lnd.on(Lightning.ListPayments.descriptor) { (request: Lnrpc_ListPaymentsRequest, _) in
            #expect(request.includeIncomplete && request.omitHops)
            return Lnrpc_ListPaymentsResponse.with {
                guard request.indexOffset == 0, request.maxPayments == 1 else { return }
                $0.payments = [Sample.payment]
                $0.lastIndexOffset = 3
            }
        }
        try await lnd.run { node in
            let invoices = try await node.listInvoices(limit: 2, onlyPending: true)
            #expect(invoices.elements.map(\.addIndex) == [5] && invoices.lastIndex == 5)
            let end = try await node.listInvoices(after: 5, limit: 2, onlyPending: true)
            #expect(end.elements.isEmpty && end.lastIndex == 5)
            // No limit is not lnd's "all of them".
            let payments = try await node.listPayments(limit: 0, includesIncomplete: true)
            #expect(payments.elements.map(\.index) == [3] && payments.lastIndex == 3)
            let last = try await node.listPayments(after: 3, includesIncomplete: true)
            #expect(last.elements.isEmpty && last.lastIndex == 3)
        }
    }

    @Test func `an invoice is decoded by lnd`() async throws {
        var lnd = ScriptedLnd()
        lnd.on(Lightning.DecodePayReq.descriptor) { (request: Lnrpc_PayReqString, _) in
            #expect(request.payReq == Sample.invoiceText)
            return Lnrpc_PayReq.with {
                $0.destination = Sample.nodeHex
                $0.paymentHash = Sample.paymentHash.hex
                $0.numMsat = 50_000
            }
        }
        try await lnd.run { node in
            let decoded = try await node.decodePayReq(Redacted(Sample.invoiceText))
            #expect(decoded.amount == MilliSatoshi(msat: 50_000))
        }
    }

    @Test func `a payment goes out with its limits and is followed to its end`() async throws {
        let orders = Recorder<Routerrpc_SendPaymentRequest>()
        var lnd = ScriptedLnd()
        lnd.onStream(Router.SendPaymentV2.descriptor) {
            (request: Routerrpc_SendPaymentRequest, updates: RPCWriter<Lnrpc_Payment>) in
            orders.record(request)
            var flying = Sample.payment
            flying.status = .inFlight
            flying.paymentPreimage = String(repeating: "0", count: 64)
            try await updates.write(contentsOf: [flying, flying, Sample.payment])
        }
        try await lnd.run { node in
            let order = PaymentOrder(
                paymentRequest: Redacted(Sample.invoiceText),
                amount: MilliSatoshi(msat: 5),
                feeLimit: MilliSatoshi(msat: 1001),
                timeoutSeconds: 20,
                cltvLimit: 200,
                maximumParts: 4,
                lastHop: try Sample.node(),
                isCancelable: true
            )
            let states = try await node.sendPaymentV2(order) { updates in
                var states: [Payment.Status] = []
                for try await payment in updates { states.append(payment.status) }
                return states
            }
            #expect(states == [.inFlight, .inFlight, .succeeded(try Sample.preimage())])
            let bare = PaymentOrder(
                paymentRequest: Redacted(Sample.invoiceText),
                feeLimit: .zero,
                timeoutSeconds: 60
            )
            let final = try await node.sendPaymentV2(bare, onlyFinalState: true) {
                try await $0.finalState()
            }
            #expect(final.status == .succeeded(try Sample.preimage()))
        }
        let full = try #require(orders.values.first)
        #expect(full.paymentRequest == Sample.invoiceText)
        #expect(full.amtMsat == 5 && full.feeLimitMsat == 1001 && full.timeoutSeconds == 20)
        #expect(full.cltvLimit == 200 && full.maxParts == 4 && full.cancelable)
        #expect([UInt8](full.lastHopPubkey) == (try Sample.node().bytes))
        #expect(!full.noInflightUpdates)
        let bare = try #require(orders.values.last)
        #expect(bare.amtMsat == 0 && bare.feeLimitMsat == 0 && bare.maxParts == 0)
        #expect(bare.noInflightUpdates && !bare.cancelable && bare.lastHopPubkey.isEmpty)
    }

    @Test func `a payment that lnd would make otherwise than ordered is refused here`() async throws
    {
        let lnd = ScriptedLnd()
        let good = PaymentOrder(
            paymentRequest: Redacted(Sample.invoiceText),
            feeLimit: .zero,
            timeoutSeconds: 1
        )
        let changes: [@Sendable (inout PaymentOrder) -> Void] = [
            { $0.paymentRequest = Redacted("") },
            { $0.timeoutSeconds = 0 },
            { $0.timeoutSeconds = .max },
            { $0.amount = .zero },
            { $0.amount = MilliSatoshi(msat: .max) },
            { $0.feeLimit = MilliSatoshi(msat: .max) },
            { $0.cltvLimit = 0 },
            { $0.cltvLimit = .max },
            { $0.maximumParts = 0 },
        ]
        try await lnd.run { node in
            let reached = try await lndError {
                try await node.sendPaymentV2(good) { try await $0.finalState() }
            }
            #expect(reached?.code == .unimplemented)
            for change in changes {
                var order = good
                change(&order)
                let refused = order
                let error = try await lndError {
                    try await node.sendPaymentV2(refused) { try await $0.finalState() }
                }
                #expect(error?.code == .invalidRequest)
            }
        }
    }

    @Test func `a payment is tracked by its hash`() async throws {
        var lnd = ScriptedLnd()
        lnd.onStream(Router.TrackPaymentV2.descriptor) {
            (request: Routerrpc_TrackPaymentRequest, updates: RPCWriter<Lnrpc_Payment>) in
            #expect(request.noInflightUpdates)
            try await updates.write(Sample.payment)
        }
        try await lnd.run { node in
            let payment = try await node.trackPaymentV2(Sample.paymentHash, onlyFinalState: true) {
                try await $0.finalState()
            }
            #expect(payment.isTerminal)
            let other = PaymentHash(try Sample.bytes32(1))
            let error = try await lndError {
                try await node.trackPaymentV2(other, onlyFinalState: true) {
                    try await $0.finalState()
                }
            }
            #expect(error?.code == .malformedAnswer)
        }
    }

    @Test func `channels and their balance are asked for`() async throws {
        var lnd = ScriptedLnd()
        lnd.on(Lightning.ListChannels.descriptor) { (request: Lnrpc_ListChannelsRequest, _) in
            Lnrpc_ListChannelsResponse.with {
                $0.channels =
                    request.peer.isEmpty ? [] : [.with { $0.remotePubkey = Sample.nodeHex }]
            }
        }
        lnd.on(Lightning.ChannelBalance.descriptor) { (_: Lnrpc_ChannelBalanceRequest, _) in
            Lnrpc_ChannelBalanceResponse.with {
                $0.localBalance.msat = 1_500
                $0.remoteBalance.msat = 2_500
                $0.unsettledLocalBalance.msat = 3
            }
        }
        try await lnd.run { node in
            #expect(try await node.listChannels().isEmpty)
            #expect(try await node.listChannels(with: try Sample.node()).count == 1)
            let balance = try await node.channelBalance()
            #expect(balance.local == MilliSatoshi(msat: 1_500))
            #expect(balance.remote == MilliSatoshi(msat: 2_500))
            #expect(balance.unsettledLocal == MilliSatoshi(msat: 3))
            #expect(balance.unsettledRemote == .zero)
        }
    }

    @Test func `macaroons are baked and checked`() async throws {
        let permission = MacaroonPermission(calling: Lightning.AddInvoice.descriptor)
        #expect("\(permission)" == "uri:/lnrpc.Lightning/AddInvoice")
        var lnd = ScriptedLnd()
        lnd.on(Lightning.BakeMacaroon.descriptor) { (request: Lnrpc_BakeMacaroonRequest, _) in
            #expect(request.permissions.map(\.action) == ["/lnrpc.Lightning/AddInvoice"])
            #expect(request.permissions.map(\.entity) == ["uri"])
            return Lnrpc_BakeMacaroonResponse.with {
                $0.macaroon = request.rootKeyID == 2 ? "0201ff" : "not hex"
            }
        }
        lnd.on(Lightning.CheckMacaroonPermissions.descriptor) {
            (request: Lnrpc_CheckMacPermRequest, _) in
            guard request.macaroon == Data([2, 1, 255]) else {
                throw RPCError(code: .invalidArgument, message: "permission denied")
            }
            #expect(request.fullMethod == "/lnrpc.Lightning/AddInvoice")
            return Lnrpc_CheckMacPermResponse.with { $0.valid = true }
        }
        try await lnd.run { node in
            let macaroon = try await node.bakeMacaroon([permission], rootKeyID: 2)
            #expect(macaroon.reveal("test") == [2, 1, 255])
            let error = try await lndError { try await node.bakeMacaroon([permission]) }
            #expect(error?.code == .malformedAnswer)
            let method = Lightning.AddInvoice.descriptor
            #expect(
                try await node.checkMacaroonPermissions(macaroon, [permission], calling: method)
            )
            #expect(
                try await !node.checkMacaroonPermissions(
                    Redacted([2]),
                    [permission],
                    calling: method
                )
            )
        }
    }

    @Test func `a call without answer ends at its deadline, with its outcome open`() async throws {
        var lnd = ScriptedLnd()
        lnd.on(Lightning.GetInfo.descriptor) { (_: Lnrpc_GetInfoRequest, _) in
            try await Task.sleep(for: .seconds(3600))
            return Sample.info
        }
        try await lnd.run(timeout: .milliseconds(20)) { node in
            let error = try await lndError { try await node.getInfo() }
            #expect(error?.code == .deadlineExceeded)
            #expect(error?.outcomeIsUnknown == true)
        }
    }

    @Test func `after the shutdown calls fail without reaching lnd`() async throws {
        var lnd = ScriptedLnd()
        lnd.on(Lightning.GetInfo.descriptor) { (_: Lnrpc_GetInfoRequest, _) in Sample.info }
        try await lnd.run { node in
            _ = try await node.getInfo()
            node.beginGracefulShutdown()
            let error = try await lndError { try await node.getInfo() }
            #expect(error?.code == .closed)
        }
    }
}
