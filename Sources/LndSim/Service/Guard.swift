import GRPCCore

/// What stands before every method of a node: the state of its wallet, and the macaroon.
struct Guard: ServerInterceptor {
    let world: World
    let node: NodeHandle

    func intercept<Input: Sendable, Output: Sendable>(
        request: StreamingServerRequest<Input>,
        context: ServerContext,
        next:
            @Sendable (StreamingServerRequest<Input>, ServerContext) async throws
            -> StreamingServerResponse<Output>
    ) async throws -> StreamingServerResponse<Output> {
        let macaroons = request.metadata[stringValues: "macaroon"].map(\.self)
        try await world.admit(macaroons, to: "/\(context.descriptor)", on: node)
        return try await next(request, context)
    }
}
