package import LightningTypes

/// What an effect waits for before it may run.
///
/// Declared by each effect, so that whoever adds one has to decide.
package enum EffectTiming: Sendable {
    /// The step that asked for it must be on disk: a crash must not forget that it happened.
    case afterCommit
    /// Nothing: doing it and forgetting it does no harm.
    case atOnce
}

/// When a message's envelope ends; stamped at each sending (LCP v0.1 §4.1).
package enum EnvelopeExpiry: Equatable, Sendable {
    /// With what the message offers.
    case at(UnixTime)
    /// So many seconds after it is sent.
    case afterSending(seconds: UInt64)

    /// The window that receivers are advised to keep replay state for.
    package static let window = EnvelopeExpiry.afterSending(seconds: 600)

    /// The value of the envelope's `expiry`.
    ///
    /// - Parameter now: The time of this sending.
    /// - Returns: Unix seconds.
    package func time(sentAt now: UnixTime) -> UnixTime {
        switch self {
        case .at(let time): time
        case .afterSending(let seconds): now.advanced(bySeconds: seconds)
        }
    }
}
