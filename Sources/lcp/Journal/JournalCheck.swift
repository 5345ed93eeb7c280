import ArgumentParser
import Journal
import LCPInspector

/// `lcp journal check`: whether the file is what was written.
struct JournalCheck: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Look for damage in a journal.",
        discussion: """
            Reads the whole file. A damaged journal is no longer written to: stop the bridge, keep \
            a copy of the files, and put the last backup in its place: lcp journal restore.

            \(JournalFailure.help)
            """
    )

    @Flag(help: "Leave out comparing indexes with their tables.")
    var quick = false

    @OptionGroup var output: OutputOptions

    @Argument(help: "The journal's file.", completion: .file())
    var journal: String

    func run() throws {
        let findings = try JournalFailure.translating { () throws(JournalError) in
            try JournalFile(path: journal).check(quick ? .quick : .full)
        }
        try output.show(
            [
                "sound": .bool(findings.isEmpty),
                "findings": .array(findings.map { .string($0) }),
            ],
            title: "journal"
        )
        guard findings.isEmpty else { throw ExitStatus.badData }
    }
}
