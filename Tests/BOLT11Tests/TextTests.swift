import BOLT11
import LightningCrypto
import LightningTypes
import Testing

@Suite struct TextTests {
    // BOLT #11 [network-own]
    @Test(arguments: [
        ("lnbcrt", Network.regtest), ("lnbcrt10u", .regtest), ("lnbc10u", .mainnet),
        ("lntb10u", .testnet), ("lntbs10u", .signet), ("lntbs", .signet), ("lnsb1", .simnet),
    ])
    func `the prefix names the network, and no other is accepted when one is expected`(
        _ part: String,
        _ network: Network
    ) throws {
        let groups = try Bech32.decode(invoice()).groups
        let text = Bech32.encode(part, groups, .bech32)
        #expect(try BOLT11Invoice(decoding: text).network == network)
        for other in Network.allCases where other != network {
            #expect(refusal(of: text, network: other) == .wrongNetwork)
        }
    }

    // BOLT #11 [prefix-known] [amount-multiplier] [amount-whole-msat]
    @Test(arguments: [
        ("lnxx10u", BOLT11Error.Kind.unknownPrefix), ("ln", .unknownPrefix), ("x", .unknownPrefix),
        ("bc10u", .unknownPrefix), ("lnbcrtx", .invalidMultiplier), ("lnbcm", .invalidMultiplier),
        ("lnbc10x", .invalidMultiplier), ("lnbc1m0u", .invalidMultiplier),
        ("lnbc1-0u", .invalidMultiplier), ("lnbc15p", .subMillisatoshi),
        ("lnbc21000001", .amountTooLarge), ("lnbc99999999999999999999u", .amountTooLarge),
        // 2^53 bitcoin are a multiple of 2^64 msat.
        ("lnbc9007199254740992", .amountTooLarge),
    ])
    func `a human-readable part that says nothing valid is refused`(
        _ part: String,
        _ kind: BOLT11Error.Kind
    ) throws {
        let groups = try Bech32.decode(invoice()).groups
        #expect(refusal(of: Bech32.encode(part, groups, .bech32)) == kind)
    }

    @Test func `the whole supply can be written and read in each unit`() throws {
        let all = MilliSatoshi.totalSupply
        #expect(try InvoiceAmount.encode(all) == "21000000")
        #expect(try InvoiceAmount.decode("21000000000000000000p") == all)
        let less = MilliSatoshi(msat: all.msat - 1)
        #expect(try InvoiceAmount.encode(less) == "20999999999999999990p")
        #expect(try InvoiceAmount.decode("20999999999999999990p") == less)
        #expect(try InvoiceAmount.encode(.zero) == "0")
        #expect(throws: BOLT11Error.self) {
            try InvoiceAmount.encode(MilliSatoshi(msat: all.msat + 1))
        }
        #expect(throws: BOLT11Error.self) { try InvoiceAmount.decode("21000000000000000010p") }
        #expect(throws: BOLT11Error.self) { try InvoiceAmount.decode("٣u") }
    }

    // BOLT #11 [bech32-case] [bech32-alphabet]
    @Test func `text is refused in the order of the rules`() {
        #expect(refusal(of: "") == .missingSeparator)
        #expect(refusal(of: "1qqqqqq") == .missingSeparator)
        #expect(refusal(of: "lnbc1qqqqq") == .missingSeparator)
        #expect(refusal(of: "lnbc1qqqqqq") == .badChecksum)
        #expect(refusal(of: "lnbc1qqqqqb") == .badCharacter)
        #expect(refusal(of: "lnbc1qqq qqq") == .badCharacter)
        #expect(refusal(of: "lnbc1qqqé") == .badCharacter)
        #expect(refusal(of: "Lnbc1qqq qqb") == .mixedCase)
    }

    // BOLT #11 [bech32-not-m]
    @Test func `bech32m does not pass for bech32`() throws {
        let (prefix, groups) = try Bech32.decode(invoice())
        #expect(refusal(of: Bech32.encode(prefix, groups, .bech32m)) == .badChecksum)
    }

    @Test func `lnd's texts come with the faults`() throws {
        func lndText(_ text: String, _ network: Network = .regtest) -> String? {
            do {
                _ = try BOLT11Invoice(decoding: text, policy: .lnd, network: network)
                return nil
            } catch { return error.lndText }
        }
        let text = try invoice()
        #expect(
            lndText(text, .testnet) == "invoice not for current active network 'testnet3'"
        )
        let damaged = String(text.dropLast()) + (text.hasSuffix("q") ? "p" : "q")
        #expect(
            lndText(damaged)
                == "checksum failed. Expected \(text.suffix(6)), got \(damaged.suffix(6))."
        )
        #expect(lndText("x" + text.uppercased()) == "string not all lowercase or all uppercase")
        #expect(lndText("lnbcrtqqqqqq") == "invalid index of 1")
        #expect(lndText(String(repeating: "q", count: 7090)) == "invoice is too large")
        #expect(lndText(Bech32.encode("lnbcrt2500x", [], .bech32)) == "unknown multiplier x")
        #expect(lndText(Bech32.encode("lnbcrt", [], .bech32)) == "short invoice")
        #expect(
            lndText(try invoice { $0.removeFirst() }) == "no payment hash found"
        )
        #expect(
            lndText(try invoice { $0.append(try .description(.text("both"))) })
                == "both description and description hash set"
        )
    }

    @Test func `lnd's names for networks are understood`() {
        #expect(Network(lndChainNetwork: "testnet4") == .testnet)
        #expect(Network(lndChainNetwork: "testnet") == .testnet)
        #expect(Network(lndChainNetwork: "regtest") == .regtest)
        #expect(Network(lndChainNetwork: "mutinynet") == nil)
    }

    @Test func `the scheme of wallets is dropped in either case, and only there`() {
        #expect(BOLT11Invoice.withoutScheme("lightning:lnbc1") == "lnbc1")
        #expect(BOLT11Invoice.withoutScheme("LIGHTNING:LNBC1") == "LNBC1")
        #expect(BOLT11Invoice.withoutScheme("lnbc1lightning:") == "lnbc1lightning:")
        #expect(refusal(of: "lightning:lnbc1qqqqqq") != nil)
    }

    @Test func `neither an invoice nor its parts show their contents`() throws {
        let text = try invoice()
        let decoded = try BOLT11Invoice(decoding: text)
        var dumped = ""
        dump(decoded, to: &dumped)
        dump(decoded.draft, to: &dumped)
        dump(decoded.draft.fields, to: &dumped)
        let texts = ["\(decoded)", String(reflecting: decoded), "\(decoded.draft)", dumped]
        let secret = try #require(decoded.paymentSecret)
        for shown in texts {
            #expect(!shown.contains(secret.hex) && !shown.contains(text))
            #expect(!shown.contains("\(secret)") && !shown.contains("groups"))
        }
        #expect(dumped.contains(decoded.paymentHash.hex))
    }
}

