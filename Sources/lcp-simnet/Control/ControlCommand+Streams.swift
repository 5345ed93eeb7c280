import ArgumentParser
import LndSim
import SwiftProtobuf

// What callers of a node have subscribed to.
extension ControlCommand {
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
