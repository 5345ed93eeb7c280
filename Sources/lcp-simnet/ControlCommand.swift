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

extension ControlCommand {
    struct Status: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show every node: state, money, and calls by method."
        )

        @OptionGroup var directory: Directory

        func run() async throws {
            let status = try await directory.call { try await $0.getStatus(.init()) }
            for node in status.nodes {
                let state = node.hasWalletState ? "\(node.walletState)" : "stopped"
                say("\(node.name) \(node.pubkey) \(state) \(node.localMsat) msat")
                for (method, count) in node.calls.sorted(by: { $0.key < $1.key }) {
                    say("  \(count) \(method)")
                }
            }
            say("time \(status.time), money in channels \(status.totalMsat) msat")
        }
    }

    struct Separate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Break the connection between two nodes.",
            discussion: """
                Nodes with a channel or a permanent connection find each other again after a \
                second, unless --stay-down.
                """
        )

        @OptionGroup var directory: Directory
        @Argument(help: "A node.") var node: String
        @Argument(help: "Another node.") var peer: String
        @Flag(help: "Stay apart until ctl join.") var stayDown = false
        @Flag(help: "Tell OFFLINE only after the next ONLINE.") var lateOffline = false

        func run() async throws {
            _ = try await directory.call { client in
                try await client.separatePeers(
                    .with {
                        $0.node = node
                        $0.peer = peer
                        $0.staysDown = stayDown
                        $0.lateOffline = lateOffline
                    }
                )
            }
        }
    }

    struct Join: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Connect two nodes.")

        @OptionGroup var directory: Directory
        @Argument(help: "A node.") var node: String
        @Argument(help: "Another node.") var peer: String

        func run() async throws {
            _ = try await directory.call { client in
                try await client.joinPeers(
                    .with {
                        $0.node = node
                        $0.peer = peer
                    }
                )
            }
        }
    }

    struct Messages: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Drop, double or delay custom messages of one direction.",
            discussion: "Replaces what was set before; without options all goes well again."
        )

        @OptionGroup var directory: Directory
        @Argument(help: "The sender.") var from: String
        @Argument(help: "The receiver.") var to: String
        @Option(help: "How many of the next messages vanish.") var drop: UInt64 = 0
        @Option(help: "How many of the next messages arrive twice.") var duplicate: UInt64 = 0
        @Option(help: "How many milliseconds every message takes.") var delay: UInt64 = 0

        func run() async throws {
            _ = try await directory.call { client in
                try await client.setMessageFaults(
                    .with {
                        $0.from = from
                        $0.to = to
                        $0.dropNext = drop
                        $0.duplicateNext = duplicate
                        $0.delayMilliseconds = delay
                    }
                )
            }
        }
    }

    struct Payments: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Let the next payments of a node meet a fault."
        )

        @OptionGroup var directory: Directory
        @Argument(help: "The payer.") var node: String
        @Option(help: "How many payments.") var count: UInt32 = 1
        @Option(
            help: """
                Fail for this reason: 1 timeout, 2 no route, 3 error, 4 incorrect payment details, \
                5 insufficient balance, 6 canceled.
                """
        )
        var fail: UInt32?
        @Option(help: "Milliseconds each HTLC takes.") var delay: UInt64?
        @Flag(help: "Keep HTLCs on their way until ctl release.") var hang = false
        @Option(help: "Pay, but break the stream after so many updates.") var breakStream: UInt32?

        func validate() throws {
            let given = [fail != nil, delay != nil, hang, breakStream != nil].count { $0 }
            guard given == 1 else {
                throw ValidationError("give one of --fail, --delay, --hang, --break-stream")
            }
        }

        func run() async throws {
            _ = try await directory.call { client in
                try await client.failPayments(
                    .with {
                        $0.node = node
                        $0.count = count
                        if let fail { $0.failureReason = fail }
                        if let delay { $0.delayMilliseconds = delay }
                        if hang { $0.hang = true }
                        if let breakStream { $0.breakStreamAfter = breakStream }
                    }
                )
            }
        }
    }

    struct Release: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Let hung payments of a node go on."
        )

        @OptionGroup var directory: Directory
        @Argument(help: "The payer.") var node: String
        @Flag(help: "Let a channel on the way fail instead.") var fail = false

        func run() async throws {
            _ = try await directory.call { client in
                try await client.releasePayments(
                    .with {
                        $0.node = node
                        $0.succeed = !fail
                    }
                )
            }
        }
    }

    struct Break: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Break open streams of a node."
        )

        @OptionGroup var directory: Directory
        @Argument(help: "The node.") var node: String
        @Argument(help: "Which streams.") var kind: StreamName = .all
        @Option(help: "The gRPC status code callers see; 0 for UNAVAILABLE.") var code: UInt32 = 0
        @Option(help: "The status message.") var message = ""

        func run() async throws {
            let answer = try await directory.call { client in
                try await client.breakStreams(
                    .with {
                        $0.node = node
                        $0.kind = kind.message
                        $0.code = code
                        $0.message = message
                    }
                )
            }
            say("\(answer.count) streams broken")
        }
    }

    struct Stall: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Hold back what streams of a node deliver."
        )

        @OptionGroup var directory: Directory
        @Argument(help: "The node.") var node: String
        @Argument(help: "Which streams.") var kind: StreamName = .all
        @Flag(help: "Let go what was held back, in order.") var resume = false

        func run() async throws {
            _ = try await directory.call { client in
                try await client.stallStreams(
                    .with {
                        $0.node = node
                        $0.kind = kind.message
                        $0.stall = !resume
                    }
                )
            }
        }
    }

    struct Wallet: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Put a node's wallet into a state."
        )

        @OptionGroup var directory: Directory
        @Argument(help: "The node.") var node: String
        @Argument(help: "The state.") var state: WalletName

        func run() async throws {
            _ = try await directory.call { client in
                try await client.setWalletState(
                    .with {
                        $0.node = node
                        $0.state = state.message
                    }
                )
            }
        }
    }

    struct Restart: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Restart a node: connections break, then it comes up step by step."
        )

        @OptionGroup var directory: Directory
        @Argument(help: "The node.") var node: String
        @Option(help: "Milliseconds without a process.") var down: UInt64 = 100
        @Option(help: "Milliseconds in each state of the start.") var step: UInt64 = 100
        @Flag(help: "Stop at a locked wallet.") var locked = false

        func run() async throws {
            _ = try await directory.call { client in
                try await client.restartNode(
                    .with {
                        $0.node = node
                        $0.downMilliseconds = down
                        $0.stateMilliseconds = step
                        $0.locked = locked
                    }
                )
            }
        }
    }

    struct SettleIndex: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Let the next settlement of a node have a higher index."
        )

        @OptionGroup var directory: Directory
        @Argument(help: "The node.") var node: String
        @Argument(help: "How much higher.") var by: UInt64

        func run() async throws {
            _ = try await directory.call { client in
                try await client.jumpSettleIndex(
                    .with {
                        $0.node = node
                        $0.by = by
                    }
                )
            }
        }
    }

    struct Expiry: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Let a node cancel expired invoices too late."
        )

        @OptionGroup var directory: Directory
        @Argument(help: "The node.") var node: String
        @Argument(help: "How many milliseconds too late.") var milliseconds: UInt64

        func run() async throws {
            _ = try await directory.call { client in
                try await client.delayExpiry(
                    .with {
                        $0.node = node
                        $0.milliseconds = milliseconds
                    }
                )
            }
        }
    }

    struct Time: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Put the network's clock forward, until the process ends."
        )

        @OptionGroup var directory: Directory
        @Argument(help: "How many seconds.") var seconds: UInt64

        func run() async throws {
            _ = try await directory.call { client in
                try await client.advanceTime(.with { $0.seconds = seconds })
            }
        }
    }
}

enum StreamName: String, ExpressibleByArgument, CaseIterable {
    case all
    case customMessages = "custom-messages"
    case peerEvents = "peer-events"
    case invoices
    case singleInvoice = "single-invoice"
    case payments
    case state

    var message: Simnetrpc_StreamKind {
        switch self {
        case .all: .all
        case .customMessages: .customMessages
        case .peerEvents: .peerEvents
        case .invoices: .invoices
        case .singleInvoice: .singleInvoice
        case .payments: .payments
        case .state: .state
        }
    }
}

enum WalletName: String, ExpressibleByArgument, CaseIterable {
    case nonExisting = "non-existing"
    case locked
    case unlocked
    case rpcActive = "rpc-active"
    case serverActive = "server-active"
    case waitingToStart = "waiting-to-start"

    var message: Simnetrpc_WalletState {
        switch self {
        case .nonExisting: .nonExisting
        case .locked: .locked
        case .unlocked: .unlocked
        case .rpcActive: .rpcActive
        case .serverActive: .serverActive
        case .waitingToStart: .waitingToStart
        }
    }
}
