package import BOLT11
package import BusAddresses
package import Journal
import LightningTypes
package import LndRPC
package import Logging
import ServiceLifecycle
package import ServiceNotify
import ZeroMQ

/// `lcp-bridge` as a service: owns the connection to lnd, the bus and the journal.
///
/// Ends when asked to shut down gracefully, with everything it took on disk, or throws when the
/// journal can't be written any more. May be killed at any instruction.
package struct Bridge: Service, CustomStringConvertible {
    /// Where things are and how far they may go.
    package struct Configuration: Sendable {
        /// lnd's address and the files that open it.
        package var lnd: LndConnection
        /// The directory of the bus sockets.
        package var busDirectory: String
        /// How other machines reach the bus; nil: not at all.
        package var tcp: TCPListener?
        /// The journal's path.
        package var journalPath: String
        /// The network lnd must be on; nil takes what lnd says at the first start.
        package var network: Network?
        /// How far a commit goes before it is acknowledged; `full` for real money.
        package var durability = Journal.Durability.full
        /// What the session layer takes from peers.
        package var session = SessionSettings()
        /// What may be spent; its network is replaced by lnd's own.
        package var money = MoneyRules(network: .mainnet)
        /// How many jobs there may be.
        package var limits = Engine.Limits()
        /// How long what is over stays on disk.
        package var retention = Retention()
        /// Hears when the bus is served, what is waited for, and that the engine's loop turns.
        package var notifier = ServiceNotifier.silent
        /// The program's name and version, for status.
        package var program: String

        /// Takes what has no default.
        package init(
            lnd: LndConnection,
            busDirectory: String,
            journalPath: String,
            program: String
        ) {
            self.lnd = lnd
            self.busDirectory = busDirectory
            self.journalPath = journalPath
            self.program = program
        }
    }

    private let configuration: Configuration
    private let logger: Logger

    /// A bridge that has not touched anything yet.
    package init(_ configuration: Configuration, logger: Logger) {
        self.configuration = configuration
        self.logger = logger
    }

    /// For the log of whoever runs it.
    package var description: String { "lcp-bridge" }

    /// Runs until a graceful shutdown.
    ///
    /// - Throws: ``LndError`` when lnd's files are unusable, ``JournalError`` when the journal can't be
    ///   opened or written, ``ZeroMQError`` when the bus can't be bound.
    package func run() async throws {
        let running = try await RunningBridge(configuration, logger: logger)
        try await running.run()
    }
}
