/// The states of lnd's wallet and server, `lnrpc.WalletState`.
package enum WalletState: Int, CaseIterable, Sendable {
    /// No wallet exists.
    case nonExisting = 0
    /// The wallet waits for its password.
    case locked = 1
    /// The RPC server is coming up.
    case unlocked = 2
    /// RPCs answer, but the node still waits for the chain.
    case rpcActive = 3
    /// Ready.
    case serverActive = 4
    /// Waiting for leader election.
    case waitingToStart = 255

    /// Whether lnd can't read what its wallet protects.
    package var isBeforeUnlock: Bool {
        switch self {
        case .waitingToStart, .nonExisting, .locked: true
        case .unlocked, .rpcActive, .serverActive: false
        }
    }

    /// What every RPC but those of the State service answers in this state; nil lets calls through.
    package var refusal: LndFault? {
        switch self {
        case .waitingToStart: .unknown("waiting to start, RPC services not available")
        case .nonExisting: .unknown("wallet not created, create one to enable full RPC access")
        case .locked: .unknown("wallet locked, unlock it to enable full RPC access")
        case .unlocked:
            .unknown(
                "the RPC server is in the process of starting up, but not yet ready to accept calls"
            )
        case .rpcActive, .serverActive: nil
        }
    }
}

/// Whether a node's process runs, and how far it has come up.
package enum NodePhase: Hashable, Sendable {
    /// No process: connections are refused, and those that were open broke, or ended in order.
    case stopped(orderly: Bool)
    /// The process runs with its wallet in this state.
    case running(WalletState)
}

/// The rest of a start: which state comes next, and how long each lasts.
struct StartUp: Hashable, Sendable {
    var states: [WalletState]
    var millisecondsPerState: UInt64
    /// Tells this start from one that was overtaken by another command.
    var attempt: UInt64
}

extension SimulatedNetwork {
    /// How far a node has come up.
    package func phase(of node: NodeHandle) -> NodePhase { nodes[node.index].phase }

    /// Lets a node serve at once; its peers with channels and its permanent peers connect.
    package mutating func startNode(_ node: NodeHandle) {
        enter(.running(.serverActive), node)
    }

    /// Ends a node's process: streams break and peers see it go; nothing durable changes.
    ///
    /// - Parameters:
    ///   - node: The node.
    ///   - orderly: Whether lnd was told to stop and says its last words on the streams.
    package mutating func stopNode(_ node: NodeHandle, orderly: Bool = false) {
        if orderly {
            let subscribers = nodes[node.index].subscribers
            for id in subscribers.state { end(id, .unknown("server exiting")) }
            for id in subscribers.customMessages { end(id, .unknown("shutdown")) }
            for id in subscribers.invoices { end(id) }
        }
        enter(.stopped(orderly: orderly), node)
    }

    /// Restarts a node: it is gone for a moment, then comes up step by step.
    ///
    /// - Parameters:
    ///   - node: The node.
    ///   - downMilliseconds: How long connections to it are refused.
    ///   - millisecondsPerState: How long it stays in each of `UNLOCKED` and `RPC_ACTIVE`.
    ///   - locked: Whether it stops at `LOCKED` until ``setWalletState(_:of:)``.
    ///   - orderly: As in ``stopNode(_:orderly:)``.
    package mutating func restartNode(
        _ node: NodeHandle,
        downMilliseconds: UInt64,
        millisecondsPerState: UInt64,
        locked: Bool = false,
        orderly: Bool = false
    ) {
        stopNode(node, orderly: orderly)
        nodes[node.index].faults.startUps += 1
        let startUp = StartUp(
            states: locked ? [.locked] : [.unlocked, .rpcActive, .serverActive],
            millisecondsPerState: millisecondsPerState,
            attempt: nodes[node.index].faults.startUps
        )
        schedule(.startUp(node, startUp), at: now.advanced(byMilliseconds: downMilliseconds))
    }

    /// Puts a node's wallet into a state, as an operator's unlock or a fault would.
    package mutating func setWalletState(_ state: WalletState, of node: NodeHandle) {
        nodes[node.index].faults.startUps += 1
        enter(.running(state), node)
    }

    /// Opens a SubscribeState stream: the current state at once, then every change.
    package mutating func subscribeState(on node: NodeHandle) -> SubscriptionID {
        let id = open(.state, on: node)
        if case .running(let state) = nodes[node.index].phase {
            deliver(.walletState(state), to: id)
        } else {
            end(id, .unavailable)
        }
        return id
    }

    /// Refuses calls that the node's phase does not let through (lnd's interceptor).
    package func checkServing(_ node: NodeHandle) throws(LndFault) {
        switch nodes[node.index].phase {
        case .stopped: throw .unavailable
        case .running(let state):
            if let refusal = state.refusal { throw refusal }
        }
    }

    func checkStarted(_ node: NodeHandle) throws(LndFault) {
        guard isStarted(node) else {
            throw .unknown("server is still in the process of starting")
        }
    }

    func isStarted(_ node: NodeHandle) -> Bool {
        nodes[node.index].phase == .running(.serverActive)
    }

    mutating func continueStartUp(of node: NodeHandle, _ startUp: StartUp) {
        guard startUp.attempt == nodes[node.index].faults.startUps,
            let state = startUp.states.first
        else { return }
        enter(.running(state), node)
        let rest = StartUp(
            states: Array(startUp.states.dropFirst()),
            millisecondsPerState: startUp.millisecondsPerState,
            attempt: startUp.attempt
        )
        guard !rest.states.isEmpty else { return }
        schedule(
            .startUp(node, rest),
            at: now.advanced(byMilliseconds: startUp.millisecondsPerState)
        )
    }

    private mutating func enter(_ phase: NodePhase, _ node: NodeHandle) {
        let previous = nodes[node.index].phase
        guard phase != previous else { return }
        nodes[node.index].phase = phase
        emit(.phase(node, phase))

        switch phase {
        case .stopped:
            for id in streams(of: node, kind: nil) { end(id, .unavailable) }
            dropConnections(of: node)
        case .running(let state):
            for id in nodes[node.index].subscribers.state { deliver(.walletState(state), to: id) }
            if state == .serverActive {
                connectToPeers(of: node)
            } else {
                dropConnections(of: node)
            }
        }
        finishWork()
    }
}
