import ArgumentParser
import LndSim
import SwiftProtobuf

// Nodes, from outside.
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
                say(
                    "\(node.name) \(node.pubkey) \(state) \(node.localMsat) msat, "
                        + "\(node.streams) streams"
                )
                for (method, count) in node.calls.sorted(by: { $0.key < $1.key }) {
                    say("  \(count) \(method)")
                }
            }
            say("time \(status.time), money in channels \(status.totalMsat) msat")
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
        @Flag(help: "End as lnd does when told to stop, with last words on the streams.")
        var orderly = false

        func run() async throws {
            _ = try await directory.call { client in
                try await client.restartNode(
                    .with {
                        $0.node = node
                        $0.downMilliseconds = down
                        $0.stateMilliseconds = step
                        $0.locked = locked
                        $0.orderly = orderly
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
