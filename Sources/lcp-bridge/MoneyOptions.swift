import ArgumentParser
import Bridge
import LightningTypes

/// What may be spent; the names are those that refusals tell people to change.
struct MoneyOptions: ParsableArguments {
    @Option(
        name: .customLong(MoneySetting.perPayment.rawValue),
        help: ArgumentHelp(
            "The most one payment may cost, its highest fee included. (default: 10000)",
            valueName: "sat"
        )
    )
    var perPayment: UInt64?

    @Option(
        name: .customLong(MoneySetting.dailyBudget.rawValue),
        help: ArgumentHelp(
            "What may be spent in 24 hours, fees included. (default: 100000)",
            valueName: "sat"
        )
    )
    var dailyBudget: UInt64?

    @Option(
        name: .customLong(MoneySetting.monthlyBudget.rawValue),
        help: ArgumentHelp(
            "What may be spent in 30 days, fees included. (default: 1000000)",
            valueName: "sat"
        )
    )
    var monthlyBudget: UInt64?

    @Option(
        name: .customLong(MoneySetting.feeFloor.rawValue),
        help: ArgumentHelp(
            "The highest routing fee of a small payment. (default: 10)",
            valueName: "sat"
        )
    )
    var feeFloor: UInt64?

    @Option(
        name: .customLong(MoneySetting.feeShare.rawValue),
        help: ArgumentHelp(
            "The highest routing fee as a share of the price. (default: 10000)",
            valueName: "ppm"
        )
    )
    var feeShare: UInt32?

    @Option(
        name: .customLong(MoneySetting.maxFinalCLTV.rawValue),
        help: ArgumentHelp(
            "The most blocks a payee may hold a payment. (default: 288)",
            valueName: "blocks"
        )
    )
    var maxFinalCLTV: UInt64?

    @Option(
        name: .customLong(MoneySetting.cltvLimit.rawValue),
        help: ArgumentHelp(
            "The most blocks a whole route may hold a payment. (default: 1008)",
            valueName: "blocks"
        )
    )
    var cltvLimit: UInt32?

    @Option(
        name: .customLong(MoneySetting.maxInvoiceSeconds.rawValue),
        help: ArgumentHelp(
            "The longest an invoice may be payable. (default: 86400)",
            valueName: "seconds"
        )
    )
    var maxInvoiceSeconds: UInt64?

    @Option(
        name: .customLong(MoneySetting.allowPayee.rawValue),
        help: ArgumentHelp("Pay only this node; repeat for more.", valueName: "key")
    )
    var allowedPayees: [PayeeKey] = []

    @Flag(
        name: .customLong(MoneySetting.dryRun.rawValue),
        help: "Check every payment and make none: each is refused with the reason dry-run."
    )
    var isDryRun = false

    func apply(to rules: inout MoneyRules) {
        func set(_ sat: UInt64?, _ path: WritableKeyPath<MoneyRules, MilliSatoshi>) {
            // Checked by `validate`.
            if let sat, let amount = MilliSatoshi(sat: sat) { rules[keyPath: path] = amount }
        }
        set(perPayment, \.perPayment)
        set(dailyBudget, \.dailyBudget)
        set(monthlyBudget, \.monthlyBudget)
        set(feeFloor, \.feeFloor)
        if let feeShare { rules.feeSharePPM = feeShare }
        if let maxFinalCLTV { rules.maxFinalCLTV = maxFinalCLTV }
        if let cltvLimit { rules.cltvLimit = cltvLimit }
        if let maxInvoiceSeconds { rules.maxInvoiceSeconds = maxInvoiceSeconds }
        if !allowedPayees.isEmpty { rules.allowedPayees = Set(allowedPayees.map(\.node)) }
        rules.isDryRun = isDryRun
    }

    func validate() throws {
        for sat in [perPayment, dailyBudget, monthlyBudget, feeFloor] {
            guard let sat else { continue }
            guard let amount = MilliSatoshi(sat: sat), amount <= .totalSupply else {
                throw ValidationError("\(sat) sat is more than all bitcoin")
            }
        }
        if let feeShare, feeShare > 1_000_000 {
            throw ValidationError("\(feeShare) ppm is more than the price itself")
        }
    }
}

/// A node's key, as 66 hex digits.
struct PayeeKey: ExpressibleByArgument {
    let node: NodeID

    init?(argument: String) {
        guard let node = NodeID(hex: argument.lowercased()) else { return nil }
        self.node = node
    }
}
