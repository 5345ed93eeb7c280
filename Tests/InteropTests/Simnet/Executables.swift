import Foundation
import Subprocess
import SystemPackage

/// The programs that these tests start.
enum Executables {
    /// What starts Python with the packages of `Tests/requirements.txt`; nil when nobody says.
    static let python: String? = ProcessInfo.processInfo.environment["LCP_PYTHON"]

    /// Where the programs are, as built beside the tests.
    static var directory: String { products.path() }

    /// `lcp-simnet`.
    static var simnet: String { products.appending(path: "lcp-simnet").path() }

    /// Where the tests may put the compiled schema.
    static var schema: String { products.appending(path: "lnd-python").path() }

    /// A Python program of these tests.
    static func script(_ name: String) -> String {
        URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Python/\(name)").path()
    }

    private static var products: URL {
        // `swift test` runs the test bundle from the directory that holds the products.
        URL(filePath: CommandLine.arguments[0]).resolvingSymlinksInPath()
            .deletingLastPathComponent()
    }

    /// Runs a program to its end.
    static func output(of path: String, _ arguments: [String]) async throws -> String {
        let result = try await Subprocess.run(
            .path(FilePath(path)),
            arguments: Arguments(arguments),
            output: .string(limit: 16 << 20),
            error: .currentStandardError
        )
        guard result.terminationStatus.isSuccess else {
            throw ProgramFailure("\(path) \(arguments): \(result.terminationStatus)")
        }
        return result.standardOutput
    }

    /// Runs a program beside a closure, from its first line on; then kills it.
    static func running<Result: Sendable>(
        _ path: String,
        _ arguments: [String],
        _ body: @escaping @Sendable (String) async throws -> Result
    ) async throws -> Result {
        let outcome = try await Subprocess.run(
            .path(FilePath(path)),
            arguments: Arguments(arguments),
            input: .none,
            output: .sequence,
            error: .currentStandardError
        ) { process in
            // Thrown errors must not leave it running, nor may cancellation.
            defer { try? process.send(signal: .kill) }
            return try await withTaskCancellationHandler {
                var lines = process.standardOutput.strings().makeAsyncIterator()
                guard let first = try await lines.next() else {
                    throw ProgramFailure("\(path) \(arguments) said nothing")
                }
                return try await body(first)
            } onCancel: {
                try? process.send(signal: .kill)
            }
        }
        return outcome.closureResult
    }
}

/// A program did not do what it is there for.
struct ProgramFailure: Error, CustomStringConvertible {
    var description: String

    init(_ description: String) { self.description = description }
}
