package import BridgeProtocol
import LightningCrypto
import LightningTypes
package import WorkerKit

/// A backend whose answer anybody can check, in any language and without the program.
///
/// The answer is the SHA-256 of the input as 64 lower-case hex digits, a line feed, and the input
/// itself. In a shell: `sha256sum < input | cut -c 1-64; cat input`. A text is cut at a character
/// boundary to what fits, and to four bytes for each output token when the request caps those.
package struct DeterministicBackend: ComputationHandler {
    private let delay: Duration

    /// Makes the backend.
    ///
    /// - Parameter delay: How long each computation waits before it answers, for tests and load.
    package init(delay: Duration = .zero) { self.delay = delay }

    /// The answer to an input, before it is cut.
    package static func answer(to input: [UInt8]) -> [UInt8] {
        Array(SHA256.hash(input).hex.utf8) + [UInt8(ascii: "\n")] + input
    }

    /// Waits, and answers.
    package func compute(
        _ item: BusComputeItem,
        progress: ComputationProgress
    ) async throws -> BusComputeReply.OneOf_Outcome {
        try await wait(progress)
        var output = ResultOutput(limit: limit(item.limits))
        output.append(Self.answer(to: Array(item.input)))
        do {
            return .result(try output.result())
        } catch {
            return .failure(error.message)
        }
    }

    private func wait(_ progress: ComputationProgress) async throws {
        let end = ContinuousClock.now + delay
        while ContinuousClock.now < end {
            progress.touch()
            try await Task.sleep(
                until: min(end, ContinuousClock.now + .seconds(1)),
                clock: .continuous
            )
        }
    }

    private func limit(_ limits: BusComputeLimits) -> Int {
        let bytes = limits.maxResultBytes == 0 ? Int.max : Int(limits.maxResultBytes)
        return limits.maxOutputTokens == 0 ? bytes : min(bytes, 4 * Int(limits.maxOutputTokens))
    }
}
