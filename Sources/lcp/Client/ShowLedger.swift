import ArgumentParser
import BridgeProtocol
import BusClient
import FoundationEssentials
import Glibc
import LCPInspector
import LightningTypes

/// `lcp ledger`: what was earned and spent.
struct ShowLedger: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ledger",
        abstract: "Show what this node earned and spent with jobs.",
        discussion: ExitStatus.clientHelp
    )

    @OptionGroup var bus: BusOptions
    @OptionGroup var output: OutputOptions

    @Option(help: ArgumentHelp("Only the last seconds, or 5m, 2h, 1d.", valueName: "time"))
    var since: TimeSpanArgument?

    @Option(help: "How many entries at most, 1 to 1000; the sums are of all.")
    var limit: UInt32 = 100

    @Option(help: ArgumentHelp("Go on where another page ended.", valueName: "next"))
    var page: String?

    func validate() throws {
        guard (1...1_000).contains(limit) else { throw ValidationError("--limit is 1 to 1000.") }
        guard page.map({ Hex.decode($0) != nil }) ?? true else {
            throw ValidationError("--page takes what next said.")
        }
    }

    func run() async throws {
        let now = UInt64(clamping: Glibc.time(nil))
        let start = since.map { now > $0.seconds ? now - $0.seconds : 1 } ?? 0
        let (limit, page) = (limit, Data(page.flatMap { Hex.decode($0) } ?? []))
        let ledger = try await bus.withClient { client in
            try await client.ledger(since: UnixTime(seconds: start), limit: limit, page: page)
        }
        try output.show(
            JSONText(ledger),
            columns: ["TIME", "EARNED", "SPENT", "FEE", "PROFILE", "CUT", "PEER", "JOB"],
            ledger.entries.map { entry in
                [
                    Words.time(entry.atUnix),
                    entry.earnedMsat == 0 ? "" : Words.sats(entry.earnedMsat),
                    entry.spentMsat == 0 ? "" : Words.sats(entry.spentMsat),
                    entry.feeMsat == 0 ? "" : Words.sats(entry.feeMsat),
                    entry.profile, entry.truncated ? "cut" : "", Words.short(entry.job.peer),
                    Words.short(entry.job.jobID),
                ]
            }
        )
        guard !output.json, StandardOutput.isTerminal else { return }
        let sums = """
            earned \(Words.sats(ledger.earnedMsat)), spent \(Words.sats(ledger.spentMsat)), fees \
            \(Words.sats(ledger.feesMsat))

            """
        try StandardOutput.write(Array(sums.utf8))
    }
}

extension JSONText {
    /// A page of the ledger with the sums over all pages.
    init(_ page: BusLedgerPage) {
        self = [
            "entries": .array(
                page.entries.map { entry in
                    [
                        "at_unix": .unix(entry.atUnix),
                        "role": .string(entry.job.role.label),
                        "peer_id": .hex(entry.job.peer),
                        "job_id": .hex(entry.job.jobID),
                        "profile": .string(entry.profile),
                        "earned_msat": .number(entry.earnedMsat),
                        "spent_msat": .number(entry.spentMsat),
                        "fee_msat": .number(entry.feeMsat),
                        "truncated": .bool(entry.truncated),
                        "payment_hash": .hex(entry.paymentHash),
                    ]
                }
            ),
            "next": .hex(page.next),
            "earned_msat": .number(page.earnedMsat),
            "spent_msat": .number(page.spentMsat),
            "fees_msat": .number(page.feesMsat),
        ]
    }
}
