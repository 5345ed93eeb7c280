package import LndRPC

/// The connection to lnd: where it stands, and what to do next.
///
/// Pure: what happened and a random number go in, what to do comes out. Waits until lnd is ready,
/// asks who it is, opens the three subscriptions, and only then looks at the peers. A stream that
/// ends, however it ends, is opened again after a pause; when none stands, lnd counts as lost and
/// everything begins anew. That is a new *life*: what an older one still reports is ignored.
package struct LndLink: Equatable, Sendable {
    /// One of the subscriptions.
    package enum Stream: String, Hashable, Sendable, CaseIterable {
        /// SubscribeCustomMessages.
        case messages = "custom messages"
        /// SubscribePeerEvents.
        case peers = "peer events"
        /// SubscribeInvoices.
        case invoices
    }

    /// Where the connection stands.
    package enum State: Equatable, Sendable {
        /// lnd isn't ready.
        case waiting(LndStartup.Phase)
        /// lnd was asked who it is.
        case introducing
        /// Not all subscriptions are on their way, and peers were not looked at yet.
        case subscribing(NodeInfo)
        /// Every subscription is on its way; lnd was asked for its peers.
        case looking(NodeInfo)
        /// Everything can be used. Streams that ended are being opened again.
        case ready(NodeInfo)
    }

    /// What happened.
    enum Event: Equatable, Sendable {
        /// What is being waited for.
        case phase(LndStartup.Phase)
        /// lnd takes calls and subscriptions.
        case answering
        /// lnd said who it is.
        case introduced(NodeInfo)
        /// lnd did not say who it is.
        case notIntroduced(LndError)
        /// A subscription's request is with the transport; lnd acknowledges none.
        case opened(Stream)
        /// A subscription ended, with success or an error, after it was good for something or not.
        case ended(Stream, LndError?, wasGood: Bool)
        /// The pause before a subscription is opened again is over.
        case rested(Stream)
        /// Peers and channels are known.
        case looked
        /// Peers and channels could not be had.
        case notLooked(LndError)
        /// Who is connected is doubtful: look again.
        case doubted
    }

    /// What to do.
    enum Effect: Equatable, Sendable {
        /// Wait until lnd is ready, after a pause.
        case await(after: Duration)
        /// Ask lnd who it is.
        case introduce
        /// Open a subscription now.
        case open(Stream)
        /// Report `rested` after a pause.
        case rest(Stream, Duration)
        /// Ask for peers and channels, after a pause.
        case look(after: Duration)
        /// Tell the engine.
        case tell(News)
    }

    /// What the engine must know.
    enum News: Equatable, Sendable {
        case ready(NodeInfo)
        case lost(LndError)
        case messagesReopened
        case invoicesReopened
    }

    private enum Flow: Hashable, Sendable {
        case resting
        case opening
        case open
    }

    /// Where the connection stands.
    package private(set) var state = State.waiting(.connecting)
    /// Counts the beginnings.
    private(set) var life: UInt64 = 1
    /// Why the last call or stream failed, until everything is in order again.
    private(set) var trouble: LndError?
    private var flows: [Stream: Flow] = [:]
    private var failures: [Stream: Int] = [:]
    private var failedLives = 0
    private var failedLooks = 0
    private var isLooking = false
    private var looksAgain = false
    private let firstPause: Duration
    private let longestPause: Duration

    /// A connection not begun yet; see ``first``.
    init(firstPause: Duration = .milliseconds(100), longestPause: Duration = .seconds(16)) {
        self.firstPause = firstPause
        self.longestPause = longestPause
    }

    /// The first thing to do.
    static let first = Effect.await(after: .zero)

    /// Whether messages can be sent and peers are known.
    package var isReady: Bool {
        if case .ready = state { true } else { false }
    }

    /// The subscriptions that don't stand, in order; all of them while nothing was opened.
    package var closed: [Stream] { Stream.allCases.filter { flows[$0] != .open } }

    /// Who the node is; nil until it has said.
    package var node: NodeInfo? {
        switch state {
        case .waiting, .introducing: nil
        case .subscribing(let node), .looking(let node), .ready(let node): node
        }
    }

    /// Takes note of what happened.
    ///
    /// - Parameters:
    ///   - event: What happened.
    ///   - life: The life it belongs to: the one in which the effect behind it was given.
    ///   - jitter: A random number from 0 up to 1, to spread the attempts of several processes.
    /// - Returns: What to do, in order.
    mutating func handle(_ event: Event, of life: UInt64, jitter: Double) -> [Effect] {
        guard life == self.life else { return [] }
        switch (state, event) {
        case (.waiting, .phase(let phase)):
            state = .waiting(phase)
            return []
        case (.waiting, .answering):
            state = .introducing
            return [.introduce]
        case (.introducing, .introduced(let node)):
            state = .subscribing(node)
            flows = [.messages: .opening, .peers: .opening, .invoices: .opening]
            return Stream.allCases.map { .open($0) }
        case (.introducing, .notIntroduced(let error)):
            return beginAnew(error, jitter)

        case (.subscribing(let node), .opened(let stream)):
            flows[stream] = .open
            guard closed.isEmpty else { return [] }
            state = .looking(node)
            return look()
        case (.ready, .opened(let stream)):
            flows[stream] = .open
            calmDown()
            switch stream {
            case .messages: return [.tell(.messagesReopened)]
            case .invoices: return [.tell(.invoicesReopened)]
            case .peers: return look()
            }
        case (.subscribing, .rested(let stream)), (.looking, .rested(let stream)),
            (.ready, .rested(let stream)):
            flows[stream] = .opening
            return [.open(stream)]
        case (.subscribing, .ended(let stream, let error, let wasGood)),
            (.looking, .ended(let stream, let error, let wasGood)),
            (.ready, .ended(let stream, let error, let wasGood)):
            return ended(stream, error, wasGood, jitter)

        case (.looking(let node), .looked):
            state = .ready(node)
            calmDown()
            return [.tell(.ready(node))] + finishLook()
        case (.subscribing, .looked), (.ready, .looked):
            calmDown()
            return finishLook()
        case (.subscribing, .notLooked(let error)), (.looking, .notLooked(let error)),
            (.ready, .notLooked(let error)):
            trouble = error
            failedLooks += 1
            return [.look(after: pause(afterFailures: failedLooks - 1, jitter))]
        case (.looking, .doubted), (.ready, .doubted):
            return look()

        // Late, or of no use before the subscriptions stand.
        case (_, .phase), (_, .answering), (_, .introduced), (_, .notIntroduced), (_, .opened),
            (_, .ended), (_, .rested), (_, .looked), (_, .notLooked), (_, .doubted):
            return []
        }
    }

    private mutating func ended(
        _ stream: Stream,
        _ error: LndError?,
        _ wasGood: Bool,
        _ jitter: Double
    ) -> [Effect] {
        let error =
            error ?? LndError(.serverExiting, "the stream of \(stream.rawValue) was ended by lnd")
        trouble = error
        flows[stream] = .resting
        if wasGood {
            failures[stream] = 0
            failedLives = 0
        } else {
            failures[stream, default: 0] += 1
        }
        // No call is under way now, so that nothing of this life can be left behind.
        guard flows.values.contains(where: { $0 != .resting }) else {
            return beginAnew(error, jitter)
        }
        if case .looking(let node) = state { state = .subscribing(node) }
        let failures = max(0, (failures[stream] ?? 0) - 1)
        return [.rest(stream, pause(afterFailures: failures, jitter))]
    }

    private mutating func beginAnew(_ error: LndError, _ jitter: Double) -> [Effect] {
        let wasReady = isReady
        state = .waiting(.noAnswer(error))
        trouble = error
        life += 1
        flows = [:]
        (isLooking, looksAgain, failedLooks) = (false, false, 0)
        let pause = failedLives == 0 ? .zero : pause(afterFailures: failedLives - 1, jitter)
        failedLives += 1
        return (wasReady ? [.tell(.lost(error))] : []) + [.await(after: pause)]
    }

    private mutating func look() -> [Effect] {
        guard !isLooking else {
            // What is under way may be older than the doubt.
            looksAgain = true
            return []
        }
        isLooking = true
        return [.look(after: .zero)]
    }

    private mutating func finishLook() -> [Effect] {
        isLooking = false
        failedLooks = 0
        guard looksAgain else { return [] }
        looksAgain = false
        return look()
    }

    private mutating func calmDown() {
        if closed.isEmpty { trouble = nil }
    }

    /// From the first pause, doubling up to the longest, of which the random half may be left out.
    private func pause(afterFailures failures: Int, _ jitter: Double) -> Duration {
        min(firstPause * (1 << min(failures, 20)), longestPause) * (0.5 + jitter / 2)
    }
}

/// Where the connection to lnd stands, in words.
package struct LndLinkStatus: Hashable, Sendable, CustomStringConvertible {
    /// A short stable label: `waiting`, `introducing`, `subscribing`, `looking`, `mending`, `ready`.
    package var name: String
    /// What it waits for and what an operator can do about it; empty when all is well.
    package var detail: String

    /// Both in one line.
    package var description: String { detail.isEmpty ? name : "\(name): \(detail)" }
}

extension LndLink {
    /// Where the connection stands, in words.
    package var status: LndLinkStatus {
        let trouble = trouble.map(\.description) ?? ""
        switch state {
        case .waiting(let phase): return LndLinkStatus(name: "waiting", detail: phase.description)
        case .introducing: return LndLinkStatus(name: "introducing", detail: trouble)
        case .subscribing: return LndLinkStatus(name: "subscribing", detail: trouble)
        case .looking: return LndLinkStatus(name: "looking", detail: trouble)
        case .ready where closed.isEmpty: return LndLinkStatus(name: "ready", detail: trouble)
        case .ready:
            let streams = closed.map(\.rawValue).joined(separator: ", ")
            return LndLinkStatus(name: "mending", detail: "opening \(streams) again; \(trouble)")
        }
    }
}
