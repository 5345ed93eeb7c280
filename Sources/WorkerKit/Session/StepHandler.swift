package import BridgeProtocol
package import LightningTypes

/// What a worker knows of the node it works for, from the bridge's Welcome.
package struct WorkerContext: Hashable, Sendable {
    /// The node's public key; nil until lnd has told the bridge.
    package var nodeID: NodeID?
    /// The network as lnd names it, `mainnet` or `regtest`; empty until lnd has told the bridge.
    package var network: String

    /// Makes a context.
    package init(nodeID: NodeID?, network: String) {
        self.nodeID = nodeID
        self.network = network
    }
}

/// The protocol side of a provider or requester worker: one step of one job at a time.
///
/// Pure: no clock, no I/O, no state between steps. The same item may come again, here or at another
/// worker, and must lead to the same reply.
package protocol StepHandler: Sendable {
    /// Advances one job.
    ///
    /// The run loop copies the item's lease and version into the reply.
    ///
    /// - Parameters:
    ///   - item: The job's state and what happened to it since.
    ///   - context: The node this worker works for.
    /// - Returns: The job's next state, all its outstanding effects, and its wake-up.
    /// - Throws: ``WorkFailure`` to say why in words of the handler; for any other error the bridge
    ///   hears `handler-failed`. Either counts as a failed attempt.
    func step(_ item: BusJobItem, in context: WorkerContext) throws -> BusJobReply
}
