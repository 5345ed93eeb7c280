import LCPTesting
import LightningCrypto
import LightningTypes
import Testing

/// The key of BOLT #11's examples.
private let testKey = "e126f68f7eafcc8b74f54d269fe206be715000f94dac067d1c04a8ca3b2db734"
private func makeTestKey() throws -> SecretKey {
    let bytes = try #require(Hex.decode(testKey))
    return try #require(SecretKey(bytes))
}

private let testPublicKey = "03e7156ae33b0a208d0744199163177e909e80176e55d97a2f221ede0f934dd9ad"
private let order = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141"

@Suite struct SecretKeyTests {
    @Test func `the public key belongs to the secret`() throws {
        let key = try makeTestKey()
        #expect(key.publicKey.hex == testPublicKey)
        #expect(key.publicKey.isOnCurve)
    }

    // BOLT #11 [signature-low-s]
    @Test func `a signature is deterministic, has low S and names its signer`() throws {
        var random = SeededGenerator(seed: 1)
        for _ in 0..<50 {
            let key = try #require(SecretKey(random.bytes(32)))
            let hash = try #require(Bytes32(random.bytes(32)))
            let signature = key.sign(hash)
            #expect(key.sign(hash) == signature)
            #expect(!signature.hasHighS)
            #expect(signature.recoverPublicKey(signing: hash) == key.publicKey)
            #expect(signature.verifies(hash, by: key.publicKey))
            #expect(RecoverableSignature(signature.bytes) == signature)
        }
    }

    @Test func `signing follows RFC 6979 without extra entropy`() throws {
        // Key 1, SHA-256 of "Satoshi Nakamoto": a widely published example for secp256k1.
        let key = try #require(SecretKey([UInt8](repeating: 0, count: 31) + [1]))
        let signature = key.sign(SHA256.hash(Array("Satoshi Nakamoto".utf8)))
        #expect(
            signature.r.hex == "934b1ea10a4b3c1757e2b0c017d0b6143ce3c9a7e6a4a49860d7a6ab210ee3d8"
        )
        #expect(
            signature.s.hex == "2442ce9d2b916064108014783e923ec36b49743e2ffa1c4496f01a512aafd9e5"
        )
    }

    @Test(arguments: [
        String(repeating: "00", count: 32), order, String(repeating: "ff", count: 32), "01", "",
        String(repeating: "01", count: 33),
    ])
    func `what is no scalar of the curve is no key`(_ hex: String) throws {
        let bytes = try #require(Hex.decode(hex))
        #expect(SecretKey(bytes) == nil)
    }

    @Test func `new keys differ`() {
        let keys = (0..<20).map { _ in SecretKey.random().publicKey }
        #expect(Set(keys).count == keys.count)
    }

    @Test func `a secret key never shows itself`() throws {
        struct Holder { let key: SecretKey }
        let key = try #require(SecretKey([UInt8](repeating: 0xab, count: 32)))
        var dumped = ""
        dump(Holder(key: key), to: &dumped)
        dump(key, to: &dumped)
        let texts = [
            "\(key)", String(describing: key), String(reflecting: key), "\(Holder(key: key))",
            dumped,
        ]
        for text in texts {
            #expect(text.contains("(secret key)"))
            #expect(!text.contains("abab") && !text.contains("171") && !text.contains("0x"))
        }
        #expect(Mirror(reflecting: key).children.isEmpty)
    }
}

@Suite struct RecoverableSignatureTests {
    private let hash = SHA256.hash(Array("hash".utf8))

    private func signature(r: String? = nil, s: String? = nil, id: UInt8? = nil) throws
        -> RecoverableSignature
    {
        let key = try makeTestKey()
        let good = key.sign(hash)
        return RecoverableSignature(
            r: try r.map { try #require(Bytes32(hex: $0)) } ?? good.r,
            s: try s.map { try #require(Bytes32(hex: $0)) } ?? good.s,
            recoveryID: id ?? good.recoveryID
        )
    }

    @Test(arguments: [
        String(repeating: "00", count: 32), order, String(repeating: "ff", count: 32),
    ])
    func `R and S outside of 1 ..< order recover nothing and verify nothing`(_ bad: String) throws {
        let key = try #require(NodeID(hex: testPublicKey))
        for signature in [try signature(r: bad), try signature(s: bad)] {
            #expect(signature.recoverPublicKey(signing: hash) == nil)
            #expect(!signature.verifies(hash, by: key))
        }
    }

    @Test func `a recovery ID above 3 recovers nothing, and does not matter to verification`()
        throws
    {
        let key = try #require(NodeID(hex: testPublicKey))
        for id in [UInt8(4), 27, 255] {
            let signature = try signature(id: id)
            #expect(signature.recoverPublicKey(signing: hash) == nil)
            #expect(signature.verifies(hash, by: key))
        }
    }

    @Test func `high S begins above half the order`() throws {
        let half = "7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a"
        #expect(try !signature(s: half + "0").hasHighS)
        #expect(try signature(s: half + "1").hasHighS)
    }

    @Test func `another hash or another key does not verify`() throws {
        let key = try #require(NodeID(hex: testPublicKey))
        #expect(try !signature().verifies(SHA256.hash([1]), by: key))
        #expect(try !signature().verifies(hash, by: SecretKey.random().publicKey))
    }

    @Test func `a key that is no point of the curve verifies nothing`() throws {
        let key = try #require(NodeID([2] + [UInt8](repeating: 0, count: 31) + [5]))
        #expect(!key.isOnCurve)
        #expect(try !signature().verifies(hash, by: key))
    }
}
