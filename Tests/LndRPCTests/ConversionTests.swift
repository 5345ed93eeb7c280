import Foundation
import LightningTypes
import SwiftProtobuf
import Testing

@testable import LndRPC

/// What lnd sends becomes our types, or is refused with the field's name.
@Suite struct ConversionTests {
    /// Changes a good message, and expects the converter to name the field.
    private func expectRefusal<Message: Sendable, Value>(
        of good: Message,
        by convert: (Message) throws(LndError) -> Value,
        _ changes: [(field: String, change: (inout Message) -> Void)]
    ) throws {
        _ = try convert(good)
        for (field, change) in changes {
            var bad = good
            change(&bad)
            do throws(LndError) {
                _ = try convert(bad)
                Issue.record("\(field) was accepted")
            } catch {
                #expect(error.code == .malformedAnswer)
                #expect(error.detail.contains(" \(field) "), "\(error.detail)")
            }
        }
    }

    @Test func `an invoice keeps what lnd says of it`() throws {
        let invoice = try Invoice(Sample.invoice)
        #expect(invoice.paymentHash == Sample.paymentHash)
        #expect(invoice.preimage == (try Sample.preimage()))
        #expect(invoice.state == .open)
        #expect(invoice.amount == MilliSatoshi(msat: 50_000))
        #expect(invoice.amountPaid == .zero)
        #expect(invoice.createdAt == UnixTime(seconds: 1_700_000_000))
        #expect(invoice.expiresAt == UnixTime(seconds: 1_700_000_600))
        #expect(invoice.settledAt == nil)
        #expect(invoice.descriptionHash == (try Sample.bytes32(9)))
        #expect(invoice.paymentRequest?.reveal("test") == Sample.invoiceText)
        #expect(invoice.addIndex == 5)
        #expect(invoice.settleIndex == 0)
    }

    @Test func `a settled invoice says when and how much`() throws {
        var message = Sample.invoice
        message.state = .settled
        message.settleDate = 1_700_000_100
        message.settleIndex = 2
        message.amtPaidMsat = 50_001
        let invoice = try Invoice(message)
        #expect(invoice.state == .settled)
        #expect(invoice.settledAt == UnixTime(seconds: 1_700_000_100))
        #expect(invoice.amountPaid == MilliSatoshi(msat: 50_001))
        #expect(invoice.settleIndex == 2)
    }

    @Test func `what an invoice lacks is nil`() throws {
        let invoice = try Invoice(.with { $0.rHash = Data(repeating: 1, count: 32) })
        #expect(invoice.preimage == nil)
        #expect(invoice.amount == nil)
        #expect(invoice.descriptionHash == nil)
        #expect(invoice.paymentRequest == nil)
    }

    @Test func `a malformed invoice is refused`() throws {
        try expectRefusal(
            of: Sample.invoice,
            by: Invoice.init,
            [
                ("r_hash", { $0.rHash = Data(repeating: 1, count: 31) }),
                ("r_hash", { $0.rHash = Data() }),
                ("r_preimage", { $0.rPreimage = Data(repeating: 1, count: 33) }),
                ("state", { $0.state = .UNRECOGNIZED(4) }),
                ("value_msat", { $0.valueMsat = -1 }),
                ("amt_paid_msat", { $0.amtPaidMsat = .min }),
                ("creation_date", { $0.creationDate = -1 }),
                ("expiry", { $0.expiry = -1 }),
                ("settle_date", { $0.settleDate = -5 }),
                ("description_hash", { $0.descriptionHash = Data([1]) }),
            ]
        )
    }

    @Test func `a payment keeps what lnd says of it`() throws {
        let payment = try Payment(Sample.payment)
        #expect(payment.paymentHash == Sample.paymentHash)
        #expect(payment.status == .succeeded(try Sample.preimage()))
        #expect(payment.amount == MilliSatoshi(msat: 50_000))
        #expect(payment.fee == MilliSatoshi(msat: 12))
        #expect(payment.createdAt == UnixTime(seconds: 1_700_000_000))
        #expect(payment.index == 3)
        #expect(payment.isTerminal)
    }

    @Test(arguments: ["", String(repeating: "00", count: 32), String(repeating: "ab", count: 32)])
    func `a preimage that does not hash to the payment hash is no preimage`(hex: String) throws {
        var message = Sample.payment
        message.paymentPreimage = hex
        #expect(try Payment(message).status == .succeeded(nil))
    }

