import LCPTesting
import LCPWire
import LightningTypes
import Testing

@Suite struct MessagePropertyTests {
    @Test(arguments: V01.MessageType.allCases)
    func `what is encoded decodes to the same message`(type: V01.MessageType) throws {
        for seed in UInt64(0)..<2_000 {
            var random = SeededGenerator(seed: seed)
            let message = try V01.Message.arbitrary(type, using: &random)
            let payload = try message.encoded()
            #expect(try V01.Message(decoding: payload, as: type) == message, "seed \(seed)")
        }
    }

    @Test(arguments: V01.MessageType.allCases)
    func `100,000 damaged payloads give a value or an error, and never trap`(
        type: V01.MessageType
    ) throws {
        var accepted = 0
        var refused: Set<String> = []
        for seed in UInt64(0)..<1_000 {
            var random = SeededGenerator(seed: seed)
            let payload = try V01.Message.arbitrary(type, using: &random).encoded()
            for _ in 0..<100 {
                let damaged = payload.damaged(using: &random)
                do throws(WireError) {
                    let message = try V01.Message(decoding: damaged, as: type)
                    accepted += 1
                    // Unknown records are dropped in reading; what is left must be canonical.
                    let again = try message.encodedWithAnyVersion()
                    if again != damaged {
                        #expect(try V01.Message(decoding: again, as: type) == message)
                        #expect(again.count < damaged.count, "seed \(seed)")
                    }
                } catch {
                    refused.insert(error.code)
                }
            }
        }
        #expect(accepted > 1_000, "damage was never survivable, so acceptance was not tested")
        #expect(refused.count >= 6, "too few ways to fail: \(refused)")
    }

    // LCP v0.1 §2 [version-number]
    @Test func `every message says version 1, in its first record`() throws {
        let envelope = V01.Envelope(
            jobID: JobID(.zero),
            messageID: MessageID(.zero),
            expiry: UnixTime(seconds: 1)
        )
        let request = try V01.QuoteRequest(taskKind: "a", input: [], params: nil)
        let response = V01.QuoteResponse(
            price: MilliSatoshi(msat: 1),
            quoteExpiry: UnixTime(seconds: 1),
            termsHash: TermsHash(.zero),
            paymentRequest: "a"
        )
        let messages: [V01.Message] = [
            .manifest(V01.Manifest()), .quoteRequest(envelope, request),
            .quoteResponse(envelope, response),
            .result(envelope, V01.Result(result: [], contentType: nil)),
            .cancel(envelope, V01.Cancel(reason: nil)),
            .error(envelope, V01.Failure(code: .rateLimited, message: nil)),
        ]
        #expect(messages.map(\.type) == V01.MessageType.allCases)
        for message in messages {
            #expect(try message.encoded().starts(with: [1, 2, 0, 1]), "\(message.type)")
        }
    }

    // BOLT #1 [tlv-tables-ascend]
    @Test func `every table ascends, so that records come out in order`() {
        func ascends(_ types: [UInt64]) -> Bool { zip(types, types.dropFirst()).allSatisfy(<) }
        let envelope = V01.Envelope.codec.types
        #expect(ascends(V01.Manifest.codec.types))
        #expect(ascends(V01.TaskTemplate.codec.types))
        #expect(ascends(V01.LLMChatParams.codec.types))
        #expect(ascends(V01.Terms.codec.types))
        #expect(ascends(envelope + V01.QuoteRequest.codec.types))
        #expect(ascends(envelope + V01.QuoteResponse.codec.types))
        #expect(ascends(envelope + V01.Result.codec.types))
        #expect(ascends(envelope + V01.Cancel.codec.types))
        #expect(ascends(envelope + V01.Failure.codec.types))
    }

    @Test func `an error names message, record and reason`() throws {
        let payload = try #require(
            Hex.decode("01020001" + "021f" + String(repeating: "00", count: 31))
        )
        let error = #expect(throws: WireError.self) {
            try V01.Message(decoding: payload, as: .cancel)
        }
        #expect(error?.description == "lcp_cancel: job_id (2) has 31 bytes, not 32")
        let twice = #expect(throws: WireError.self) {
            try V01.Message(decoding: [1, 2, 0, 1, 1, 2, 0, 1], as: .manifest)
        }
        #expect(twice?.description == "lcp_manifest: the stream has type 1 twice")
    }
}

extension V01.Message {
    /// Encodes a message that may have been read with version 0, which is never written.
    fileprivate func encodedWithAnyVersion() throws(WireError) -> [UInt8] {
        var payload = try withVersion(1).encoded()
        payload[2] = UInt8(version >> 8)
        payload[3] = UInt8(truncatingIfNeeded: version)
        return payload
    }

    private var version: UInt16 {
        switch self {
        case .manifest(let manifest): manifest.protocolVersion
        case .quoteRequest(let envelope, _), .quoteResponse(let envelope, _),
            .result(let envelope, _), .cancel(let envelope, _), .error(let envelope, _):
            envelope.protocolVersion
        }
    }

    private func withVersion(_ version: UInt16) -> V01.Message {
        func changed(_ envelope: V01.Envelope) -> V01.Envelope {
            var envelope = envelope
            envelope.protocolVersion = version
            return envelope
        }
        switch self {
        case .manifest(var manifest):
            manifest.protocolVersion = version
            return .manifest(manifest)
        case .quoteRequest(let envelope, let body): return .quoteRequest(changed(envelope), body)
        case .quoteResponse(let envelope, let body): return .quoteResponse(changed(envelope), body)
        case .result(let envelope, let body): return .result(changed(envelope), body)
        case .cancel(let envelope, let body): return .cancel(changed(envelope), body)
        case .error(let envelope, let body): return .error(changed(envelope), body)
        }
    }
}
