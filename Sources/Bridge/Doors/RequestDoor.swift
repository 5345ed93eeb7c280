import Foundation
import Logging
import SwiftProtobuf
import Synchronization
import ZeroMQ

/// A ROUTER socket that many clients ask at the same time.
///
/// A client may have several requests under way; responses carry the request's id. A malformed
/// request is counted and answered, never fatal.
final class RequestDoor: Sendable {
    /// Who asked.
    struct Caller: Hashable, Sendable {
        /// The connection.
        var routingID: [UInt8]
        /// Whose client keys it uses: the connection's CURVE key, or one for everybody who could
        /// open the socket.
        var identity: [UInt8]
    }

    private struct State {
        var underWay = 0
        var malformed: UInt64 = 0
        var busy: UInt64 = 0
    }

    /// Requests beyond this are answered `busy`.
    private static let maximumUnderWay = 512

    private let socket: RouterSocket
    private let state = Mutex(State())

    init(_ socket: RouterSocket) { self.socket = socket }

    /// How many requests were malformed, and how many came when too many were under way.
    var counts: (malformed: UInt64, busy: UInt64) { state.withLock { ($0.malformed, $0.busy) } }

    /// Serves until it is cancelled or the socket is closed.
    ///
    /// - Parameters:
    ///   - type: What is asked.
    ///   - refuse: Makes the response to a request that is not handled: with its id, or nil when
    ///     not even that could be read.
    ///   - handle: Answers one request with ``send(_:to:)``; runs beside the others.
    /// - Throws: `CancellationError`, or ``ZeroMQError`` when the socket is busy.
    func run<Request: SwiftProtobuf.Message, Response: SwiftProtobuf.Message>(
        _ type: Request.Type,
        refuse: @Sendable (Request?, _ code: String) -> Response,
        handle: @escaping @Sendable (Request, Caller) async -> Void
    ) async throws {
        try await withThrowingDiscardingTaskGroup { group in
            for try await batch in socket.batches {
                for message in batch {
                    let caller = Caller(
                        routingID: message.head.bytes,
                        identity: Array((message.sender?.description ?? "local").utf8)
                    )
                    guard message.frameCount == 2, let frame = message.frame(1),
                        let request = try? Request(serializedBytes: frame.bytes)
                    else {
                        state.withLock { $0.malformed += 1 }
                        await send(refuse(nil, "malformed"), to: caller)
                        continue
                    }
                    let hasRoom = state.withLock { state in
                        guard state.underWay < Self.maximumUnderWay else {
                            state.busy += 1
                            return false
                        }
                        state.underWay += 1
                        return true
                    }
                    guard hasRoom else {
                        await send(refuse(request, "busy"), to: caller)
                        continue
                    }
                    group.addTask {
                        await handle(request, caller)
                        self.state.withLock { $0.underWay -= 1 }
                    }
                }
            }
        }
    }

    /// Sends a response; a client that has gone or does not take it loses it.
    ///
    /// - Returns: Whether libzmq took it.
    @discardableResult
    func send(_ response: some SwiftProtobuf.Message, to caller: Caller) async -> Bool {
        guard let bytes: [UInt8] = try? response.serializedBytes() else { return false }
        do {
            try await socket.send([Frame(bytes)], to: Frame(caller.routingID))
            return true
        } catch {
            return false
        }
    }
}
