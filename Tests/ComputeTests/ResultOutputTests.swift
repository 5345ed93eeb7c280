import BridgeProtocol
import Compute
import Foundation
import Testing
import WorkerKit

@Suite struct ResultOutputTests {
    @Test func `what fits is returned whole, as text when it is text`() throws {
        for (bytes, type) in [
            (Array("grüße €😀".utf8), ResultOutput.textType),
            ([0xff, 0xfe, 0x00], ResultOutput.binaryType),
            (Array("a\0b".utf8), ResultOutput.binaryType),
            // The first half of a character.
            (Array("a".utf8) + [0xe2, 0x82], ResultOutput.binaryType),
        ] {
            let result = try output(bytes, limit: bytes.count).result()
            #expect(Array(result.output) == bytes)
            #expect(result.contentType == type && !result.truncated)
        }
    }

    @Test func `text that does not fit is cut after a whole character and marked`() throws {
        let text = "aé€😀z"
        for limit in 1..<text.utf8.count {
            let result = try output(Array(text.utf8), limit: limit).result()
            let cut = try #require(String(validating: result.output, as: UTF8.self))
            #expect(text.hasPrefix(cut) && result.truncated)
            #expect(result.contentType == ResultOutput.textType)
            // The next character would not have fitted.
            let next = text.dropFirst(cut.count).prefix(1)
            #expect(cut.utf8.count <= limit && cut.utf8.count + next.utf8.count > limit)
        }
    }

    @Test func `bytes that do not fit are refused`() {
        let noise: [UInt8] = [1, 2, 0xff, 4, 5]
        #expect(code { try output(noise, limit: 4).result() } == "result-too-large")
        // Not one character fits.
        #expect(code { try output(Array("😀".utf8), limit: 3).result() } == "result-too-large")
        // The operator says that it is not text.
        let json = Array("{\"a\":1}".utf8)
        let declared = output(json, limit: 4, contentType: "application/json")
        #expect(code { try declared.result() } == "result-too-large")
    }

    @Test func `nothing at all is refused`() {
        #expect(code { try output([], limit: 4).result() } == "empty-output")
    }

    @Test func `the operator's media type is kept`() throws {
        let type = "text/markdown"
        #expect(
            try output(Array("# a".utf8), limit: 9, contentType: type).result().contentType == type
        )
        let cut = try output(Array("# abc".utf8), limit: 3, contentType: type).result()
        #expect(cut.contentType == type && cut.truncated)
    }

    @Test func `memory is bounded by what fits, whatever comes`() {
        var output = ResultOutput(limit: 10)
        for _ in 0..<1_000 { output.append(Array("0123456789".utf8)) }
        #expect(output.bytes.count == 10 && output.total == 10_000 && !output.isHopeless)
        var noise = ResultOutput(limit: 10)
        noise.append([UInt8](repeating: 0xff, count: 11))
        #expect(noise.isHopeless)
    }

    private func output(
        _ bytes: [UInt8],
        limit: Int,
        contentType: String? = nil
    ) -> ResultOutput {
        var output = ResultOutput(limit: limit, contentType: contentType)
        // In pieces, as a pipe delivers them.
        for byte in bytes { output.append([byte]) }
        return output
    }

    private func code(_ body: () throws -> BusComputeResult) -> String? {
        do {
            _ = try body()
            return nil
        } catch {
            return (error as? WorkFailure)?.code
        }
    }
}
