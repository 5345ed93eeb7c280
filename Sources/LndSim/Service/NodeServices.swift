import GRPCCore
import LndRPC

/// The services one node offers, as lnd does.
struct NodeServices: Sendable {
    let world: World
    let node: NodeHandle

    var all: [any RegistrableRPCService] {
        [
            LightningService(at: self), RouterService(at: self), InvoicesService(at: self),
            StateService(at: self), VersionerService(),
        ]
    }

    /// Sends a stream's news until it ends, breaks, or its caller goes away.
    func send<Message: Sendable>(
        to response: RPCWriter<Message>,
        of call: ServerContext,
        _ message: @Sendable (Delivery) -> Message?,
        _ subscribe: @Sendable (inout SimulatedNetwork) throws(LndFault) -> SubscriptionID
    ) async throws {
        let (id, news) = try await world.subscribe(subscribe)
        try await follow(news, of: id, in: call) { delivery in
            if let message = message(delivery) { try await response.write(message) }
        }
    }

    /// Reads news until they end, break, or the caller goes away; then nothing is left of them.
    func follow(
        _ news: World.News,
        of id: SubscriptionID,
        in call: ServerContext,
        _ body: (Delivery) async throws -> Void = { _ in }
    ) async throws {
        do {
            try await withRPCCancellationHandler {
                // Cancelled before the handler below was in place, it is not told.
                if call.cancellation.isCancelled { await world.close(id) }
                for try await delivery in news { try await body(delivery) }
            } onCancelRPC: {
                Task { await world.close(id) }
            }
        } catch {
            await world.close(id)
            throw error
        }
        await world.close(id)
    }
}
