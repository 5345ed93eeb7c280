import FoundationEssentials
import GRPCCore
import LightningTypes
import LndRPC
import SwiftProtobuf

extension LightningService {
    func listPeers(
        request: Lnrpc_ListPeersRequest,
        context: ServerContext
    ) async throws -> Lnrpc_ListPeersResponse {
        let peers = try await world.call { [node] network throws(LndFault) in
            try network.listPeers(on: node)
        }
        return .with {
            $0.peers = peers.map { peer in
                .with {
                    $0.pubKey = peer.id.hex
                    $0.address = peer.address
                    $0.inbound = peer.isInbound
                    $0.bytesSent = peer.bytesSent
                    $0.bytesRecv = peer.bytesReceived
                    $0.flapCount = peer.flapCount
                    $0.syncType = .activeSync
                    $0.features = FeatureNames.node
                }
            }
        }
    }

    func connectPeer(
        request: Lnrpc_ConnectPeerRequest,
        context: ServerContext
    ) async throws -> Lnrpc_ConnectPeerResponse {
        let status = try await world.call { [node] network throws(LndFault) in
            guard request.hasAddr else { throw .unknown("need: lnc pubkeyhash@hostname") }
            return try network.connectPeer(
                key: request.addr.pubkey,
                host: request.addr.host,
                isPermanent: request.perm,
                on: node
            )
        }
        return .with { $0.status = status }
    }

    func disconnectPeer(
        request: Lnrpc_DisconnectPeerRequest,
        context: ServerContext
    ) async throws -> Lnrpc_DisconnectPeerResponse {
        let status = try await world.call { [node] network throws(LndFault) in
            try network.disconnectPeer(key: request.pubKey, on: node)
        }
        return .with { $0.status = status }
    }

    func subscribePeerEvents(
        request: Lnrpc_PeerEventSubscription,
        response: RPCWriter<Lnrpc_PeerEvent>,
        context: ServerContext
    ) async throws {
        try await base.send(to: response, of: context) { delivery in
            guard case .peerEvent(let event) = delivery else { return nil }
            return .with {
                $0.pubKey = event.peer.hex
                $0.type = event.isOnline ? .peerOnline : .peerOffline
            }
        } _: { [node] network throws(LndFault) in
            try network.subscribePeerEvents(on: node)
        }
    }

    func sendCustomMessage(
        request: Lnrpc_SendCustomMessageRequest,
        context: ServerContext
    ) async throws -> Lnrpc_SendCustomMessageResponse {
        let (sending, end) = try await world.send { [node] network throws(LndFault) in
            try network.sendCustomMessage(
                to: Array(request.peer),
                type: request.type,
                data: Array(request.data),
                on: node
            )
        }
        if case .waiting(let id) = sending, let end {
            try await base.follow(end, of: id, in: context)
        }
        return .with { $0.status = SimulatedNetwork.sentStatus }
    }

    func subscribeCustomMessages(
        request: Lnrpc_SubscribeCustomMessagesRequest,
        response: RPCWriter<Lnrpc_CustomMessage>,
        context: ServerContext
    ) async throws {
        try await base.send(to: response, of: context) { delivery in
            guard case .customMessage(let message) = delivery else { return nil }
            return .with {
                $0.peer = Data(message.peer.bytes)
                $0.type = UInt32(message.type)
                $0.data = Data(message.data)
            }
        } _: { [node] network throws(LndFault) in
            try network.subscribeCustomMessages(on: node)
        }
    }
}
