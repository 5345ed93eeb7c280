import GRPCCore
import NGHTTP2
import Synchronization

/// What a handler receives, as GRPCCore reads it: the metadata, then messages.
struct RequestSequence: AsyncSequence, Sendable {
    typealias Element = RPCRequestPart<[UInt8]>
    typealias Failure = any Error

    let call: Call

    func makeAsyncIterator() -> Iterator { Iterator(call: call) }

    struct Iterator: AsyncIteratorProtocol {
        let call: Call

        func next(isolation actor: isolated (any Actor)?) async throws -> Element? {
            switch try await call.next(isolation: actor) {
            case .metadata(let metadata): .metadata(metadata)
            case .message(let bytes): .message(bytes)
            case .status, nil: nil
            }
        }

        func next() async throws -> Element? { try await next(isolation: nil) }
    }
}

/// What a handler sends, as GRPCCore writes it.
final class ResponseWriter: ClosableRPCWriterProtocol {
    typealias Element = RPCResponsePart<[UInt8]>

    private let call: Call
    private let holdsHeaders: Bool

    /// Headers that wait for the first message or the status.
    private let held = Mutex<[HeaderField]?>(nil)

    init(_ call: Call, holdsHeaders: Bool) {
        self.call = call
        self.holdsHeaders = holdsHeaders
    }

    private var sensitive: Set<String> { call.connection.settings.sensitiveHeaders }

    func write(_ element: Element) async throws {
        switch element {
        case .metadata(let metadata):
            if let error = call.outbound.closedError { throw error }
            let fields = try ResponseHead.initial(metadata, sensitive: sensitive)
            if holdsHeaders {
                held.withLock { $0 = fields }
            } else {
                call.connection.submit(.respond(call, fields))
            }
        case .message(let bytes):
            releaseHeaders()
            try await call.send(bytes)
        case .status(let status, let metadata):
            // Headers without metadata of their own can go together with the status.
            releaseHeaders(unlessFewerThan: 3)
            end(status, metadata)
        }
    }

    func write(contentsOf elements: some Sequence<Element>) async throws {
        for element in elements { try await write(element) }
    }

    func finish() async {
        // After a status this has no effect.
        end(Status(code: .unknown, message: "the handler ended without a status"), [:])
    }

    func finish(throwing error: any Error) async {
        let reason = RPCError(wrapping: error)
        end(Status(code: Status.Code(reason.code), message: reason.message), reason.metadata)
    }

    private func releaseHeaders(unlessFewerThan minimum: Int = 0) {
        let fields = held.withLock { held in
            defer { held = nil }
            return held
        }
        guard let fields, fields.count >= minimum else { return }
        call.connection.submit(.respond(call, fields))
    }

    private func end(_ status: Status, _ metadata: Metadata) {
        let trailers = ResponseHead.trailers(status, metadata, sensitive: sensitive, alone: false)
        let alone = ResponseHead.trailers(status, metadata, sensitive: sensitive, alone: true)
        call.connection.submit(.end(call, trailers: trailers, alone: alone))
    }
}
