import BridgeProtocol
import Compute
import Foundation
import Logging
import ScriptedOpenAI
import SwiftProtobuf
import WorkerKit

/// Runs the backend against a scripted server.
enum OpenAIHarness {
    /// What came of a computation, and what the server and the log saw of it.
    struct Outcome: Sendable {
        /// The result or the final failure; nil when another attempt was asked for.
        var outcome: BusComputeReply.OneOf_Outcome?
        /// What was thrown.
        var thrown: (any Error)?
        /// What the server was asked.
        var requests: [ScriptedOpenAI.Request]
        /// What was logged.
        var lines: [String]

        /// The result's text; nil without a result.
        var text: String? { result.map { String(decoding: $0.output, as: UTF8.self) } }

        var result: BusComputeResult? {
            if case .result(let result) = outcome { result } else { nil }
        }

        /// The failure's code, with `retry` when another attempt was asked for.
        var failure: String? {
            if case .failure(let failure) = outcome { return failure.code }
            return (thrown as? WorkFailure).map { "\($0.code) \($0.isRetryable ? "retry" : "")" }
        }
    }

    /// Computes one item.
    static func compute(
        _ item: BusComputeItem = item(),
        certificate: String? = nil,
        _ change: @Sendable (inout OpenAISettings) -> Void = { _ in },
        progress: ComputationProgress = ComputationProgress {},
        _ script: @escaping ScriptedOpenAI.Script
    ) async throws -> Outcome {
        try await ScriptedOpenAI.run(certificate: certificate, script) { server in
            var settings = try settings(server.address)
            change(&settings)
            let lines = LogLines()
            let logger = Logger(label: "test") { _ in lines }
            var outcome = Outcome(requests: [], lines: [])
            do {
                outcome.outcome = try await OpenAIBackend.run(settings, logger: logger) {
                    try await $0.compute(item, progress: progress)
                }
            } catch {
                outcome.thrown = error
            }
            outcome.requests = server.requests
            outcome.lines = lines.all
            return outcome
        }
    }

    /// Settings that give up soon.
    static func settings(_ address: String) throws -> OpenAISettings {
        guard let endpoint = OpenAIEndpoint(address) else { throw BadAddress() }
        var settings = OpenAISettings(endpoint: endpoint)
        settings.retries = 1
        return settings
    }

    static func item(
        _ input: String = "a question",
        maxResultBytes: UInt32 = 16_000,
        maxOutputTokens: UInt32 = 0
    ) -> BusComputeItem {
        BusComputeItem.with {
            $0.input = Data(input.utf8)
            $0.profile = "small"
            $0.job.jobID = Data(repeating: 0xcd, count: 32)
            $0.attempt = 1
            $0.limits.maxResultBytes = maxResultBytes
            $0.limits.maxOutputTokens = maxOutputTokens
        }
    }

    struct BadAddress: Error {}
}
