import ArgumentParser
import BridgeProtocol
import BusClient
import LightningTypes
import Synchronization

/// `lcp chat`: a conversation, each answer of which is a job that is bought.
struct Chat: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "chat",
        abstract: "Hold a conversation; each answer is quoted, paid and shown with its price.",
        discussion: """
            What was said goes along with every message, the oldest left out when the peer could not \
            receive it all, so later answers cost more than the first. Pays without asking as long as \
            --max-price and --budget allow it, else asks on a terminal and refuses in a pipe. Routing \
            fees count when they are known, which is after each payment: the last one's may exceed \
            the budget.

            In the conversation: /cost, /clear, /save FILE, /help, /quit. In a pipe each line is a \
            message; with --json each answer is one object a line, as of lcp ask, with total_msat. \
            In a pipe the first failure ends it, with 73 when a file to save to exists.

            \(ExitStatus.buyingHelp)
            """
    )

    @OptionGroup var bus: BusOptions
    @OptionGroup var target: TargetOptions

    @Option(help: ArgumentHelp("Instructions for the whole conversation.", valueName: "text"))
    var system: String?

    @Option(
        help: ArgumentHelp(
            "Pay up to this price in satoshis for each answer, routing fees apart.",
            valueName: "sats"
        )
    )
    var maxPrice: SatoshiArgument?

    @Option(
        help: ArgumentHelp(
            "Pay up to so many satoshis for all answers together, their fees included.",
            valueName: "sats"
        )
    )
    var budget: SatoshiArgument?

    @Option(help: ArgumentHelp("How long to wait for each answer.", valueName: "time"))
    var timeout = TimeSpanArgument(seconds: 120)

    @Flag(help: "Print JSON, one object an answer; errors too.")
    var json = false

    func run() async throws {
        let settings = ChatSettings(
            peer: target.peer,
            params: try target.params(),
            system: system,
            maxPrice: maxPrice?.amount,
            budget: budget?.amount,
            timeout: timeout.duration,
            isJSON: json
        )
        let present = PresentPurchase()
        do {
            try await bus.withClient { client in
                var talk = ChatTalk(settings, client, present)
                try await talk.run()
            }
        } catch is Interruption {
            guard let (purchase, job) = present.value else { throw Interruption() }
            throw CommandError(
                code: "interrupted",
                detail: "interrupted" + purchase.resumption(of: job),
                status: ExitStatus.interrupted
            )
        }
    }
}

/// What a chat was told on the command line.
struct ChatSettings: Sendable {
    var peer: NodeID
    var params: [UInt8]
    var system: String?
    var maxPrice: MilliSatoshi?
    var budget: MilliSatoshi?
    var timeout: Duration
    var isJSON: Bool
}

/// The purchase under way, for whoever has to say how to go on with it.
final class PresentPurchase: Sendable {
    private let purchase = Mutex<Purchase?>(nil)

    /// Takes the purchase that begins; nil when it has ended.
    func set(_ purchase: Purchase?) { self.purchase.withLock { $0 = purchase } }

    /// The purchase and its job; nil when there is none.
    var value: (Purchase, BusJob)? {
        purchase.withLock { purchase in
            guard let purchase, let job = purchase.job else { return nil }
            return (purchase, job)
        }
    }
}
