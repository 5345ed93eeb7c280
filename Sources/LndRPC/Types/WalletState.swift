/// How far lnd's start has come (`GetState`, `SubscribeState`).
package enum WalletState: Hashable, Sendable {
    /// lnd waits to become the leader of its cluster.
    case waitingToStart
    /// There is no wallet.
    case nonExisting
    /// The wallet waits for its password.
    case locked
    /// The wallet is open and the RPC server comes up.
    case unlocked
    /// Calls are let through, but the node waits for chain sync and many of them block.
    case rpcActive
    /// Ready: subscriptions may be opened.
    case serverActive
}

extension WalletState {
    init(_ state: Lnrpc_WalletState) throws(LndError) {
        self =
            switch state {
            case .waitingToStart: .waitingToStart
            case .nonExisting: .nonExisting
            case .locked: .locked
            case .unlocked: .unlocked
            case .rpcActive: .rpcActive
            case .serverActive: .serverActive
            case .UNRECOGNIZED(let value):
                throw LndError(.malformedAnswer, "lnrpc.WalletState: unknown value \(value)")
            }
    }
}
