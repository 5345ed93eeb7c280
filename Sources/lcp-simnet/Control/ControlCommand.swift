import ArgumentParser
import GRPCCore
import GRPCNGHTTP2
import Glibc
import LndSim
import SwiftProtobuf

/// Faults on demand, through the control socket of a running network.
struct ControlCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ctl",
        abstract: "Look at a running network, or let something go wrong in it.",
        discussion: """
            EXIT STATUS
              0   done
              64  the network knows no such node, or the value makes no sense
              69  no network runs in the directory
            """,
        subcommands: [
            Status.self, Separate.self, Join.self, Messages.self, Payments.self, Release.self,
            Break.self, Stall.self, Wallet.self, Restart.self, SettleIndex.self, Expiry.self,
            Time.self,
        ]
    )

    struct Directory: ParsableArguments {
        @Option(help: "The directory of the running network.")
        var dir: String

        func call<Result: Sendable>(
            _ body:
                @Sendable @escaping (Simnetrpc_Control.Client<HTTP2ClientTransport>) async throws
                -> Result
        ) async throws -> Result {
            var configuration = ClientConfiguration()
            configuration.connectTimeout = .seconds(5)
            let transport = HTTP2ClientTransport(
                target: .unix(path: "\(dir)/control.sock"),
                security: .plaintext,
                configuration: configuration
            )
            do {
                return try await withGRPCClient(transport: transport) { client in
                    try await body(Simnetrpc_Control.Client(wrapping: client))
                }
            } catch let error as RPCError {
                let bytes = Array("lcp-simnet: \(error.message)\n".utf8)
                _ = write(2, bytes, bytes.count)
                let isUsage = error.code == .notFound || error.code == .invalidArgument
                throw ExitCode(isUsage ? 64 : 69)
            }
        }
    }
}
