import Foundation
import ScriptedBridge

/// A scripted bridge in a directory of its own.
enum ScriptedBus {
    /// Runs a closure beside the bridge.
    static func with(
        _ body: @escaping @Sendable (ScriptedBridge, BusCommand) async throws -> Void
    ) async throws {
        let path = "/tmp/lcp-scripted-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(
            atPath: path,
            withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700]
        )
        defer { try? FileManager.default.removeItem(atPath: path) }
        let bridge = try await ScriptedBridge(in: path)
        try await run(bridge) { try await body(bridge, BusCommand(directory: path)) }
    }

    /// Lets a bridge serve while a closure runs, then stops it.
    static func run(
        _ bridge: ScriptedBridge,
        _ body: @escaping @Sendable () async throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                // A bridge that is stopped on purpose ends with an error, which is no news.
                try? await bridge.run()
                return false
            }
            group.addTask {
                try await body()
                return true
            }
            while try await group.next() == false {}
            group.cancelAll()
            await bridge.stop()
        }
    }
}
