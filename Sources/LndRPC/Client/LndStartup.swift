/// Decides how to wait until lnd is ready.
///
/// Pure: what happened and a random number go in, what to do next comes out. Follows lnd's State
/// service, which answers in every phase without a macaroon; where lnd is too old to have it,
/// `GetInfo` is asked again and again. Gives up only when the caller does.
package struct LndStartup: Equatable, Sendable {
    /// What is being waited for.
    package enum Phase: Equatable, Sendable {
        /// The first answer.
        case connecting
        /// An answer; the last attempt ended with this error.
        case noAnswer(LndError)
        /// lnd waits to become the leader of its cluster.
        case waitingToStart
        /// Somebody must create the wallet.
        case walletNotCreated
        /// Somebody must unlock the wallet.
        case walletLocked
        /// The RPC server comes up.
        case starting
        /// The node catches up with the chain.
        case syncing
        /// Nothing: calls and subscriptions can be made.
        case ready
    }

    /// What happened.
    enum Event: Equatable, Sendable {
        /// The State service told the state.
        case state(WalletState)
        /// `GetInfo` was answered.
        case answered
        /// The State service ended its stream with success.
        case ended
        /// The call failed.
        case failed(LndError)
    }

    /// What to do next.
    enum Step: Equatable, Sendable {
        /// Wait, then call `SubscribeState`.
        case subscribe(after: Duration)
        /// Wait, then call `GetInfo`.
        case poll(after: Duration)
        /// Read on.
        case read
        /// Stop waiting.
        case finish(LndError?)
    }

    /// What is being waited for.
    package private(set) var phase = Phase.connecting
    private var polls = false
    /// How many attempts in a row ended without any answer.
    private var failures = 0

    /// The first thing to do.
    static let first = Step.subscribe(after: .zero)

    /// Takes note of what happened.
    ///
    /// - Parameters:
    ///   - event: What happened.
    ///   - jitter: A random number from 0 up to 1, to spread the attempts of several processes.
    /// - Returns: What to do next.
    mutating func handle(_ event: Event, jitter: Double) -> Step {
        switch event {
        case .state(let state):
            failures = 0
            phase = Self.phase(of: state)
            return phase == .ready ? .finish(nil) : .read
        case .answered:
            phase = .ready
            return .finish(nil)
        case .ended:
            return again(jitter)
        case .failed(let error):
            return handle(error, jitter)
        }
    }

    private mutating func handle(_ error: LndError, _ jitter: Double) -> Step {
        switch error.code {
        case .cancelled, .closed:
            return .finish(error)
        case .unimplemented where !polls:
            polls = true
            return .poll(after: .zero)
        case .walletLocked: phase = .walletLocked
        case .walletNotCreated: phase = .walletNotCreated
        case .waitingToStart: phase = .waitingToStart
        case .starting: phase = .starting
        default:
            // Also what waiting can't cure, as a wrong certificate: the operator may.
            phase = .noAnswer(error)
            failures += 1
            return again(jitter)
        }
        failures = 0
        return again(jitter)
    }

    private func again(_ jitter: Double) -> Step {
        let delay = Self.delay(afterFailures: failures, jitter: jitter)
        return polls ? .poll(after: delay) : .subscribe(after: delay)
    }

    /// From half a second, doubling up to 16 s, of which the random half may be left out.
    static func delay(afterFailures failures: Int, jitter: Double) -> Duration {
        .milliseconds(500 << min(max(failures - 1, 0), 5)) * (0.5 + jitter / 2)
    }

    private static func phase(of state: WalletState) -> Phase {
        switch state {
        case .waitingToStart: .waitingToStart
        case .nonExisting: .walletNotCreated
        case .locked: .walletLocked
        case .unlocked: .starting
        case .rpcActive: .syncing
        case .serverActive: .ready
        }
    }
}

extension LndStartup.Phase: CustomStringConvertible {
    /// What is being waited for, and what an operator can do about it.
    package var description: String {
        switch self {
        case .connecting: "waiting for lnd to answer"
        case .noAnswer(let error): "waiting for lnd to answer: \(error)"
        case .waitingToStart: "waiting for lnd to become the leader of its cluster"
        case .walletNotCreated: "no wallet: create it with lncli create"
        case .walletLocked: "wallet locked: unlock it with lncli unlock"
        case .starting: "waiting for lnd to start"
        case .syncing: "waiting for lnd to sync with the chain"
        case .ready: "lnd is ready"
        }
    }
}
