import ArgumentParser

/// `lcp journal`: looks after a bridge's journal, also while the bridge runs.
struct JournalCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "journal",
        abstract: "Check, copy, restore and measure a bridge's journal.",
        discussion: """
            All but restore read the file and change nothing, beside a running bridge too. No \
            prompt, result or invoice is shown.

            \(JournalFailure.help)
            """,
        subcommands: [
            JournalCheck.self, JournalBackup.self, JournalRestore.self, JournalInfo.self,
        ]
    )
}
