package import LightningCrypto
package import LightningTypes

/// Everything in an invoice that a signature covers: network, amount, time, fields in order.
///
/// The order and form of the fields are kept as given, so that a decoded invoice can be written
/// again to the same text. A draft is not judged: whoever needs a bad invoice can make one.
package struct InvoiceDraft: Hashable, Sendable {
    /// The network to be paid on.
    package let network: Network
    /// What to pay; nil leaves it to the payer.
    package let amount: MilliSatoshi?
    /// When the invoice was made: 35 bits of seconds.
    package let timestamp: UnixTime
    /// The fields in the order they are written, with those a reader ignores.
    package let fields: [TaggedField]

    /// Prefix and amount in lower case, the amount in the form it was read in.
    let humanReadablePart: String

    /// Takes the parts as they are; the amount is written in its shortest form.
    ///
    /// - Parameters:
    ///   - network: The network to be paid on.
    ///   - amount: At most all bitcoin there will ever be; nil leaves it to the payer.
    ///   - timestamp: When the invoice is made; below 2^35 seconds.
    ///   - fields: In the order they shall be written.
    /// - Throws: ``BOLT11Error`` with `amount_too_large` or `timestamp_too_large`.
    package init(
        network: Network,
        amount: MilliSatoshi?,
        timestamp: UnixTime,
        fields: [TaggedField]
    ) throws(BOLT11Error) {
        // BOLT #11 [timestamp-35-bits]
        guard timestamp.seconds >> 35 == 0 else {
            throw BOLT11Error(.timestampTooLarge, "the timestamp does not fit 35 bits")
        }
        var text = ""
        if let amount { text = try InvoiceAmount.encode(amount) }
        self.init(
            network: network,
            amount: amount,
            timestamp: timestamp,
            fields: fields,
            humanReadablePart: network.prefix + text
        )
    }

    /// Takes the values of an ordinary invoice and writes them in lnd's order.
    ///
    /// The order is `p`, `d` or `h`, `m`, `c`, `x`, `f`, `r`, `n`, `s`, `9`; what is nil or empty is
    /// left out.
    ///
    /// - Parameters:
    ///   - network: The network to be paid on.
    ///   - amount: At most all bitcoin there will ever be; nil leaves it to the payer.
    ///   - timestamp: When the invoice is made; below 2^35 seconds.
    ///   - paymentHash: SHA-256 of the preimage that the payment buys.
    ///   - paymentSecret: 32 random bytes that only a payer with the invoice knows.
    ///   - description: Text of at most 639 bytes, or a hash.
    ///   - metadata: At most 639 bytes that the payment must carry back.
    ///   - minFinalCLTV: Blocks the last hop must leave; readers assume 18 without it.
    ///   - expirySeconds: Validity after the timestamp; readers assume 3600 without it.
    ///   - fallbacks: On-chain addresses, the preferred one first.
    ///   - routeHints: Private routes to the payee.
    ///   - payee: The signer's key; needed only when it shall not be recovered.
    ///   - features: What the payee offers and requires.
    /// - Throws: ``BOLT11Error`` with `amount_too_large`, `timestamp_too_large` or
    ///   `field_too_long`.
    package init(
        network: Network,
        amount: MilliSatoshi?,
        timestamp: UnixTime,
        paymentHash: PaymentHash,
        paymentSecret: Bytes32,
        description: InvoiceDescription,
        metadata: [UInt8]? = nil,
        minFinalCLTV: UInt64? = nil,
        expirySeconds: UInt64? = nil,
        fallbacks: [FallbackAddress] = [],
        routeHints: [RouteHint] = [],
        payee: NodeID? = nil,
        features: Features = .lndInvoice
    ) throws(BOLT11Error) {
        var fields: [TaggedField] = [.paymentHash(paymentHash), try .description(description)]
        if let metadata { fields.append(try .metadata(metadata)) }
        if let minFinalCLTV { fields.append(.minFinalCLTV(minFinalCLTV)) }
        if let expirySeconds { fields.append(.expiry(seconds: expirySeconds)) }
        fields += fallbacks.map(TaggedField.fallback)
        fields += routeHints.map(TaggedField.routeHint)
        if let payee { fields.append(.payee(payee)) }
        fields.append(.paymentSecret(paymentSecret))
        if let field = try TaggedField.features(features) { fields.append(field) }
        try self.init(network: network, amount: amount, timestamp: timestamp, fields: fields)
    }

    /// Takes what was read.
    init(
        network: Network,
        amount: MilliSatoshi?,
        timestamp: UnixTime,
        fields: [TaggedField],
        humanReadablePart: String
    ) {
        self.network = network
        self.amount = amount
        self.timestamp = timestamp
        self.fields = fields
        self.humanReadablePart = humanReadablePart
    }

    /// What is hashed and signed: prefix and amount as ASCII, then the data padded to whole bytes.
    package var signingPreimage: [UInt8] {
        Self.signingPreimage(humanReadablePart, signedGroups[...])
    }

    /// SHA-256 of ``signingPreimage``.
    package var signingHash: Bytes32 { SHA256.hash(signingPreimage) }

    /// Signs the draft and writes the invoice, in lower case.
    ///
    /// The same draft and key always give the same text.
    ///
    /// - Parameter key: The payee's key. When the draft has a tag `n`, it must name this key.
    /// - Returns: The invoice.
    /// - Throws: ``BOLT11Error`` with `too_long` when the text exceeds 7089 characters.
    package func signed(with key: SecretKey) throws(BOLT11Error) -> String {
        try encoded(with: key.sign(signingHash))
    }

    /// Writes the invoice with a signature that exists already.
    ///
    /// - Parameter signature: Taken as it is.
    /// - Returns: The invoice, in lower case.
    /// - Throws: ``BOLT11Error`` with `too_long` when the text exceeds 7089 characters.
    package func encoded(with signature: RecoverableSignature) throws(BOLT11Error) -> String {
        let groups = signedGroups + FiveBitGroups.groups(signature.bytes)
        let text = Bech32.encode(humanReadablePart, groups, .bech32)
        guard text.utf8.count <= Bech32.maximumInvoiceLength else {
            throw BOLT11Error(
                .tooLong,
                "\(text.utf8.count) characters, more than \(Bech32.maximumInvoiceLength)",
                lnd: "invoice is too large"
            )
        }
        return text
    }

    static let timestampLength = 7

    static func signingPreimage(
        _ humanReadablePart: String,
        _ signedGroups: ArraySlice<UInt8>
    ) -> [UInt8] {
        // BOLT #11 [signature-covers-all]
        humanReadablePart.utf8 + FiveBitGroups.paddedBytes(signedGroups)
    }

    private var signedGroups: [UInt8] {
        FiveBitGroups.groups(integer: timestamp.seconds, count: Self.timestampLength)
            + fields.flatMap(\.encoded)
    }
}

extension InvoiceDraft: CustomStringConvertible, CustomReflectable {
    /// Network and field letters, nothing that identifies the payment.
    package var description: String {
        "invoice draft (\(network), fields \(String(fields.map(\.letter))))"
    }

    /// Shows no child, because the fields hold a secret.
    package var customMirror: Mirror { Mirror(self, children: [], displayStyle: .struct) }
}
