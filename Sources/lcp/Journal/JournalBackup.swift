import ArgumentParser
import Glibc
import Journal
import LCPInspector
import LightningTypes

/// `lcp journal backup`: a copy of the journal as it is now.
struct JournalBackup: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup",
        abstract: "Copy a journal while it is in use.",
        discussion: """
            The copy appears whole or not at all, and is readable by its owner alone: it holds \
            prompts and results. lcp journal restore puts it in a journal's place.

            \(JournalFailure.help)
            """
    )

    @OptionGroup var output: OutputOptions

    @Argument(help: "The journal's file.", completion: .file())
    var journal: String

    @Argument(help: "The copy's file, which must not exist.", completion: .file())
    var copy: String

    func run() throws {
        let source = try JournalFailure.translating { () throws(JournalError) in
            try JournalFile(path: journal)
        }
        let made = try JournalFailure.translating(about: .copy) { () throws(JournalError) in
            try source.backUp(to: copy, now: UnixTime(seconds: UInt64(max(0, time(nil)))))
            return try JournalFile(path: copy).summary()
        }
        try output.show(
            ["copy": .string(copy), "file_bytes": .number(made.fileBytes)],
            title: "backup"
        )
    }
}
