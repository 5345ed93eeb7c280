package import BridgeProtocol
import Foundation
import Synchronization
import LightningTypes
import SwiftProtobuf
package import ZeroMQ

/// The two feeds: best effort, never in anybody's way.
package final class Feeds: Sendable {
    private struct State {
        var sequence: UInt64 = 0
        var waiting = 0
        var dropped: UInt64 = 0
    }

    private struct Record: Sendable {
        var topic: String
        var body: [UInt8]
    }

    private let epoch: Data
    private let nowMilliseconds: @Sendable () -> UInt64
    private let messages = Feed()
    private let events = Feed()

    /// One feed: its own sequence over all its topics.
    private final class Feed: Sendable {
        let state = Mutex(State())
        let mailbox = Mailbox<Record>()
    }

    /// Records beyond this are dropped, which the sequence shows.
    private static let bound = 8_192

    /// Feeds of one epoch.
    ///
    /// - Parameters:
    ///   - epoch: The bridge's, 16 bytes.
    ///   - nowMilliseconds: Milliseconds since 1970.
    package init(epoch: [UInt8], nowMilliseconds: @escaping @Sendable () -> UInt64) {
        self.epoch = Data(epoch)
        self.nowMilliseconds = nowMilliseconds
    }

    /// How many records were dropped because nobody took them fast enough.
    package var dropped: UInt64 {
        [messages, events].reduce(0) { $0 + $1.state.withLock { $0.dropped } }
    }

    /// Publishes a custom message; its position is filled in.
    package func publish(_ message: BusFeedMessage) {
        let peer = Hex.encode(Array(message.peer))
        put("message/\(message.outbound ? "out" : "in")/\(peer)", to: messages) { position in
            var message = message
            message.position = position
            return try? message.serializedBytes()
        }
    }

    /// Publishes metadata; its position is filled in.
    package func publish(_ event: BusFeedEvent) {
        put(event.topic, to: events) { position in
            var event = event
            event.position = position
            return try? event.serializedBytes()
        }
    }

    private func put(
        _ topic: String,
        to feed: Feed,
        _ body: (BusFeedPosition) -> [UInt8]?
    ) {
        let sequence: UInt64? = feed.state.withLock { state in
            state.sequence += 1
            guard state.waiting < Self.bound else {
                state.dropped += 1
                return nil
            }
            state.waiting += 1
            return state.sequence
        }
        guard let sequence else { return }
        let position = BusFeedPosition.with {
            $0.epoch = epoch
            $0.sequence = sequence
            $0.atUnixMs = nowMilliseconds()
        }
        feed.mailbox.put(Record(topic: topic, body: body(position) ?? []))
    }

    /// Sends what is published, and a heartbeat every second or sooner, until it is cancelled.
    ///
    /// - Parameters:
    ///   - messages: The socket of `feed/messages`.
    ///   - events: The socket of `feed/events`.
    /// - Throws: ``ZeroMQError`` when a socket is closed.
    package func run(messages: PubSocket, events: PubSocket) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (feed, socket) in [(self.messages, messages), (self.events, events)] {
                group.addTask {
                    while let records = await feed.mailbox.next() {
                        feed.state.withLock { $0.waiting -= records.count }
                        try await socket.send(
                            records.map { Message(Frame(Array($0.topic.utf8)), Frame($0.body)) }
                        )
                    }
                }
            }
            group.addTask {
                // Who was there before connects again within half a second, and only a beat says that
                // this is another bridge.
                for _ in 0..<20 { try await self.beat(.milliseconds(100)) }
                while true { try await self.beat(.seconds(1)) }
            }
            try await group.waitForAll()
        }
    }

    private func beat(_ pause: Duration) async throws {
        publish(.with { $0.heartbeat = BusHeartbeat() })
        try await Task.sleep(for: pause)
    }
}

extension BusFeedEvent {
    /// Frame 0: what an observer subscribes to.
    fileprivate var topic: String {
        func hex(_ bytes: Data) -> String { Hex.encode(Array(bytes)) }
        switch body {
        case .job(let job):
            let role = job.key.role == .provider ? "provider" : "requester"
            return "job/\(role)/\(hex(job.key.peer))"
        case .settlement: return "settlement"
        case .payment: return "payment"
        case .peer(let peer): return "peer/\(hex(peer.id))"
        case .heartbeat, nil: return "heartbeat"
        }
    }
}
