import BOLT11
import LCPTesting
import LightningCrypto
import LightningTypes
import Testing

/// The values of one random invoice, kept to compare with what is read.
private struct Sample {
    var network: Network
    var amount: MilliSatoshi?
    var timestamp: UnixTime
    var paymentHash: PaymentHash
    var paymentSecret: Bytes32
    var description: InvoiceDescription
    var metadata: [UInt8]?
    var minFinalCLTV: UInt64?
    var expirySeconds: UInt64?
    var fallbacks: [FallbackAddress]
    var routeHints: [RouteHint]
    var namesPayee: Bool
    var features: Features

    init(using random: inout SeededGenerator) throws {
        network = Network.allCases.randomElement(using: &random) ?? .mainnet
        // As many digits as chance wants, so that each unit occurs.
        amount = random.perhaps {
            let bound = UInt64(pow10: Int.random(in: 0...18, using: &$0)) * 2
            return MilliSatoshi(msat: UInt64.random(in: 0...bound, using: &$0))
        }
        timestamp = UnixTime(seconds: UInt64.random(in: 0..<1 << 35, using: &random))
        paymentHash = PaymentHash(try random.bytes32())
        paymentSecret = try random.bytes32()
        description =
            Bool.random(using: &random)
            ? .hash(try random.bytes32())
            : .text(String(repeating: "é€", count: Int.random(in: 0...127, using: &random)))
        metadata = random.perhaps { $0.bytes(Int.random(in: 0...639, using: &$0)) }
        minFinalCLTV = random.perhaps { $0.next() >> UInt64.random(in: 0...64, using: &$0) }
        expirySeconds = random.perhaps { $0.next() >> UInt64.random(in: 1...64, using: &$0) }
        fallbacks = []
        for (version, length) in [(0, 20), (0, 32), (1, 32), (5, 7), (17, 20), (18, 20)]
        where Bool.random(using: &random) {
            let address = FallbackAddress(version: UInt8(version), program: random.bytes(length))
            fallbacks.append(try #require(address))
        }
        routeHints = []
        for _ in 0..<Int.random(in: 0...3, using: &random) {
            var hops: [RouteHop] = []
            for _ in 0...Int.random(in: 0...2, using: &random) {
                hops.append(
                    RouteHop(
                        nodeID: try random.key().publicKey,
                        shortChannelID: ShortChannelID(random.next()),
                        feeBaseMsat: UInt32(truncatingIfNeeded: random.next()),
                        feeProportionalMillionths: UInt32(truncatingIfNeeded: random.next()),
                        cltvExpiryDelta: UInt16(truncatingIfNeeded: random.next())
                    )
                )
            }
            routeHints.append(try #require(RouteHint(hops: hops)))
        }
        namesPayee = Bool.random(using: &random)
        let odd = (0..<3).map { _ in UInt16.random(in: 0...2000, using: &random) | 1 }
        features = Features([8, 14, 48] + odd)
    }

    func draft(payee: NodeID) throws -> InvoiceDraft {
        try InvoiceDraft(
            network: network,
            amount: amount,
            timestamp: timestamp,
            paymentHash: paymentHash,
            paymentSecret: paymentSecret,
            description: description,
            metadata: metadata,
            minFinalCLTV: minFinalCLTV,
            expirySeconds: expirySeconds,
            fallbacks: fallbacks,
            routeHints: routeHints,
            payee: namesPayee ? payee : nil,
            features: features
        )
    }
}

extension UInt64 {
    fileprivate init(pow10 exponent: Int) {
        self = (0..<exponent).reduce(1) { power, _ in power * 10 }
    }
}

@Suite struct PropertyTests {
    @Test func `what is written is read again`() throws {
        for seed in UInt64(0)..<500 {
            var random = SeededGenerator(seed: seed)
            let sample = try Sample(using: &random)
            let key = try random.key()
            let draft = try sample.draft(payee: key.publicKey)
            let text = try draft.signed(with: key)
            let invoice = try BOLT11Invoice(decoding: text, network: sample.network)
            #expect(invoice.draft == draft, "seed \(seed)")
            #expect(invoice.payee == key.publicKey, "seed \(seed)")
            #expect(invoice.payeeField == (sample.namesPayee ? key.publicKey : nil))
            #expect(invoice.network == sample.network)
            #expect(invoice.amount == sample.amount, "seed \(seed)")
            #expect(invoice.timestamp == sample.timestamp)
            #expect(invoice.paymentHash == sample.paymentHash)
            #expect(invoice.paymentSecret == sample.paymentSecret)
            #expect(invoice.description == sample.description)
            #expect(invoice.metadata == sample.metadata)
            #expect(invoice.minFinalCLTV == sample.minFinalCLTV)
            #expect(invoice.expirySeconds == sample.expirySeconds)
            #expect(invoice.fallbacks == sample.fallbacks)
            #expect(invoice.routeHints == sample.routeHints)
            #expect(invoice.features == sample.features)
            #expect(invoice.ignoredFields.isEmpty)
            #expect(try BOLT11Invoice(decoding: text.uppercased()) == invoice)
        }
    }

    @Test func `a damaged text is never accepted`() throws {
        let texts = try Vectors.all.allValid.map(\.invoice)
        var tried = 0
        for seed in UInt64(0)..<10_000 {
            var random = SeededGenerator(seed: seed)
            let text = try #require(texts.randomElement(using: &random))
            var bytes = Array(text.utf8)
            for _ in 0...Int.random(in: 0...3, using: &random) {
                let at = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: bytes[at] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes.remove(at: at)
                case 2: bytes.insert(bytes[at], at: at)
                default: bytes.swapAt(at, bytes.count - 1)
                }
            }
            let damaged = String(decoding: bytes, as: UTF8.self)
            guard damaged != text else { continue }
            tried += 1
            #expect(refusal(of: damaged) != nil, "seed \(seed)")
            #expect(refusal(of: damaged, .lnd) != nil, "seed \(seed)")
        }
        #expect(tried > 9000)
    }

    // BOLT #11 [signature-covers-all]
    /// Below the checksum: the data is changed, and the checksum made to fit.
    @Test func `changed data is never accepted as the same payee's invoice`() throws {
        let texts = try Vectors.all.allValid.map(\.invoice)
        var (refused, accepted) = (0, 0)
        for seed in UInt64(0)..<10_000 {
            var random = SeededGenerator(seed: seed)
            let text = try #require(texts.randomElement(using: &random))
            let original = try BOLT11Invoice(decoding: text)
            var (prefix, groups) = try Bech32.decode(text)
            for _ in 0...Int.random(in: 0...2, using: &random) {
                let at = Int.random(in: 0..<groups.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: groups[at] = UInt8.random(in: 0...31, using: &random)
                case 1: groups.remove(at: at)
                case 2: groups.insert(UInt8.random(in: 0...31, using: &random), at: at)
                default: groups.swapAt(at, Int.random(in: 0..<groups.count, using: &random))
                }
            }
            let changed = Bech32.encode(prefix, groups, .bech32)
            for policy in [DecodingPolicy.strict, .lnd] {
                let invoice = try? BOLT11Invoice(decoding: changed, policy: policy)
                guard let invoice else {
                    refused += 1
                    continue
                }
                accepted += 1
                // A recoverable signature fits any content; it then names somebody else.
                #expect(
                    invoice.payee != original.payee || invoice.draft == original.draft,
                    "seed \(seed)"
                )
                #expect(try invoice.draft.encoded(with: invoice.signature) == changed)
            }
        }
        #expect(refused > 1000 && accepted > 1000, "\(refused) refused, \(accepted) accepted")
    }

