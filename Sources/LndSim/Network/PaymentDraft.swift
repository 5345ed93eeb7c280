import BOLT11
import LightningTypes

/// What a caller of SendPaymentV2 asks for, unchecked, in the fields of the RPC.
package struct PaymentDraft: Sendable {
    /// The BOLT #11 text; empty when the fields below name the payee.
    package var paymentRequest = ""
    /// The payee's key, 33 bytes.
    package var destination: [UInt8] = []
    /// The payment hash, 32 bytes.
    package var hash: [UInt8] = []
    /// The payment secret, 32 bytes.
    package var secret: [UInt8] = []
    /// The payee's final time lock, in blocks; 0 for the default.
    package var finalTimeLockDelta: Int32 = 0
    /// The amount in satoshis.
    package var amountSat: Int64 = 0
    /// The amount in msat.
    package var amountMsat: Int64 = 0
    /// The fee limit in satoshis.
    package var feeLimitSat: Int64 = 0
    /// The fee limit in msat; both limits 0 allow no fee at all.
    package var feeLimitMsat: Int64 = 0
    /// How long attempts may start, in seconds; 0 for 60.
    package var timeoutSeconds: Int32 = 0
    /// The longest time lock, in blocks; 0 for 2016.
    package var timeLockLimit: Int32 = 0
    /// The channels that may be used first; empty for all.
    package var outgoingChannels: [UInt64] = []
    /// The node before the payee, 33 bytes; empty for any.
    package var lastHop: [UInt8] = []
    /// Into how many HTLCs it may be split; 0 for 16.
    package var maximumParts: UInt32 = 0
    /// The largest HTLC, in msat; 0 for no limit.
    package var maximumShardMsat: UInt64 = 0
    /// Whether the payee may be the payer.
    package var allowsSelfPayment = false
    /// The payee's feature bits, when it is not named by an invoice.
    package var destinationFeatures: [UInt32] = []
    /// Whether only the final update is sent.
    package var terminalOnly = false
    /// Whether the end of the stream stops further attempts.
    package var isCancelable = false

    /// Asks for a payment to nobody.
    package init() {}

    /// Checks the draft as lnd does before it registers a payment; needs no network, so no lock.
    ///
    /// - Parameters:
    ///   - node: The payer.
    ///   - now: The current time.
    /// - Returns: The payment's terms, ready for ``SimulatedNetwork/sendPayment(_:terminalOnly:on:)``.
    /// - Throws: ``LndFault`` as lnd words it.
    package func terms(payer node: NodeRecord, now: NetworkTime) throws(LndFault) -> PaymentTerms {
        let lastHop = try lastHop.isEmpty ? nil : vertex(self.lastHop)
        guard timeLockLimit <= Self.maximumTimeLock else {
            throw .unknown(
                "total time lock of \(timeLockLimit) exceeds max allowed \(Self.maximumTimeLock)"
            )
        }
        let feeLimit = try LndSim.amountMsat(sat: feeLimitSat, msat: feeLimitMsat)
        guard timeoutSeconds >= 0 else {
            throw .unknown("timeout_seconds must be non-negative")
        }
        let amount = try LndSim.amountMsat(sat: amountSat, msat: amountMsat)
        let payee =
            try paymentRequest.isEmpty
            ? payeeFromFields(amountMsat: amount) : payeeFromInvoice(amountMsat: amount, now: now)
        guard payee.destination != node.id || allowsSelfPayment else {
            throw .unknown("self-payments not allowed")
        }
        let limit = timeLockLimit > 0 ? UInt32(timeLockLimit) : UInt32(Self.maximumTimeLock)
        let final = UInt32(payee.finalTimeLockDelta) + BlockPadding.blocks
        guard limit > final else {
            throw .unknown("cltv limit \(limit) should be greater than \(final)")
        }
        return PaymentTerms(
            hash: payee.hash,
            destination: payee.destination,
            valueMsat: payee.amountMsat,
            paymentRequest: paymentRequest,
            secret: payee.secret,
            finalTimeLockDelta: payee.finalTimeLockDelta,
            feeLimitMsat: feeLimit,
            timeLockLimit: limit,
            outgoingChannels: outgoingChannels,
            lastHop: lastHop,
            maximumParts: payee.canCombineParts && payee.secret != nil
                ? (maximumParts == 0 ? 16 : maximumParts) : 1,
            maximumShardMsat: maximumShardMsat == 0 ? nil : maximumShardMsat,
            deadline: now.advanced(bySeconds: UInt64(timeoutSeconds == 0 ? 60 : timeoutSeconds)),
            isCancelable: isCancelable
        )
    }

    private static let maximumTimeLock: Int32 = 2016

    /// Whom a payment is for, from an invoice or from the fields.
    struct Payee {
        var hash: PaymentHash
        var destination: NodeID
        var amountMsat: UInt64
        var secret: Bytes32?
        var finalTimeLockDelta: UInt16
        var canCombineParts: Bool
    }

    private func payeeFromInvoice(
        amountMsat: UInt64,
        now: NetworkTime
    ) throws(LndFault) -> Payee {
        for (isSet, name) in [
            (!destination.isEmpty, "dest"), (!hash.isEmpty, "payment_hash"),
            (finalTimeLockDelta != 0, "final_cltv_delta"),
        ] where isSet {
            throw .unknown("\(name) and payment_request cannot appear together")
        }
        let invoice = try PaymentRequests.decode(paymentRequest)
        guard NetworkTime(invoice.expiresAt) >= now else {
            throw .unknown("invoice expired. Valid until \(GoTime.text(of: invoice.expiresAt))")
        }
        guard invoice.amount != nil || amountMsat > 0 else {
            throw .unknown("amount must be specified when paying a zero amount invoice")
        }
        guard invoice.amount == nil || amountMsat == 0 else {
            throw .unknown("amount must not be specified when paying a non-zero amount invoice")
        }
        guard let secret = invoice.paymentSecret else {
            throw .unknown(
                "payment request must contain either a payment address or blinded paths"
            )
        }
        return Payee(
            hash: invoice.paymentHash,
            destination: invoice.payee,
            amountMsat: invoice.amount?.msat ?? amountMsat,
            secret: secret,
            finalTimeLockDelta: UInt16(clamping: invoice.effectiveMinFinalCLTV),
            canCombineParts: invoice.features.supports(16)
        )
    }

    private func payeeFromFields(amountMsat: UInt64) throws(LndFault) -> Payee {
        let destination = try vertex(destination)
        guard amountMsat > 0 else { throw .unknown("amount must be specified") }
        guard let hash = Bytes32(hash) else {
            throw .unknown("invalid hash length of \(self.hash.count), want 32")
        }
        guard secret.isEmpty || secret.count == 32 else {
            throw .unknown("invalid hash length of \(secret.count), want 32")
        }
        return Payee(
            hash: PaymentHash(hash),
            destination: destination,
            amountMsat: amountMsat,
            secret: Bytes32(secret),
            finalTimeLockDelta: finalTimeLockDelta == 0
                ? 80 : UInt16(clamping: finalTimeLockDelta),
            canCombineParts: destinationFeatures.contains { $0 == 16 || $0 == 17 }
        )
    }

    private func vertex(_ bytes: [UInt8]) throws(LndFault) -> NodeID {
        guard bytes.count == 33, let id = NodeID(bytes) else {
            throw .unknown("invalid vertex length of \(bytes.count), want 33")
        }
        return id
    }
}

/// The blocks a payer adds to the payee's time lock, since a block may come while the HTLC travels.
enum BlockPadding {
    static let blocks: UInt32 = 3
}
