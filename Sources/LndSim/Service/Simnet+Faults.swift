extension Simnet {
    /// Changes the network from within this process, for what ``ControlService`` does from outside.
    ///
    /// - Parameter body: The change; nodes are found by ``SimulatedNetwork/node(named:)``.
    /// - Returns: What the change returns, once the streams have the news of it.
    /// - Throws: ``LndFault``, the change's own refusal.
    package func change<Result: Sendable>(
        _ body: @Sendable (inout SimulatedNetwork) throws(LndFault) -> Result
    ) async throws(LndFault) -> Result {
        try await world.call(body)
    }

    /// How often each method of a node was called, refused calls included.
    ///
    /// - Parameter name: The node's name.
    /// - Returns: Counts by full method path; empty for an unknown node.
    package func calls(of name: String) async -> [String: UInt64] {
        guard let node = await world.callFreely({ $0.node(named: name) }) else { return [:] }
        return await world.allCalls[node] ?? [:]
    }
}
