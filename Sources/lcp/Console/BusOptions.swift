import ArgumentParser
import BusClient
import Glibc

/// Which bridge a command talks with.
struct BusOptions: ParsableArguments {
    @Option(
        name: .customLong("bus-dir"),
        help: ArgumentHelp(
            "The bridge's bus directory. Default: LCP_BUS_DIR, else /run/lcp.",
            valueName: "dir"
        )
    )
    var directory: String?

    /// Runs a closure with a client of the bridge; a signal ends it.
    ///
    /// - Parameter body: Uses the client.
    /// - Returns: What `body` returns.
    /// - Throws: ``Interruption``, `BusClientError`, and what `body` throws.
    func withClient<Result: Sendable>(
        _ body: @escaping @Sendable (BusClient) async throws -> Result
    ) async throws -> Result {
        let directory = resolved()
        return try await interruptible {
            try await BusClient.connected(to: directory, body)
        }
    }

    /// The directory that was given, or its default.
    func resolved() -> String {
        if let directory { return directory }
        if let value = getenv("LCP_BUS_DIR"), value.pointee != 0 { return String(cString: value) }
        return "/run/lcp"
    }
}