    @Test(arguments: [
        (Lnrpc_PaymentFailureReason.failureReasonTimeout, Payment.FailureReason.timeout),
        (.failureReasonNoRoute, .noRoute),
        (.failureReasonError, .error),
        (.failureReasonIncorrectPaymentDetails, .incorrectPaymentDetails),
        (.failureReasonInsufficientBalance, .insufficientBalance),
        (.failureReasonCanceled, .canceled),
        (.failureReasonNone, .unrecognized(0)),
        (.UNRECOGNIZED(77), .unrecognized(77)),
    ])
    func `a failed payment is failed, whatever the reason`(
        sent: Lnrpc_PaymentFailureReason,
        read: Payment.FailureReason
    ) throws {
        var message = Sample.payment
        message.status = .failed
        message.failureReason = sent
        let payment = try Payment(message)
        #expect(payment.status == .failed(read))
        #expect(payment.isTerminal)
    }

    @Test func `a payment on its way is not terminal`() throws {
        var message = Sample.payment
        message.status = .inFlight
        #expect(try Payment(message).status == .inFlight)
        #expect(try !Payment(message).isTerminal)
        message.status = .initiated
        #expect(try Payment(message).status == .initiated)
        #expect(try !Payment(message).isTerminal)
    }

    @Test func `a malformed payment is refused`() throws {
        try expectRefusal(
            of: Sample.payment,
            by: Payment.init,
            [
                ("payment_hash", { $0.paymentHash = "" }),
                ("payment_hash", { $0.paymentHash = String(repeating: "0g", count: 32) }),
                ("status", { $0.status = .unknown }),
                ("status", { $0.status = .UNRECOGNIZED(5) }),
                ("value_msat", { $0.valueMsat = -1 }),
                ("fee_msat", { $0.feeMsat = -1 }),
                ("creation_time_ns", { $0.creationTimeNs = -1 }),
            ]
        )
    }

    @Test func `a message keeps peer, type and bytes, and shows no bytes`() throws {
        let message = try PeerMessage(
            .with {
                $0.peer = Data(try Sample.node().bytes)
                $0.type = 42_081
                $0.data = Data("a secret prompt".utf8)
            }
        )
        #expect(message.peer == (try Sample.node()))
        #expect(message.type == 42_081)
        #expect(message.data == Array("a secret prompt".utf8))
        var dumped = ""
        dump([message], to: &dumped)
        for text in ["\(message)", "\([message])", String(reflecting: message), dumped] {
            #expect(!text.contains("secret") && !text.contains("97, 32"), "\(text)")
        }
    }

    @Test func `a malformed message is refused`() throws {
        let key = try Sample.node().bytes
        try expectRefusal(
            of: Lnrpc_CustomMessage.with {
                $0.peer = Data(key)
                $0.type = 32_768
            },
            by: PeerMessage.init,
            [
                ("peer", { $0.peer = Data(key.dropLast()) }),
                ("peer", { $0.peer = Data([4] + key.dropFirst()) }),
                ("type", { $0.type = 65_536 }),
            ]
        )
    }

    @Test func `a peer event without type on the wire is online`() throws {
        let wire =
            try Lnrpc_PeerEvent.with { $0.pubKey = Sample.nodeHex }.serializedBytes() as [UInt8]
        let event = try PeerEvent(Lnrpc_PeerEvent(serializedBytes: wire))
        #expect(event == PeerEvent(nodeID: try Sample.node(), kind: .online))
        try expectRefusal(
            of: Lnrpc_PeerEvent.with { $0.pubKey = Sample.nodeHex },
            by: PeerEvent.init,
            [
                ("pub_key", { $0.pubKey = "" }),
                ("type", { $0.type = .UNRECOGNIZED(2) }),
            ]
        )
    }

    @Test func `a node's description needs an identity and a network`() throws {
        let info = try NodeInfo(Sample.info)
        #expect(info.nodeID == (try Sample.node()))
        #expect(info.network == "regtest")
        #expect(info.isSyncedToChain && !info.isSyncedToGraph)
        #expect(info.blockHeight == 812)
        #expect(info.bestHeaderAt == UnixTime(seconds: 1_700_000_000))
        #expect(LndVersion(text: info.version) == LndVersion(0, 20, 0))
        #expect(LndVersion(text: "0.20") == nil)
        try expectRefusal(
            of: Sample.info,
            by: NodeInfo.init,
            [
                ("identity_pubkey", { $0.identityPubkey = "02" }),
                ("chains", { $0.chains = [] }),
                ("chains.network", { $0.chains = [.init()] }),
            ]
        )
    }

