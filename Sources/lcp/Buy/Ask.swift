import ArgumentParser
import BridgeProtocol
import BusClient
import LightningTypes

/// `lcp ask`: quote, pay, result.
struct Ask: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Buy a job: ask for a quote, pay it, print the answer.",
        discussion: """
            Pays without asking when the price is at most --max-price. Otherwise asks on a terminal, \
            and refuses in a pipe. The job's id is printed before any money moves; whatever happens \
            afterwards, lcp result JOB fetches the answer.

            With --json, standard output is one object: peer_id, job_id, role, stage, price_msat, \
            fee_msat, terms_hash, payment_hash, preimage, content_type, result (result_hex when it \
            is no text), failure, times.

            EXAMPLE
              lcp ask --peer 02… --profile small --max-price 100 "Say hello in one word."

            \(ExitStatus.buyingHelp)
            """
    )

    @OptionGroup var options: PurchaseOptions
    @OptionGroup var task: TaskOptions

    @Option(
        help: ArgumentHelp(
            "Pay up to this price in satoshis, routing fees apart.",
            valueName: "sats"
        )
    )
    var maxPrice: SatoshiArgument?

    func run() async throws {
        let submission = try task.submission()
        let ceiling = maxPrice?.amount
        let mayAsk = !options.json && Question.isPossible
        try await options.run { purchase, client in
            let quoted = try await purchase.quote(submission, from: client)
            guard quoted.view.stage == .quoted else { return quoted }
            let price = MilliSatoshi(msat: quoted.view.priceMsat)
            if let ceiling, price <= ceiling {
                return try await purchase.buy(quoted, upTo: ceiling, from: client)
            }
            guard mayAsk else {
                let why =
                    ceiling.map { "--max-price is \(Words.sats($0.msat))" }
                    ?? "give --max-price to buy without a terminal"
                return try await purchase.refuse(quoted, why, from: client)
            }
            guard try await purchase.confirm(quoted) else {
                return try await purchase.refuse(quoted, "declined", from: client)
            }
            return try await purchase.buy(quoted, upTo: price, from: client)
        }
    }
}
