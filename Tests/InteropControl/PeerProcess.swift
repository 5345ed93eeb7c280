import Foundation
package import Subprocess
import SystemPackage

/// A program that can be either side of a call: ours, or Python's.
package struct PeerProgram: Hashable, Sendable {
    /// The file to execute.
    package var path: String

    /// What comes before the peer's own arguments.
    package var leading: [String]

    /// Whether it is Python with grpcio.
    package var isForeign: Bool { !leading.isEmpty }

    /// `lcp-grpc-peer` as built beside the running program.
    package static var ours: PeerProgram {
        let program = URL(filePath: CommandLine.arguments[0]).resolvingSymlinksInPath()
        let path = program.deletingLastPathComponent().appending(path: "lcp-grpc-peer").path()
        return PeerProgram(path: path, leading: [])
    }

    /// `peer.py`, run by a Python.
    ///
    /// - Parameters:
    ///   - interpreter: The Python's path.
    ///   - script: The path of `peer.py`.
    /// - Returns: The program.
    package static func python(_ interpreter: String, script: String) -> PeerProgram {
        PeerProgram(path: interpreter, leading: [script])
    }

    /// Runs it to its end and gives its output.
    package func output(_ arguments: [String]) async throws -> String {
        let result = try await Subprocess.run(
            configuration(arguments),
            input: .none,
            output: .string(limit: 1 << 20),
            error: .currentStandardError
        )
        return result.standardOutput
    }

    /// Runs it while the body does; it is killed if the body throws or is cancelled.
    package func run<R: Sendable>(
        _ arguments: [String],
        _ body: @Sendable (PeerProcess) async throws -> R
    ) async throws -> R {
        let result = try await Subprocess.run(
            configuration(arguments),
            input: .inputWriter,
            output: .sequence,
            error: .currentStandardError
        ) { execution in
            let process = PeerProcess(execution: execution)
            return await withTaskCancellationHandler {
                do {
                    return Result<R, any Error>.success(try await body(process))
                } catch {
                    process.kill()
                    return .failure(error)
                }
            } onCancel: {
                process.kill()
            }
        }
        return try result.closureResult.get()
    }

    private func configuration(_ arguments: [String]) -> Configuration {
        Configuration(
            executable: .path(FilePath(path)),
            arguments: Arguments(leading + arguments),
            // grpcio logs what the tests provoke.
            environment: .inherit.updating(["GRPC_VERBOSITY": "NONE"])
        )
    }
}

/// A running peer.
package struct PeerProcess: Sendable {
    package typealias Running = Execution<CustomWriteInput, SequenceOutput, FileDescriptorOutput>

    let execution: Running

    /// Ends it at once, as a crash would.
    package func kill() {
        // It may have ended by itself; that is as good.
        try? execution.send(signal: .kill)
    }

    func write(_ bytes: [UInt8]) async throws {
        _ = try await execution.standardInputWriter.write(bytes)
    }

    func closeInput() async throws { try await execution.standardInputWriter.finish() }

    /// Hands over what it prints, piece by piece, until it ends.
    func read(_ body: ([UInt8]) async throws -> Void) async throws {
        for try await buffer in execution.standardOutput {
            try await body(buffer.withUnsafeBytes { Array($0) })
        }
    }
}

/// A peer did not do what a peer does.
package struct PeerFailure: Error, CustomStringConvertible {
    package var description: String

    package init(_ description: String) { self.description = description }
}
