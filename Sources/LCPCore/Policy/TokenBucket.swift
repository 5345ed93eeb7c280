package import LightningTypes

/// A limit of so many requests a minute, as a value: time is passed in.
///
/// Begins full. Whole numbers only: a token is 60 parts, and every second adds one part for each
/// token a minute.
package struct TokenBucket: Equatable, Sendable {
    /// Tokens a minute, and the most the bucket holds.
    package let perMinute: UInt32
    /// What is left, in sixtieths of a token.
    package private(set) var parts: UInt64
    /// Up to when the bucket has been refilled.
    package private(set) var filledAt: UnixTime

    /// Makes a full bucket.
    ///
    /// - Parameters:
    ///   - perMinute: Tokens a minute; 0 lets nothing through.
    ///   - now: The time from which it refills.
    package init(perMinute: UInt32, at now: UnixTime) {
        self.perMinute = perMinute
        parts = UInt64(perMinute) * Self.partsPerToken
        filledAt = now
    }

    /// Takes a token if there is one.
    ///
    /// A clock that goes backwards refills nothing until it has caught up.
    ///
    /// - Parameter now: The time of the request.
    /// - Returns: Whether the request is within the limit.
    package mutating func take(at now: UnixTime) -> Bool {
        if now > filledAt {
            // After a minute the bucket is full, so longer pauses need no larger numbers.
            let seconds = min(now.seconds - filledAt.seconds, 60)
            let full = UInt64(perMinute) * Self.partsPerToken
            parts = min(full, parts + seconds * UInt64(perMinute))
            filledAt = now
        }
        guard parts >= Self.partsPerToken else { return false }
        parts -= Self.partsPerToken
        return true
    }

    private static let partsPerToken: UInt64 = 60
}