@Suite struct FallbackAddressTests {
    @Test(arguments: [
        (
            0, "751e76e8199196d454941c45d1b3a323f1433bd6",
            "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"
        ),
        (
            1, "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798",
            "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0"
        ),
        (2, "751e76e8199196d454941c45d1b3a323", "bc1zw508d6qejxtdg4y5r3zarvaryvaxxpcs"),
        (16, "751e", "bc1sw50qgdz25j"),
        (17, String(repeating: "00", count: 20), "1111111111111111111114oLvT2"),
    ])
    func `addresses read as BIP 173, BIP 350 and base58 say`(
        _ version: UInt8,
        _ program: String,
        _ address: String
    ) throws {
        let bytes = try #require(Hex.decode(program))
        let fallback = try #require(FallbackAddress(version: version, program: bytes))
        #expect(fallback.address(on: .mainnet) == address)
        #expect(FallbackAddress(address: address, on: .mainnet) == fallback)
        #expect(FallbackAddress(address: address, on: .regtest) == nil)
    }

    @Test(arguments: [
        "", "1", "nonsense", "bc1", "1111111111111111111114oLvT3", "111111111111111111114oLvT2",
        "0111111111111111111114oLvT2", String(repeating: "1", count: 65),
        // Version 0 with the checksum of version 1 and the reverse; a wrong program; BIP 350's.
        "bc1q0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqh2y7hd",
        "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqh2y7hd",
        "bc1rw5uspcuh", "BC1QR508D6QEJXTDG4Y5R3ZARVARYV98GJ9P",
        "bc1gmk9yu",
    ])
    func `what is no address is not read as one`(_ text: String) {
        #expect(FallbackAddress(address: text, on: .mainnet) == nil)
    }

    @Test func `an address belongs to its network`() throws {
        let program = [UInt8](repeating: 7, count: 20)
        let script = try #require(FallbackAddress(version: 18, program: program))
        let witness = try #require(FallbackAddress(version: 0, program: program))
        #expect(script.address(on: .mainnet).hasPrefix("3"))
        #expect(script.address(on: .regtest).hasPrefix("2"))
        #expect(witness.address(on: .signet).hasPrefix("tb1"))
        #expect(witness.address(on: .regtest).hasPrefix("bcrt1"))
        #expect(FallbackAddress(version: 0, program: [1]) == nil)
        #expect(FallbackAddress(version: 19, program: program) == nil)
    }
}
