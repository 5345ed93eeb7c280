import ArgumentParser
import Glibc

extension ConfigurationError {
    /// Writes the mistake as one line to standard error.
    ///
    /// - Parameter program: The program's name, which begins the line.
    /// - Returns: The exit code, from sysexits.h: 66 when a file can't be read, 78 when it is wrong.
    func report(by program: String) -> ExitCode {
        let text = Array("\(program): \(self)\n".utf8)
        // When standard error is gone the exit code still tells.
        _ = text.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
        return ExitCode(exitCode)
    }

    private var exitCode: Int32 {
        switch code {
        case .unreadable: 66  // EX_NOINPUT
        case .notYAML, .unknownKey, .invalidValue, .missing: 78  // EX_CONFIG
        }
    }
}
