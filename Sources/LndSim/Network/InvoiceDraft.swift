package import BOLT11
import LightningCrypto
package import LightningTypes

/// What a caller of AddInvoice or AddHoldInvoice asks for, unchecked, in the fields of the RPC.
package struct InvoiceDraft: Sendable {
    /// Who knows the preimage.
    package enum Secret: Sendable {
        /// AddInvoice: the caller's `r_preimage`, empty for a random one.
        case preimage([UInt8])
        /// AddHoldInvoice: the caller's `hash`.
        case hash([UInt8])
    }

    /// Shown to the payer, unless there is a description hash.
    package var memo = ""
    /// Preimage or hash.
    package var secret = Secret.preimage([])
    /// The amount in satoshis; 0 when `valueMsat` is used.
    package var valueSat: Int64 = 0
    /// The amount in msat; 0 when `valueSat` is used.
    package var valueMsat: Int64 = 0
    /// SHA-256 of a description, 32 bytes; empty for none.
    package var descriptionHash: [UInt8] = []
    /// How long it can be paid, in seconds; 0 or less for a day.
    package var expirySeconds: Int64 = 0
    /// An on-chain address of the network; empty for none.
    package var fallbackAddress = ""
    /// The final time lock, in blocks; 0 for lnd's 80.
    package var timeLockDelta: UInt64 = 0
    /// Routes to the node that aren't announced.
    package var routeHints: [[RouteHop]] = []
    /// Whether to add ``SimulatedNetwork/hopHints(to:amountMsat:)``, as lnd does.
    package var isPrivate = false

    /// Asks for an invoice with an empty memo and no amount.
    package init() {}
}

/// A checked invoice of a node, with the text it signed.
package struct SignedInvoice: Equatable, Sendable {
    /// The payment hash.
    package let hash: PaymentHash
    /// The payment secret, which lnd calls payment address.
    package let secret: Bytes32
    /// The preimage, if the node made or was given it.
    let preimage: Preimage?
    /// The memo as asked for.
    package let memo: String
    /// The amount in msat; 0 when the payer decides.
    package let valueMsat: UInt64
    /// SHA-256 of a description.
    package let descriptionHash: Bytes32?
    /// Seconds from `created` during which it can be paid.
    package let expirySeconds: UInt64
    /// The final time lock, in blocks.
    package let timeLockDelta: UInt16
    /// Private routes.
    package let routeHints: [[RouteHop]]
    /// Where to pay on-chain when Lightning fails; empty for nowhere.
    package internal(set) var fallbackAddress = ""
    /// Made in this second.
    package let created: UnixTime
    /// The BOLT #11 text.
    package let paymentRequest: String

    /// Whether only the caller of SettleInvoice can take the money.
    package var isHold: Bool { preimage == nil }
}

/// Random bytes for an invoice, drawn by the shell.
package struct InvoiceEntropy: Sendable {
    /// The preimage, unless the caller brings one.
    package var preimage: Bytes32
    /// The payment secret.
    package var secret: Bytes32

    /// Takes 2 x 32 random bytes.
    package init(preimage: Bytes32, secret: Bytes32) {
        self.preimage = preimage
        self.secret = secret
    }
}

/// The amount of a request that has one field in satoshis and one in msat (lnd's `UnmarshallAmt`).
func amountMsat(sat: Int64, msat: Int64) throws(LndFault) -> UInt64 {
    guard sat == 0 || msat == 0 else {
        throw .unknown("sat and msat arguments are mutually exclusive")
    }
    guard sat >= 0, msat >= 0 else { throw .unknown("amount cannot be negative") }
    return UInt64(msat).addingClamped(UInt64(sat).multipliedClamped(by: 1000))
}

extension UInt64 {
    func addingClamped(_ other: UInt64) -> UInt64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? .max : sum
    }

    func multipliedClamped(by other: UInt64) -> UInt64 {
        let (product, overflow) = multipliedReportingOverflow(by: other)
        return overflow ? .max : product
    }
}

