import GRPCCore
import LightningTypes
import SwiftProtobuf

/// `simnetrpc.Control`: faults on demand.
struct ControlService: Simnetrpc_Control.SimpleServiceProtocol {
    let world: World

    func getStatus(
        request: Simnetrpc_StatusRequest,
        context: ServerContext
    ) async throws -> Simnetrpc_StatusResponse {
        let calls = await world.allCalls
        return await world.callFreely { network in
            var total: UInt64 = 0
            let nodes = network.allNodes.map { node in
                Simnetrpc_NodeStatus.with {
                    let record = network.record(of: node)
                    $0.name = record.name
                    $0.pubkey = record.id.hex
                    $0.calls = calls[node] ?? [:]
                    $0.streams = UInt32(network.streamCount(of: node))
                    if case .running(let state) = network.phase(of: node) {
                        $0.walletState = Simnetrpc_WalletState(state)
                    }
                    for channel in network.channels(of: node) {
                        guard let end = channel.end(of: node) else { continue }
                        $0.localMsat += channel.balanceMsat[end]
                        total += channel.balanceMsat[end] + channel.pendingMsat[end]
                    }
                }
            }
            return .with {
                $0.nodes = nodes
                $0.time = network.now.unix.seconds
                $0.totalMsat = total
            }
        }
    }

    func separatePeers(
        request: Simnetrpc_SeparatePeersRequest,
        context: ServerContext
    ) async throws -> Simnetrpc_Done {
        try await change { network throws(LndFault) in
            network.separatePeers(
                try network.named(request.node),
                try network.named(request.peer),
                staysDown: request.staysDown,
                lateOffline: request.lateOffline
            )
        }
    }

    func joinPeers(
        request: Simnetrpc_JoinPeersRequest,
        context: ServerContext
    ) async throws -> Simnetrpc_Done {
        try await change { network throws(LndFault) in
            network.joinPeers(try network.named(request.node), try network.named(request.peer))
        }
    }

    func setMessageFaults(
        request: Simnetrpc_MessageFaultsRequest,
        context: ServerContext
    ) async throws -> Simnetrpc_Done {
        try await change { network throws(LndFault) in
            var faults = LinkFaults()
            faults.dropNext = request.dropNext
            faults.duplicateNext = request.duplicateNext
            faults.delayMilliseconds = request.delayMilliseconds
            faults.wait = try request.wait.sendingWait()
            network.setLinkFaults(
                faults,
                from: try network.named(request.from),
                to: try network.named(request.to)
            )
        }
    }

    func failPayments(
        request: Simnetrpc_FailPaymentsRequest,
        context: ServerContext
    ) async throws -> Simnetrpc_Done {
        try await change { network throws(LndFault) in
            let fault: PaymentFault
            switch request.fault {
            case .failureReason(let number):
                guard let reason = UInt8(exactly: number).flatMap(PaymentFailureReason.init),
                    reason != .none
                else { throw .invalidArgument("failure_reason is 1 to 6, not \(number)") }
                fault = .fail(reason)
            case .delayMilliseconds(let delay): fault = .delay(delay)
            case .hang: fault = .hang
            case .registerOnly: fault = .registerOnly
            case .loseCall: fault = .loseCall
            case .breakStreamAfter(let updates): fault = .breakStream(afterUpdates: Int(updates))
            case nil: throw .invalidArgument("a fault must be set")
            }
            network.failNextPayments(
                fault,
                count: max(1, Int(request.count)),
                of: try network.named(request.node)
            )
        }
    }

    func releasePayments(
        request: Simnetrpc_ReleasePaymentsRequest,
        context: ServerContext
    ) async throws -> Simnetrpc_Done {
        try await change { network throws(LndFault) in
            network.releaseHungPayments(
                of: try network.named(request.node),
                succeed: request.succeed
            )
        }
    }

