package import GRPCCore
import GRPCNGHTTP2
import GRPCProtobufCoding
import LightningTypes
import SwiftProtobuf

/// An lnd node, seen through the calls that a bridge or its diagnosis needs.
///
/// The methods bear the RPCs' names; protobuf stays inside. Every failure is a ``LndError``. Calls
/// fail at once while lnd can't be reached: start with ``waitUntilReady(clock:report:)``, and after
/// an error whose outcome is unknown ask lnd again instead of concluding.
///
/// Cancelling the task of a call ends the call. What lnd had begun by then goes on.
package struct LndNode<Transport: ClientTransport>: Sendable {
    private let client: GRPCClient<Transport>
    private let macaroon: MacaroonFile?
    private let timeout: Duration

    /// Takes a transport; nothing happens before ``run()``.
    ///
    /// - Parameters:
    ///   - transport: The way to lnd, not connected yet.
    ///   - macaroonPath: The binary macaroon file, read at the first call that needs it and again
    ///     when lnd refuses it; nil for an lnd without macaroons.
    ///   - timeout: How long a call may take that is no subscription and no payment.
    package init(
        transport: Transport,
        macaroonPath: String?,
        timeout: Duration = .seconds(30)
    ) {
        client = GRPCClient(transport: transport)
        macaroon = macaroonPath.map { MacaroonFile(path: $0) }
        self.timeout = timeout
    }

    /// Keeps the connection; returns after ``beginGracefulShutdown()`` when all calls have ended.
    ///
    /// Must be running for calls to be made. Cancelling it ends all calls.
    package func run() async throws {
        try await client.runConnections()
    }

    /// Lets the present calls end, accepts no new ones and then ends ``run()``.
    package func beginGracefulShutdown() {
        client.beginGracefulShutdown()
    }
}

// MARK: - Calls

extension LndNode {
    /// Makes a call with one answer.
    ///
    /// - Parameters:
    ///   - call: The RPC.
    ///   - request: What to send.
    ///   - longer: What to add to the timeout.
    /// - Returns: lnd's answer.
    /// - Throws: ``LndError``.
    func unary<Request: SwiftProtobuf.Message, Response: SwiftProtobuf.Message>(
        _ call: LndCall,
        _ request: Request,
        longer: Duration = .zero
    ) async throws(LndError) -> Response {
        do {
            return try await withMacaroon(call) { metadata in
                try await withTimeout(timeout + longer) { options in
                    try await open(call.method, request, metadata: metadata, options: options) {
                        try await Self.onlyAnswer(in: $0, to: call)
                    }
                }
            }
        } catch {
            throw LndError(any: error, rpc: call.name)
        }
    }

    /// Hands the timeout to whoever keeps it cheaper: our own transport, if this is one.
    private func withTimeout<Result>(
        _ timeout: Duration,
        _ call: (CallOptions) async throws -> Result
    ) async throws -> Result {
        var options = CallOptions.defaults
        if Transport.self == HTTP2ClientTransport.self {
            return try await HTTP2ClientTransport.withTimeout(timeout) { try await call(options) }
        }
        options.timeout = timeout
        return try await call(options)
    }

    private static func onlyAnswer<Response>(
        in messages: RPCAsyncSequence<Response, any Error>,
        to call: LndCall
    ) async throws -> Response {
        var answers = messages.makeAsyncIterator()
        guard let answer = try await answers.next() else {
            // A cancelled call may end like this, too.
            try Task.checkCancellation()
            throw LndError(.malformedAnswer, "\(call.name): there is no answer")
        }
        // lnd's status comes last: without it the answer does not count.
        guard try await answers.next() == nil else {
            throw LndError(.malformedAnswer, "\(call.name): two answers")
        }
        return answer
    }

    /// Makes a call with a stream of answers and lends the stream to a closure.
    ///
    /// - Parameters:
    ///   - call: The RPC.
    ///   - request: What to send.
    ///   - opened: Called when the request is with the transport; lnd may send nothing for hours.
    ///   - convert: Checks a message and makes the element of it.
    ///   - body: Reads the stream; when it returns the call is cancelled.
    /// - Returns: What the closure returns.
    /// - Throws: ``LndError``, or what the closure throws.
    func stream<Request, Response, Element, Result>(
        _ call: LndCall,
        _ request: Request,
        opened: @escaping @Sendable () -> Void = {},
        convert: @escaping @Sendable (Response) throws(LndError) -> Element,
        body: @escaping @Sendable (LndStream<Element>) async throws -> Result
    ) async throws -> Result
    where Request: SwiftProtobuf.Message, Response: SwiftProtobuf.Message, Result: Sendable {
        do {
            return try await withMacaroon(call) { metadata in
                try await open(
                    call.method,
                    request,
                    metadata: metadata,
                    opened: opened
                ) { messages in
                    let stream = LndStream(messages, rpc: call.name, convert: convert)
                    do {
                        return try await body(stream)
                    } catch {
                        throw ThrownByBody(error: error)
                    }
                }
            }
        } catch let thrown as ThrownByBody {
            throw thrown.error
        } catch {
            throw LndError(any: error, rpc: call.name)
        }
    }

    /// Runs a call with the macaroon, and once more if lnd refuses it and the file has a new one.
    ///
    /// lnd looks at the macaroon before anything else, so a refused call has done nothing.
    private func withMacaroon<Result>(
        _ call: LndCall,
        _ make: (Metadata) async throws -> Result
    ) async throws -> Result {
        guard call.permission != nil, let macaroon else { return try await make([:]) }
        let used = try macaroon.current()
        do {
            return try await make(Self.metadata(used))
        } catch let refusal as Refused {
            guard LndError(any: refusal, rpc: call.name).refusesMacaroon,
                let fresh = try macaroon.afterRefusal(of: used)
            else { throw refusal }
            return try await make(Self.metadata(fresh))
        }
    }

    private static func metadata(_ macaroon: Redacted<String>) -> Metadata {
        ["macaroon": .string(macaroon.reveal("lnd checks it"))]
    }

    /// Opens a call and lends its messages to a closure.
    private func open<Request, Response, Result>(
        _ method: MethodDescriptor,
        _ request: Request,
        metadata: Metadata,
        options: CallOptions = .defaults,
        opened: @escaping @Sendable () -> Void = {},
        read: @escaping @Sendable (RPCAsyncSequence<Response, any Error>) async throws -> Result
    ) async throws -> Result
    where Request: SwiftProtobuf.Message, Response: SwiftProtobuf.Message, Result: Sendable {
        try await client.bidirectionalStreaming(
            request: StreamingClientRequest(metadata: metadata) { writer in
                try await writer.write(request)
                opened()
            },
            descriptor: method,
            serializer: ProtobufSerializer<Request>(),
            deserializer: ProtobufDeserializer<Response>(),
            options: options
        ) { response in
            switch response.accepted {
            case .success: try await read(response.messages)
            case .failure(let error): throw Refused(error: error)
            }
        }
    }
}

/// The call was refused before any answer.
struct Refused: Error {
    var error: RPCError
}

/// The reader of a stream threw: its error goes to the caller as it is.
private struct ThrownByBody: Error {
    var error: any Error
}
