import GRPCCore
import GRPCInProcessTransport
import GRPCProtobufCoding
import LightningTypes
import LndRPC
import SwiftProtobuf
import Synchronization

/// An lnd that does what a test says, call by call, behind a real gRPC server.
struct ScriptedLnd: RegistrableRPCService {
    private var routes: [any Route] = []

    /// Answers a call with one message; an error thrown is the call's status, without headers, as
    /// lnd sends it.
    mutating func on<Request: Message, Response: Message>(
        _ method: MethodDescriptor,
        _ answer: @escaping @Sendable (Request, Metadata) async throws -> Response
    ) {
        routes.append(
            OneRoute<Request, Response>(method: method) { request, metadata in
                StreamingServerResponse(single: .init(message: try await answer(request, metadata)))
            }
        )
    }

    /// Refuses a call.
    mutating func refuse(_ method: MethodDescriptor, _ error: RPCError) {
        on(method) { (_: Lnrpc_GetInfoRequest, _) -> Lnrpc_GetInfoResponse in throw error }
    }

    /// Answers a call with a stream; an error thrown ends it after the headers.
    mutating func onStream<Request: Message, Response: Message>(
        _ method: MethodDescriptor,
        _ write: @escaping @Sendable (Request, RPCWriter<Response>) async throws -> Void
    ) {
        routes.append(
            OneRoute<Request, Response>(method: method) { request, _ in
                StreamingServerResponse { writer in
                    try await write(request, writer)
                    return [:]
                }
            }
        )
    }

    func registerMethods<Transport: ServerTransport>(with router: inout RPCRouter<Transport>) {
        for route in routes { route.register(with: &router) }
    }

    private protocol Route: Sendable {
        func register<Transport: ServerTransport>(with router: inout RPCRouter<Transport>)
    }

    private struct OneRoute<Request: Message, Response: Message>: Route {
        var method: MethodDescriptor
        var handle: @Sendable (Request, Metadata) async throws -> StreamingServerResponse<Response>

        func register<Transport: ServerTransport>(with router: inout RPCRouter<Transport>) {
            router.registerHandler(
                forMethod: method,
                deserializer: ProtobufDeserializer<Request>(),
                serializer: ProtobufSerializer<Response>()
            ) { request, _ in
                let single = try await ServerRequest(stream: request)
                return try await handle(single.message, single.metadata)
            }
        }
    }
}

extension ScriptedLnd {
    typealias Node = LndNode<InProcessTransport.Client>

    /// Runs a client against the script.
    func run<Result: Sendable>(
        macaroonPath: String? = nil,
        timeout: Duration = .seconds(30),
        _ body: @Sendable (Node) async throws -> Result
    ) async throws -> Result {
        let transport = InProcessTransport()
        let server = GRPCServer(transport: transport.server, services: [self])
        let node = LndNode(
            transport: transport.client,
            macaroonPath: macaroonPath,
            timeout: timeout
        )
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await server.serve() }
            group.addTask { try await node.run() }
            // Also ends a server that has not come up yet, as a graceful shutdown would not.
            defer { group.cancelAll() }
            return try await body(node)
        }
    }
}

/// The error a call ends with.
func lndError<Result>(_ call: () async throws -> Result) async throws -> LndError? {
    do {
        _ = try await call()
        return nil
    } catch let error as LndError {
        return error
    }
}

/// What a script saw, shared with the test.
final class Recorder<Value: Sendable>: Sendable {
    private let recorded = Mutex<[Value]>([])

    var values: [Value] { recorded.withLock { $0 } }

    func record(_ value: Value) { recorded.withLock { $0.append(value) } }
}

typealias Lightning = Lnrpc_Lightning.Method
typealias State = Lnrpc_State.Method
typealias Router = Routerrpc_Router.Method
typealias Invoices = Invoicesrpc_Invoices.Method
typealias Versioner = Verrpc_Versioner.Method
