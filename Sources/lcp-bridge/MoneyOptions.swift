import ArgumentParser
import Bridge
import LightningTypes

/// What may be spent, in satoshis.
struct MoneyOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The most one payment may cost, without fees.", valueName: "sat"))
    var maxPayment: UInt64?

    @Option(help: ArgumentHelp("What may be spent in 24 hours, fees included.", valueName: "sat"))
    var dailyBudget: UInt64?

    @Option(help: ArgumentHelp("What may be spent in 30 days, fees included.", valueName: "sat"))
    var monthlyBudget: UInt64?

    @Flag(help: "Decide about payments and make none.")
    var dryRun = false

    func apply(to rules: inout MoneyRules) {
        func set(_ sat: UInt64?, _ path: WritableKeyPath<MoneyRules, MilliSatoshi>) {
            if let sat, let amount = MilliSatoshi(sat: sat) { rules[keyPath: path] = amount }
        }
        set(maxPayment, \.perPayment)
        set(dailyBudget, \.dailyBudget)
        set(monthlyBudget, \.monthlyBudget)
        rules.isDryRun = dryRun
    }

    func validate() throws {
        for sat in [maxPayment, dailyBudget, monthlyBudget] {
            guard let sat else { continue }
            guard let amount = MilliSatoshi(sat: sat), amount <= .totalSupply else {
                throw ValidationError("\(sat) sat is more than all bitcoin")
            }
        }
    }
}
