import ArgumentParser
import Glibc
import Journal
import LCPInspector
import LightningTypes

/// `lcp journal restore`: a backup in a journal's place.
struct JournalRestore: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore",
        abstract: "Put a backup in a journal's place, while its bridge is stopped.",
        discussion: """
            The backup stays as it is; what was in its new place is kept as \
            JOURNAL.replaced-TIME. Refused while a bridge has the journal, and when the journal \
            there is another node's.

            The next start of the bridge holds every job back until it has compared the journal \
            with lnd. Payments and invoices that lnd knows and the backup does not are booked: \
            they count in the budgets, and lcp ledger shows them as unattributed. Jobs made since \
            the backup are lost, so what they bought can't be fetched any more. A job older than \
            an unattributed payment to its peer is not paid again, unless that payment was for \
            its own invoice.

            \(JournalFailure.help)
            """
    )

    @OptionGroup var output: OutputOptions

    @Argument(help: "The backup's file.", completion: .file())
    var copy: String

    @Argument(help: "The journal's file; it need not exist.", completion: .file())
    var journal: String

    func run() throws {
        let backup = try JournalFailure.translating { () throws(JournalError) in
            try JournalFile(path: copy)
        }
        let restored = try JournalFailure.translating(about: .copy) { () throws(JournalError) in
            try backup.restore(to: journal, now: UnixTime(seconds: UInt64(max(0, time(nil)))))
        }
        try output.show(
            [
                "journal": .string(journal),
                "replaced": restored.replaced.map { .string($0) } ?? .null,
                "backed_up_at": .number(restored.backedUpAt.seconds),
            ],
            title: "restored"
        )
    }
}
