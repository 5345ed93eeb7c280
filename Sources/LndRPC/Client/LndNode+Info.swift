extension LndNode {
    /// Who the node is and how far it has synced.
    package func getInfo() async throws(LndError) -> NodeInfo {
        let answer: Lnrpc_GetInfoResponse = try await unary(
            .getInfo,
            Lnrpc_GetInfoRequest()
        )
        return try NodeInfo(answer)
    }

    /// The version of lnd, as numbers.
    package func getVersion() async throws(LndError) -> LndBuild {
        let answer: Verrpc_Version = try await unary(
            .getVersion,
            Verrpc_VersionRequest()
        )
        return LndBuild(answer)
    }

    /// How far lnd's start has come; needs no macaroon and answers in every phase.
    package func getState() async throws(LndError) -> WalletState {
        let answer: Lnrpc_GetStateResponse = try await unary(
            .getState,
            Lnrpc_GetStateRequest()
        )
        return try WalletState(answer.state)
    }

    /// How far lnd's start has come, now and at every change; needs no macaroon.
    ///
    /// - Parameter body: Reads the states; returning ends the call.
    /// - Returns: What the closure returns.
    /// - Throws: ``LndError``, or what the closure throws.
    package func subscribeState<Result: Sendable>(
        _ body: @escaping @Sendable (LndStream<WalletState>) async throws -> Result
    ) async throws -> Result {
        try await stream(
            .subscribeState,
            Lnrpc_SubscribeStateRequest(),
            convert: { (answer: Lnrpc_SubscribeStateResponse) throws(LndError) in
                try WalletState(answer.state)
            },
            body: body
        )
    }
}
