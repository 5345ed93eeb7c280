import ArgumentParser
import LndSim
import SwiftProtobuf

// Connections between nodes, and the messages on them.
extension ControlCommand {
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
        @Option(help: "What calls to send wait for, until this is set again.") var wait: WaitName?

        func run() async throws {
            _ = try await directory.call { client in
                try await client.setMessageFaults(
                    .with {
                        $0.from = from
                        $0.to = to
                        $0.dropNext = drop
                        $0.duplicateNext = duplicate
                        $0.delayMilliseconds = delay
                        $0.wait = wait?.message ?? .nothing
                    }
                )
            }
        }
    }
}

enum WaitName: String, ExpressibleByArgument, CaseIterable {
    case handshake
    case queue

    var message: Simnetrpc_Wait {
        switch self {
        case .handshake: .handshake
        case .queue: .queue
        }
    }
}
