import Foundation
import LocalNetwork

/// A market whose buyer has a gateway, which lets nobody in without a key.
enum GatewayMarket {
    /// Runs it in a directory of its own.
    ///
    /// - Parameters:
    ///   - delay: How many milliseconds each computation takes.
    ///   - body: Gets the network and a client of the gateway.
    /// - Returns: What `body` returns.
    /// - Throws: `LocalNetworkError`, and what `body` throws.
    static func run<Result: Sendable>(
        delay: Int,
        _ body: @escaping @Sendable (LocalNetwork, ChatClient) async throws -> Result
    ) async throws -> Result {
        let directory = "/tmp/lcp-gateway-\(getpid())"
        try FileManager.default.createDirectory(
            atPath: directory,
            withIntermediateDirectories: true
        )
        defer { try? FileManager.default.removeItem(atPath: directory) }
        var plan = LocalNetworkPlan.market()
        let address = "127.0.0.1:\(try LoopbackPort.free())"
        let keys = "\(directory)/keys.jsonl"
        plan.nodes[0].gateway = address
        plan.arguments["lcp-gateway"] = ["--keys", keys, "--max-jobs", "4096"]
        plan.arguments["lcp-compute"] = ["--delay", "\(delay)", "--concurrency", "64"]
        let token = try await key(in: keys, plan.programs, log: "\(directory)/key.log")
        return try await LocalNetwork.run(plan, in: directory) { network in
            let client = ChatClient(address: address, token: token)
            do {
                let result = try await body(network, client)
                try await client.end()
                return result
            } catch {
                try? await client.end()
                throw error
            }
        }
    }

    /// Makes a key without a limit.
    private static func key(in file: String, _ programs: String, log: String) async throws -> String
    {
        let making = try await ChildProcess(
            "\(programs)/lcp-gateway",
            ["keys", "add", "benchmark", "--keys", file],
            log: log
        )
        _ = await making.wait()
        let output = try String(contentsOfFile: log, encoding: .utf8)
        guard let token = output.split(separator: "\n").first(where: { $0.hasPrefix("lcp-") })
        else { throw NoKey(output: output) }
        return String(token)
    }

    /// `lcp-gateway keys add` printed none.
    struct NoKey: Error {
        var output: String
    }
}
