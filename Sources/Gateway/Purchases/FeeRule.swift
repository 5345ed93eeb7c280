package import BridgeProtocol
import BusClient
package import LightningTypes

/// What routing a payment may cost, as the bridge has it.
package struct FeeRule: Equatable, Sendable {
    /// What may always be paid.
    private var floor = MilliSatoshi(msat: 10_000)
    /// The share of a larger price, in millionths.
    private var sharePPM: UInt64 = 10_000

    /// The rule of a bridge that was told nothing else.
    package init() {}

    /// The rule of a bridge; one that does not say it has the rule of all.
    package init(_ status: BusStatus) {
        guard status.feeFloorMsat > 0 || status.feeSharePpm > 0 else { return }
        floor = MilliSatoshi(msat: status.feeFloorMsat)
        sharePPM = UInt64(min(status.feeSharePpm, 1_000_000))
    }

    /// The most that a job of a price may cost, its routing fee included.
    package func most(_ price: MilliSatoshi) -> MilliSatoshi {
        let (millions, rest) = price.msat.quotientAndRemainder(dividingBy: 1_000_000)
        let share = MilliSatoshi(msat: millions * sharePPM + rest * sharePPM / 1_000_000)
        return price.adding(max(floor, share)) ?? .totalSupply
    }
}

/// The bridge's rule, as of some seconds ago; it changes only when the bridge is started anew.
actor FeeRules {
    private let client: BusClient
    private var known: FeeRule?
    private var askedAt: ContinuousClock.Instant?

    /// How old the rule may be.
    private static let age = Duration.seconds(5)

    init(_ client: BusClient) { self.client = client }

    /// The rule.
    ///
    /// - Throws: `BusClientError`; `CancellationError`.
    func now() async throws -> FeeRule {
        if let known, let askedAt, .now - askedAt < Self.age { return known }
        // Whoever comes while this is asked for takes the old rule, if there is one.
        askedAt = .now
        let rule = FeeRule(try await client.status())
        known = rule
        return rule
    }
}
