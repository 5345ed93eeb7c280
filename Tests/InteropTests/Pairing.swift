import Foundation
import InteropControl
import Testing

/// Whose client calls whose server.
struct Pairing: Sendable {
    var client: PeerProgram
    var server: PeerProgram

    /// The number of unary calls that must not make memory grow; the full proof asks for 100,000.
    static let sequentialCalls =
        ProcessInfo.processInfo.environment["LCP_INTEROP_CALLS"].flatMap { Int($0) } ?? 100_000

    /// Ends a scenario that hangs; on a slow machine in debug a call takes a millisecond.
    static let timeLimit = TimeLimitTrait.Duration.minutes(2 + sequentialCalls / 5_000)

    /// Runs a server and a client against each other over TLS.
    func run<R: Sendable>(
        _ body: @Sendable @escaping (RemoteClient, RemoteServer) async throws -> R
    ) async throws -> R {
        let certificate = try TestCertificate()
        return try await RemoteServer.with(server, certificate.serverArguments) { server in
            try await RemoteClient.with(
                client,
                certificate.clientArguments(port: server.port)
            ) { client in try await body(client, server) }
        }
    }
}

/// The Python whose grpcio is the foreign peer.
enum Python {
    /// What is missing, for those who wonder why tests were skipped.
    static let advice: String =
        "LCP_PYTHON must name a Python with grpcio: make one from Tests/requirements.txt, "
        + "or run Tests/run"

    static let interpreter: String? = {
        guard let path = ProcessInfo.processInfo.environment["LCP_PYTHON"],
            FileManager.default.isExecutableFile(atPath: path)
        else { return nil }
        let check = Process()
        check.executableURL = URL(filePath: path)
        check.arguments = ["-c", "import grpc.aio"]
        check.standardError = FileHandle.nullDevice
        guard (try? check.run()) != nil else { return nil }
        check.waitUntilExit()
        return check.terminationStatus == 0 ? path : nil
    }()

    static var peer: PeerProgram {
        let script = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "Python/peer.py").path()
        return .python(interpreter ?? "python3", script: script)
    }
}
