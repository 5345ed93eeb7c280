import ArgumentParser
import Glibc

extension ConfigurationError {
    /// Reads a configuration; a mistake ends the program with one line on standard error.
    ///
    /// - Parameters:
    ///   - program: The program's name, which begins the line.
    ///   - read: Reads the configuration.
    /// - Returns: What was read.
    /// - Throws: `ExitCode`, from sysexits.h: 66 when the file can't be read, 78 when it is wrong.
    package static func reported<Value>(
        by program: String,
        _ read: () throws(ConfigurationError) -> Value
    ) throws -> Value {
        do throws(ConfigurationError) { return try read() } catch {
            let text = Array("\(program): \(error)\n".utf8)
            // When standard error is gone the exit code still tells.
            _ = text.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
            throw ExitCode(error.exitCode)
        }
    }

    private var exitCode: Int32 {
        switch code {
        case .unreadable: 66  // EX_NOINPUT
        case .notYAML, .unknownKey, .invalidValue, .missing: 78  // EX_CONFIG
        }
    }
}
