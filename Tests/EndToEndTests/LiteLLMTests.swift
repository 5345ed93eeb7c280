import Foundation
import LocalNetwork
import Subprocess
import SystemPackage
import Testing

/// The openai backend against a server that nobody here wrote: LiteLLM's proxy, whose models answer
/// what its configuration says.
@Suite(
    .timeLimit(.minutes(30)),
    .enabled(
        if: LiteLLM.python != nil,
        "LCP_LITELLM names no interpreter with litellm[proxy]; Tests/run --openai makes one"
    )
)
struct LiteLLMTests {
    private static let answer = "An answer that costs nobody anything."

    private static func configuration(key: String) -> String {
        """
        model_list:
          - model_name: mocked
            litellm_params: {model: openai/mocked, api_key: none, mock_response: "\(answer)"}
          - model_name: broken
            litellm_params:
              model: openai/broken
              api_key: none
              mock_response: litellm.InternalServerError
        general_settings: {master_key: \(key)}
        """
    }

    @Test func `jobs are sold that LiteLLM's proxy computes`() async throws {
        let folder = "/tmp/lcp-litellm-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let key = "sk-\(UUID().uuidString)"
        let files = [
            "config.yaml": Self.configuration(key: key), "key": key, "wrong": "sk-wrong",
        ]
        for (name, text) in files {
            try Data(text.utf8).write(to: URL(filePath: "\(folder)/\(name)"))
        }
        try await Self.withProxy(in: folder) { address in
            try await Self.expectProbes(address, folder)
            for (model, exit) in [("mocked", Int32(0)), ("broken", 14)] {
                try await Market.run { _ in
                    var plan = LocalNetworkPlan.market()
                    plan.arguments["lcp-compute"] =
                        Self.server(address, key: "\(folder)/key", model: model)
                    return plan
                } _: { market in
                    let bought = try await market.ask("Say something.")
                    #expect(bought.exit == exit, "\(model): \(bought.output)\(bought.errors)")
                    guard exit == 0 else { return }
                    #expect(try bought.object()["result"] as? String == Self.answer)
                    let ledger = try await market.lcp("bob", ["ledger", "--json"]).object()
                    let entry = try #require((ledger["entries"] as? [NSDictionary])?.first)
                    #expect(entry["input_tokens"] as? Int ?? 0 > 0, "\(entry)")
                    #expect(entry["output_tokens"] as? Int ?? 0 > 0, "\(entry)")
                }
            }
        }
    }

    private static func server(_ address: String, key: String, model: String) -> [String] {
        [
            "--backend", "openai", "--openai-base-url", address, "--openai-key-file", key,
            "--openai-model", "demo=\(model)",
        ]
    }

    private static func expectProbes(_ address: String, _ folder: String) async throws {
        for (key, model, exit) in [
            // Without a database the proxy answers 400 to a key that it does not know.
            ("key", "mocked", Int32(0)), ("key", "absent", 78), ("wrong", "mocked", 76),
        ] {
            let outcome = try await Market.run(
                "lcp-compute",
                server(address, key: "\(folder)/\(key)", model: model) + ["--probe"]
            )
            #expect(outcome.exit == exit, "\(key) \(model): \(outcome.output)\(outcome.errors)")
        }
    }

    /// Runs the proxy beside a closure, which gets its address.
    private static func withProxy(
        in folder: String,
        _ body: @escaping @Sendable (String) async throws -> Void
    ) async throws {
        let python = try #require(LiteLLM.python)
        let script = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "litellm.py").path()
        _ = try await Subprocess.run(
            .path(FilePath(python)),
            arguments: [script, "\(folder)/config.yaml", "\(folder)/log"],
            input: .none,
            output: .sequence,
            error: .currentStandardError
        ) { process in
            // Thrown errors must not leave it running, nor may cancellation.
            defer { try? process.send(signal: .kill) }
            try await withTaskCancellationHandler {
                var lines = process.standardOutput.strings().makeAsyncIterator()
                let line = try #require(try await lines.next(), "the proxy did not start")
                let port = line.trimmingCharacters(in: .whitespacesAndNewlines)
                try await body("http://127.0.0.1:\(port)")
            } onCancel: {
                try? process.send(signal: .kill)
            }
        }
    }
}

private enum LiteLLM {
    /// The Python that has the proxy; nil when nobody says.
    static let python = ProcessInfo.processInfo.environment["LCP_LITELLM"]
}
