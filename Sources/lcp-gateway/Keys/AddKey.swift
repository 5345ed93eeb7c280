import ArgumentParser
import Gateway
import LightningTypes

/// `lcp-gateway keys add`: makes a key and shows it, once.
struct AddKey: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add",
        abstract: "Make a key, and print it: the only time that it can be seen.",
        discussion: """
            The key alone goes to standard output; its id, which the other commands and the logs \
            know it by, to standard error.
            """
    )

    @Argument(help: "Whom the key is for.")
    var name: String

    @Option(help: ArgumentHelp("What it may spend in any 24 hours.", valueName: "sat"))
    var budgetDay: UInt64?

    @Option(help: ArgumentHelp("What it may spend in all.", valueName: "sat"))
    var budget: UInt64?

    @Option(help: ArgumentHelp("How many requests it may make in a minute.", valueName: "count"))
    var rate: UInt32?

    @OptionGroup var option: KeyFileOption

    func validate() throws {
        guard KeyRecord.isName(name) else {
            throw ValidationError("A name has 1 to 64 characters on one line.")
        }
        guard rate != 0 else { throw ValidationError("--rate is at least 1.") }
        for sat in [budgetDay, budget].compactMap(\.self)
        where sat > MilliSatoshi.totalSupply.msat / 1_000 {
            throw ValidationError("There will never be \(sat) sat.")
        }
    }

    func run() async throws {
        let token = BearerToken.random()
        let record = KeyRecord(
            name: name,
            hash: token.hash,
            created: .ofSystem,
            budget: KeyRecord.Budget(
                day: budgetDay.flatMap(MilliSatoshi.init(sat:)),
                total: budget.flatMap(MilliSatoshi.init(sat:))
            ),
            requestsPerMinute: rate
        )
        try option.failing { () throws(KeyRingError) in
            try option.file.change { keys throws(KeyRingError) in try keys.add(record) }
        }
        Output.write("\(record.id) is the key of \(name); it is not shown again:\n", to: .error)
        Output.write(token.reveal("whoever made it has to hand it on") + "\n")
    }
}
