import LightningCrypto
import LightningTypes
import Testing

@Suite struct HexTests {
    @Test func `hex is read in either case and written in lower case`() {
        #expect(Hex.decode("00aBFf") == [0, 0xab, 0xff])
        #expect(Hex.encode([0, 0xab, 0xff]) == "00abff")
        #expect(Hex.decode("") == [])
    }

    @Test(arguments: ["0", "0g", "000", " 00", "0x00", "é0"])
    func `text that is not pairs of hex digits is refused`(_ text: String) {
        #expect(Hex.decode(text) == nil)
    }

    @Test func `32 bytes survive the way through words and hex`() throws {
        let bytes = (0..<32).map { UInt8($0 * 7 % 256) }
        let value = try #require(Bytes32(bytes))
        #expect(value.bytes == bytes)
        #expect(Bytes32(hex: value.hex) == value)
        #expect(Bytes32(bytes.dropLast()) == nil)
        #expect(Bytes32(bytes + [0]) == nil)
    }

    @Test func `32 bytes are stored as plain words, not as a vector`() {
        // See the comment in Bytes32: the compiler does not warn, the process crashes.
        #expect(MemoryLayout<Bytes32>.alignment == MemoryLayout<UInt64>.alignment)
        #expect(MemoryLayout<Bytes32>.size == 32)
    }

    @Test func `a node ID begins with 2 or 3 and has 33 bytes`() throws {
        let key = "03e7156ae33b0a208d0744199163177e909e80176e55d97a2f221ede0f934dd9ad"
        #expect(try #require(NodeID(hex: key.uppercased())).hex == key)
        #expect(NodeID(hex: "04" + key.dropFirst(2)) == nil)
        #expect(NodeID(hex: key.dropLast(2)) == nil)
    }
}

@Suite struct RedactedTests {
    @Test func `a preimage never shows its bytes`() throws {
        let preimage = Preimage(try #require(Bytes32([UInt8](repeating: 0xab, count: 32))))
        var dumped = ""
        dump(preimage, to: &dumped)
        for text in ["\(preimage)", String(reflecting: preimage), dumped] {
            #expect(!text.contains("abab") && !text.contains("171"))
            #expect(text.contains("redacted"))
        }
    }
}

@Suite struct SHA256Tests {
    @Test func `SHA-256 gives the published digests`() {
        #expect(
            SHA256.hash([]).hex
                == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        )
        #expect(
            SHA256.hash(Array("abc".utf8)).hex
                == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        )
    }
}
