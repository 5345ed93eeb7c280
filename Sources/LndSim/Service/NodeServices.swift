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
        _ message: @Sendable (Delivery) -> Message?,
        _ subscribe: @Sendable (inout SimulatedNetwork) throws(LndFault) -> SubscriptionID
    ) async throws {
        let (id, news) = try await world.subscribe(subscribe)
        do {
            try await withRPCCancellationHandler {
                for try await delivery in news {
                    if let message = message(delivery) { try await response.write(message) }
                }
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
