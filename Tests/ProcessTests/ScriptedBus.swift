import Foundation
import ScriptedBridge

/// A scripted bridge in a directory of its own.
enum ScriptedBus {
    /// Runs a closure beside the bridge.
    static func with(
        _ body: @escaping @Sendable (ScriptedBridge, BusCommand) async throws -> Void
    ) async throws {
        try await withDirectory { path in
            let bridge = try await ScriptedBridge(in: path)
            try await serving(bridge) { try await body(bridge, BusCommand(directory: path)) }
        }
    }

    /// Runs a closure with a bus directory of its own, which only its owner may enter.
    static func withDirectory(_ body: (String) async throws -> Void) async throws {
        let path = "/tmp/lcp-scripted-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(
            atPath: path,
            withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700]
        )
        defer { try? FileManager.default.removeItem(atPath: path) }
        try await body(path)
    }

    /// Lets a bridge serve while a closure runs, and dies with its end.
    static func serving<Result: Sendable>(
        _ bridge: ScriptedBridge,
        _ body: @escaping @Sendable () async throws -> Result
    ) async throws -> Result {
        let result = try await withThrowingTaskGroup(of: Result?.self) { group in
            group.addTask {
                // A bridge that is stopped on purpose ends with an error, which is no news.
                try? await bridge.run()
                return nil
            }
            group.addTask { try await body() }
            defer { group.cancelAll() }
            while let ended = try await group.next() {
                if let result = ended { return result }
            }
            throw CancellationError()
        }
        await bridge.stop()
        return result
    }
}
