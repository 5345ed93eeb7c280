import BridgeProtocol
import Foundation
import LightningTypes
import LocalNetwork
import OpenAIChat
import ScriptedOpenAI
import Testing

/// Paid jobs that a server of OpenAI's interface computes.
@Suite(.timeLimit(.minutes(30))) struct OpenAIMarketTests {
    private static let key = "sk-CANARY-\(UUID().uuidString)"
    private static let prompt = "CANARY-PROMPT-\(UUID().uuidString)"
    private static let output = "CANARY-OUTPUT-\(UUID().uuidString)"

    private static func plan(_ directory: String, _ server: ScriptedOpenAI) throws
        -> LocalNetworkPlan
    {
        var plan = LocalNetworkPlan.market()
        try Data("\(key)\n".utf8).write(to: URL(filePath: "\(directory)/key"))
        plan.arguments["lcp-compute"] = [
            "--log-level", "trace", "--backend", "openai", "--openai-base-url", server.address,
            "--openai-key-file", "\(directory)/key", "--openai-model", "demo=llama",
        ]
        return plan
    }

    @Test func `a server's answer is sold, and its count of tokens is in the books`() async throws {
        try await ScriptedOpenAI.run { request, connection in
            guard request.headers["authorization"] == "Bearer \(Self.key)" else {
                return try await connection.respond(401)
            }
            guard !String(decoding: request.body, as: UTF8.self).contains("break") else {
                let words = "\(Self.key) can't do \(Self.prompt)"
                return try await connection.respond(
                    500,
                    #"{"error":{"message":"\#(words)","type":"server_error"}}"#
                )
            }
            try await connection.stream()
            try await connection.say("the answer: ", Self.output)
            try await connection.finish(.stop, TokenUsage(promptTokens: 12, completionTokens: 345))
        } _: { server in
            try await Market.run {
                try Self.plan($0, server)
            } _: { market in
                let bought = try await market.ask(Self.prompt)
                #expect(bought.exit == 0, "\(bought.errors)")
                let answer = try bought.object()
                #expect(answer["result"] as? String == "the answer: \(Self.output)")
                let json = try #require(server.requests.first?.json)
                #expect(json["model"] as? String == "llama")
                #expect(
                    json["messages"] as? NSArray == [["role": "user", "content": Self.prompt]]
                )
                // It is the provider's cap that goes on to the server.
                #expect(json["max_tokens"] as? Int == 256)

                try await Self.expectBooks(of: market)

                // A failure of the server's, of which the buyer learns nothing.
                let broken = try await market.ask("\(Self.prompt) break")
                #expect(broken.exit == 14, "\(broken.errors)")
                #expect(server.requests.count == 2)
                #expect(!(broken.output + broken.errors).contains("server_error"))
                try Self.expectSilence(of: market)
            }
        }
    }

    private static func expectBooks(of market: Market) async throws {
        let sold = try await market.lcp("bob", ["ledger", "--json"]).object()
        let entry = try #require((sold["entries"] as? [NSDictionary])?.first)
        #expect(entry["input_tokens"] as? Int == 12 && entry["output_tokens"] as? Int == 345)
        let bought = try await market.lcp("alice", ["ledger", "--json"]).object()
        let other = try #require((bought["entries"] as? [NSDictionary])?.first)
        #expect(other["input_tokens"] as? Int == 0 && other["output_tokens"] as? Int == 0)
        let csv = try await market.lcp("bob", ["ledger", "--csv"]).output
        let lines = csv.components(separatedBy: "\r\n")
        #expect(lines[0].hasSuffix(",payment_hash,input_tokens,output_tokens"))
        #expect(lines[1].hasSuffix(",12,345"))
    }

    /// Every log, at its most talkative, without what must not be in one.
    private static func expectSilence(of market: Market) throws {
        let folder = "\(market.directory)/logs"
        var computeLog = ""
        for name in try FileManager.default.contentsOfDirectory(atPath: folder) {
            let bytes = FileManager.default.contents(atPath: "\(folder)/\(name)") ?? Data()
            let text = String(decoding: bytes, as: UTF8.self)
            if name.contains("compute") { computeLog += text }
            for secret in [key, prompt, output] where text.contains(secret) {
                Issue.record("\(secret.prefix(13)) in \(name)")
            }
        }
        #expect(computeLog.contains("the server delivered no result"))
        #expect(computeLog.contains("openai.status=500"), "\(computeLog)")
    }
}
