import BridgeProtocol
import BusAddresses
import FoundationEssentials
import Glibc
import ZeroMQ

/// A client of one bridge: what `lcp` and other front ends ask and order.
///
/// Any number of tasks may use it. Every call may be repeated: the bridge takes a job's second
/// submission for the first, and everything else is harmless twice. So a call outlives a restart of
/// the bridge, and fails only when its time is over.
package struct BusClient: Sendable {
    let context: Context
    let control: RequestChannel<BusControlRequest, BusControlResponse>
    let query: RequestChannel<BusQueryRequest, BusQueryResponse>
    let watches: JobWatches
    private let pulse: BridgePulse

    /// The bus directory.
    package let directory: String

    /// Opens a client; nothing is received before ``run()``.
    ///
    /// A bridge need not be there yet.
    ///
    /// - Parameters:
    ///   - directory: The bridge's bus directory.
    ///   - settings: How patient the client is.
    /// - Throws: ``BusClientError`` `noBridge`, `notAllowed` or `unusableDirectory` when the
    ///   directory is missing, closed to this user, or too long a path.
    package init(
        directory: String,
        settings: BusClientSettings = BusClientSettings()
    ) async throws(BusClientError) {
        self.directory = directory
        guard access(directory, X_OK) == 0 else {
            throw errno == EACCES
                ? BusClientError(.notAllowed, "this user may not enter \(directory)")
                : BusClientError(.noBridge, "there is no directory \(directory)")
        }
        let location: BusLocation
        do {
            location = try BusLocation(directory: directory)
        } catch {
            throw BusClientError(.unusableDirectory, "\(error.detail). \(error.advice)")
        }
        do {
            context = try Context()
            control = try await RequestChannel(
                .control,
                at: location,
                context: context,
                settings: settings
            )
            query = try await RequestChannel(
                .query,
                at: location,
                context: context,
                settings: settings
            )
            pulse = try await BridgePulse(
                at: location,
                context: context,
                timeout: settings.heartbeatTimeout
            )
        } catch {
            let zeroMQ = error as? ZeroMQError
            throw zeroMQ.map(BusClientError.init)
                ?? BusClientError(.unusableDirectory, "\(directory) can't be used")
        }
        watches = JobWatches(query, refreshInterval: settings.refreshInterval)
    }

    /// Receives answers, follows the bridge's heartbeat and keeps watches armed, until cancelled.
    ///
    /// - Throws: ``BusClientError`` `closed`.
    package func run() async throws {
        do {
            // What is received is handed on at once, so it needs no thread besides the sockets'.
            try await withTaskExecutorPreference(context.executor) { try await receive() }
        } catch is CancellationError {}
        await context.shutDown()
    }

    private func receive() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await control.run() }
            group.addTask { try await query.run() }
            let (gaps, gap) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
            group.addTask { try await pulse.run { gap.yield() } }
            group.addTask {
                for await _ in gaps {
                    try await control.repeatAll()
                    try await query.repeatAll()
                    try await watches.armAgain()
                }
            }
            group.addTask { try await watches.run() }
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    /// The thread that answers arrive on.
    ///
    /// A task that prefers it goes on with an answer at once, without waking another thread. It must
    /// neither compute nor block, or nothing is received meanwhile.
    package var executor: any TaskExecutor { context.executor }

    /// Whether the bridge is heard.
    package var link: BridgeLink { pulse.link }

    /// Runs a client beside a closure and closes it afterwards.
    ///
    /// - Parameters:
    ///   - directory: The bridge's bus directory.
    ///   - settings: How patient the client is.
    ///   - body: Uses the client.
    /// - Returns: What `body` returns.
    /// - Throws: ``BusClientError``, and what `body` throws.
    package static func connected<Result: Sendable>(
        to directory: String,
        settings: BusClientSettings = BusClientSettings(),
        _ body: @escaping @Sendable (BusClient) async throws -> Result
    ) async throws -> Result {
        let client = try await BusClient(directory: directory, settings: settings)
        return try await withThrowingTaskGroup(of: Result?.self) { group in
            group.addTask {
                try await client.run()
                return nil
            }
            group.addTask { try await body(client) }
            defer { group.cancelAll() }
            // The client ends only when it is told to: what ends first with a value is the body.
            while let ended = try await group.next() {
                if let result = ended { return result }
            }
            throw BusClientError(.closed, "the client of \(directory) was closed")
        }
    }
}
