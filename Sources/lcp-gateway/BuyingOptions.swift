import ArgumentParser
import Gateway
import LightningTypes

/// Whom the gateway asks, and what it may pay.
struct BuyingOptions: ParsableArguments {
    @Option(
        parsing: .singleValue,
        help: ArgumentHelp(
            """
            Call a profile by another name, with @KEY that of one peer; repeat for more. Without, a \
            model is the name of a profile.
            """,
            valueName: "model=profile"
        )
    )
    var model: [ModelRoutes.Alias] = []

    @Option(
        parsing: .singleValue,
        help: ArgumentHelp(
            "Ask this peer alone, or these in their order; every peer that offers a model without.",
            valueName: "key"
        )
    )
    var peer: [NodeID] = []

    @Flag(help: "Ask up to four peers for a quote and buy from the cheapest; else from the first.")
    var cheapest = false

    @Option(
        help: ArgumentHelp("The most one request may cost, routing fees apart.", valueName: "sat")
    )
    var maxPrice: UInt64 = 1_000

    @Option(
        help: ArgumentHelp(
            "How long a request waits for its answer; a paid job goes on after it.",
            valueName: "seconds"
        )
    )
    var answerSeconds: UInt32 = 600

    @Option(help: ArgumentHelp("How many jobs may be under way.", valueName: "count"))
    var maxJobs: UInt32 = 2_048

    @Option(help: ArgumentHelp("How many connections may be open.", valueName: "count"))
    var maxConnections: UInt32 = 4_096

    func validate() throws {
        guard MilliSatoshi(sat: maxPrice) != nil else {
            throw ValidationError("--max-price is more than there is.")
        }
        guard answerSeconds > 0, maxJobs > 0, maxConnections > 0 else {
            throw ValidationError(
                "--answer-seconds, --max-jobs and --max-connections are at least 1."
            )
        }
    }

    func apply(to options: inout GatewayOptions) {
        options.routes = ModelRoutes(aliases: model, peers: peer)
        options.purchases.ceiling = MilliSatoshi(sat: maxPrice) ?? options.purchases.ceiling
        options.purchases.isCheapest = cheapest
        options.purchases.answer = .seconds(Int64(answerSeconds))
        options.purchases.underWay = Int(maxJobs)
        options.purchases.connections = Int(maxConnections)
    }
}

extension ModelRoutes.Alias: ExpressibleByArgument {
    /// Reads `model=profile` or `model=profile@key`.
    init?(argument: String) { self.init(argument) }
}

extension NodeID: ExpressibleByArgument {
    /// Reads 66 hex digits.
    init?(argument: String) { self.init(hex: argument) }
}
