import Foundation
import Subprocess
import SystemPackage
import Testing

/// A program of this package, as built beside the tests.
struct Program {
    let name: String

    /// What a finished program left behind.
    struct Outcome {
        var status: TerminationStatus
        var output: String
        var errors: String

        /// The lines of standard output as JSON objects.
        func lines() throws -> [NSDictionary] {
            try output.split(separator: "\n").map {
                try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? NSDictionary)
            }
        }
    }

    /// Where the program's file is.
    var path: String {
        // `swift test` runs the test bundle from the directory that holds the products.
        let bundle = URL(filePath: CommandLine.arguments[0]).resolvingSymlinksInPath()
        return bundle.deletingLastPathComponent().appending(path: name).path()
    }

    /// The program's file.
    var executable: Executable { .path(FilePath(path)) }

    /// Runs it to its end.
    func run(_ arguments: String..., input: String = "") async throws -> Outcome {
        try await run(arguments, input: input)
    }

    /// Runs it to its end.
    func run(_ arguments: [String], input: String = "") async throws -> Outcome {
        try await Self.run(executable, arguments, input: input)
    }

    /// Runs any program to its end.
    static func run(
        _ executable: Executable,
        _ arguments: [String],
        input: String = ""
    ) async throws -> Outcome {
        let result = try await Subprocess.run(
            executable,
            arguments: Arguments(arguments),
            input: .string(input),
            output: .string(limit: 64 << 20),
            error: .string(limit: 1 << 20)
        )
        return Outcome(
            status: result.terminationStatus,
            output: result.standardOutput,
            errors: result.standardError
        )
    }
}
