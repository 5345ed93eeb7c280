import BridgeProtocol
import Foundation
import LCPWire
import LightningTypes
import Synchronization
import SwiftProtobuf
import ZeroMQ

/// Quote requests of one peer.
struct QuoteLoad {
    let network: BridgeNetwork
    let feed: StepFeed

    /// Sends with so many in flight, and waits for the last step.
    ///
    /// - Returns: Steps a second.
    func run(count: Int, window: Int) async throws -> Double {
        let begin = ContinuousClock.now
        try await withThrowingTaskGroup(of: Void.self) { group in
            for started in 0..<count {
                if started >= window { try await group.next() }
                group.addTask { _ = try await step() }
            }
            try await group.waitForAll()
        }
        let seconds = (ContinuousClock.now - begin) / .seconds(1)
        return Double(count) / seconds
    }

    /// Sends at an even rate.
    ///
    /// - Returns: From message to committed step, sorted.
    func run(rate: Double, seconds: Int) async throws -> [Duration] {
        let count = Int(rate) * seconds
        let begin = ContinuousClock.now
        return try await withThrowingTaskGroup(of: Duration.self) { group in
            for number in 0..<count {
                try await Task.sleep(
                    until: begin + .seconds(Double(number) / rate),
                    tolerance: .zero,
                    clock: .continuous
                )
                group.addTask { try await step() }
            }
            var latencies: [Duration] = []
            for try await latency in group { latencies.append(latency) }
            return latencies.sorted()
        }
    }

    /// One message, to the news that its step is on disk.
    private func step() async throws -> Duration {
        let job = Self.random()
        let request = try Self.request(job)
        let begin = ContinuousClock.now
        try await network.send(request, type: 42_083)
        // News that were faster are kept.
        await feed.wait(for: job)
        return .now - begin
    }

    private static func request(_ job: Bytes32) throws -> [UInt8] {
        let envelope = V01.Envelope(
            jobID: JobID(job),
            messageID: MessageID(random()),
            expiry: UnixTime(seconds: UInt64(Date().timeIntervalSince1970) + 600)
        )
        let body = try V01.QuoteRequest(
            taskKind: "llm.chat",
            input: Array("How long is a piece of string?".utf8),
            params: try V01.LLMChatParams(profile: "demo").encoded()
        )
        return try V01.Envelope.codec.encode(envelope) + V01.QuoteRequest.codec.encode(body)
    }

    private static func random() -> Bytes32 {
        var generator = SystemRandomNumberGenerator()
        let bytes = (0..<32).map { _ in UInt8.random(in: 0...255, using: &generator) }
        // Exactly 32 were drawn.
        return Bytes32(bytes) ?? .zero
    }
}

/// What the bridge says on `feed/events` about jobs' steps.
final class StepFeed: Sendable {
    private struct State {
        var waiting: [Bytes32: CheckedContinuation<Void, Never>] = [:]
        var early: Set<Bytes32> = []
    }

    private let context: Context
    private let socket: SubSocket
    private let state = Mutex(State())

    init(busDirectory: String) async throws {
        context = try Context()
        socket = try await context.sub(
            .ipc(path: "\(busDirectory)/\(BusEndpoint.feedEvents.path)"),
            topics: [Array("job/".utf8)]
        )
    }

    func run() async throws {
        for try await batch in socket.batches {
            for message in batch {
                guard let frame = message.frame(1),
                    let event = try? BusFeedEvent(serializedBytes: frame.bytes),
                    let id = Bytes32(Array(event.job.key.jobID))
                else { continue }
                let waiter: CheckedContinuation<Void, Never>? = state.withLock { state in
                    guard let waiter = state.waiting.removeValue(forKey: id) else {
                        state.early.insert(id)
                        return nil
                    }
                    return waiter
                }
                waiter?.resume()
            }
        }
    }

    func wait(for job: Bytes32) async {
        await withCheckedContinuation { continuation in
            let isEarly = state.withLock { state in
                if state.early.remove(job) != nil { return true }
                state.waiting[job] = continuation
                return false
            }
            if isEarly { continuation.resume() }
        }
    }
}
