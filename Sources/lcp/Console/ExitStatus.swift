import ArgumentParser

/// The exit codes of `lcp`, from sysexits.h.
enum ExitStatus {
    /// The command line is wrong (EX_USAGE).
    static let usage = ExitCode(64)
    /// The input is wrong (EX_DATAERR).
    static let badData = ExitCode(65)
    /// The input could not be read or the output not be written (EX_IOERR).
    static let inputOutput = ExitCode(74)

    /// The paragraph every `--help` ends with.
    static let help = """
        EXIT CODES: 0 success, 64 the command line is wrong, 65 the input is wrong, 74 the input \
        could not be read or the output not be written.
        """
}
