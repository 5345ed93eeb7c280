import LCPTesting
import LCPWire
import LightningTypes
import Testing

@Suite struct BigSizeTests {
    private struct Vectors: Decodable {
        var decode: [Case]
        var encode: [Case]
        var extraDecode: [Case]
    }

    private struct Case: Decodable {
        var name: String
        var bytes: String
        var value: String?
        var error: String?
    }

    // BOLT #1 [bigsize-minimal] [bigsize-complete]
    @Test func `every BigSize vector decodes to its value or fails for its reason`() throws {
        let vectors = try Fixture.decode(Vectors.self, named: "bigsize.json")
        var refused = 0
        for vector in vectors.decode + vectors.extraDecode {
            let bytes = try #require(Hex.decode(vector.bytes))
            do throws(WireError) {
                let value = try BigSize.read(bytes)
                #expect(vector.value == String(value), "\(vector.name)")
                #expect(BigSize.count(value) == bytes.count)
            } catch {
                let label = try #require(vector.error, "\(vector.name): \(error)")
                #expect(error.code == VectorLabels.numbers[label], "\(vector.name)")
                refused += 1
            }
        }
        #expect(refused >= 10)
    }

    // BOLT #1 [bigsize-written-minimal]
    @Test func `every BigSize vector encodes to its bytes`() throws {
        let vectors = try Fixture.decode(Vectors.self, named: "bigsize.json")
        #expect(!vectors.encode.isEmpty)
        for vector in vectors.encode {
            var bytes: [UInt8] = []
            BigSize.append(try #require(vector.value.flatMap(UInt64.init)), to: &bytes)
            #expect(Hex.encode(bytes) == vector.bytes, "\(vector.name)")
        }
    }
}

@Suite struct TruncatedIntegerTests {
    private struct Width: Decodable {
        var maxBytes: Int
        var valid: [Valid]
        var invalid: [Invalid]
    }

    private struct Valid: Decodable {
        var value: String
        var bytes: String
    }

    private struct Invalid: Decodable {
        var bytes: String
        var error: String
    }

    private struct Vectors: Decodable {
        var tu16: Width
        var tu32: Width
        var tu64: Width
    }

    private struct TLVVectors: Decodable {
        var truncatedIntegers: Vectors
    }

    // BOLT #1 [tu-minimal] [tu-width] [tu-written-minimal]
    @Test func `every truncated integer reads, writes and is refused as its vector says`() throws {
        for vectors in [
            try Fixture.decode(Vectors.self, named: "tu.json"),
            try Fixture.decode(TLVVectors.self, named: "tlv.json").truncatedIntegers,
        ] {
            for width in [vectors.tu16, vectors.tu32, vectors.tu64] {
                try check(width)
            }
        }
    }

    private func check(_ width: Width) throws {
        #expect(!width.valid.isEmpty && !width.invalid.isEmpty)
        for vector in width.valid {
            let bytes = try #require(Hex.decode(vector.bytes))
            let value = try TruncatedInteger.read(bytes[...], limit: width.maxBytes)
            #expect(String(value) == vector.value)
            var written: [UInt8] = []
            TruncatedInteger.append(value, to: &written)
            #expect(written == bytes)
            #expect(TruncatedInteger.count(value) == bytes.count)
        }
        for vector in width.invalid {
            let bytes = try #require(Hex.decode(vector.bytes))
            let error = #expect(throws: WireError.self) {
                try TruncatedInteger.read(bytes[...], limit: width.maxBytes)
            }
            let label = try #require(VectorLabels.numbers[vector.error])
            #expect(error?.code == "\(label):value", "\(vector.bytes)")
        }
    }
}
