import ArgumentParser
import BusClient

/// The exit codes of `lcp`: from sysexits.h, and from 10 on how a job ended.
enum ExitStatus {
    /// The price is above what may be paid, or was declined; nothing was paid.
    static let refusedByPrice = ExitCode(10)
    /// The provider refused, gave no quote, or one that fails a check; nothing was paid.
    static let refusedByProvider = ExitCode(11)
    /// The payment failed; nothing was paid.
    static let paymentFailed = ExitCode(12)
    /// Paid, and no answer by the deadline; a later one is still accepted.
    static let unanswered = ExitCode(13)
    /// Paid, and answered with an error.
    static let paidFailed = ExitCode(14)
    /// Cancelled before anything was paid.
    static let cancelled = ExitCode(15)
    /// The bridge refused the request, for instance because there is no such job.
    static let refusedByBridge = ExitCode(16)
    /// A diagnosis found a problem.
    static let problemFound = ExitCode(17)
    /// The command line is wrong (EX_USAGE).
    static let usage = ExitCode(64)
    /// The input is wrong (EX_DATAERR).
    static let badData = ExitCode(65)
    /// No bridge answers (EX_UNAVAILABLE).
    static let unavailable = ExitCode(69)
    /// A program does not behave as it should (EX_SOFTWARE).
    static let software = ExitCode(70)
    /// A file exists or can't be made (EX_CANTCREAT).
    static let cannotCreate = ExitCode(73)
    /// The input could not be read or the output not be written (EX_IOERR).
    static let inputOutput = ExitCode(74)
    /// The time was over before the end; the job goes on (EX_TEMPFAIL).
    static let timedOut = ExitCode(75)
    /// This user may not open the bus (EX_NOPERM).
    static let notAllowed = ExitCode(77)
    /// Interrupted by SIGINT or SIGTERM; the job goes on.
    static let interrupted = ExitCode(130)

    /// The paragraph every `--help` of what needs no bridge ends with.
    static let help = """
        EXIT CODES: 0 success, 64 the command line is wrong, 65 the input is wrong, 74 the input \
        could not be read or the output not be written.
        """

    /// The paragraph of what talks with a bridge.
    static let clientHelp = """
        EXIT CODES: 0 success, 16 the bridge refused, 64 the command line is wrong, 69 no bridge \
        answers, 74 the output could not be written, 75 the bridge did not answer in time, 77 this \
        user may not open the bus, 130 interrupted.
        """

    /// The paragraph of what buys.
    static let buyingHelp = """
        EXIT CODES: 0 success, 10 refused by price, 11 refused by the provider or no valid quote, \
        12 the payment failed, 13 paid but unanswered so far, 14 paid and answered with an error, 15 \
        cancelled, 16 the bridge refused, 64 the command line is wrong, 65 the prompt is wrong, 69 \
        no bridge answers, 74 the output could not be written, 75 the time was over and the job \
        goes on, 77 this user may not open the bus, 130 interrupted and the job goes on. Nothing was \
        paid with 10, 11, 12 and 15.
        """

    /// The exit code that says what went wrong on the bus.
    static func of(_ error: BusClientError) -> ExitCode {
        switch error.code {
        case .noBridge, .unusableDirectory, .closed: unavailable
        case .notAllowed: notAllowed
        case .timedOut: timedOut
        case .refused: refusedByBridge
        case .unexpectedAnswer, .tooManyRequests: software
        }
    }
}

/// Why a command ended without doing what it is for.
struct CommandError: Error {
    /// A stable label for programs.
    var code: String
    /// What happened and what to do, for people.
    var detail: String
    /// What the process exits with.
    var status: ExitCode
}
