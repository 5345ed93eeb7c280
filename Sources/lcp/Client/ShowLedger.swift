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
        discussion: """
            Entries come a page at a time, oldest first; the sums are always of all entries since \
            --since. --csv writes all entries as RFC 4180 has it, amounts in msat, times in Unix \
            seconds.

            PROMPT and COMPLETION are the tokens that the backend counted for what was sold; nothing \
            for a backend that does not count, and for what was bought.

            An entry without a job is unattributed: lnd knew of it, and a journal that was \
            restored from a backup did not. Its peer is the payee, or this node itself for what \
            was received.

            \(ExitStatus.clientHelp)
            """
    )

    @OptionGroup var bus: BusOptions
    @OptionGroup var output: OutputOptions

    @Option(help: ArgumentHelp("Only the last seconds, or 5m, 2h, 1d.", valueName: "time"))
    var since: TimeSpanArgument?

    @Flag(help: "Show a line for each peer and profile instead of entries.")
    var sums = false

    @Flag(help: "Print comma-separated values: every entry, or with --sums every line.")
    var csv = false

    @Option(help: "How many entries at most, 1 to 1000; the sums are of all.")
    var limit: UInt32 = 100

    @Option(help: ArgumentHelp("Go on where another page ended.", valueName: "next"))
    var page: String?

    func validate() throws {
        guard (1...1_000).contains(limit) else { throw ValidationError("--limit is 1 to 1000.") }
        guard page.map({ Hex.decode($0) != nil }) ?? true else {
            throw ValidationError("--page takes what next said.")
        }
        guard !(csv && output.json) else {
            throw ValidationError("--csv and --json exclude each other.")
        }
        guard page == nil || !(csv || sums) else {
            throw ValidationError("--page is for entries; --csv and --sums are of all.")
        }
    }

    func run() async throws {
        let now = UInt64(clamping: Glibc.time(nil))
        let start = UnixTime(seconds: since.map { now > $0.seconds ? now - $0.seconds : 1 } ?? 0)
        if sums { return try await showSums(since: start) }
        if csv { return try await writeEntries(since: start) }
        let (limit, page) = (limit, Data(page.flatMap { Hex.decode($0) } ?? []))
        let ledger = try await bus.withClient { client in
            try await client.ledger(since: start, limit: limit, page: page)
        }
        try output.show(
            JSONText(ledger),
            columns: [
                "TIME", "EARNED", "SPENT", "FEE", "PROFILE", "PROMPT", "COMPLETION", "CUT", "PEER",
                "JOB",
            ],
            ledger.entries.map { entry in
                [
                    Words.time(entry.atUnix),
                    entry.earnedMsat == 0 ? "" : Words.sats(entry.earnedMsat),
                    entry.spentMsat == 0 ? "" : Words.sats(entry.spentMsat),
                    entry.feeMsat == 0 ? "" : Words.sats(entry.feeMsat),
                    entry.profile, entry.inputTokens == 0 ? "" : "\(entry.inputTokens)",
                    entry.outputTokens == 0 ? "" : "\(entry.outputTokens)",
                    entry.truncated ? "cut" : "", Words.short(entry.job.peer),
                    entry.isUnattributed ? "unattributed" : Words.short(entry.job.jobID),
                ]
            }
        )
        try showTotal(ledger)
    }

    // MARK: - All entries

    private func showSums(since start: UnixTime) async throws {
        var sums = LedgerSums()
        let last = try await eachPage(since: start) { page in
            for entry in page.entries { sums.add(entry) }
        }
        let lines = sums.sorted
        if csv {
            try write(["peer_id", "profile", "entries", "earned_msat", "spent_msat", "fees_msat"])
            for (name, line) in lines {
                try write(
                    [
                        Hex.encode(name.peer), name.profile, "\(line.entries)", "\(line.earned)",
                        "\(line.spent)", "\(line.fees)",
                    ]
                )
            }
            return
        }
        try output.show(
            [
                "sums": sums.json,
                "earned_msat": .number(last.earnedMsat),
                "spent_msat": .number(last.spentMsat),
                "fees_msat": .number(last.feesMsat),
            ],
            columns: ["PEER", "PROFILE", "JOBS", "EARNED", "SPENT", "FEES"],
            lines.map { name, line in
                [
                    Words.short(name.peer), name.profile, "\(line.entries)",
                    Words.sats(line.earned), Words.sats(line.spent), Words.sats(line.fees),
                ]
            }
        )
        try showTotal(last)
    }

    private func writeEntries(since start: UnixTime) async throws {
        try write(
            [
                "at_unix", "role", "peer_id", "job_id", "profile", "earned_msat", "spent_msat",
                "fee_msat", "truncated", "unattributed", "payment_hash", "input_tokens",
                "output_tokens",
            ]
        )
        _ = try await eachPage(since: start) { page in
            for entry in page.entries {
                try write(
                    [
                        "\(entry.atUnix)", entry.job.role.label, Hex.encode(entry.job.peer),
                        entry.isUnattributed ? "" : Hex.encode(entry.job.jobID), entry.profile,
                        "\(entry.earnedMsat)", "\(entry.spentMsat)", "\(entry.feeMsat)",
                        "\(entry.truncated)", "\(entry.isUnattributed)",
                        Hex.encode(entry.paymentHash), "\(entry.inputTokens)",
                        "\(entry.outputTokens)",
                    ]
                )
            }
        }
    }

    /// Reads page after page.
    ///
    /// - Returns: The last page, whose sums are of all entries that were read.
    private func eachPage(
        since start: UnixTime,
        _ body: (BusLedgerPage) throws -> Void
    ) async throws -> BusLedgerPage {
        var next = Data()
        while true {
            let page = try await bus.withClient { [next] client in
                try await client.ledger(since: start, limit: 1_000, page: next)
            }
            try body(page)
            guard !page.next.isEmpty else { return page }
            next = page.next
        }
    }

    private func write(_ fields: [String]) throws {
        try StandardOutput.write(Array(CSV.record(fields).utf8))
    }

    private func showTotal(_ ledger: BusLedgerPage) throws {
        guard !output.json, StandardOutput.isTerminal else { return }
        let total = """
            earned \(Words.sats(ledger.earnedMsat)), spent \(Words.sats(ledger.spentMsat)), fees \
            \(Words.sats(ledger.feesMsat))

            """
        try StandardOutput.write(Array(total.utf8))
    }
}

extension BusLedgerEntry {
    /// Whether no job is known of: lnd told a restored journal of it.
    var isUnattributed: Bool { !job.jobID.isEmpty && job.jobID.allSatisfy { $0 == 0 } }
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
                        "job_id": entry.isUnattributed ? .null : .hex(entry.job.jobID),
                        "profile": .string(entry.profile),
                        "earned_msat": .number(entry.earnedMsat),
                        "spent_msat": .number(entry.spentMsat),
                        "fee_msat": .number(entry.feeMsat),
                        "truncated": .bool(entry.truncated),
                        "unattributed": .bool(entry.isUnattributed),
                        "payment_hash": .hex(entry.paymentHash),
                        "input_tokens": .number(entry.inputTokens),
                        "output_tokens": .number(entry.outputTokens),
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
