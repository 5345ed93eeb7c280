import Foundation
import LCPWire
import LightningTypes
import LndRPC
import LocalNetwork
import Testing

/// What our provider answers to a peer that buys by hand: every code it can say, on the wire.
@Suite(.timeLimit(.minutes(30))) struct RefusalTests {
    /// bob sells behind the gate; carol is played by the test.
    private func market(
        _ directory: String,
        quoteSeconds: Int = 300
    ) throws -> LocalNetworkPlan {
        var plan = try Gate.market(directory)
        plan.nodes = [.init("bob", providers: 1, computes: 1), .bare("carol")]
        plan.channels = ["carol:bob:1000000"]
        plan.providerConfiguration = """
            quote_ttl_seconds: \(quoteSeconds)
            llm:
              max_output_tokens: 256
              chat_profiles:
                demo:
                  price: {input_msat_per_mtok: 1750000, output_msat_per_mtok: 14000000}
                  temperature_milli: {min: 0, max: 1000}
            peers:
              max_open_jobs: 1

            """
        return plan
    }

    private static func request(
        _ input: String = "hello",
        kind: String = V01.llmChat,
        profile: String = "demo",
        temperature: UInt32? = nil,
        tokens: UInt32? = nil,
        unknown: [TLVRecord] = []
    ) throws -> V01.QuoteRequest {
        let params = V01.LLMChatParams(
            profile: profile,
            temperatureMilli: temperature,
            maxOutputTokens: tokens,
            unknown: unknown
        )
        return try V01.QuoteRequest(
            taskKind: kind,
            input: Array(input.utf8),
            params: try params.encoded()
        )
    }

    /// Asks under a job id, a new one by default, and waits for what comes back.
    private static func ask(
        _ request: V01.QuoteRequest,
        of bob: NodeID,
        by carol: ScriptedPeer,
        job: JobID = JobID(ScriptedPeer.randomBytes()),
        version: UInt16 = 1
    ) async throws -> V01.Message {
        let envelope = ScriptedPeer.envelope(job, version: version)
        try await carol.send(.quoteRequest(envelope, request), to: bob)
        return try await carol.answer(to: job)
    }

    @Test func `each refusal before payment has the code of the specification`() async throws {
        try await Market.run {
            try market($0)
        } _: { market in
            let bob = try await market.network.node("bob").id
            try await ScriptedPeer.play("carol", in: market) { carol in
                try await carol.sendManifest(to: bob)
                let refusals: [(String, V01.ErrorCode, UInt16, V01.QuoteRequest)] = [
                    ("version", .unsupportedVersion, 2, try Self.request()),
                    ("kind", .unsupportedTask, 1, try Self.request(kind: "video.make")),
                    ("profile", .unsupportedTask, 1, try Self.request(profile: "other")),
                    (
                        "params", .unsupportedParams, 1,
                        try Self.request(unknown: [TLVRecord(type: 9, value: [1])])
                    ),
                    ("temperature", .unsupportedParams, 1, try Self.request(temperature: 1_001)),
                    ("tokens", .unsupportedParams, 1, try Self.request(tokens: 257)),
                    ("input", .unsupportedParams, 1, try Self.request("")),
                ]
                for (name, code, version, request) in refusals {
                    let answer = try await Self.ask(request, of: bob, by: carol, version: version)
                    #expect(answer.code == code, "\(name): \(answer)")
                }
                // No answer would fit.
                try await carol.sendManifest(to: bob, maxPayloadBytes: 90)
                let tooLarge = try await Self.ask(try Self.request(), of: bob, by: carol)
                #expect(tooLarge.code == .payloadTooLarge)
                try await carol.sendManifest(to: bob)
                #expect(try await market.calls(of: "AddInvoice", at: "bob") == 0)

                // A quote; then another job is one too many, and the job's id belongs to it.
                let job = JobID(ScriptedPeer.randomBytes())
                let quoted = try await Self.ask(try Self.request(), of: bob, by: carol, job: job)
                guard case .quoteResponse(_, let quote) = quoted else {
                    Issue.record("no quote: \(quoted)")
                    return
                }
                let second = try await Self.ask(try Self.request("more"), of: bob, by: carol)
                #expect(second.code == .rateLimited)
                let reused = try await Self.ask(
                    try Self.request("something else"),
                    of: bob,
                    by: carol,
                    job: job
                )
                #expect(reused.code == .paymentInvalid)
                // The quote stands, and asking again gives the same one.
                let again = try await Self.ask(try Self.request(), of: bob, by: carol, job: job)
                guard case .quoteResponse(_, let same) = again else {
                    Issue.record("no quote again: \(again)")
                    return
                }
                #expect(same == quote)
                #expect(try await market.calls(of: "AddInvoice", at: "bob") == 1)
            }
        }
    }

    @Test func `a quote that the buyer can't receive is taken back, and both sides know why`()
        async throws
    {
        try await Market.run {
            try market($0)
        } _: { market in
            let bob = try await market.network.node("bob").id
            try await ScriptedPeer.play("carol", in: market) { carol in
                // A short result fits, and no quote with its invoice does.
                try await carol.sendManifest(to: bob, maxPayloadBytes: 300)
                let job = JobID(ScriptedPeer.randomBytes())
                for _ in 0..<2 {
                    let told = try await Self.ask(try Self.request(), of: bob, by: carol, job: job)
                    #expect(told.code == .payloadTooLarge)
                }
                let listed = try await market.lcp("bob", ["jobs", "--json"]).object()
                let jobs = try #require(listed["jobs"] as? [NSDictionary])
                let failures = jobs.map { $0["failure"] as? NSDictionary }
                #expect(failures.map { $0?["code"] as? String } == ["quote-too-large"])
                let invoices = try await market.invoices(of: "bob")
                #expect(invoices.map(\.state) == [.canceled])
            }
        }
    }

    @Test func `a paid job always ends in a result or an error, and repeats get the same`()
        async throws
    {
        try await Market.run {
            try market($0)
        } _: { market in
            let bob = try await market.network.node("bob").id
            try await ScriptedPeer.play("carol", in: market) { carol in
                try await carol.sendManifest(to: bob)
                func buy(_ input: String, _ job: JobID) async throws {
                    let answer = try await Self.ask(
                        try Self.request(input),
                        of: bob,
                        by: carol,
                        job: job
                    )
                    guard case .quoteResponse(_, let quote) = answer else {
                        throw Unexpected(answer)
                    }
                    let payment = try await carol.pay(quote)
                    guard case .succeeded = payment.status else { throw Unexpected(answer) }
                }

                // The computation fails.
                let broken = JobID(ScriptedPeer.randomBytes())
                try await buy("break", broken)
                let failure = try await carol.answer(to: broken)
                #expect(failure.code?.rawValue == 0x8001)

                // Cancelled after the payment: the program is stopped, and there is an answer.
                let cancelled = JobID(ScriptedPeer.randomBytes())
                try await buy("slow", cancelled)
                let program = try await market.gate.running()
                let cancel = V01.Cancel(reason: nil)
                try await carol.send(.cancel(ScriptedPeer.envelope(cancelled), cancel), to: bob)
                let stopped = try await carol.answer(to: cancelled)
                #expect(stopped.code?.rawValue == 0x8002)
                try await eventually("the program has ended") {
                    !FileManager.default.fileExists(atPath: "/proc/\(program)")
                }

                // A result, and the same for those who ask again.
                try market.gate.open()
                let good = JobID(ScriptedPeer.randomBytes())
                try await buy("fast", good)
                guard case .result(let envelope, let result) = try await carol.answer(to: good)
                else {
                    Issue.record("no result")
                    return
                }
                #expect(result.result == Array("fast, answered".utf8))
                #expect(result.contentType == "text/plain; charset=utf-8")
                let again = try await Self.ask(
                    try Self.request("fast"),
                    of: bob,
                    by: carol,
                    job: good
                )
                guard case .result(let later, let same) = again else {
                    Issue.record("no result again: \(again)")
                    return
                }
                #expect(same == result)
                #expect(later.messageID != envelope.messageID)
                // Errors are answers too.
                let error = try await Self.ask(
                    try Self.request("break"),
                    of: bob,
                    by: carol,
                    job: broken
                )
                #expect(error.code?.rawValue == 0x8001)
            }
        }
    }

    @Test func `after its end a quote is expired and its invoice can't be paid`() async throws {
        try await Market.run {
            try market($0, quoteSeconds: 15)
        } _: { market in
            let bob = try await market.network.node("bob").id
            try await ScriptedPeer.play("carol", in: market) { carol in
                try await carol.sendManifest(to: bob)
                let job = JobID(ScriptedPeer.randomBytes())
                let request = try Self.request()
                let quoted = try await Self.ask(request, of: bob, by: carol, job: job)
                guard case .quoteResponse(_, let quote) = quoted else { throw Unexpected(quoted) }
                #expect(quote.quoteExpiry.seconds <= UnixTime.wall.seconds + 15)
                try await eventually("the quote has ended") {
                    UnixTime.wall > quote.quoteExpiry
                }
                let answer = try await Self.ask(request, of: bob, by: carol, job: job)
                #expect(answer.code == .quoteExpired)
                await #expect(throws: LndError.self) {
                    let payment = try await carol.pay(quote)
                    if case .failed = payment.status {
                        throw LndError(.invoiceExpired, "refused by the payee")
                    }
                }
            }
        }
    }

    @Test func `a flood of requests is answered with rate_limited and costs no invoice`()
        async throws
    {
        try await Market.run {
            try market($0)
        } _: { market in
            let bob = try await market.network.node("bob").id
            try await ScriptedPeer.play("carol", in: market) { carol in
                try await carol.sendManifest(to: bob)
                // A provider takes 60 requests of a peer a minute; none of these gets a quote.
                let request = try Self.request(profile: "other")
                while await carol.inbox.count(where: { $0.code == .rateLimited }) == 0 {
                    let job = JobID(ScriptedPeer.randomBytes())
                    let envelope = ScriptedPeer.envelope(job)
                    try await carol.send(.quoteRequest(envelope, request), to: bob)
                }
                #expect(try await market.calls(of: "AddInvoice", at: "bob") == 0)
            }
        }
    }

    @Test func `a buyer reports each refusal of a provider, known codes by name`() async throws {
        try await Market.run { _ in
            var plan = LocalNetworkPlan.patientMarket()
            plan.nodes = [.init("alice", requesters: 1), .bare("mallory")]
            plan.channels = ["alice:mallory:1000000"]
            return plan
        } _: { market in
            let alice = try await market.network.node("alice").id
            try await ScriptedPeer.play("mallory", in: market) { mallory in
                for number in [1, 2, 3, 4, 5, 6, 7, 8, 0xffff] as [UInt16] {
                    async let asked = market.ask("hello", of: "mallory")
                    let (envelope, _) = try await mallory.quoteRequest()
                    let code = V01.ErrorCode(rawValue: number)
                    let words = V01.Failure(code: code, message: "words of the peer")
                    let answer = ScriptedPeer.envelope(envelope.jobID)
                    try await mallory.send(.error(answer, words), to: alice)
                    let outcome = try await asked
                    #expect(outcome.exit == 11, "\(number): \(outcome.errors)")
                    let failure = try outcome.object()["failure"] as? NSDictionary
                    #expect(failure?["code"] as? String == "refused-by-provider")
                    let detail = failure?["detail"] as? String ?? ""
                    #expect(detail.contains(code.name ?? "65535"), "\(detail)")
                    // They may say anything, and a job's metadata is for everybody.
                    #expect(!outcome.errors.contains("words of the peer"))
                }
                #expect(try await market.calls(of: "SendPaymentV2", at: "alice") == 0)
            }
        }
    }
}

extension Market {
    /// Every invoice of a node's lnd.
    fileprivate func invoices(of node: String) async throws -> [Invoice] {
        let (found, result) = AsyncStream.makeStream(of: [Invoice].self)
        try await withLnd(of: node) { result.yield(try await $0.listInvoices().elements) }
        var iterator = found.makeAsyncIterator()
        return await iterator.next() ?? []
    }
}

/// A peer said something else than the test goes on from.
struct Unexpected: Error, CustomStringConvertible {
    let description: String

    init(_ message: V01.Message) {
        let code = message.code.map { ", code \($0.rawValue)" } ?? ""
        description = "got \(message.type.wireName)\(code)"
    }
}

extension V01.Message {
    /// The code of an error; nil for another message.
    var code: V01.ErrorCode? {
        if case .error(_, let failure) = self { failure.code } else { nil }
    }
}