    @Test func `a decoded invoice shows what is missing as nil`() throws {
        let good = Lnrpc_PayReq.with {
            $0.destination = Sample.nodeHex
            $0.paymentHash = Sample.paymentHash.hex
            $0.timestamp = 1_700_000_000
            $0.expiry = 3600
            $0.cltvExpiry = 18
            $0.paymentAddr = Data(count: 32)
        }
        let decoded = try DecodedInvoice(good)
        #expect(decoded.payee == (try Sample.node()))
        #expect(decoded.amount == nil)
        #expect(decoded.descriptionHash == nil)
        #expect(!decoded.hasPaymentSecret)
        #expect(!decoded.hasBlindedPaths)
        #expect(decoded.expiresAt == UnixTime(seconds: 1_700_003_600))
        #expect(decoded.finalCLTVDelta == 18)

        var full = good
        full.numMsat = 7
        full.descriptionHash = String(repeating: "09", count: 32)
        full.paymentAddr = Data(repeating: 1, count: 32)
        full.blindedPaths = [.init()]
        let other = try DecodedInvoice(full)
        #expect(other.amount == MilliSatoshi(msat: 7))
        #expect(other.descriptionHash == (try Sample.bytes32(9)))
        #expect(other.hasPaymentSecret)
        #expect(other.hasBlindedPaths)

        try expectRefusal(
            of: good,
            by: DecodedInvoice.init,
            [
                ("destination", { $0.destination = "03" }),
                ("payment_hash", { $0.paymentHash = "00" }),
                ("num_msat", { $0.numMsat = -1 }),
                ("timestamp", { $0.timestamp = -1 }),
                ("expiry", { $0.expiry = -1 }),
                ("cltv_expiry", { $0.cltvExpiry = -1 }),
                ("description_hash", { $0.descriptionHash = "09" }),
                ("payment_addr", { $0.paymentAddr = Data([1]) }),
            ]
        )
    }

    @Test func `a channel's satoshis become millisatoshis`() throws {
        let good = Lnrpc_Channel.with {
            $0.remotePubkey = Sample.nodeHex
            $0.chanID = .max
            $0.channelPoint = "aa:0"
            $0.active = true
            $0.capacity = 1_000_000
            $0.localBalance = 600_000
            $0.remoteBalance = 400_000
            $0.localConstraints.chanReserveSat = 10_000
        }
        let channel = try Channel(good)
        #expect(channel.capacity == MilliSatoshi(sat: 1_000_000))
        #expect(channel.localBalance == MilliSatoshi(sat: 600_000))
        #expect(channel.remoteBalance == MilliSatoshi(sat: 400_000))
        #expect(channel.localReserve == MilliSatoshi(sat: 10_000))
        #expect(channel.id == .max)
        try expectRefusal(
            of: good,
            by: Channel.init,
            [
                ("remote_pubkey", { $0.remotePubkey = "" }),
                ("capacity", { $0.capacity = -1 }),
                ("local_balance", { $0.localBalance = -1 }),
                ("remote_balance", { $0.remoteBalance = .max }),
            ]
        )
    }

    @Test(arguments: [
        (Lnrpc_WalletState.waitingToStart, WalletState.waitingToStart),
        (.nonExisting, .nonExisting), (.locked, .locked), (.unlocked, .unlocked),
        (.rpcActive, .rpcActive), (.serverActive, .serverActive),
    ])
    func `each wallet state has its name`(sent: Lnrpc_WalletState, read: WalletState) throws {
        #expect(try WalletState(sent) == read)
    }

    @Test func `an unknown wallet state is refused`() throws {
        let error = #expect(throws: LndError.self) { try WalletState(.UNRECOGNIZED(9)) }
        #expect(error?.code == .malformedAnswer)
    }

    @Test func `versions compare by number`() {
        #expect(LndVersion(0, 9, 9) < LndVersion(0, 18, 0))
        #expect(LndVersion(0, 18, 5) > LndVersion.minimum)
        #expect(LndVersion(1, 0, 0) > LndVersion(0, 99, 99))
        #expect("\(LndVersion(0, 20, 1))" == "0.20.1")
    }

    @Test func `invoices and preimages do not show in descriptions`() throws {
        let hex = Hex.encode(Sample.preimageBytes)
        var dumped = ""
        let invoice = try Invoice(Sample.invoice)
        let payment = try Payment(Sample.payment)
        dump((invoice, payment), to: &dumped)
        for text in ["\(invoice)", "\(payment)", String(reflecting: invoice), dumped] {
            #expect(!text.contains(Sample.invoiceText) && !text.contains(hex))
            #expect(!text.contains("7, 7, 7"))
        }
    }
}
