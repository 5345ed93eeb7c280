import BOLT11
import LightningCrypto
import LightningTypes
import Testing

/// A point that is on no curve: x = 5 has no y.
private func badKey() throws -> NodeID {
    try #require(NodeID([2] + [UInt8](repeating: 0, count: 31) + [5]))
}

private func hint(by nodeID: NodeID) throws -> TaggedField {
    let hop = RouteHop(
        nodeID: nodeID,
        shortChannelID: ShortChannelID(1),
        feeBaseMsat: 2,
        feeProportionalMillionths: 3,
        cltvExpiryDelta: 4
    )
    return .routeHint(try #require(RouteHint(hops: [hop])))
}

@Suite struct ReadingTests {
    @Test func `the ordinary invoice of these tests is accepted`() throws {
        let decoded = try BOLT11Invoice(decoding: invoice())
        #expect(try decoded.payee == specKey().publicKey)
        #expect(decoded.expiresAt == UnixTime(seconds: 1_767_225_600 + 3600))
        #expect(!decoded.hidesPayee && !decoded.requiresAMP)
    }

    // BOLT #11 [s-required] [integers-minimal] [features-required-known] [features-dependencies]
    // BOLT #11 [features-minimal]
    @Test func `a payer refuses what lnd's decoder lets through`() throws {
        let cases: [(BOLT11Error.Kind, String)] = [
            (.missingS, try invoice { $0.removeAll { $0.tag == .paymentSecret } }),
            (.unknownRequiredFeature, try invoice(features: Features([8, 14, 100]))),
            (.unknownRequiredFeature, try invoice(features: Features([8, 14, 18, 19]))),
            (.badFeatureDependency, try invoice(features: Features([8, 17]))),
            (.leadingZeroGroup, try invoice { $0.append(try field(.expiry, [0, 1, 28])) }),
            (.leadingZeroGroup, try invoice { $0.append(try field(.minFinalCLTV, [0, 0])) }),
            (
                .leadingZeroGroup,
                try invoice(features: .none) { $0.append(try field(.features, [0, 16, 8, 0])) }
            ),
        ]
        for (kind, text) in cases {
            #expect(refusal(of: text) == kind)
            #expect(refusal(of: text, .lnd) == nil, "\(kind)")
        }
    }

    // BOLT #11 [field-padding-zero] [p-required] [d-or-h] [d-is-utf8] [route-hint-whole-hops]
    // BOLT #11 [n-verifies]
    @Test func `what is malformed is refused by either policy`() throws {
        let cases: [(BOLT11Error.Kind, (inout [TaggedField]) throws -> Void)] = [
            (.missingP, { $0.removeAll { $0.tag == .paymentHash } }),
            (.descriptionRule, { $0.removeAll { $0.tag == .descriptionHash } }),
            (.descriptionRule, { $0.append(try .description(.text(""))) }),
            // 52 groups whose last bit, a padding bit, is set.
            (.badPadding, { $0[0] = try field(.paymentHash, [UInt8](repeating: 1, count: 52)) }),
            // One group is no byte and too much for padding.
            (.badPadding, { $0.append(try field(.metadata, [0])) }),
            (.badPadding, { $0.append(try field(.metadata, [0, 1])) }),
            (.badUTF8, { $0[1] = try field(.description, [31, 28]) }),
            (.integerTooLarge, { $0.append(try field(.expiry, [16] + zeros(12))) }),
            (.integerTooLarge, { $0.append(try field(.minFinalCLTV, [1] + zeros(13))) }),
            (.expiryOverflow, { $0.append(.expiry(seconds: .max)) }),
            (.badPublicKey, { $0.append(.payee(try badKey())) }),
            (.badFallback, { $0.append(try field(.fallback, [])) }),
            (.badFallback, { $0.append(try field(.fallback, [0] + zeros(8))) }),
            (.badFallback, { $0.append(try field(.fallback, [17] + zeros(52))) }),
            (.badRouteHint, { $0.append(try field(.routeHint, [])) }),
            (.badRouteHint, { $0.append(try field(.routeHint, zeros(80))) }),
            // A whole hop and five bytes of another: 56 bytes in 90 groups, two bits of padding.
            (
                .badRouteHint,
                {
                    let whole = try hint(by: specKey().publicKey).groups
                    $0.append(try field(.routeHint, whole + zeros(90 - whole.count)))
                }
            ),
            (.badPublicKey, { $0.append(try field(.routeHint, zeros(82))) }),
            (.badPublicKey, { $0.append(try hint(by: badKey())) }),
            (.badSignature, { $0.append(.payee(SecretKey.random().publicKey)) }),
        ]
        for (index, (kind, change)) in cases.enumerated() {
            let text = try invoice(change)
            #expect(refusal(of: text) == kind, "case \(index)")
            #expect(refusal(of: text, .lnd) == kind, "case \(index)")
        }
    }

    @Test func `numbers at the edge are read`() throws {
        let text = try invoice(timestamp: 0) {
            $0.append(.expiry(seconds: .max))
            $0.append(.minFinalCLTV(0))
        }
        let decoded = try BOLT11Invoice(decoding: text)
        #expect(decoded.expirySeconds == .max)
        #expect(decoded.expiresAt == UnixTime(seconds: .max))
        #expect(decoded.minFinalCLTV == 0)
        let empty = try invoice { $0.append(try field(.expiry, [])) }
        #expect(try BOLT11Invoice(decoding: empty).expirySeconds == 0)
    }

    // BOLT #11 [field-unknown-skipped] [field-length-fixed] [first-p-counts]
    // BOLT #11 [fallback-unknown-skipped]
    @Test func `the first well-formed field of a kind counts`() throws {
        let second = try bytes32(String(repeating: "09", count: 32))
        let text = try invoice {
            $0.insert(try field(.paymentHash, zeros(51)), at: 0)
            $0.append(.paymentHash(PaymentHash(second)))
            $0.append(.paymentSecret(second))
            $0.append(try .description(.hash(second)))
            $0 += [.expiry(seconds: 60), .expiry(seconds: 61)]
            $0 += [.minFinalCLTV(20), .minFinalCLTV(21)]
            $0 += [try .metadata([1]), try .metadata([2])]
            if let features = try TaggedField.features(Features([100])) { $0.append(features) }
            $0.append(try field(.fallback, [19, 1]))
            $0.append(try #require(TaggedField(type: 10, groups: [1, 2])))
            $0 += [.payee(try specKey().publicKey), .payee(SecretKey.random().publicKey)]
        }
        let decoded = try BOLT11Invoice(decoding: text)
        #expect(decoded.paymentHash.hex == String(repeating: "01", count: 32))
        #expect(decoded.paymentSecret?.hex == String(repeating: "02", count: 32))
        #expect(decoded.description == .hash(try bytes32(String(repeating: "03", count: 32))))
        #expect(decoded.expirySeconds == 60 && decoded.minFinalCLTV == 20)
        #expect(decoded.metadata == [1] && decoded.features == Features([8, 14]))
        #expect(
            decoded.ignoredFields.map { "\($0.field.letter) \($0.reason.rawValue)" } == [
                "p wrong_length", "p duplicate", "s duplicate", "h duplicate", "x duplicate",
                "c duplicate", "m duplicate", "9 duplicate", "f unknown_fallback_version",
                "2 unknown_tag", "n duplicate",
            ]
        )
        #expect(try decoded.payee == specKey().publicKey)
        #expect(decoded.fallbacks.isEmpty)
    }

    // BOLT #11 [data-complete]
    @Test func `data shorter than timestamp and signature is too short`() throws {
        let groups = try Bech32.decode(invoice()).groups
        for (count, kind) in [(0, .tooShort), (110, .tooShort), (111, nil as BOLT11Error.Kind?)] {
            let text = Bech32.encode("lnbcrt", Array(groups.suffix(count)), .bech32)
            if let kind { #expect(refusal(of: text) == kind) }
            if kind == nil { #expect(refusal(of: text) != .tooShort) }
        }
    }

    // BOLT #11 [field-within-data]
    @Test func `a field that runs past the signature is truncated`() throws {
        let (prefix, groups) = try Bech32.decode(invoice())
        let body = groups.dropLast(104)
        // A field without all of its head, and one whose length has no data.
        for tail in [[6], [6, 0], [6, 0, 1], [6, 31, 31, 0]] as [[UInt8]] {
            let text = Bech32.encode(prefix, body + tail + groups.suffix(104), .bech32)
            #expect(refusal(of: text) == .truncatedField)
        }
    }

    @Test func `the limit of 7089 characters holds for reading and writing`() throws {
        let most = try invoice { fields in
            for _ in 0..<6 {
                fields.append(try #require(TaggedField(type: 10, groups: zeros(1023))))
            }
            fields.append(try #require(TaggedField(type: 10, groups: zeros(614))))
        }
        #expect(refusal(of: most) == nil)
        let room = 7089 - most.utf8.count
        #expect(room >= 0 && room < 20)
        let error = try #require(throws: BOLT11Error.self) {
            try invoice { fields in
                for _ in 0..<7 {
                    fields.append(try #require(TaggedField(type: 10, groups: zeros(1023))))
                }
            }
        }
        #expect(error.kind == .tooLong)
        #expect(refusal(of: String(repeating: "q", count: 7090)) == .tooLong)
        #expect(refusal(of: String(repeating: "q", count: 7089)) == .missingSeparator)
    }

    @Test func `blinded paths and AMP are recognized, so that a requester can refuse them`() throws
    {
        let path = try invoice {
            $0.append(try #require(TaggedField(type: 20, groups: zeros(8))))
        }
        #expect(try BOLT11Invoice(decoding: path).hidesPayee)
        let bits = try invoice(features: Features([8, 14, 262]))
        #expect(try BOLT11Invoice(decoding: bits).hidesPayee)
        let amp = try BOLT11Invoice(decoding: invoice(features: Features([8, 14, 30])))
        #expect(amp.requiresAMP && !amp.hidesPayee)
    }

    @Test func `a high S without tag n names whom it recovers; with tag n it is refused`() throws {
        // S replaced by order - S, and the recovery ID flipped: the same signer again.
        let vector = try #require(Vectors.all.valid.first { $0.name.hasPrefix("high_s") })
        let high = try BOLT11Invoice(decoding: vector.invoice)
        #expect(high.signature.hasHighS)
        let flipped = RecoverableSignature(r: high.signature.r, s: high.signature.s, recoveryID: 0)
        let text = try high.draft.encoded(with: flipped)
        #expect(try BOLT11Invoice(decoding: text).payee == specKey().publicKey)
        let named = try #require(
            Vectors.all.allInvalid.first { $0.failure == BOLT11Error.Kind.highSWithN.rawValue }
        )
        #expect(refusal(of: named.invoice) == .highSWithN)
    }

    // BOLT #11 [signature-recovers-payee]
    @Test func `a recovery ID above 3 is not recoverable, and ignored beside tag n`() throws {
        let plain = try BOLT11Invoice(decoding: invoice())
        let named = try BOLT11Invoice(decoding: invoice { $0.append(.payee(plain.payee)) })
        func text(_ invoice: BOLT11Invoice) throws -> String {
            let (r, s) = (invoice.signature.r, invoice.signature.s)
            return try invoice.draft.encoded(
                with: RecoverableSignature(r: r, s: s, recoveryID: 4)
            )
        }
        #expect(refusal(of: try text(plain)) == .signatureNotRecoverable)
        #expect(refusal(of: try text(named)) == nil)
    }
}

private func zeros(_ count: Int) -> [UInt8] { [UInt8](repeating: 0, count: count) }
