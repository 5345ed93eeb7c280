import BridgeProtocol
import Foundation
import SwiftProtobuf
import Synchronization
import WorkerKit

/// A backend whose computations wait until the test lets them go.
final class GatedBackend: ComputationHandler {
    /// What a computation did, in the order in which it happened.
    enum Step: Equatable, Sendable {
        case began(String)
        case stopped(String)
    }

    let steps: AsyncStream<Step>
    private let log: AsyncStream<Step>.Continuation
    private let gates = Mutex<[String: AsyncStream<Void>.Continuation]>([:])

    init() { (steps, log) = AsyncStream.makeStream() }

    /// Lets the computation on an input end; it must have begun.
    func release(_ input: String) { gates.withLock { $0[input] }?.finish() }

    func compute(
        _ item: BusComputeItem,
        progress: ComputationProgress
    ) async throws -> BusComputeReply.OneOf_Outcome {
        let input = String(decoding: item.input, as: UTF8.self)
        if input == "fail" { return .failure(.with { $0.code = "backend-failed" }) }
        let (gate, continuation) = AsyncStream<Void>.makeStream()
        gates.withLock { $0[input] = continuation }
        for _ in 0..<1_000 { progress.touch() }
        log.yield(.began(input))
        for await _ in gate {}
        if Task.isCancelled {
            log.yield(.stopped(input))
            throw CancellationError()
        }
        return .result(.with { $0.output = item.input })
    }
}
