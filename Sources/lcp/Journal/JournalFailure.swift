import ArgumentParser
import Journal

/// Why a journal could not be looked after, and the exit code that says so.
struct JournalFailure: Error {
    /// A stable label for programs: `disk-full`.
    let code: String
    /// What happened and what to do.
    let detail: String
    /// The exit code, from sysexits.h.
    let status: ExitCode

    /// The paragraph every `--help` of these commands ends with.
    static let help = """
        EXIT CODES: 0 success, 64 the command line is wrong, 65 the journal is damaged, none, or another node's, 66 \
        it can't be opened, 73 the copy can't be made there, 74 the disk failed or is full, 75 \
        somebody else holds the file.
        """

    /// Takes what the journal says; `subject` tells which path could not be used.
    init(_ error: JournalError, about subject: Subject) {
        code = Self.label(error.code)
        detail = "\(error.detail). \(error.advice)"
        status =
            switch error.code {
            case .pathUnusable: subject == .copy ? ExitCode(73) : ExitCode(66)
            case .damaged, .notAJournal, .newerSchema, .otherJournal: ExitStatus.badData
            case .lockedByAnotherProcess, .overloaded: ExitCode(75)
            default: ExitStatus.inputOutput
            }
    }

    /// Which file a call was about.
    enum Subject { case journal, copy }

    /// Runs a call and translates its failure.
    static func translating<Value>(
        about subject: Subject = .journal,
        _ call: () throws(JournalError) -> Value
    ) throws(JournalFailure) -> Value {
        do throws(JournalError) { return try call() } catch { throw Self(error, about: subject) }
    }

    /// `diskFull` as the command line spells labels.
    private static func label(_ code: JournalError.Code) -> String {
        code.rawValue.reduce(into: "") { label, character in
            label += character.isUppercase ? "-\(character.lowercased())" : String(character)
        }
    }
}
