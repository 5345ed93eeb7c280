/// Decides about the subscriptions of an XPUB socket in manual mode and keeps track of them.
///
/// Pure: it is told what libzmq reports and says what to do about it. It guards against three
/// things in libzmq 4.3.4, each seen there:
///
/// - A request is accepted for "the last pipe". When the peer has gone before its request is
///   read, that pipe is freed memory, and sending to the accepted topic reads it. So each accepted
///   subscription has a delivery topic of its own, nothing is sent before all news is read, and
///   never to a topic whose peer has gone.
/// - A peer that sends a message upstream (XSUB) shifts the queue of pipes against the queue of
///   requests: the next request would be accepted for another peer, which then receives what was
///   meant for the first. So after such a message nothing is accepted until the queue was empty.
/// - A death is reported by topic, without the peer, once for each peer that asked for the topic,
///   refused ones too.
struct SubscriptionLedger {
    /// One thing that libzmq reported.
    enum News {
        case subscribe([UInt8], sender: CurvePublicKey?, peerAddress: String?)
        case unsubscribe([UInt8])
        case message
    }

    /// What to do with libzmq's last pipe.
    enum Action: Equatable {
        case nothing
        case accept([UInt8])
        case remove([[UInt8]])
    }

    private struct Topic {
        var accepted: [Subscription] = []
        /// Peers that asked for the topic while it had an accepted subscription, those included.
        var peers = 0
    }

    private let policy: @Sendable (SubscriptionRequest) -> Bool
    private let limit: Int
    private var topics: [[UInt8]: Topic] = [:]
    private var live: Set<UInt64> = []
    private var lastID: UInt64 = 0
    private var acceptedSinceDry: Set<UInt64> = []
    private var isShifted = false
    /// Not yet taken; a start and an end of the same subscription cancel out, so that its size is
    /// bounded by twice the limit.
    private var events: [SubscriptionEvent] = []

    /// Whether all news has been read, so that sending is safe.
    private(set) var isDry = true
    private(set) var counts = SubscriptionCounts()

    init(limit: Int, policy: @escaping @Sendable (SubscriptionRequest) -> Bool) {
        self.limit = limit
        self.policy = policy
    }

    func isLive(_ subscription: Subscription) -> Bool { live.contains(subscription.id) }

    mutating func takeEvents() -> [SubscriptionEvent] {
        defer { events = [] }
        return events
    }

    /// libzmq had nothing more to report: its two queues are empty and in step again.
    mutating func ranDry() {
        isDry = true
        isShifted = false
        acceptedSinceDry = []
    }

    mutating func handle(_ news: News) -> Action {
        isDry = false
        switch news {
        case .message:
            counts.strayMessages += 1
            isShifted = true
            return .nothing
        case .subscribe(let topic, let sender, let peerAddress):
            topics[topic]?.peers += 1
            let request = SubscriptionRequest(
                topic: topic,
                accepted: topics[topic]?.accepted.count ?? 0,
                sender: sender,
                peerAddress: peerAddress
            )
            return decide(request)
        case .unsubscribe(let topic):
            let addresses = topics[topic]?.accepted.map(\.deliveryTopic) ?? []
            end(topic)
            return addresses.isEmpty || isShifted ? .nothing : .remove(addresses)
        }
    }

    private mutating func decide(_ request: SubscriptionRequest) -> Action {
        guard !isShifted else {
            counts.unattributable += 1
            return .nothing
        }
        guard live.count < limit, policy(request) else {
            counts.refused += 1
            return .nothing
        }
        lastID += 1
        let subscription = Subscription(
            id: lastID,
            topic: request.topic,
            sender: request.sender,
            peerAddress: request.peerAddress
        )
        // Its peer was counted already if the topic was known.
        topics[request.topic, default: Topic(peers: 1)].accepted.append(subscription)
        live.insert(lastID)
        acceptedSinceDry.insert(lastID)
        events.append(.started(subscription))
        return .accept(subscription.deliveryTopic)
    }

    /// One peer of a topic has gone.
    private mutating func end(_ name: [UInt8]) {
        guard var topic = topics[name] else { return }
        topic.peers -= 1
        // Accepted in this very round, so its pipe may be the freed one: it must go in any case.
        let doubtful =
            topic.peers == 0
            ? topic.accepted
            : topic.accepted.filter { subscription in
                acceptedSinceDry.contains(subscription.id)
            }
        for subscription in doubtful { finish(subscription) }
        topic.accepted.removeAll { doubtful.contains($0) }
        topics[name] = topic.accepted.isEmpty ? nil : topic
        guard !topic.accepted.isEmpty else { return }
        events.removeAll { event in
            if case .unclear(let known) = event { known.first?.topic == name } else { false }
        }
        events.append(.unclear(topic.accepted))
    }

    private mutating func finish(_ subscription: Subscription) {
        live.remove(subscription.id)
        if let start = events.firstIndex(of: .started(subscription)) {
            events.remove(at: start)
        } else {
            events.append(.ended(subscription))
        }
    }
}