    // BOLT #11 [bech32-checksum]
    @Test func `every single wrong character is refused`() throws {
        let text = try #require(try Vectors.all.extraValid.first).invoice
        let characters = Array("qpzry9x8gf2tvdw0s3jn54khce6mua7l1bioQ!".utf8)
        var bytes = Array(text.utf8)
        var accepted = 0
        for index in bytes.indices {
            let right = bytes[index]
            for character in characters where character != right {
                bytes[index] = character
                let damaged = String(decoding: bytes, as: UTF8.self)
                if refusal(of: damaged) == nil { accepted += 1 }
            }
            bytes[index] = right
        }
        #expect(accepted == 0)
        #expect(refusal(of: String(decoding: bytes, as: UTF8.self)) == nil)
    }

    @Test func `noise is refused, however long`() throws {
        for seed in UInt64(0)..<300 {
            var random = SeededGenerator(seed: seed)
            let groups = random.bytes(Int.random(in: 0...3000, using: &random)).map { $0 & 31 }
            let bytes = random.bytes(Int.random(in: 0...8000, using: &random))
            #expect(refusal(of: String(decoding: bytes, as: UTF8.self)) != nil)
            // Whatever this gives, it gives it without a trap.
            let data = Bech32.encode("lnbc1", groups, .bech32)
            if let invoice = try? BOLT11Invoice(decoding: data, policy: .lnd) {
                #expect(invoice.draft.timestamp.seconds < 1 << 35)
            }
        }
    }
}
