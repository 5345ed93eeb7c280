import GRPCCore
import LndRPC
import SwiftProtobuf

/// `lnrpc.State` of one node, which needs no macaroon and answers in every state.
struct StateService: Lnrpc_State.SimpleServiceProtocol {
    private let base: NodeServices

    init(at base: NodeServices) { self.base = base }

    func getState(
        request: Lnrpc_GetStateRequest,
        context: ServerContext
    ) async throws -> Lnrpc_GetStateResponse {
        let phase = await base.world.phase(of: base.node)
        guard case .running(let state) = phase else { throw LndFault.unavailable }
        return .with { $0.state = Lnrpc_WalletState(state) }
    }

    func subscribeState(
        request: Lnrpc_SubscribeStateRequest,
        response: RPCWriter<Lnrpc_SubscribeStateResponse>,
        context: ServerContext
    ) async throws {
        try await base.send(to: response, of: context) { delivery in
            guard case .walletState(let state) = delivery else { return nil }
            return .with { $0.state = Lnrpc_WalletState(state) }
        } _: { [node = base.node] network throws(LndFault) in
            network.subscribeState(on: node)
        }
    }
}

extension Lnrpc_WalletState {
    init(_ state: WalletState) {
        self = Self(rawValue: state.rawValue) ?? .UNRECOGNIZED(state.rawValue)
    }
}

/// `verrpc.Versioner`.
struct VersionerService: Verrpc_Versioner.SimpleServiceProtocol {
    func getVersion(
        request: Verrpc_VersionRequest,
        context: ServerContext
    ) async throws -> Verrpc_Version {
        .with {
            $0.commit = "v\(SimulatedVersion.short)"
            $0.commitHash = SimulatedVersion.commitHash
            $0.version = SimulatedVersion.short
            $0.appMajor = SimulatedVersion.major
            $0.appMinor = SimulatedVersion.minor
            $0.appPatch = SimulatedVersion.patch
            $0.appPreRelease = SimulatedVersion.preRelease
            $0.buildTags = ["invoicesrpc", "routerrpc", "verrpc"]
            $0.goVersion = "go1.25"
        }
    }
}
