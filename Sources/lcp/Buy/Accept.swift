import ArgumentParser
import BridgeProtocol
import BusClient
import LightningTypes

/// `lcp accept`: buys a quote that is at hand.
struct Accept: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Buy a quoted job, and print the answer.",
        discussion: """
            Accepting twice pays once. Prints what lcp ask prints.

            \(ExitStatus.buyingHelp)
            """
    )

    @OptionGroup var options: PurchaseOptions
    @OptionGroup var job: JobArgument

    @Option(
        help: ArgumentHelp(
            "Refuse a higher price in satoshis, routing fees apart; the quote's own without.",
            valueName: "sats"
        )
    )
    var maxPrice: SatoshiArgument?

    func run() async throws {
        let key = job.key
        let ceiling = maxPrice?.amount
        try await options.run { purchase, client in
            let job = try await purchase.follow(key, client) { $0.view.stage != .quoting }
            let price = MilliSatoshi(msat: job.view.priceMsat)
            guard job.view.stage == .quoted else {
                return try await purchase.follow(key, client) { $0.view.stage.isEnd }
            }
            if let ceiling, ceiling < price {
                throw CommandError(
                    code: "refused-by-price",
                    detail: """
                        the price is \(Words.sats(price.msat)); --max-price is \
                        \(Words.sats(ceiling.msat)); the quote stays as it is
                        """,
                    status: ExitStatus.refusedByPrice
                )
            }
            return try await purchase.buy(job, upTo: ceiling ?? price, from: client)
        }
    }
}
