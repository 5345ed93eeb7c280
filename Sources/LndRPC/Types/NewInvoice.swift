import FoundationEssentials
package import LightningTypes
import SwiftProtobuf

/// An invoice to be made (`AddInvoice`, `AddHoldInvoice`).
package struct NewInvoice: Equatable, Sendable {
    /// What to ask for; nil leaves it to the payer.
    ///
    /// Most routes refuse to carry less than 1000 msat.
    package var amount: MilliSatoshi?
    /// What the invoice carries: a description, or the hash of one.
    package enum Description: Equatable, Sendable {
        /// Tag `d`: the text itself, at most 1024 bytes of UTF-8.
        case text(Redacted<String>)
        /// Tag `h`: 32 bytes.
        case hash(Bytes32)
    }

    /// The description, or its hash.
    package var description: Description
    /// How long the invoice can be paid, in seconds: 1 to ``maximumExpiry``.
    package var expirySeconds: UInt32
    /// The preimage; nil lets lnd draw one, and is a must for a hold invoice.
    package var preimage: Preimage?
    /// Final CLTV delta in blocks, at least 24 since lnd 0.21; nil is the node's default.
    package var finalCLTVDelta: UInt32?
    /// Whether to add hints to private channels.
    package var includesPrivateChannels: Bool

    /// A year, in seconds: the longest expiry lnd accepts.
    package static let maximumExpiry: UInt32 = 31_536_000

    /// Makes an order for an invoice; what is left out is lnd's default.
    package init(
        amount: MilliSatoshi?,
        description: Description,
        expirySeconds: UInt32,
        preimage: Preimage? = nil,
        finalCLTVDelta: UInt32? = nil,
        includesPrivateChannels: Bool = false
    ) {
        self.amount = amount
        self.description = description
        self.expirySeconds = expirySeconds
        self.preimage = preimage
        self.finalCLTVDelta = finalCLTVDelta
        self.includesPrivateChannels = includesPrivateChannels
    }
}

/// An invoice just made (`AddInvoice`, `AddHoldInvoice`).
package struct AddedInvoice: Equatable, Sendable {
    /// The payment hash.
    package var paymentHash: PaymentHash
    /// The invoice as text (BOLT #11), to be sent to the payer.
    package var paymentRequest: Redacted<String>
    /// Grows with each invoice; starts at 1.
    package var addIndex: UInt64
}

extension AddedInvoice {
    init(_ response: Lnrpc_AddInvoiceResponse) throws(LndError) {
        let answer = Answer(Lnrpc_AddInvoiceResponse.self)
        paymentHash = PaymentHash(try answer.bytes32(response.rHash, "r_hash"))
        paymentRequest = Redacted(try answer.text(response.paymentRequest, "payment_request"))
        addIndex = response.addIndex
    }

    init(_ response: Invoicesrpc_AddHoldInvoiceResp, hash: PaymentHash) throws(LndError) {
        let answer = Answer(Invoicesrpc_AddHoldInvoiceResp.self)
        paymentHash = hash
        paymentRequest = Redacted(try answer.text(response.paymentRequest, "payment_request"))
        addIndex = response.addIndex
    }
}

extension NewInvoice {
    func request() throws(LndError) -> Lnrpc_Invoice {
        let fields = try checked("AddInvoice")
        return .with {
            $0.valueMsat = fields.valueMsat
            $0.memo = fields.memo
            $0.descriptionHash = fields.descriptionHash
            $0.expiry = Int64(expirySeconds)
            if let preimage {
                $0.rPreimage = Data(preimage.secret.reveal("lnd makes the invoice of it").bytes)
            }
            $0.cltvExpiry = UInt64(finalCLTVDelta ?? 0)
            $0.private = includesPrivateChannels
        }
    }

    func request(hash: PaymentHash) throws(LndError) -> Invoicesrpc_AddHoldInvoiceRequest {
        let fields = try checked("AddHoldInvoice")
        guard preimage == nil else {
            throw LndError(.invalidRequest, "AddHoldInvoice: the preimage stays with the caller")
        }
        return .with {
            $0.hash = Data(hash.bytes.bytes)
            $0.valueMsat = fields.valueMsat
            $0.memo = fields.memo
            $0.descriptionHash = fields.descriptionHash
            $0.expiry = Int64(expirySeconds)
            $0.cltvExpiry = UInt64(finalCLTVDelta ?? 0)
            $0.private = includesPrivateChannels
        }
    }

    /// The fields both requests share, or why lnd would refuse or misread them.
    private func checked(
        _ rpc: String
    ) throws(LndError) -> (valueMsat: Int64, memo: String, descriptionHash: Data) {
        func refuse(_ what: String) -> LndError { LndError(.invalidRequest, "\(rpc): \(what)") }

        // Zero would silently become lnd's default of a day.
        guard (1...Self.maximumExpiry).contains(expirySeconds) else {
            throw refuse("an expiry of \(expirySeconds) s is not within 1 to \(Self.maximumExpiry)")
        }
        // Zero would silently leave the amount to the payer.
        guard amount != .zero, let msat = Int64(exactly: amount?.msat ?? 0) else {
            throw refuse("an amount of \(amount?.msat ?? 0) msat can't be asked for")
        }
        switch description {
        case .text(let redacted):
            let memo = redacted.reveal("the payer reads it in the invoice")
            guard memo.utf8.count <= 1024 else {
                throw refuse("a description of \(memo.utf8.count) bytes, at most 1024 fit")
            }
            return (msat, memo, Data())
        case .hash(let hash):
            return (msat, "", Data(hash.bytes))
        }
    }
}
