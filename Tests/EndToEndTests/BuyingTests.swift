import BridgeProtocol
import BusClient
import Foundation
import LightningCrypto
import LightningTypes
import LndRPC
import LocalNetwork
import Testing

/// `lcp ask`, `quote`, `accept`, `cancel` and `result` against the whole market.
@Suite(.timeLimit(.minutes(30))) struct BuyingTests {
    @Test func `ask --json tells everything about the job, and all of it is true`() async throws {
        try await Market.run { market in
            let before = try await market.balances()
            let outcome = try await market.ask("Say hello in one word.")
            #expect(outcome.exit == 0, "\(outcome.errors)")
            let answer = try outcome.object()
            let bob = try await market.network.node("bob")

            let keys: Set<String> = [
                "peer_id", "job_id", "role", "stage", "price_msat", "fee_msat", "terms_hash",
                "payment_hash", "preimage", "content_type", "result", "failure",
                "times",
            ]
            #expect(Set(answer.allKeys.compactMap { $0 as? String }) == keys)
            #expect(answer["peer_id"] as? String == bob.id.hex)
            #expect(answer["role"] as? String == "requester")
            #expect(answer["stage"] as? String == "done")
            // 6 input tokens and 256 output tokens at the market's prices.
            #expect(answer["price_msat"] as? UInt64 == 3_595)
            #expect(answer["fee_msat"] as? UInt64 == 0)
            #expect(answer["content_type"] as? String == "text/plain; charset=utf-8")
            #expect(answer["failure"] is NSNull)
            let prompt = Array("Say hello in one word.".utf8)
            let expected = "\(SHA256.hash(prompt).hex)\nSay hello in one word."
            #expect(answer["result"] as? String == expected)

            // The proof of payment proves it, and the invoice was bound to the terms.
            let hash = try #require(answer["payment_hash"] as? String)
            let preimage = try #require(Bytes32(hex: answer["preimage"] as? String ?? ""))
            #expect(SHA256.hash(preimage.bytes).hex == hash)
            let terms = try #require(answer["terms_hash"] as? String)
            try await market.withLnd(of: "bob") { lnd in
                let paid = PaymentHash(try #require(Bytes32(hex: hash)))
                let invoice = try await lnd.lookupInvoice(paid)
                #expect(invoice.state == .settled)
                #expect(invoice.descriptionHash?.hex == terms)
                #expect(invoice.amountPaid == MilliSatoshi(msat: 3_595))
            }

            let times = try #require(answer["times"] as? NSDictionary)
            let order = ["created_unix", "quoted_unix", "paid_unix", "ended_unix"]
            let stamps = order.compactMap { times[$0] as? UInt64 }
            #expect(stamps.count == 4 && stamps == stamps.sorted(), "\(times)")
            let quoteEnd = try #require(times["quote_expiry_unix"] as? UInt64)
            // Five minutes from when it was made, which was between the order and its arrival.
            let made = try #require(quoteEnd >= 300 ? quoteEnd - 300 : nil)
            #expect(stamps[0] <= made && made <= stamps[1], "\(times)")
            let elapsed = try #require(times["elapsed_ms"] as? NSDictionary)
            #expect(elapsed["done"] is Double)

            // The id is on standard error before money moves.
            let job = try #require(answer["job_id"] as? String)
            #expect(outcome.errors.contains(job))
            try await market.expectBalancedBooks(spent: 3_595, before: before)
        }
    }

    @Test func `quote, accept, result and cancel work one by one, each its own process`()
        async throws
    {
        try await Market.run { market in
            let bob = try await market.network.node("bob").id.hex
            let ask = ["--json", "--peer", bob, "--profile", "demo"]
            let quoted = try await market.lcp("alice", ["quote"] + ask + ["later"])
            #expect(quoted.exit == 0, "\(quoted.errors)")
            let quote = try quoted.object()
            let job = try #require(quote["job_id"] as? String)
            #expect(quote["stage"] as? String == "quoted")
            #expect(quote["preimage"] is NSNull)
            #expect(try await market.calls(of: "SendPaymentV2", at: "alice") == 0)

            let dear = try await market.lcp("alice", ["accept", "--max-price", "1", job])
            #expect(dear.exit == 10)
            // Nothing has happened to the quote, also not by looking at it.
            let looked = try await market.lcp("alice", ["result", "--no-wait", job])
            #expect(looked.exit == 75, "\(looked.errors)")
            let bought = try await market.lcp("alice", ["accept", job])
            #expect(bought.exit == 0, "\(bought.errors)")
            #expect(bought.output.hasSuffix("\nlater"))
            for _ in 0..<2 {
                let again = try await market.lcp("alice", ["result", job])
                #expect(again.output == bought.output)
            }
            let accepted = try await market.lcp("alice", ["accept", "--json", job])
            #expect(accepted.exit == 0)
            #expect(try accepted.object()["stage"] as? String == "done")
            #expect(try await market.calls(of: "SendPaymentV2", at: "alice") == 1)

            let other = try await market.lcp("alice", ["quote"] + ask + ["never"]).object()
            let dropped = try #require(other["job_id"] as? String)
            let cancelled = try await market.lcp("alice", ["cancel", dropped])
            #expect(cancelled.exit == 0, "\(cancelled.errors)")
            #expect(try cancelled.object()["stage"] as? String == "cancelled")
            #expect(try await market.lcp("alice", ["accept", dropped]).exit == 15)
            #expect(try await market.lcp("alice", ["result", dropped]).exit == 15)
            #expect(try await market.calls(of: "SendPaymentV2", at: "alice") == 1)
        }
    }

    @Test func `every way that a purchase ends has its exit code`() async throws {
        try await Market.run { directory in
            var plan = try Gate.market(directory)
            let yaml = "\(directory)/requester.yaml"
            try Data("answer_seconds: 30\n".utf8).write(to: URL(filePath: yaml))
            plan.arguments["lcp-requester"] = ["--config", yaml]
            return plan
        } _: { market in
            func expect(
                _ status: Int32,
                _ code: String,
                of outcome: Market.Outcome,
                line: Int = #line
            ) {
                #expect(outcome.exit == status, "line \(line): \(outcome.errors)")
                #expect(outcome.errors.contains(#""code":"\#(code)""#), "\(outcome.errors)")
            }

            let refused = try await market.ask("x", ["--max-price", "1"])
            expect(10, "refused-by-price", of: refused)
            expect(10, "refused-by-price", of: try await market.ask("x", []))
            expect(
                11,
                "refused-by-provider",
                of: try await market.ask("x", profile: "unheard-of")
            )
            // 2 is lnd's "no route".
            try await market.control("payments", "alice", "--fail", "2")
            let unpaid = try await market.ask("x")
            expect(12, "payment-failed", of: unpaid)
            #expect(try unpaid.object()["preimage"] is NSNull)
            let broken = try await market.ask("break")
            expect(14, "answered-with-error", of: broken)
            #expect(try broken.object()["preimage"] is String)

            let nobody = String(repeating: "ee", count: 32)
            let unknown = try await market.lcp("alice", ["result", nobody])
            #expect(unknown.exit == 16, "\(unknown.errors)")
            // Nobody answers: the command's own patience first, then the job's.
            let slow = try await market.ask("slow", ["--max-price", "1000", "--timeout", "15"])
            expect(75, "timed-out", of: slow)
            let job = try #require(try slow.object()["job_id"] as? String)
            let unanswered = try await market.lcp("alice", ["result", "--json", job])
            expect(13, "unanswered", of: unanswered)
            #expect(try unanswered.object()["preimage"] is String)
            // A later answer is still taken.
            try market.gate.open()
            try await eventually("the late answer is there") {
                try await market.lcp("alice", ["result", job]).exit == 0
            }
            #expect(try await market.lcp("alice", ["result", job]).output == "slow, answered")
        }
    }

    @Test func `what is too long is refused before payment or cut after it, never lost`()
        async throws
    {
        try await Market.run { directory in
            var plan = LocalNetworkPlan.market()
            // 10,000 characters of three bytes each.
            let script =
                "cat > /dev/null; yes | head -n 10000 | sed 's/y/\u{20ac}/' | tr -d '\\n'\n"
            try Data(script.utf8).write(to: URL(filePath: "\(directory)/long.sh"))
            plan.arguments["lcp-compute"] = [
                "--backend", "exec", "--", "/bin/sh", "\(directory)/long.sh",
            ]
            return plan
        } _: { market in
            let refused = try await market.ask(String(repeating: "x", count: 17_000))
            #expect(refused.exit == 11, "\(refused.errors)")
            let failure = try refused.object()["failure"] as? NSDictionary
            #expect(failure?["code"] as? String == "request-too-large")
            #expect(try await market.calls(of: "SendPaymentV2", at: "alice") == 0)

            // A fresh bridge waits some seconds for providers before it says what it receives.
            let seller = try await market.network.client(of: "bob")
            try await eventually("bob knows what alice receives") {
                try await seller.peers().contains { $0.maxPayloadBytes == 16_384 }
            }
            let bought = try await market.ask("short")
            #expect(bought.exit == 0, "\(bought.errors)")
            let answer = try bought.object()
            // 16,275 bytes fit into what a peer of ours receives: 5,425 whole characters.
            let text = try #require(answer["result"] as? String)
            #expect(text.allSatisfy { $0 == "\u{20ac}" })
            #expect(text.count == 5_425)
            // The protocol has no word for it; the seller's books have.
            let sold = try await market.lcp("bob", ["jobs", "--json"]).object()
            let jobs = try #require(sold["jobs"] as? [NSDictionary])
            #expect(jobs.map { $0["truncated"] as? Bool } == [true])
        }
    }

    @Test func `a silent peer and a bridge's own limit each end a purchase unpaid`() async throws {
        try await Market.run { _ in
            var plan = LocalNetworkPlan.market()
            plan.nodes.append(.bare("mallory"))
            plan.channels.append("alice:mallory:1000000")
            plan.arguments["lcp-bridge", default: []] += ["--per-payment-limit-sat", "3"]
            return plan
        } _: { market in
            // 3.595 sat: the buyer agrees, the bridge that holds the money does not.
            let refused = try await market.ask("Say hello in one word.")
            #expect(refused.exit == 12, "\(refused.errors)")
            #expect(refused.errors.contains(#""code":"payment-refused""#), "\(refused.errors)")
            #expect(refused.errors.contains("--per-payment-limit-sat"), "\(refused.errors)")

            // Somebody without patience: nobody who answers has to be that fast.
            let requester = ProcessName("alice", .requester)
            await market.network.kill(requester)
            let hasty = ["--quote-wait-seconds", "1", "--quote-attempts", "1"]
            try await market.network.start(requester, arguments: hasty)
            let silent = try await market.ask("hello", of: "mallory")
            #expect(silent.exit == 11, "\(silent.errors)")
            #expect(silent.errors.contains(#""code":"no-quote""#), "\(silent.errors)")
            #expect(try await market.calls(of: "SendPaymentV2", at: "alice") == 0)
        }
    }
}
