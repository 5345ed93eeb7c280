import BridgeProtocol
import BusAddresses
import SwiftProtobuf
import Synchronization
import ZeroMQ

/// Listens to the bridge's heartbeat, which tells a restart or a gap from a quiet bridge.
final class BridgePulse: Sendable {
    private struct State {
        var link = BridgeLink.unknown
        var lastBeat: ContinuousClock.Instant?
    }

    private let socket: SubSocket
    private let timeout: Duration
    private let state = Mutex(State())

    init(at location: BusLocation, context: Context, timeout: Duration) async throws {
        var options = SocketOptions()
        // A subscription that no bridge has taken must not hold up the end of the process.
        options.linger = .zero
        socket = try await context.sub(
            location.connection(to: .feedEvents),
            topics: [Array("heartbeat".utf8)],
            options: options
        )
        self.timeout = timeout
    }

    var link: BridgeLink { state.withLock { $0.link } }

    /// Listens until cancelled or closed.
    ///
    /// - Parameter somethingMayBeLost: Called when another bridge beats, or one that was silent; must
    ///   not wait.
    /// - Throws: `CancellationError`, or `ZeroMQError` when the socket is busy.
    func run(_ somethingMayBeLost: @escaping @Sendable () -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                for try await batch in self.socket.batches {
                    for message in batch where self.takeBeat(message) { somethingMayBeLost() }
                }
            }
            group.addTask {
                while true {
                    try await Task.sleep(for: self.timeout / 2)
                    self.noticeSilence()
                }
            }
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    /// Whether what was said before this beat may have been missed.
    private func takeBeat(_ message: ZeroMQ.Message) -> Bool {
        guard let body = message.frame(1),
            let event = try? BusFeedEvent(serializedBytes: body.bytes),
            event.position.epoch.count == 16
        else { return false }
        let epoch = Array(event.position.epoch)
        return state.withLock { state in
            defer {
                state.link = .alive(epoch: epoch)
                state.lastBeat = .now
            }
            // The first beat of all tells nothing about a gap.
            return state.link != .alive(epoch: epoch) && state.link != .unknown
        }
    }

    private func noticeSilence() {
        state.withLock { state in
            guard case .alive = state.link, let last = state.lastBeat, .now - last > timeout
            else { return }
            state.link = .silent
        }
    }
}

/// What a client knows of the bridge's being there.
package enum BridgeLink: Equatable, Sendable {
    /// No heartbeat has been heard yet; the feed may be closed to this client.
    case unknown
    /// The bridge beats; the epoch is 16 bytes, new at each of its starts.
    case alive(epoch: [UInt8])
    /// The bridge has stopped beating.
    case silent
}