    func breakStreams(
        request: Simnetrpc_BreakStreamsRequest,
        context: ServerContext
    ) async throws -> Simnetrpc_BreakStreamsResponse {
        let count = try await world.call { network throws(LndFault) in
            var fault = LndFault.unavailable
            if request.code != 0 { fault.code = Int(request.code) }
            if !request.message.isEmpty { fault.text = request.message }
            return network.breakStreams(
                try request.kind.streamKind(),
                fault: fault,
                of: try network.named(request.node)
            )
        }
        return .with { $0.count = UInt32(count) }
    }

    func stallStreams(
        request: Simnetrpc_StallStreamsRequest,
        context: ServerContext
    ) async throws -> Simnetrpc_Done {
        try await change { network throws(LndFault) in
            let node = try network.named(request.node)
            let kind = try request.kind.streamKind()
            for kind in kind.map({ [$0] }) ?? StreamKind.allCases {
                network.stallStreams(kind, request.stall, of: node)
            }
        }
    }

    func setWalletState(
        request: Simnetrpc_SetWalletStateRequest,
        context: ServerContext
    ) async throws -> Simnetrpc_Done {
        try await change { network throws(LndFault) in
            guard let state = WalletState(rawValue: request.state.rawValue) else {
                throw .invalidArgument("unknown state \(request.state.rawValue)")
            }
            network.setWalletState(state, of: try network.named(request.node))
        }
    }

    func restartNode(
        request: Simnetrpc_RestartNodeRequest,
        context: ServerContext
    ) async throws -> Simnetrpc_Done {
        try await change { network throws(LndFault) in
            network.restartNode(
                try network.named(request.node),
                downMilliseconds: request.downMilliseconds == 0 ? 100 : request.downMilliseconds,
                millisecondsPerState: request.stateMilliseconds == 0
                    ? 100 : request.stateMilliseconds,
                locked: request.locked,
                orderly: request.orderly
            )
        }
    }

    func jumpSettleIndex(
        request: Simnetrpc_JumpSettleIndexRequest,
        context: ServerContext
    ) async throws -> Simnetrpc_Done {
        try await change { network throws(LndFault) in
            let node = try network.named(request.node)
            if request.restart { network.restartSettleIndex(of: node) }
            network.jumpSettleIndex(by: request.by, of: node)
        }
    }

    func delayExpiry(
        request: Simnetrpc_DelayExpiryRequest,
        context: ServerContext
    ) async throws -> Simnetrpc_Done {
        try await change { network throws(LndFault) in
            network.delayExpiryWatcher(
                byMilliseconds: request.milliseconds,
                of: try network.named(request.node)
            )
        }
    }

    func advanceTime(
        request: Simnetrpc_AdvanceTimeRequest,
        context: ServerContext
    ) async throws -> Simnetrpc_Done {
        await world.advance(bySeconds: request.seconds)
        return Simnetrpc_Done()
    }

    private func change(
        _ body: @Sendable (inout SimulatedNetwork) throws(LndFault) -> Void
    ) async throws -> Simnetrpc_Done {
        try await world.call(body)
        return Simnetrpc_Done()
    }
}

extension SimulatedNetwork {
    fileprivate func named(_ name: String) throws(LndFault) -> NodeHandle {
        guard let node = node(named: name) else { throw .notFound("no node is called \(name)") }
        return node
    }
}

extension Simnetrpc_StreamKind {
    /// The kind; nil for all.
    fileprivate func streamKind() throws(LndFault) -> StreamKind? {
        switch self {
        case .all: nil
        case .customMessages: .customMessages
        case .peerEvents: .peerEvents
        case .invoices: .invoices
        case .singleInvoice: .singleInvoice
        case .payments: .payments
        case .state: .state
        case .UNRECOGNIZED(let number): throw .invalidArgument("unknown kind \(number)")
        }
    }
}

extension Simnetrpc_Wait {
    fileprivate func sendingWait() throws(LndFault) -> SendingWait? {
        switch self {
        case .nothing: nil
        case .handshake: .handshake
        case .queue: .queue
        case .UNRECOGNIZED(let number): throw .invalidArgument("unknown wait \(number)")
        }
    }
}

extension Simnetrpc_WalletState {
    init(_ state: WalletState) {
        self = Self(rawValue: state.rawValue) ?? .UNRECOGNIZED(state.rawValue)
    }
}
