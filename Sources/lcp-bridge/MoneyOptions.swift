import ArgumentParser
import BOLT11
import Bridge
import LightningTypes

/// What may be spent; the names are those that refusals tell people to change.
struct MoneyOptions: ParsableArguments {
    private static let standard = MoneyRules(network: .mainnet)

    @Option(
        name: .customLong(MoneySetting.perPayment.rawValue),
        help: ArgumentHelp(
            "The most one payment may cost, its highest fee included.",
            valueName: "sat"
        )
    )
    var perPayment = Self.standard.perPayment.msat / 1000

    @Option(
        name: .customLong(MoneySetting.dailyBudget.rawValue),
        help: ArgumentHelp(
            "What may be spent in 24 hours, fees included.",
            valueName: "sat"
        )
    )
    var dailyBudget = Self.standard.dailyBudget.msat / 1000

    @Option(
        name: .customLong(MoneySetting.monthlyBudget.rawValue),
        help: ArgumentHelp(
            "What may be spent in 30 days, fees included.",
            valueName: "sat"
        )
    )
    var monthlyBudget = Self.standard.monthlyBudget.msat / 1000

    @Option(
        name: .customLong(MoneySetting.feeFloor.rawValue),
        help: ArgumentHelp(
            "The highest routing fee of a small payment.",
            valueName: "sat"
        )
    )
    var feeFloor = Self.standard.feeFloor.msat / 1000

    @Option(
        name: .customLong(MoneySetting.feeShare.rawValue),
        help: ArgumentHelp(
            "The highest routing fee as a share of the price.",
            valueName: "ppm"
        )
    )
    var feeShare = Self.standard.feeSharePPM

    @Option(
        name: .customLong(MoneySetting.maxFinalCLTV.rawValue),
        help: ArgumentHelp(
            "The most blocks a payee may hold a payment.",
            valueName: "blocks"
        )
    )
    var maxFinalCLTV = Self.standard.maxFinalCLTV

    @Option(
        name: .customLong(MoneySetting.cltvLimit.rawValue),
        help: ArgumentHelp(
            "The most blocks a whole route may hold a payment.",
            valueName: "blocks"
        )
    )
    var cltvLimit = Self.standard.cltvLimit

    @Option(
        name: .customLong(MoneySetting.maxInvoiceSeconds.rawValue),
        help: ArgumentHelp(
            "The longest an invoice may be payable.",
            valueName: "seconds"
        )
    )
    var maxInvoiceSeconds = Self.standard.maxInvoiceSeconds

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
        func set(_ sat: UInt64, _ path: WritableKeyPath<MoneyRules, MilliSatoshi>) {
            // Checked by `validate`.
            if let amount = MilliSatoshi(sat: sat) { rules[keyPath: path] = amount }
        }
        set(perPayment, \.perPayment)
        set(dailyBudget, \.dailyBudget)
        set(monthlyBudget, \.monthlyBudget)
        set(feeFloor, \.feeFloor)
        rules.feeSharePPM = feeShare
        rules.maxFinalCLTV = maxFinalCLTV
        rules.cltvLimit = cltvLimit
        rules.maxInvoiceSeconds = maxInvoiceSeconds
        if !allowedPayees.isEmpty { rules.allowedPayees = Set(allowedPayees.map(\.node)) }
        rules.isDryRun = isDryRun
    }

    func validate() throws {
        let amounts: [(MoneySetting, UInt64)] = [
            (.perPayment, perPayment), (.dailyBudget, dailyBudget),
            (.monthlyBudget, monthlyBudget), (.feeFloor, feeFloor),
        ]
        for (setting, sat) in amounts {
            guard let amount = MilliSatoshi(sat: sat), amount <= .totalSupply else {
                throw ValidationError("\(setting.option): \(sat) sat is more than all bitcoin")
            }
        }
        if feeShare > 1_000_000 {
            throw ValidationError(
                "\(MoneySetting.feeShare.option): \(feeShare) ppm is more than the price itself"
            )
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
