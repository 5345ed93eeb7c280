import LightningCrypto
import LightningTypes

extension BOLT11Invoice {
    /// Reads an invoice and checks its signature.
    ///
    /// Total: any text gives an invoice or an error, within time and memory proportional to its
    /// length, which is limited to 7089 bytes. Order of the checks: length, case, characters,
    /// separator, alphabet, checksum, prefix and amount, structure of the fields, signature, `p`,
    /// `d` or `h`, features, `s`.
    ///
    /// - Parameters:
    ///   - text: The invoice alone, all in lower or all in upper case, without `lightning:`.
    ///   - policy: What to insist on.
    ///   - expected: The only network to accept; nil accepts each.
    /// - Throws: ``BOLT11Error``, which never quotes the invoice.
    package init(
        decoding text: String,
        policy: DecodingPolicy = .strict,
        network expected: Network? = nil
    ) throws(BOLT11Error) {
        let (humanReadablePart, groups) = try Bech32.decode(text)
        let (network, amountText) = try Network.split(humanReadablePart, expected: expected)
        let amount = amountText.isEmpty ? nil : try InvoiceAmount.decode(amountText)

        let signedCount = groups.count - Self.signatureLength
        // BOLT #11 [data-complete]
        guard signedCount >= InvoiceDraft.timestampLength else {
            throw BOLT11Error(
                .tooShort,
                "\(groups.count) groups of data, fewer than timestamp and signature take",
                lnd: signedCount < 0 ? "short invoice" : "data too short: \(signedCount)"
            )
        }
        let signed = groups[..<signedCount]
        // `signed` has as many groups as the timestamp at least, and 104 groups follow it.
        guard let seconds = FiveBitGroups.integer(signed.prefix(InvoiceDraft.timestampLength)),
            let signature = RecoverableSignature(
                FiveBitGroups.paddedBytes(groups[signedCount...])
            )
        else { preconditionFailure("7 groups are 35 bits, 104 groups are 65 bytes") }

        let fields = try Self.fields(in: signed.dropFirst(InvoiceDraft.timestampLength))
        var values = FieldValues()
        for field in fields { try values.read(field, policy) }

        let payee = try Self.payee(
            named: values.payee,
            signature: signature,
            hash: SHA256.hash(InvoiceDraft.signingPreimage(humanReadablePart, signed)),
            policy
        )
        let (paymentHash, description) = try values.required()
        if policy == .strict { try values.checkForPayment() }
        guard !seconds.addingReportingOverflow(values.expirySeconds ?? 0).overflow else {
            throw BOLT11Error(.expiryOverflow, "tag x: timestamp and expiry exceed 64 bits")
        }

        draft = InvoiceDraft(
            network: network,
            amount: amount,
            timestamp: UnixTime(seconds: seconds),
            fields: fields,
            humanReadablePart: humanReadablePart
        )
        self.signature = signature
        self.payee = payee
        payeeField = values.payee
        self.paymentHash = paymentHash
        paymentSecret = values.paymentSecret
        self.description = description
        metadata = values.metadata
        expirySeconds = values.expirySeconds
        minFinalCLTV = values.minFinalCLTV
        features = values.features ?? .none
        fallbacks = values.fallbacks
        routeHints = values.routeHints
        ignoredFields = values.ignored
    }

    /// Drops the `lightning:` that wallets put before an invoice, in either case.
    ///
    /// For what a person typed or scanned; an invoice on the wire of LCP never has it.
    package static func withoutScheme(_ text: String) -> String {
        let scheme = "lightning:"
        return text.prefix(scheme.count).lowercased() == scheme
            ? String(text.dropFirst(scheme.count)) : text
    }

    /// 65 bytes in groups.
    private static let signatureLength = 104

    /// Divides the data between timestamp and signature into fields.
    private static func fields(
        in groups: ArraySlice<UInt8>
    ) throws(BOLT11Error) -> [TaggedField] {
        var fields: [TaggedField] = []
        var rest = groups
        while let type = rest.popFirst() {
            guard let high = rest.popFirst(), let low = rest.popFirst() else {
                throw BOLT11Error(
                    .truncatedField,
                    "tag \(Bech32.character(type)): the data ends within the length",
                    lnd: "last tagged field is broken"
                )
            }
            let length = Int(high) << 5 | Int(low)
            // BOLT #11 [field-within-data]
            guard length <= rest.count else {
                throw BOLT11Error(
                    .truncatedField,
                    "tag \(Bech32.character(type)): \(length) groups announced, "
                        + "\(rest.count) left before the signature",
                    lnd: "invalid field length"
                )
            }
            fields.append(TaggedField(checkedType: type, rest.prefix(length)))
            rest = rest.dropFirst(length)
        }
        return fields
    }

    /// Who signed: the key of tag `n` if it did, else the one key that can have.
    private static func payee(
        named key: NodeID?,
        signature: RecoverableSignature,
        hash: Bytes32,
        _ policy: DecodingPolicy
    ) throws(BOLT11Error) -> NodeID {
        guard let key else {
            // BOLT #11 [signature-recovers-payee]
            guard let recovered = signature.recoverPublicKey(signing: hash) else {
                throw BOLT11Error(.signatureNotRecoverable, "no key can have made the signature")
            }
            return recovered
        }
        // BOLT #11 [n-low-s]
        guard policy == .lnd || !signature.hasHighS else {
            throw BOLT11Error(.highSWithN, "the signature has a high S beside tag n")
        }
        // BOLT #11 [n-verifies]
        guard signature.verifies(hash, by: key) else {
            throw BOLT11Error(
                .badSignature,
                "the signature is not of the key in tag n",
                lnd: "invalid invoice signature"
            )
        }
        return key
    }
}
