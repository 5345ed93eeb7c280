package import BOLT11
package import LightningTypes

/// What the bridge may spend, and on whom.
///
/// The defaults let a fresh installation buy jobs of the size the protocol was made for (tens to
/// hundreds of satoshis) and bound what a worker that has gone mad can cost. Each limit counts the
/// highest routing fee as spent until the true fee is known.
package struct MoneyRules: Equatable, Sendable {
    /// The network of our node; an invoice of another one is never paid.
    package var network: Network

    /// The most a single payment may cost, its highest fee included: 10,000 sat.
    ///
    /// A hundred times an ordinary job.
    package var perPayment = Self.sat(10_000)
    /// The most that may be spent or reserved in any 24 hours: 100,000 sat.
    ///
    /// What the worst day costs before a person looks.
    package var dailyBudget = Self.sat(100_000)
    /// The most that may be spent or reserved in any 30 days: 1,000,000 sat.
    ///
    /// Ten such days, so that a slow leak ends as well.
    package var monthlyBudget = Self.sat(1_000_000)

    /// The fee a payment may always pay, however small it is: 10 sat.
    ///
    /// Ten hops at the base fee of 1 sat that lnd nodes charge by default; a small job fits no
    /// share.
    package var feeFloor = Self.sat(10)
    /// The share of the price a larger payment may pay as fee, in millionths: 10,000, one percent.
    ///
    /// At most 1,000,000 counts. The seller is a direct peer, so a usual route costs nothing.
    package var feeSharePPM: UInt32 = 10_000

    /// The most blocks a payee may ask the last hop to leave: 288, two days.
    ///
    /// lnd asks for 80 by default. Until they pass, a payee that neither takes the payment nor
    /// refuses it has our funds locked.
    package var maxFinalCLTV: UInt64 = 288
    /// The most blocks that a whole route may lock funds for: 1008, a week.
    ///
    /// The longest final delta and five hops of 144. lnd's own limit is two weeks.
    package var cltvLimit: UInt32 = 1008

    /// The longest an invoice may be payable from now on, in seconds: a day.
    ///
    /// A call whose outcome is unknown keeps its money reserved until the invoice has expired.
    package var maxInvoiceSeconds: UInt64 = 86_400
    /// How long lnd may begin new attempts at one payment, in seconds: 60, as lnd does by default.
    ///
    /// Less when `not_after` comes sooner.
    package var attemptSeconds: UInt32 = 60

    /// The only nodes that may be paid; nil allows every peer a client names.
    ///
    /// The payee is always the job's own peer.
    package var allowedPayees: Set<NodeID>?
    /// Whether to decide everything and pay nothing.
    package var isDryRun = false

    /// Makes rules with the default limits.
    package init(network: Network) { self.network = network }

    /// The most that routing a payment may cost.
    ///
    /// - Parameter amount: What the payee gets.
    /// - Returns: The floor, or the share of the amount if that is more.
    package func maxFee(for amount: MilliSatoshi) -> MilliSatoshi {
        let million: UInt64 = 1_000_000
        let share = UInt64(min(feeSharePPM, 1_000_000))
        // In two parts, so that nothing overflows; each is at most what it is a share of.
        let (millions, rest) = amount.msat.quotientAndRemainder(dividingBy: million)
        return max(feeFloor, MilliSatoshi(msat: millions * share + rest * share / million))
    }

    /// Whole satoshis far from the end of the range.
    private static func sat(_ amount: UInt32) -> MilliSatoshi {
        MilliSatoshi(msat: UInt64(amount) * 1000)
    }
}

extension MoneyRules {
    /// A rolling limit on what is spent and reserved.
    struct Budget {
        var code: String
        var words: String
        var seconds: UInt64
        var limit: MilliSatoshi
        var setting: MoneySetting
    }

    /// Both budgets, the shorter first.
    var budgets: [Budget] {
        [
            Budget(
                code: "daily-budget",
                words: "24 hours",
                seconds: 86_400,
                limit: dailyBudget,
                setting: .dailyBudget
            ),
            Budget(
                code: "monthly-budget",
                words: "30 days",
                seconds: 30 * 86_400,
                limit: monthlyBudget,
                setting: .monthlyBudget
            ),
        ]
    }
}

/// The settings of the money rules, by the names that refusals tell people to change.
package enum MoneySetting: String, CaseIterable, Sendable {
    /// ``MoneyRules/perPayment``, in satoshis.
    case perPayment = "per-payment-limit-sat"
    /// ``MoneyRules/dailyBudget``, in satoshis.
    case dailyBudget = "daily-budget-sat"
    /// ``MoneyRules/monthlyBudget``, in satoshis.
    case monthlyBudget = "monthly-budget-sat"
    /// ``MoneyRules/feeFloor``, in satoshis.
    case feeFloor = "fee-floor-sat"
    /// ``MoneyRules/feeSharePPM``.
    case feeShare = "fee-share-ppm"
    /// ``MoneyRules/maxFinalCLTV``.
    case maxFinalCLTV = "max-final-cltv"
    /// ``MoneyRules/cltvLimit``.
    case cltvLimit = "cltv-limit"
    /// ``MoneyRules/maxInvoiceSeconds``.
    case maxInvoiceSeconds = "max-invoice-seconds"
    /// ``MoneyRules/allowedPayees``, one node a time.
    case allowPayee = "allow-payee"
    /// ``MoneyRules/isDryRun``.
    case dryRun = "dry-run"

    /// The setting as the command line of lcp-bridge spells it.
    package var option: String { "--\(rawValue)" }
}
