import FoundationEssentials
package import LightningTypes
import SwiftProtobuf

extension LndNode {
    /// The peers connected now.
    package func listPeers() async throws(LndError) -> [Peer] {
        let answer: Lnrpc_ListPeersResponse = try await unary(
            .listPeers,
            Lnrpc_ListPeersRequest.with { $0.latestError = true }
        )
        return try answer.peers.map { peer throws(LndError) in try Peer(peer) }
    }

    /// Connects to a peer; one that is connected already is no error.
    ///
    /// - Parameters:
    ///   - node: The peer's public key.
    ///   - address: `host` or `host:port`; lnd's default port is 9735.
    ///   - isPermanent: Whether lnd keeps trying for ever, also after a loss. The call then returns
    ///     at once.
    ///   - timeoutSeconds: How long lnd may try.
    /// - Returns: Whether a connection was begun or there was one.
    /// - Throws: ``LndError``: `cannotConnectToSelf`, `starting`, or `other` with lnd's words when
    ///   the address can't be reached.
    package func connectPeer(
        _ node: NodeID,
        address: String,
        isPermanent: Bool = false,
        timeoutSeconds: UInt32 = 30
    ) async throws(LndError) -> ConnectOutcome {
        do {
            let _: Lnrpc_ConnectPeerResponse = try await unary(
                .connectPeer,
                Lnrpc_ConnectPeerRequest.with {
                    $0.addr.pubkey = node.hex
                    $0.addr.host = address
                    $0.perm = isPermanent
                    $0.timeout = UInt64(timeoutSeconds)
                },
                longer: .seconds(timeoutSeconds)
            )
            return .begun
        } catch  where error.code == .alreadyConnected {
            return .alreadyConnected
        }
    }

    /// Disconnects a peer, and makes lnd forget a permanent connection to it.
    ///
    /// - Parameter node: The peer's public key.
    /// - Throws: ``LndError``: `hasActiveChannels`, `peerNotConnected`, `starting`.
    package func disconnectPeer(_ node: NodeID) async throws(LndError) {
        let _: Lnrpc_DisconnectPeerResponse = try await unary(
            .disconnectPeer,
            Lnrpc_DisconnectPeerRequest.with { $0.pubKey = node.hex }
        )
    }

    /// Peers that come and go from now on.
    ///
    /// No snapshot comes first: when `opened` was called, ask `listPeers`, then apply the events.
    ///
    /// - Parameters:
    ///   - opened: Called when the request is with the transport. lnd acknowledges nothing.
    ///   - body: Reads the events; returning ends the subscription.
    /// - Returns: What the closure returns.
    /// - Throws: ``LndError``, or what the closure throws.
    package func subscribePeerEvents<Result: Sendable>(
        opened: @escaping @Sendable () -> Void = {},
        _ body: @escaping @Sendable (LndStream<PeerEvent>) async throws -> Result
    ) async throws -> Result {
        try await stream(
            .subscribePeerEvents,
            Lnrpc_PeerEventSubscription(),
            opened: opened,
            convert: { (event: Lnrpc_PeerEvent) throws(LndError) in try PeerEvent(event) },
            body: body
        )
    }

    /// Sends a custom message; returns when lnd has written it to the peer's socket.
    ///
    /// Whether anybody read it stays unknown. Two calls at once have no order: to keep one, await
    /// each call for a peer before the next.
    ///
    /// - Parameter message: At most ``PeerMessage/maximumDataLength`` bytes, of a custom type; lnd
    ///   is not asked otherwise, since it would drop the peer.
    /// - Throws: ``LndError``: `peerNotConnected`, `peerDisconnected`, `messageTooLarge`,
    ///   `typeNotCustom`.
    package func sendCustomMessage(_ message: PeerMessage) async throws(LndError) {
        let _: Lnrpc_SendCustomMessageResponse = try await unary(
            .sendCustomMessage,
            try message.request()
        )
    }

    /// Every custom message that arrives from now on.
    ///
    /// lnd drops what nobody reads and queues without bound for slow readers, so the closure
    /// should do nothing but hand over.
    ///
    /// - Parameters:
    ///   - opened: Called when the request is with the transport. lnd acknowledges nothing.
    ///   - body: Reads the messages; returning ends the subscription.
    /// - Returns: What the closure returns.
    /// - Throws: ``LndError``, or what the closure throws.
    package func subscribeCustomMessages<Result: Sendable>(
        opened: @escaping @Sendable () -> Void = {},
        _ body: @escaping @Sendable (LndStream<PeerMessage>) async throws -> Result
    ) async throws -> Result {
        try await stream(
            .subscribeCustomMessages,
            Lnrpc_SubscribeCustomMessagesRequest(),
            opened: opened,
            convert: { (message: Lnrpc_CustomMessage) throws(LndError) in
                try PeerMessage(message)
            },
            body: body
        )
    }
}
