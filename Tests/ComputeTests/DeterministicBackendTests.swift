import BridgeProtocol
import Compute
import Foundation
import SwiftProtobuf
import Testing
import WorkerKit

@Suite struct DeterministicBackendTests {
    @Test func `the answer is the hash of the input, a line feed, and the input`() async throws {
        // sha256sum of "abc", as in FIPS 180-4.
        let expected =
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\nabc"
        let result = try await compute(item("abc"))
        #expect(result.output == Data(expected.utf8))
        #expect(result.contentType == "text/plain; charset=utf-8" && !result.truncated)
    }

    @Test func `the request's caps cut the answer`() async throws {
        var byBytes = item("abc")
        byBytes.limits.maxResultBytes = 66
        var byTokens = item("abc")
        byTokens.limits.maxOutputTokens = 2
        let cut = try await [compute(byBytes), compute(byTokens)]
        #expect(cut.map(\.output.count) == [66, 8] && cut.allSatisfy(\.truncated))
    }

    @Test func `a waiting computation shows signs of life and ends when cancelled`() async {
        let touches = AsyncStream<Void>.makeStream()
        let run = Task {
            try await DeterministicBackend(delay: .seconds(3_600)).compute(
                item("abc"),
                progress: ComputationProgress { touches.continuation.yield() }
            )
        }
        for await _ in touches.stream { break }
        run.cancel()
        await #expect(throws: CancellationError.self) { try await run.value }
    }

    private func compute(_ item: BusComputeItem) async throws -> BusComputeResult {
        let backend = DeterministicBackend()
        let outcome = try await backend.compute(item, progress: ComputationProgress {})
        guard case .result(let result) = outcome else { throw CancellationError() }
        return result
    }

    private func item(_ input: String) -> BusComputeItem {
        BusComputeItem.with { $0.input = Data(input.utf8) }
    }
}
