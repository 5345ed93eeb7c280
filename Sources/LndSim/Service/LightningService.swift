import BOLT11
import FoundationEssentials
import GRPCCore
import LightningTypes
import LndRPC
import SwiftProtobuf

/// `lnrpc.Lightning` of one node; peers, messages and money are in the extensions.
struct LightningService: Lnrpc_Lightning.SimpleServiceProtocol {
    let base: NodeServices

    var world: World { base.world }
    var node: NodeHandle { base.node }

    init(at base: NodeServices) { self.base = base }

    func getInfo(
        request: Lnrpc_GetInfoRequest,
        context: ServerContext
    ) async throws -> Lnrpc_GetInfoResponse {
        let information = try await world.call { [node] network throws(LndFault) in
            try network.information(of: node)
        }
        return .with {
            $0.identityPubkey = information.id.hex
            $0.alias = information.alias
            $0.numActiveChannels = information.activeChannels
            $0.numInactiveChannels = information.inactiveChannels
            $0.numPeers = information.peers
            $0.blockHeight = information.blockHeight
            $0.blockHash = information.blockHash
            $0.bestHeaderTimestamp = Int64(information.blockTime.seconds)
            $0.syncedToChain = information.isSynced
            $0.syncedToGraph = information.isSynced
            $0.walletSynced = information.isSynced
            $0.graphCacheStatus = .loaded
            $0.testnet = false
            $0.uris = [information.uri]
            $0.version = SimulatedVersion.text
            $0.commitHash = SimulatedVersion.commitHash
            $0.chains = [
                .with {
                    $0.chain = "bitcoin"
                    $0.network = PaymentRequests.network.rawValue
                }
            ]
            $0.color = "#3399ff"
            $0.features = FeatureNames.node
        }
    }

    func decodePayReq(
        request: Lnrpc_PayReqString,
        context: ServerContext
    ) async throws -> Lnrpc_PayReq {
        Lnrpc_PayReq(try PaymentRequests.decode(request.payReq))
    }

    func bakeMacaroon(
        request: Lnrpc_BakeMacaroonRequest,
        context: ServerContext
    ) async throws -> Lnrpc_BakeMacaroonResponse {
        let macaroon = try await world.call { [node] network, random throws(LndFault) in
            try network.bakeMacaroon(
                request.permissions.map(MacaroonPermission.init),
                rootKeyID: request.rootKeyID,
                allowExternal: request.allowExternalPermissions,
                rootKey: Redacted(random.bytes32()),
                nonce: random.bytes(16),
                on: node
            )
        }
        return .with { $0.macaroon = Hex.encode(macaroon.reveal("the caller asked for it")) }
    }

    func checkMacaroonPermissions(
        request: Lnrpc_CheckMacPermRequest,
        context: ServerContext
    ) async throws -> Lnrpc_CheckMacPermResponse {
        try await world.call { [node] network throws(LndFault) in
            try network.checkMacaroon(
                Array(request.macaroon),
                permissions: request.permissions.map(MacaroonPermission.init),
                method: request.fullMethod,
                usesMethodDefaults: request.checkDefaultPermsFromFullMethod,
                on: node
            )
        }
        return .with { $0.valid = true }
    }
}

extension MacaroonPermission {
    init(_ message: Lnrpc_MacaroonPermission) {
        self.init(entity: message.entity, action: message.action)
    }
}
