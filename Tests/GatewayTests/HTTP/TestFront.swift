import BusClient
import Foundation
import LightningTypes
import LocalNetwork
import Logging
import ScriptedBridge
import ServiceLifecycle
import ServiceNotify
import Testing

@testable import Gateway

/// A gateway in this process, before a scripted bridge or before none.
struct TestFront: Sendable {
    let port: Int
    let bridge: ScriptedBridge

    /// Runs a gateway beside a closure, from the moment that it takes connections.
    ///
    /// - Parameters:
    ///   - change: Changes its options.
    ///   - body: Uses it.
    /// - Throws: What `body` throws.
    static func run(
        _ change: (inout GatewayOptions) -> Void = { _ in },
        _ body: @escaping @Sendable (TestFront) async throws -> Void
    ) async throws {
        let directory = "/tmp/lcp-front-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(
            atPath: directory,
            withIntermediateDirectories: true
        )
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let bridge = try await ScriptedBridge(in: directory)
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        var options = GatewayOptions()
        options.port = Int(try LoopbackPort.free())
        change(&options)
        let gateway = Gateway(
            client: try await BusClient(directory: directory),
            keys: .openToEverybody(logger: logger),
            options: options,
            notifier: .silent,
            logger: logger
        )
        let front = TestFront(port: options.port, bridge: bridge)
        try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                // A bridge that is stopped on purpose ends with an error, which is no news.
                try? await bridge.run()
                return false
            }
            for service in gateway.services {
                group.addTask {
                    try await service.run()
                    return false
                }
            }
            group.addTask {
                try await front.waitUntilServing()
                try await body(front)
                return true
            }
            while try await group.next() == false {}
            group.cancelAll()
            // What is cancelled ends with errors of its own.
            while await group.nextResult() != nil {}
        }
        await bridge.stop()
    }

    private func waitUntilServing() async throws {
        while (try? await Wire.with(port) { _ in }) == nil {
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    /// Sends a whole request over a connection of its own and gives what comes back.
    func answer(
        _ method: String,
        _ path: String,
        _ headers: [String] = [],
        body: String? = nil,
        host: String = "127.0.0.1"
    ) async throws -> Wire.Answer {
        try await Wire.with(port) { wire in
            let closing = headers + ["connection: close"]
            try await wire.send(Wire.request(method, path, closing, body, host: host))
            return Wire.Answer(try await wire.rest())
        }
    }

    /// What a client of OpenAI's posts.
    static func question(
        _ plot: Plot,
        _ prompt: String = "Hello?",
        isStream: Bool = false
    ) -> String {
        let message = #"{"role":"user","content":"\#(prompt)"}"#
        return #"{"model":"\#(plot.rawValue)","messages":[\#(message)],"stream":\#(isStream)}"#
    }
}
