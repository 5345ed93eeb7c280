package import BusClient
import LightningCrypto
import LightningTypes

/// The purchases of one identity, numbered from 0 without gaps.
///
/// The bridge keeps the keys of submissions for a month. So the series stands in the bridge alone,
/// and a gateway that knows nothing finds its end by asking.
package struct PurchaseSeries: Hashable, Sendable {
    private let name: Bytes32
    /// The stretch of time that its purchases were begun in, counted from 1970; 0 for a series
    /// without an end.
    let window: UInt64

    /// How long a window is, in seconds: no longer than answers are kept, so that who has begun
    /// purchases in it still knows them.
    private static let windowSeconds: UInt64 = 900

    /// The window that a time is in.
    static func window(at time: UnixTime) -> UInt64 { time.seconds / windowSeconds }

    /// When a window begins.
    static func start(ofWindow window: UInt64) -> UnixTime {
        UnixTime(seconds: window * windowSeconds)
    }

    init(_ base: Bytes32, window: UInt64) {
        self.window = window
        name = SHA256.hash(base.bytes + Self.bytes(window))
    }

    /// The key under which the purchase of a number is submitted.
    package func key(_ number: UInt64) -> SubmissionKey {
        SubmissionKey(SHA256.hash(name.bytes + Self.bytes(number)))
    }

    /// How many purchases a series has, for a caller who can only ask for one at a time.
    ///
    /// - Parameter exists: Whether there is the purchase of a number.
    /// - Returns: The first number without one.
    /// - Throws: What `exists` throws.
    package static func count(
        _ exists: @Sendable (UInt64) async throws -> Bool
    ) async throws -> UInt64 {
        guard try await exists(0) else { return 0 }
        var (low, high): (UInt64, UInt64) = (0, 1)
        while try await exists(high) { (low, high) = (high, high * 2) }
        while high - low > 1 {
            let middle = low + (high - low) / 2
            if try await exists(middle) { low = middle } else { high = middle }
        }
        return high
    }

    private static func bytes(_ number: UInt64) -> [UInt8] {
        withUnsafeBytes(of: number.bigEndian) { Array($0) }
    }
}
