import GRPCCore

/// A transport whose server answers calls it does not have in grpc-go's words, which clients of
/// lnd match on.
struct UnknownMethods<Base: ServerTransport>: ServerTransport {
    typealias Bytes = Base.Bytes

    private let base: Base
    /// Full names: descriptors of one method differ in what they know of its kind.
    private let methods: Set<String>
    private let serviceNames: Set<String>

    /// Wraps a transport.
    ///
    /// - Parameters:
    ///   - base: The transport.
    ///   - services: All that the server has.
    init(_ base: Base, services: [any RegistrableRPCService]) {
        self.base = base
        var router = RPCRouter<Base>()
        for service in services { service.registerMethods(with: &router) }
        methods = Set(router.methods.map(\.fullyQualifiedMethod))
        serviceNames = Set(router.methods.map(\.service.fullyQualifiedService))
    }

    func configure(context: GRPCServerContext) { base.configure(context: context) }

    func listen(
        streamHandler:
            @escaping @Sendable (RPCStream<Inbound, Outbound>, ServerContext) async -> Void
    ) async throws {
        try await base.listen { stream, context in
            guard let text = refusal(of: stream.descriptor) else {
                await streamHandler(stream, context)
                return
            }
            // A caller who is gone by now needs no answer.
            try? await stream.outbound.write(
                .status(Status(code: .unimplemented, message: text), [:])
            )
            await stream.outbound.finish()
        }
    }

    func beginGracefulShutdown() { base.beginGracefulShutdown() }

    private func refusal(of method: MethodDescriptor) -> String? {
        guard !methods.contains(method.fullyQualifiedMethod) else { return nil }
        let service = method.service.fullyQualifiedService
        return serviceNames.contains(service)
            ? "unknown method \(method.method) for service \(service)"
            : "unknown service \(service)"
    }
}
