/// One accepted subscription of one connected peer.
///
/// Messages go to it alone, also when other peers subscribed to the same topic.
package struct Subscription: Hashable, Sendable, Identifiable {
    /// Counts accepted subscriptions of the socket; never used twice.
    package let id: UInt64
    /// The topic as the peer asked for it.
    package let topic: [UInt8]
    /// Whose key the connection was authenticated with; nil without CURVE.
    package let sender: CurvePublicKey?
    /// Where the peer is, as libzmq tells: an address, over `ipc` `localhost:uid:gid:pid`.
    package let peerAddress: String?

    /// Frame 0 of what is sent to it: the topic, a zero byte and the id in eight bytes.
    ///
    /// A SUB socket matches prefixes, so the peer receives it without knowing.
    package var deliveryTopic: [UInt8] {
        topic + [0] + withUnsafeBytes(of: id.bigEndian) { Array($0) }
    }
}

/// One message for one subscription.
package struct Delivery: Sendable {
    /// Where to; its ``Subscription/deliveryTopic`` becomes frame 0.
    package let subscription: Subscription
    /// The message after its topic frame.
    package let frames: [Frame]

    /// Takes both.
    package init(_ frames: [Frame], to subscription: Subscription) {
        self.subscription = subscription
        self.frames = frames
    }
}

/// A peer's wish to receive a topic, on which somebody has to decide.
package struct SubscriptionRequest: Sendable {
    /// The topic it asked for; a prefix or empty, if the peer likes.
    package var topic: [UInt8]
    /// How many accepted subscriptions the topic has.
    package var accepted: Int
    /// Whose key the connection was authenticated with; nil without CURVE.
    package var sender: CurvePublicKey?
    /// Where the peer is, as libzmq tells: an address, over `ipc` `localhost:uid:gid:pid`.
    package var peerAddress: String?
}

/// What happened to the subscriptions of an XPUB socket.
package enum SubscriptionEvent: Equatable, Sendable {
    /// A subscription was accepted; messages may be sent to it.
    case started(Subscription)
    /// The peer unsubscribed, disconnected or died; messages to it are refused from now on.
    case ended(Subscription)
    /// A peer with this topic has gone, and several had it: libzmq does not tell which.
    ///
    /// Whoever must know asks each of the accepted ones, in order of their ids, for an answer.
    case unclear([Subscription])
}

/// How many requests and messages an XPUB socket turned away.
package struct SubscriptionCounts: Equatable, Sendable {
    /// Requests that the policy or the limit refused.
    package var refused = 0
    /// Requests that came among messages of the peers, so that libzmq could not say whose they
    /// were; an honest peer among them connects again.
    package var unattributable = 0
    /// Messages that peers sent; a subscriber has nothing to say on this socket.
    package var strayMessages = 0
}
