import ArgumentParser
import LndSim
import SwiftProtobuf

// Payments and invoices.
extension ControlCommand {
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
        @Flag(help: "Register, but send no HTLC until ctl release.") var registerOnly = false
        @Option(help: "Pay, but break the stream after so many updates.") var breakStream: UInt32?
        @Flag(help: "Break the call before the payment is registered.") var loseCall = false

        func validate() throws {
            let given = [
                fail != nil, delay != nil, hang, registerOnly, breakStream != nil, loseCall,
            ]
            guard given.count(where: { $0 }) == 1 else {
                throw ValidationError(
                    "give one of --fail, --delay, --hang, --register-only, --break-stream, "
                        + "--lose-call"
                )
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
                        if registerOnly { $0.registerOnly = true }
                        if loseCall { $0.loseCall = true }
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

    struct SettleIndex: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Let the next settlement of a node have a higher index, or the first again."
        )

        @OptionGroup var directory: Directory
        @Argument(help: "The node.") var node: String
        @Argument(help: "How much higher.") var by: UInt64 = 0
        @Flag(help: "Begin the count again, as after some migrations of lnd.") var restart = false

        func run() async throws {
            _ = try await directory.call { client in
                try await client.jumpSettleIndex(
                    .with {
                        $0.node = node
                        $0.by = by
                        $0.restart = restart
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
}
