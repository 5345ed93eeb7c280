import LCPCore
import LCPTesting
import LCPWire
import LightningTypes
import Testing

@Suite struct PolicyTests {
    @Test func `lists, channels and limits decide who is served`() throws {
        let peer = try Sample.peer()
        func code(_ policy: PeerPolicy, _ change: (inout PeerFacts) -> Void = { _ in }) -> UInt16? {
            var facts = Sample.stranger
            change(&facts)
            return policy.refusal(of: peer, facts)?.code.rawValue
        }
        let unsupportedTask: UInt16 = 2
        let rateLimited: UInt16 = 7
        #expect(code(PeerPolicy()) == nil)
        #expect(code(PeerPolicy(allowed: [])) == unsupportedTask)
        #expect(code(PeerPolicy(allowed: [peer])) == nil)
        #expect(code(PeerPolicy(allowed: [peer], denied: [peer])) == unsupportedTask)
        #expect(code(PeerPolicy(requiresChannel: true)) == unsupportedTask)
        #expect(code(PeerPolicy(requiresChannel: true)) { $0.hasChannel = true } == nil)
        #expect(code(PeerPolicy(maxOpenJobs: 2)) { $0.openJobs = 1 } == nil)
        #expect(code(PeerPolicy(maxOpenJobs: 2)) { $0.openJobs = 2 } == rateLimited)
        #expect(code(PeerPolicy()) { $0.isWithinRate = false } == rateLimited)
    }

    // MARK: - Result size

    // LCP v0.1 §5.4 [result-fits-peer]
    @Test(arguments: [nil, "", ResultLimit.chatContentType], [UInt64(0), 1_767_225_600, .max])
    func `the largest result that fits, fits exactly`(
        contentType: String?,
        expiry: UInt64
    ) throws {
        func size(_ count: Int) throws -> Int {
            let envelope = V01.Envelope(
                jobID: Sample.id(1),
                messageID: Sample.id(2),
                expiry: UnixTime(seconds: expiry)
            )
            let result = V01.Result(
                result: [UInt8](repeating: 0x61, count: count),
                contentType: contentType
            )
            return try V01.Message.result(envelope, result).encoded().count
        }
        var fitted = 0
        for limit in Array(60...420) + [16384, 65533] {
            let most = ResultLimit.maxResultBytes(
                maxPayloadBytes: UInt32(limit),
                contentType: contentType,
                expiry: UnixTime(seconds: expiry)
            )
            guard let most else {
                #expect(try size(0) > limit)
                continue
            }
            fitted += 1
            #expect(try size(most) <= limit)
            #expect(try size(most + 1) > limit)
        }
        #expect(fitted > 200)
    }

    // LCP v0.1 §5.4 [result-fits-peer]
    @Test(arguments: [ResultLimit.chatContentType, "application/octet-stream"])
    func `an output of just the limit is sent whole, of one byte more it is cut or an error`(
        contentType: String
    ) throws {
        let limit = try #require(
            ResultLimit.maxResultBytes(
                maxPayloadBytes: Sample.stranger.maxPayloadBytes,
                contentType: contentType,
                expiry: EnvelopeExpiry.window.time(sentAt: Sample.now)
            )
        )
        func answer(to count: Int) throws -> ProviderJob.Answer? {
            var job = ProviderJob(peer: try Sample.peer(), jobID: Sample.id(9))
            let output = ProviderJob.ComputedOutput(
                bytes: Redacted([UInt8](repeating: 0x61, count: count)),
                contentType: contentType
            )
            let events: [ProviderJob.Event] = [
                .quoteRequested(ProviderJob.Request(body: try Sample.request())),
                .invoiceCreated(Sample.paymentHash(1), Redacted("lnbcrt1")),
                .invoiceSettled(Sample.paymentHash(1)), .computed(output),
            ]
            for event in events { job.handle(event, in: Sample.context()) }
            guard case .answered(_, let answer, _) = job.state else { return nil }
            return answer
        }
        func sent(isCut: Bool) -> ProviderJob.Answer {
            .result(
                ProviderJob.Output(
                    byteCount: UInt32(limit),
                    isCut: isCut,
                    contentType: contentType
                )
            )
        }
        #expect(try answer(to: limit) == sent(isCut: false))
        let isText = contentType == ResultLimit.chatContentType
        let tooLarge = ProviderJob.Answer.failure(V01.Failure(code: .payloadTooLarge, message: nil))
        #expect(try answer(to: limit + 1) == (isText ? sent(isCut: true) : tooLarge))
    }

    @Test func `the specification's own numbers come out`() {
        func most(_ limit: UInt32?) -> Int? {
            ResultLimit.maxResultBytes(
                maxPayloadBytes: limit,
                contentType: ResultLimit.chatContentType,
                expiry: Sample.now
            )
        }
        #expect(most(16384) == 16275)
        #expect(most(107 + 252) == 252)
        #expect(most(107) == 0)
        #expect(most(106) == nil)
        #expect(most(nil) == 65533 - 109)
        #expect(most(.max) == 65533 - 109)
    }

    @Test func `text is cut at characters, and never more than it must be`() {
        let characters: [Character] = ["a", "é", "プ", "🔖"]
        var torn = 0
        for seed in UInt64(0)..<300 {
            var random = SeededGenerator(seed: seed)
            let text = String((0..<20).map { _ in characters[Int(random.next() % 4)] })
            let bytes = Array(text.utf8)
            for limit in 0...bytes.count + 2 {
                let kept = ResultLimit.cut(bytes, at: limit)
                #expect(kept <= limit)
                #expect(String(validating: bytes[..<kept], as: UTF8.self) != nil)
                #expect(limit - kept <= 3 || kept == bytes.count)
                if kept < min(limit, bytes.count) {
                    torn += 1
                    #expect(String(validating: bytes[..<limit], as: UTF8.self) == nil)
                }
            }
        }
        #expect(torn > 1000, "no limit fell into a character")
        let noise = [UInt8](repeating: 0x80, count: 100)
        #expect(ResultLimit.cut(noise, at: 50) == 47)
    }
}
