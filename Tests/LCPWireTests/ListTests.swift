import LCPTesting
import LCPWire
import LightningTypes
import Testing

@Suite struct ListTests {
    private struct Vectors: Decodable {
        var bytesList: [Valid]
        var bytesListInvalid: [Invalid]
    }

    private struct Valid: Decodable {
        var items: [String]
        var bytes: String
    }

    private struct Invalid: Decodable {
        var bytes: String
        var error: String
    }

    // LCP v0.1 §4.3 [list-complete]
    @Test func `every bytes_list vector reads, writes and is refused as it says`() throws {
        let vectors = try Fixture.decode(Vectors.self, named: "lcp.json")
        #expect(!vectors.bytesList.isEmpty && !vectors.bytesListInvalid.isEmpty)
        for vector in vectors.bytesList {
            let bytes = try #require(Hex.decode(vector.bytes))
            let items = try List.readBytes(bytes[...])
            #expect(items.map { Hex.encode($0) } == vector.items)
            var written: [UInt8] = []
            List.append(items, to: &written)
            #expect(written == bytes)
        }
        for vector in vectors.bytesListInvalid {
            let bytes = try #require(Hex.decode(vector.bytes))
            let error = #expect(throws: WireError.self) { try List.readBytes(bytes[...]) }
            #expect(error?.code == VectorLabels.lcp[vector.error], "\(vector.bytes)")
        }
    }

    @Test func `numbers and strings come back from their lists`() throws {
        let numbers: [UInt64] = [0, 252, 253, 65_536, .max]
        var bytes: [UInt8] = []
        List.append(numbers, to: &bytes)
        #expect(try List.readNumbers(bytes[...]) == numbers)
        #expect(throws: WireError.self) { try List.readNumbers(bytes.dropLast()) }
        #expect(throws: WireError.self) { try List.readNumbers((bytes + [0])[...]) }

        let strings = ["", "a", "プロファイル"]
        bytes = []
        List.append(strings, to: &bytes)
        #expect(try List.readStrings(bytes[...]) == strings)
        let error = #expect(throws: WireError.self) { try List.readStrings([1, 1, 0xff]) }
        #expect(error?.reason == .notUTF8)
    }

    // LCP v0.1 §4.3 [list-bounded]
    @Test func `a count is refused before anything is stored for it`() {
        for count: UInt64 in [1025, 1 << 32, .max] {
            var bytes: [UInt8] = []
            BigSize.append(count, to: &bytes)
            let error = #expect(throws: WireError.self) { try List.readBytes(bytes[...]) }
            #expect(error?.reason == .tooManyItems(count))
        }
    }

    @Test func `a list of more items than a reader takes is not written`() throws {
        let template = try V01.TaskTemplate(taskKind: "a", params: nil)
        func write(_ count: Int) throws -> [UInt8] {
            let tasks = [V01.TaskTemplate](repeating: template, count: count)
            return try V01.Manifest.codec.encode(V01.Manifest(supportedTasks: tasks))
        }
        let most = try write(1024)
        #expect(try V01.Manifest.codec.decode(most[...]).supportedTasks?.count == 1024)
        let error = #expect(throws: WireError.self) { try write(1025) }
        #expect(error?.reason == .tooManyItems(1025))
    }
}
