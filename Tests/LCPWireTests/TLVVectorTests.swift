import LCPTesting
import LCPWire
import LightningTypes
import Testing

@Suite struct TLVStreamTests {
    private struct Vectors: Decodable {
        var invalid: [Invalid]
        var valid: [Valid]
        var initExtension: Extension
    }

    private struct Invalid: Decodable {
        var stream: String
        var namespaces: [String]
        var error: String
        var failsInLcpFraming: Bool
    }

    private struct Valid: Decodable {
        var stream: String
        var namespaces: [String]
        var records: [Record]
    }

    private struct Record: Decodable {
        var type: String
        var value: String
    }

    private struct Extension: Decodable {
        var base: String
        var valid: [Message]
        var invalid: [Message]
    }

    private struct Message: Decodable {
        var message: String
        var records: [Record]?
        var error: String?
    }

    private func vectors() throws -> Vectors {
        try Fixture.decode(Vectors.self, named: "tlv.json")
    }

    @Test func `every valid stream gives its records and encodes back to itself`() throws {
        for vector in try vectors().valid {
            let bytes = try #require(Hex.decode(vector.stream))
            let records = try TLVStream.records(bytes[...])
            #expect(records.map { String($0.type) } == vector.records.map(\.type))
            #expect(records.map { Hex.encode($0.value) } == vector.records.map(\.value))
            #expect(try TLVStream.encode(records) == bytes)
            for namespace in vector.namespaces {
                #expect(try BOLTNamespace.named(namespace).defect(in: records) == nil)
            }
        }
    }

    // BOLT #1 [tlv-ascending] [tlv-once] [tlv-type-minimal] [tlv-length-minimal]
    // BOLT #1 [tlv-value-complete]
    @Test func `every stream with broken framing is refused for its reason`() throws {
        let broken = try vectors().invalid.filter(\.failsInLcpFraming)
        #expect(broken.count >= 14)
        for vector in broken {
            let bytes = try #require(Hex.decode(vector.stream))
            let error = #expect(throws: WireError.self) { try TLVStream.records(bytes[...]) }
            let label = try #require(VectorLabels.framing[vector.error], "\(vector.error)")
            #expect(error?.code == label, "\(vector.stream)")
        }
    }

    @Test func `streams that break only a namespace of BOLT 1 pass framing and fail there`() throws
    {
        let foreign = try vectors().invalid.filter { !$0.failsInLcpFraming }
        #expect(foreign.count >= 20)
        for vector in foreign {
            let bytes = try #require(Hex.decode(vector.stream))
            let records = try TLVStream.records(bytes[...])
            for name in vector.namespaces {
                let defect = try BOLTNamespace.named(name).defect(in: records)
                #expect(defect == vector.error, "\(vector.stream) in \(name)")
            }
        }
    }

    @Test func `the extension of a BOLT 1 init message is read as a stream`() throws {
        let vectors = try vectors().initExtension
        let base = vectors.base.count
        for vector in vectors.valid {
            let bytes = try #require(Hex.decode(vector.message.dropFirst(base)))
            let records = try TLVStream.records(bytes[...])
            #expect(records.map { String($0.type) } == vector.records?.map(\.type))
            #expect(records.map { Hex.encode($0.value) } == vector.records?.map(\.value))
        }
        for vector in vectors.invalid {
            let bytes = try #require(Hex.decode(vector.message.dropFirst(base)))
            if let label = VectorLabels.framing[vector.error ?? ""] {
                let error = #expect(throws: WireError.self) { try TLVStream.records(bytes[...]) }
                #expect(error?.code == label)
            } else {
                let records = try TLVStream.records(bytes[...])
                #expect(try BOLTNamespace.named("n1").defect(in: records) == vector.error)
            }
        }
    }

    // BOLT #1 [tlv-written-ascending]
    @Test func `records out of order are not written`() throws {
        func records(_ types: [UInt64]) -> [TLVRecord] {
            types.map { TLVRecord(type: $0, value: [1]) }
        }
        #expect(try TLVStream.encode(records([1, 2, .max])).count == 3 + 3 + 11)
        for types in [[2, 1], [1, 1], [1, 3, 2], [.max, 0]] as [[UInt64]] {
            let error = #expect(throws: WireError.self) { try TLVStream.encode(records(types)) }
            #expect(error?.code == "type-order", "\(types)")
        }
    }

    @Test func `streams compose only when types go on ascending`() throws {
        let vectors = try vectors()
        let valid = try vectors.valid.map { try #require(Hex.decode($0.stream)) }
        var composed = 0
        for first in valid {
            for vector in vectors.invalid where vector.failsInLcpFraming {
                let bytes = first + (try #require(Hex.decode(vector.stream)))
                #expect(throws: WireError.self) { try TLVStream.records(bytes[...]) }
            }
            for second in valid {
                let left = try TLVStream.records(first[...])
                let right = try TLVStream.records(second[...])
                let ascends =
                    if let last = left.last?.type, let next = right.first?.type {
                        last < next
                    } else {
                        true
                    }
                let records = try? TLVStream.records((first + second)[...])
                #expect((records != nil) == ascends)
                composed += ascends ? 1 : 0
            }
        }
        #expect(composed > valid.count)
    }
}

/// The two namespaces that BOLT #1 defines for its own examples.
///
/// LCP has no use for their rules, unknown even types above all; this stands here to prove the
/// reader on all of the published vectors.
private struct BOLTNamespace {
    enum Form {
        case truncated(Int)
        case fixed(Int)
        case point(Int)
    }

    var forms: [UInt64: Form]

    static func named(_ name: String) throws -> BOLTNamespace {
        switch name {
        case "n1":
            BOLTNamespace(forms: [1: .truncated(8), 2: .fixed(8), 3: .point(49), 254: .fixed(2)])
        case "n2": BOLTNamespace(forms: [0: .truncated(8), 11: .truncated(4)])
        default: try #require(nil, "unknown namespace \(name)")
        }
    }

    /// The first thing this namespace refuses, as `tlv.json` calls it.
    func defect(in records: [TLVRecord]) throws -> String? {
        for record in records {
            guard let form = forms[record.type] else {
                if record.type % 2 == 0 { return "unknown_even_type" }
                continue
            }
            switch form {
            case .truncated(let limit):
                do throws(WireError) {
                    _ = try TruncatedInteger.read(record.value, limit: limit)
                } catch {
                    let isTooLong = record.value.count > limit
                    #expect(error.code == "truncated-int:value")
                    return isTooLong ? "value_too_long" : "truncated_int_not_minimal"
                }
            case .fixed(let count), .point(let count):
                if record.value.count < count { return "value_too_short" }
                if record.value.count > count { return "value_too_long" }
                if case .point = form, NodeID(record.value.prefix(33)) == nil {
                    return "invalid_point"
                }
            }
        }
        return nil
    }
}
