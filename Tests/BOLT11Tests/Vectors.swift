import BOLT11
import LCPTesting
import LightningCrypto
import LightningTypes
import Testing

/// `Fixtures/bolt11.json`: the examples of BOLT #11, and more made with the same key.
struct Vectors: Decodable, Sendable {
    struct Valid: Decodable, Sendable, CustomTestStringConvertible {
        var name: String
        var invoice: String
        var expect: Expectation
        var reencodeWithTestKeyIsIdentical: Bool

        var testDescription: String { name }
    }

    struct Invalid: Decodable, Sendable, CustomTestStringConvertible {
        var name: String
        var invoice: String
        var failure: String
        var lndDecodepayreq: String

        var testDescription: String { name }
    }

    struct Amount: Decodable, Sendable {
        var hrpAmount: String
        var amountMsat: UInt64?
        var failure: String?
    }

    struct Shortest: Decodable, Sendable {
        var amountMsat: UInt64
        var shortest: String
    }

    var failureKinds: [String]
    var knownRequiredFeaturesAssumed: [UInt16]
    var valid: [Valid]
    var invalid: [Invalid]
    var extraValid: [Valid]
    var extraInvalid: [Invalid]
    var amounts: [Amount]
    var amountEncodingShortest: [Shortest]

    var allValid: [Valid] { valid + extraValid }
    var allInvalid: [Invalid] { invalid + extraInvalid }

    /// The vectors, read anew for each test.
    static var all: Vectors {
        get throws { try Fixture.decode(Vectors.self, named: "bolt11.json") }
    }
}

/// What a vector says about an invoice.
struct Expectation: Decodable, Equatable, Sendable {
    struct Fallback: Decodable, Equatable, Sendable {
        var version: UInt8
        var kind: String
        var program: String
        var address: String
    }

    struct Hop: Decodable, Equatable, Sendable {
        var pubkey: String
        var shortChannelId: String
        var shortChannelIdU64: String
        var feeBaseMsat: UInt32
        var feeProportionalMillionths: UInt32
        var cltvExpiryDelta: UInt16
    }

    struct Field: Decodable, Equatable, Sendable {
        var tag: String
        var type: UInt8
        var dataLength: Int
        var reason: String?
    }

    struct Signature: Decodable, Equatable, Sendable {
        var r: String
        var s: String
        var recoveryId: UInt8
        var highS: Bool
    }

    var prefix: String
    var network: String
    var amountMsat: UInt64?
    var timestamp: UInt64
    var paymentHash: String
    var paymentSecret: String?
    var description: String?
    var descriptionHash: String?
    var metadata: String?
    var payeeField: String?
    var payee: String
    var expiry: UInt64?
    var expiryEffective: UInt64
    var minFinalCltv: UInt64?
    var minFinalCltvEffective: UInt64
    var features: [UInt16]
    var fallbacks: [Fallback]
    var routeHints: [[Hop]]
    var ignoredFields: [Field]
    var fieldsInOrder: [Field]
    var signature: Signature
    var signingPreimageHex: String
    var signingHash: String
}

extension Expectation {
    /// The same things said about a decoded invoice.
    init(_ invoice: BOLT11Invoice) {
        prefix = invoice.network.prefix
        network = invoice.network.rawValue
        amountMsat = invoice.amount?.msat
        timestamp = invoice.timestamp.seconds
        paymentHash = invoice.paymentHash.hex
        paymentSecret = invoice.paymentSecret?.hex
        switch invoice.description {
        case .text(let text): (description, descriptionHash) = (text, nil)
        case .hash(let hash): (description, descriptionHash) = (nil, hash.hex)
        }
        metadata = invoice.metadata.map { Hex.encode($0) }
        payeeField = invoice.payeeField?.hex
        payee = invoice.payee.hex
        expiry = invoice.expirySeconds
        expiryEffective = invoice.effectiveExpirySeconds
        minFinalCltv = invoice.minFinalCLTV
        minFinalCltvEffective = invoice.effectiveMinFinalCLTV
        features = invoice.features.bits
        fallbacks = invoice.fallbacks.map {
            Fallback(
                version: $0.version,
                kind: $0.kind.rawValue,
                program: Hex.encode($0.program),
                address: $0.address(on: invoice.network)
            )
        }
        routeHints = invoice.routeHints.map { hint in
            hint.hops.map {
                Hop(
                    pubkey: $0.nodeID.hex,
                    shortChannelId: "\($0.shortChannelID)",
                    shortChannelIdU64: "\($0.shortChannelID.value)",
                    feeBaseMsat: $0.feeBaseMsat,
                    feeProportionalMillionths: $0.feeProportionalMillionths,
                    cltvExpiryDelta: $0.cltvExpiryDelta
                )
            }
        }
        ignoredFields = invoice.ignoredFields.map {
            Field(
                tag: String($0.field.letter),
                type: $0.field.type,
                dataLength: $0.field.groups.count,
                reason: $0.reason.rawValue
            )
        }
        fieldsInOrder = invoice.draft.fields.map {
            Field(tag: String($0.letter), type: $0.type, dataLength: $0.groups.count, reason: nil)
        }
        signature = Signature(
            r: invoice.signature.r.hex,
            s: invoice.signature.s.hex,
            recoveryId: invoice.signature.recoveryID,
            highS: invoice.signature.hasHighS
        )
        signingPreimageHex = Hex.encode(invoice.draft.signingPreimage)
        signingHash = invoice.draft.signingHash.hex
    }
}
