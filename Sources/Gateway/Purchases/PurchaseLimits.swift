package import LightningTypes

/// What a purchase may cost, and how many there may be.
package struct PurchaseLimits: Equatable, Sendable {
    /// The highest price of one job, routing fees apart.
    package var ceiling = MilliSatoshi(msat: 1_000_000)
    /// Whether several peers are asked and the cheapest is paid; else the first.
    package var isCheapest = false
    /// How many peers are compared.
    package var comparedPeers = 4
    /// How long to wait for the quotes that are compared.
    package var comparison: Duration = .seconds(3)
    /// How many purchases may be under way.
    package var underWay = 2_048
    /// How many that are over are remembered for repetitions; the bridge is asked for older ones.
    package var remembered = 4_096
    /// How many connections may be open.
    package var connections = 4_096
    /// How long a request waits for its answer.
    package var answer: Duration = .seconds(600)
    /// How long requests under way may still take after a signal to end.
    package var drain: Duration = .seconds(20)

    /// The defaults above.
    package init() {}
}
