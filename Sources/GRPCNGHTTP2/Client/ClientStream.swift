import GRPCCore
import NGHTTP2

/// What a call receives, as GRPCCore reads it.
struct ResponseSequence: AsyncSequence, Sendable {
    typealias Element = RPCResponsePart<[UInt8]>
    typealias Failure = any Error

    let call: Call

    func makeAsyncIterator() -> Iterator { Iterator(call: call) }

    struct Iterator: AsyncIteratorProtocol {
        let call: Call

        func next(isolation actor: isolated (any Actor)?) async throws -> Element? {
            switch try await call.next(isolation: actor) {
            case .metadata(let metadata): .metadata(metadata)
            case .message(let bytes): .message(bytes)
            case .status(let status, let metadata): .status(status, metadata)
            case nil: nil
            }
        }

        func next() async throws -> Element? { try await next(isolation: nil) }
    }
}

/// What a call sends, as GRPCCore writes it.
struct RequestWriter: ClosableRPCWriterProtocol {
    typealias Element = RPCRequestPart<[UInt8]>

    let call: Call
    let destination: RequestHead.Destination
    let timeout: Duration?

    func write(_ element: Element) async throws {
        switch element {
        case .metadata(let metadata):
            if let error = call.outbound.closedError { throw error }
            let head = RequestHead(method: call.method, metadata: metadata, timeout: timeout)
            let sensitive = call.connection.settings.sensitiveHeaders
            let fields = try head.fields(to: destination, sensitive: sensitive)
            call.connection.submit(.open(call, fields))
        case .message(let bytes):
            try await call.send(bytes)
        }
    }

    func write(contentsOf elements: some Sequence<Element>) async throws {
        for element in elements { try await write(element) }
    }

    func finish() async { call.connection.submit(.finish(call)) }

    func finish(throwing error: any Error) async {
        let reason = RPCError(wrapping: error)
        // Before the reset, so that the reader sees the reason and not the cancellation.
        call.inbound.fail(reason)
        call.outbound.close(reason)
        call.connection.submit(.cancel(call, .cancel))
    }
}

extension Call {
    /// Sends a message, waiting for room.
    ///
    /// - Throws: `resourceExhausted` when it is too large, the call's error when it has ended,
    ///   `cancelled` when the task was cancelled while it waited; nothing is sent then.
    func send(_ message: [UInt8]) async throws {
        let limit = min(limits.maxSent, Int(UInt32.max))
        guard message.count <= limit else {
            throw RPCError.messageTooLarge(message.count, limit: limit, "sent")
        }
        let count = MessageFraming.prefixSize + message.count
        try await outbound.enter(count)
        connection.submit(.send(self, MessageFraming.frame(message), count: count))
    }
}

extension RPCError {
    /// An error of another kind, as a call reports it.
    init(wrapping error: any Error) {
        self =
            switch error {
            case let error as RPCError: error
            case let error as any RPCErrorConvertible: RPCError(error)
            case is CancellationError: .cancelled
            default: RPCError(code: .unknown, message: "writing the request failed", cause: error)
            }
    }
}
