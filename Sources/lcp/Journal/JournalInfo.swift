import ArgumentParser
import Journal
import LCPInspector
import LightningTypes

/// `lcp journal info`: a journal in numbers.
struct JournalInfo: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "info",
        abstract: "Show how much a journal holds.",
        discussion: JournalFailure.help
    )

    @OptionGroup var output: OutputOptions

    @Argument(help: "The journal's file.", completion: .file())
    var journal: String

    func run() throws {
        let summary = try JournalFailure.translating { () throws(JournalError) in
            try JournalFile(path: journal).summary()
        }
        try output.show(JSONText(summary), title: "journal")
    }
}

extension JSONText {
    /// Everything a summary says.
    fileprivate init(_ summary: JournalSummary) {
        self = [
            "schema_version": .number(summary.schemaVersion),
            "file_bytes": .number(summary.fileBytes),
            "log_bytes": .number(summary.logBytes),
            "backed_up_at": .number(summary.backedUpAt?.seconds),
            "open_jobs": .number(summary.openJobs),
            "parked_jobs": .number(summary.parkedJobs),
            "finished_jobs": .number(summary.finishedJobs),
            "changed_at": .number(summary.changedAt?.seconds),
            "open_invoices": .number(summary.openInvoices),
            "unresolved_payments": .number(summary.unresolvedPayments),
            "reserved_msat": .number(summary.reserved.msat),
            "ledger_entries": .number(summary.ledgerEntries),
        ]
    }
}
