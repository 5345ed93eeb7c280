import ArgumentParser
import Glibc
import GRPCNGHTTP2
import LndRPC

/// Which lnd a command looks at; the names are those of `lcp-bridge`.
struct LndOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "lnd's gRPC address (default: $LCP_LND_ADDRESS or localhost:10009).",
            valueName: "host:port"
        )
    )
    var lndAddress: String?

    @Option(
        help: ArgumentHelp("lnd's tls.cert; without it the system's roots.", valueName: "path"),
        completion: .file()
    )
    var lndTlsCert: String?

    @Option(help: ArgumentHelp("The macaroon file.", valueName: "path"), completion: .file())
    var lndMacaroon: String?

    /// Whether any of them was given.
    var isGiven: Bool { lndAddress != nil || lndTlsCert != nil || lndMacaroon != nil }

    func validate() throws {
        do throws(LndError) { _ = try connection } catch { throw ValidationError(error.detail) }
    }

    /// lnd, as the options say.
    var connection: LndConnection {
        get throws(LndError) {
            let environment = getenv("LCP_LND_ADDRESS").map { String(cString: $0) } ?? ""
            return try LndConnection(
                address: lndAddress ?? (environment.isEmpty ? "localhost:10009" : environment),
                certificatePath: lndTlsCert,
                macaroonPath: lndMacaroon
            )
        }
    }

    /// Runs a closure with a client of lnd; a signal ends it.
    ///
    /// - Parameters:
    ///   - connection: Where lnd is.
    ///   - timeout: How long each call may take.
    ///   - body: Uses the client.
    /// - Returns: What `body` returns.
    /// - Throws: ``Interruption``, and what `body` throws.
    static func withLnd<Result: Sendable>(
        _ connection: LndConnection,
        timeout: Duration = .seconds(10),
        _ body: @escaping @Sendable (LndNode<HTTP2ClientTransport>) async throws -> Result
    ) async throws -> Result {
        let lnd = LndNode(connection, timeout: timeout)
        return try await interruptible {
            try await withThrowingTaskGroup(of: Result?.self) { group in
                group.addTask {
                    try await lnd.run()
                    return nil
                }
                group.addTask { try await body(lnd) }
                defer { group.cancelAll() }
                // The client ends only when it is told to: what ends first with a value is the body.
                while let ended = try await group.next() {
                    if let result = ended { return result }
                }
                throw CancellationError()
            }
        }
    }
}

extension ExitStatus {
    /// The exit code that says what went wrong with lnd.
    static func of(_ error: LndError) -> ExitCode {
        switch error.code {
        case .notReached, .unavailable, .deadlineExceeded, .walletLocked, .walletNotCreated,
            .waitingToStart, .starting, .serverExiting:
            unavailable
        case .permissionDenied, .macaroonMissing, .macaroonInvalid: notAllowed
        case .macaroonFile: inputOutput
        case .malformedAnswer, .closed: software
        default: refusedByBridge
        }
    }
}

extension CommandError {
    /// What lnd would not do.
    init(_ error: LndError) {
        let code = error.code.rawValue.reduce(into: "lnd-") { label, character in
            label += character.isUppercase ? "-\(character.lowercased())" : String(character)
        }
        self.init(
            code: code,
            detail: "\(error.detail). \(error.advice)",
            status: ExitStatus.of(error)
        )
    }
}