extension InvoiceDraft {
    /// Checks the draft as lnd's AddInvoice does and signs it; needs no network, so no lock.
    ///
    /// - Parameters:
    ///   - node: The payee, whose key signs.
    ///   - created: The current second.
    ///   - entropy: Random bytes, used once.
    /// - Returns: The invoice, ready for ``SimulatedNetwork/addInvoice(_:on:)``.
    /// - Throws: ``LndFault`` as lnd words it.
    package func signed(
        by node: NodeRecord,
        created: UnixTime,
        entropy: InvoiceEntropy
    ) throws(LndFault) -> SignedInvoice {
        let (hash, preimage) = try hashAndPreimage(entropy)
        let valueMsat = try amountMsat(sat: valueSat, msat: valueMsat)
        guard memo.utf8.count <= Self.maximumMemo else {
            throw .unknown(
                "memo too large: \(memo.utf8.count) bytes (maxsize=\(Self.maximumMemo))"
            )
        }
        guard descriptionHash.isEmpty || descriptionHash.count == 32 else {
            throw .unknown("description hash is \(descriptionHash.count) bytes, must be 32")
        }
        guard valueMsat / 1000 <= Self.maximumSat else {
            throw .unknown(
                "invoice amount \(valueMsat / 1000) sat is too large, max is 100000 BTC"
            )
        }
        guard expirySeconds <= Self.maximumExpiry else {
            throw .unknown(
                "expiry of \(GoNumber.float(expirySeconds)) seconds greater than max expiry of "
                    + "\(GoNumber.float(Self.maximumExpiry)) seconds"
            )
        }
        let timeLockDelta = try checkedTimeLockDelta()
        guard routeHints.count <= 20 else {
            throw .unknown("number of routing hints must not exceed maximum of 20")
        }
        guard !routeHints.contains(where: \.isEmpty) else {
            throw .unknown("number of hop hint within a route must be positive")
        }
        let fallback = FallbackAddress(address: fallbackAddress, on: PaymentRequests.network)
        guard fallbackAddress.isEmpty || fallback != nil else {
            // lnd has three texts for this; its clients can do the same about each.
            throw .unknown("invalid fallback address: decoded address is of unknown format")
        }
        let expirySeconds = expirySeconds > 0 ? UInt64(expirySeconds) : Self.defaultExpiry
        let descriptionHash = Bytes32(descriptionHash)
        let paymentRequest: String
        do {
            paymentRequest = try BOLT11.InvoiceDraft(
                network: PaymentRequests.network,
                amount: valueMsat == 0 ? nil : MilliSatoshi(msat: valueMsat),
                timestamp: created,
                paymentHash: hash,
                paymentSecret: entropy.secret,
                description: descriptionHash.map { .hash($0) } ?? .text(memo),
                minFinalCLTV: UInt64(timeLockDelta),
                expirySeconds: expirySeconds,
                fallbacks: fallback.map { [$0] } ?? [],
                routeHints: routeHints.compactMap { RouteHint(hops: $0) }
            )
            .signed(with: node.signer)
        } catch {
            throw .unknown(error.lndText ?? error.detail)
        }
        return SignedInvoice(
            hash: hash,
            secret: entropy.secret,
            preimage: preimage,
            memo: memo,
            valueMsat: valueMsat,
            descriptionHash: descriptionHash,
            expirySeconds: expirySeconds,
            timeLockDelta: timeLockDelta,
            routeHints: routeHints,
            fallbackAddress: fallback?.address(on: PaymentRequests.network) ?? "",
            created: created,
            paymentRequest: paymentRequest
        )
    }

    private static let maximumMemo = 1024
    private static let maximumSat: UInt64 = 100_000 * 100_000_000
    private static let defaultExpiry: UInt64 = 86_400
    private static let maximumExpiry: Int64 = 365 * 86_400
    private static let defaultTimeLockDelta: UInt16 = 80
    private static let minimumTimeLockDelta: UInt64 = 24

    private func hashAndPreimage(
        _ entropy: InvoiceEntropy
    ) throws(LndFault) -> (PaymentHash, Preimage?) {
        switch secret {
        case .preimage(let given):
            guard let bytes = given.isEmpty ? entropy.preimage : Bytes32(given) else {
                throw .unknown("invalid preimage length of \(given.count), want 32")
            }
            return (PaymentHash(SHA256.hash(bytes.bytes)), Preimage(bytes))
        case .hash(let given):
            guard let bytes = Bytes32(given) else {
                throw .unknown("invalid hash length of \(given.count), want 32")
            }
            return (PaymentHash(bytes), nil)
        }
    }

    private func checkedTimeLockDelta() throws(LndFault) -> UInt16 {
        guard timeLockDelta <= UInt64(UInt16.max) else {
            throw .unknown(
                "CLTV delta of \(timeLockDelta) is too large, max accepted is: \(UInt16.max)"
            )
        }
        guard timeLockDelta == 0 || timeLockDelta >= Self.minimumTimeLockDelta else {
            throw .unknown(
                "CLTV delta of \(timeLockDelta) must be greater than minimum of "
                    + "\(Self.minimumTimeLockDelta)"
            )
        }
        return timeLockDelta == 0 ? Self.defaultTimeLockDelta : UInt16(timeLockDelta)
    }
}
