import ArgumentParser

/// `lcp journal`: looks after a bridge's journal, also while the bridge runs.
struct JournalCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "journal",
        abstract: "Check, copy and measure a bridge's journal.",
        discussion: """
            Reads the file and changes nothing, beside a running bridge too. No prompt, result or \
            invoice is shown.

            \(JournalFailure.help)
            """,
        subcommands: [JournalCheck.self, JournalBackup.self, JournalInfo.self]
    )
}
