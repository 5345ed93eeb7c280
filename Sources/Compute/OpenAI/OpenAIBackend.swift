package import BridgeProtocol
import Foundation
import LightningTypes
package import Logging
import OpenAIChat
package import WorkerKit

/// A backend that asks an OpenAI-compatible server: a hosted model, vLLM, llama.cpp, Ollama, a proxy.
///
/// Each computation is one call of `chat/completions` that streams. When the job is cancelled, its
/// deadline or a limit is reached, or the result is full, the connection is closed, so that the
/// server stops and with it the bill. A call is made again only where it can't have been billed.
///
/// The peer learns only that it failed. Status, error code and request id are logged; prompt,
/// answer, key and the server's own words are not.
package struct OpenAIBackend: ComputationHandler {
    /// How often the lease of a quiet call is renewed.
    private static let heartbeat = Duration.seconds(1)

    private let call: OpenAICall
    private let logger: Logger

    private var settings: OpenAISettings { call.settings }

    /// Gives a closure a backend, and closes its connections when the closure returns.
    ///
    /// - Parameters:
    ///   - settings: Which server, and what a call may take.
    ///   - logger: Gets one line for each computation that failed, and one for each call that is
    ///     made again.
    ///   - body: What to do with the backend.
    /// - Returns: What the closure returns.
    /// - Throws: What the closure throws.
    package static func run<Value: Sendable>(
        _ settings: OpenAISettings,
        logger: Logger,
        _ body: (OpenAIBackend) async throws -> Value
    ) async throws -> Value {
        try await OpenAICall.withClient(settings) { client in
            try await body(
                OpenAIBackend(call: OpenAICall(client: client, settings: settings), logger: logger)
            )
        }
    }

    /// Asks the server.
    package func compute(
        _ item: BusComputeItem,
        progress: ComputationProgress
    ) async throws -> BusComputeReply.OneOf_Outcome {
        let body: Data
        do {
            body = try ChatJSON.encode(try ChatRequest(item, settings))
        } catch let failure as WorkFailure {
            return .failure(failure.message)
        }
        let start = ContinuousClock.now
        var answer: AnswerReader?
        do {
            let reader = try await withLimit(item, start, progress) { end in
                try await ask(body, item, until: end)
            }
            answer = reader
            return .result(try reader.result())
        } catch let failure as CallFailure {
            // A call that was given up ends like one that broke; nobody waits for it any more.
            try Task.checkCancellation()
            log(failure, item, start)
            if failure.outcome.isRetryable { throw failure.outcome }
            return .failure(failure.outcome.message)
        } catch let failure as WorkFailure {
            var cause = CallFailure(.failed, failure.detail)
            cause.code = CallFailure.label(answer?.finishReason?.rawValue)
            log(cause, item, start)
            return .failure(failure.message)
        }
    }

    // MARK: - Calls

    /// Calls until there is an answer, or no call is worth making.
    private func ask(
        _ body: Data,
        _ item: BusComputeItem,
        until end: ContinuousClock.Instant
    ) async throws -> AnswerReader {
        let plan = RetryPlan(limit: settings.retries)
        var calls = 1
        while true {
            do {
                return try await call.answer(to: body, for: item)
            } catch let failure as CallFailure {
                let wait = plan.wait(
                    after: failure,
                    calls: calls,
                    left: end - .now,
                    jitter: .random(in: 0...1)
                )
                guard let wait else { throw failure }
                logger.notice("the server is asked again", metadata: metadata(failure, item))
                try await Task.sleep(for: wait, clock: .continuous)
                calls += 1
            }
        }
    }

    /// Runs something beside a clock that renews the lease and ends it at its limit.
    private func withLimit(
        _ item: BusComputeItem,
        _ start: ContinuousClock.Instant,
        _ progress: ComputationProgress,
        _ body: @escaping @Sendable (ContinuousClock.Instant) async throws -> AnswerReader
    ) async throws -> AnswerReader {
        let limit = settings.timeLimit
        let end = start + min(limit, item.left ?? limit)
        return try await withThrowingTaskGroup(of: AnswerReader.self) { group in
            group.addTask { try await body(end) }
            group.addTask {
                while ContinuousClock.now < end {
                    progress.touch()
                    try await Task.sleep(
                        until: min(end, .now + Self.heartbeat),
                        clock: .continuous
                    )
                }
                throw CallFailure(.timeout, "the computation took longer than it may")
            }
            // Whichever is first; the other is cancelled, which closes its connection.
            defer { group.cancelAll() }
            guard let first = try await group.next() else { throw CancellationError() }
            return first
        }
    }

    // MARK: - The operator's line

    private func log(
        _ failure: CallFailure,
        _ item: BusComputeItem,
        _ start: ContinuousClock.Instant
    ) {
        var metadata = metadata(failure, item)
        metadata["openai.seconds"] = "\((ContinuousClock.now - start).components.seconds)"
        logger.warning("the server delivered no result", metadata: metadata)
    }

    private func metadata(_ failure: CallFailure, _ item: BusComputeItem) -> Logger.Metadata {
        var metadata: Logger.Metadata = [
            "bus.attempt": "\(item.attempt)",
            "lcp.failure": "\(failure.outcome.code): \(failure.detail)",
            "lcp.job": "\(Hex.encode(item.job.jobID))",
        ]
        metadata["openai.status"] = failure.status.map { "\($0)" }
        metadata["openai.error_type"] = failure.type.map { "\($0)" }
        metadata["openai.error_code"] = failure.code.map { "\($0)" }
        metadata["openai.request_id"] = failure.requestID.map { "\($0)" }
        metadata["openai.retry_after"] = failure.retryAfter.map { "\($0)" }
        return metadata
    }
}

extension BusComputeItem {
    /// What is left to the job's deadline by the bridge's clock; nil without one.
    fileprivate var left: Duration? {
        guard deadlineUnix > 0 else { return nil }
        return .seconds(deadlineUnix > nowUnix ? min(deadlineUnix - nowUnix, 1 << 32) : 0)
    }
}
