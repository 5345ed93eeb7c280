import BridgeProtocol
import BusClient
import FoundationEssentials
import LightningTypes
import ScriptedBridge
import Testing

/// A bus directory of its own, removed afterwards.
func withBusDirectory<Result>(_ body: (String) async throws -> Result) async throws -> Result {
    let path = "/tmp/lcp-client-\(UUID().uuidString.prefix(8))"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try await body(path)
}

/// Runs a bridge beside a closure, then stops it.
func running<Result: Sendable>(
    _ bridge: ScriptedBridge,
    _ body: @escaping @Sendable () async throws -> Result
) async throws -> Result {
    try await withThrowingTaskGroup(of: Result?.self) { group in
        group.addTask {
            try await bridge.run()
            return nil
        }
        group.addTask { try await body() }
        while let ended = try await group.next() {
            guard let result = ended else { continue }
            group.cancelAll()
            await bridge.stop()
            return result
        }
        throw CancellationError()
    }
}

/// A bridge, and a client of it that loses no time.
func withBridge<Result: Sendable>(
    settings: BusClientSettings = .quick,
    _ body: @escaping @Sendable (ScriptedBridge, BusClient) async throws -> Result
) async throws -> Result {
    try await withBusDirectory { directory in
        let bridge = try await ScriptedBridge(in: directory)
        return try await running(bridge) {
            try await BusClient.connected(to: directory, settings: settings) { client in
                try await body(bridge, client)
            }
        }
    }
}

extension BusClientSettings {
    /// Asks again soon, and still waits long enough for a machine under load.
    static var quick: BusClientSettings {
        var settings = BusClientSettings()
        settings.connectTimeout = .seconds(20)
        settings.answerTimeout = .seconds(20)
        settings.repeatInterval = .milliseconds(50)
        settings.heartbeatTimeout = .seconds(1)
        return settings
    }
}

/// A submission of some prompt under a profile.
func submission(_ plot: Plot, ceiling: MilliSatoshi? = nil) throws -> JobSubmission {
    let peer = try #require(NodeID(Market.peer))
    return JobSubmission(
        to: peer,
        taskKind: "llm.chat",
        input: Redacted(Array("a prompt".utf8)),
        params: [1, UInt8(plot.rawValue.utf8.count)] + Array(plot.rawValue.utf8),
        ceiling: ceiling
    )
}

/// Runs a call that must fail and gives its error.
func failure(_ body: () async throws -> Void) async -> BusClientError? {
    do {
        try await body()
        return nil
    } catch {
        return error as? BusClientError
    }
}
