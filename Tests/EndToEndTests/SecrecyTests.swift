import BridgeProtocol
import BusClient
import Foundation
import LCPWire
import LightningTypes
import LndRPC
import LocalNetwork
import Testing

/// Nothing that somebody bought, sold or paid with may be read in a log.
@Suite(.timeLimit(.minutes(30))) struct SecrecyTests {
    @Test func `the logs of a whole run hold no prompt, output, invoice, preimage or macaroon`()
        async throws
    {
        try await Market.run {
            try Self.plan($0)
        } _: { market in
            var secrets = Secrets()
            for node in await market.network.nodes {
                let path = node.macaroon
                let macaroon = try #require(FileManager.default.contents(atPath: path))
                secrets.add("macaroon", Array(macaroon.dropFirst(16).prefix(64)))
            }
            secrets.add("output", Array(Self.output.utf8))

            // A job that goes well, one that fails, one that is refused, one cancelled.
            let good = try await Self.prompt("good", &secrets)
            let bought = try await market.ask(good)
            #expect(bought.exit == 0, "\(bought.errors)")
            let answer = try bought.object()
            #expect((answer["result"] as? String)?.hasPrefix(Self.output) == true)
            try Self.add(answer, to: &secrets)
            let broken = try await market.ask(try await Self.prompt("break", &secrets))
            #expect(broken.exit == 14, "\(broken.errors)")
            try Self.add(broken.object(), to: &secrets)
            let refused = try await Self.prompt("refused", &secrets)
            #expect(try await market.ask(refused, profile: "none").exit == 11)
            let dropped = try await market.submit(
                try await Self.prompt("dropped", &secrets),
                ceiling: nil
            )
            try await market.wait(for: dropped) { $0.view.stage == .quoted }
            _ = try await market.network.client(of: "alice").cancel(dropped)

            // Each process is killed and started again with a job under way.
            for name in await market.network.processes.map(\.name) where name.role != .simnet {
                let prompt = try await Self.prompt("kill \(name)", &secrets)
                let key = try await market.submit(prompt)
                await market.network.kill(name)
                try await market.network.start(name)
                let job = try await market.end(of: key)
                #expect(job.view.stage == .done, "\(name): \(job.view.failure.code)")
                let result = try await market.network.client(of: "alice").result(of: key)
                let preimage = try #require(result.preimage).secret.reveal("to look for it").bytes
                secrets.add("preimage", preimage)
            }
            try await Self.addInvoices(of: market, to: &secrets)
            try await Self.sendWrongThings(in: market, &secrets)

            let logs = try Self.logs(of: market)
            // So that this test can fail: the logs are there, and tell of the job by its id.
            #expect(logs.count == 6)
            for (name, log) in logs { #expect(!log.isEmpty, "\(name) is silent") }
            #expect(logs.contains { $0.text.contains(" debug ") })
            let id = try #require(answer["job_id"] as? String)
            #expect(logs.contains { $0.text.contains(id) })
            for (name, log) in logs + [("lcp", bought.errors + broken.errors)] {
                for leak in secrets.leaks(in: log) { Issue.record("\(leak) in \(name)") }
            }
        }
    }

    @Test func `the scan finds a secret in each of its forms`() {
        var secrets = Secrets()
        let bytes = (0..<32).map { _ in UInt8.random(in: 0...255) }
        secrets.add("preimage", bytes)
        secrets.add("prompt", Array("CANARY of the prompt".utf8))
        let hex = bytes.map { String(format: "%02x", $0) }.joined()
        for shift in 0..<3 {
            let data = Data(Array(repeating: 7, count: shift) + bytes + [9, 9])
            #expect(secrets.leaks(in: "x=\(data.base64EncodedString())") == ["preimage"])
        }
        #expect(secrets.leaks(in: "a \(hex) b") == ["preimage"])
        #expect(secrets.leaks(in: "a \(hex.uppercased()) b") == ["preimage"])
        #expect(secrets.leaks(in: "\(bytes)") == ["preimage"])
        #expect(secrets.leaks(in: "the CANARY of the prompt") == ["prompt"])
        #expect(secrets.leaks(in: "nothing at all").isEmpty)
    }

    // MARK: - The run

    private static let output = "CANARY-OUTPUT-\(UUID().uuidString)"

    private static func plan(_ directory: String) throws -> LocalNetworkPlan {
        var plan = LocalNetworkPlan.market()
        plan.nodes.append(.bare("mallory"))
        plan.channels.append("alice:mallory:1000000")
        let script = """
            input=$(cat)
            case "$input" in *break*) echo "no: $input" | cut -c1-3 >&2; exit 1;; esac
            printf '%s' "\(output)"

            """
        try Data(script.utf8).write(to: URL(filePath: "\(directory)/answer.sh"))
        let everything = ["--log-level", "trace"]
        plan.arguments["lcp-bridge", default: []] += everything
        plan.arguments["lcp-provider"] = everything
        plan.arguments["lcp-requester"] = everything
        plan.arguments["lcp-compute"] =
            [
                "--log-level", "debug", "--backend", "exec", "--", "/bin/sh",
                "\(directory)/answer.sh",
            ]
        return plan
    }

    private static func prompt(_ text: String, _ secrets: inout Secrets) async throws -> String {
        let canary = "CANARY-PROMPT-\(UUID().uuidString)"
        secrets.add("prompt", Array(canary.utf8))
        return "\(canary) \(text)"
    }

    private static func add(_ answer: NSDictionary, to secrets: inout Secrets) throws {
        let preimage = try #require(Bytes32(hex: answer["preimage"] as? String ?? ""))
        secrets.add("preimage", preimage.bytes)
    }

    /// Every invoice that bob's lnd has made.
    private static func addInvoices(of market: Market, to secrets: inout Secrets) async throws {
        let invoices = Found()
        try await market.withLnd(of: "bob") { bob in
            let page = try await bob.listInvoices()
            for invoice in page.elements {
                guard let text = invoice.paymentRequest else { continue }
                await invoices.add(text.reveal("to look for it"))
                if let preimage = invoice.preimage {
                    await invoices.add(preimage: preimage.secret.reveal("to look for it").bytes)
                }
            }
        }
        let (texts, preimages) = await (invoices.texts, invoices.preimages)
        #expect(texts.count >= 7)
        // The last part, with signature and fields; amount and network are no secret.
        for text in texts { secrets.add("invoice", Array(text.suffix(60).utf8)) }
        for preimage in preimages { secrets.add("preimage", preimage) }
    }

    private actor Found {
        var texts: [String] = []
        var preimages: [[UInt8]] = []

        func add(_ text: String) { texts.append(text) }
        func add(preimage: [UInt8]) { preimages.append(preimage) }
    }

    /// What a peer gets wrong is often logged with what it said.
    private static func sendWrongThings(
        in market: Market,
        _ secrets: inout Secrets
    ) async throws {
        let alice = try await market.network.node("alice").id
        let canary = "CANARY-PEER-\(UUID().uuidString)"
        secrets.add("peer's words", Array(canary.utf8))
        let prompt = try await prompt("mallory", &secrets)
        try await ScriptedPeer.play("mallory", in: market) { mallory in
            try await mallory.sendManifest(to: alice)
            for index in 0..<3 {
                let key = try await market.submit(prompt, to: "mallory")
                let (envelope, request) = try await mallory.quoteRequest()
                let reply = ScriptedPeer.envelope(envelope.jobID)
                var quote = try mallory.quote(envelope, request)
                quote.paymentRequest = canary
                let message: V01.Message =
                    switch index {
                    case 0: .quoteResponse(reply, quote)
                    case 1: .error(reply, V01.Failure(code: .rateLimited, message: canary))
                    default: .cancel(reply, V01.Cancel(reason: canary))
                    }
                try await mallory.send(message, to: alice)
                if index == 2 {
                    // No cancel of a provider ends a requester's job.
                    _ = try await market.network.client(of: "alice").cancel(key)
                }
                #expect(try await market.end(of: key).view.stage != .done)
            }
        }
    }

    private static func logs(of market: Market) throws -> [(name: String, text: String)] {
        let folder = "\(market.directory)/logs"
        return try FileManager.default.contentsOfDirectory(atPath: folder).sorted().map { name in
            let bytes = FileManager.default.contents(atPath: "\(folder)/\(name)") ?? Data()
            return (name, String(decoding: bytes, as: UTF8.self))
        }
    }
}

/// What must not be read anywhere, in the forms it may take.
private struct Secrets {
    private var forms: [(name: String, text: String)] = []

    /// Adds a secret of at least 16 bytes.
    mutating func add(_ name: String, _ bytes: [UInt8]) {
        forms.append((name, String(decoding: bytes, as: UTF8.self)))
        let hex = bytes.map { String(format: "%02x", $0) }.joined()
        forms.append((name, hex))
        forms.append((name, hex.uppercased()))
        forms.append((name, bytes.map(String.init).joined(separator: ", ")))
        // What stands before it decides which of three texts Base64 makes of it.
        for shift in 0..<3 {
            let padded = Data(Array(repeating: 0, count: shift) + bytes)
            let whole = padded.base64EncodedString()
            let inner = String(whole.dropFirst(4).dropLast(4))
            forms.append((name, inner))
            forms.append((name, inner.replacing("+", with: "-").replacing("/", with: "_")))
        }
    }

    /// The names of the secrets that a text holds.
    func leaks(in text: String) -> [String] {
        var found: [String] = []
        for form in forms where !found.contains(form.name) && text.contains(form.text) {
            found.append(form.name)
        }
        return found
    }
}
