import LCPTesting
import LCPWire
import LightningTypes

extension V01.Message {
    /// A random valid message of a type.
    static func arbitrary(
        _ type: V01.MessageType,
        using random: inout SeededGenerator
    ) throws -> V01.Message {
        switch type {
        case .manifest:
            let count = Int.random(in: 0...3, using: &random)
            let tasks = try (0..<count).map { _ in try V01.TaskTemplate.arbitrary(using: &random) }
            return .manifest(
                V01.Manifest(
                    protocolVersion: .random(in: 1...(.max), using: &random),
                    maxPayloadBytes: Bool.random(using: &random)
                        ? .random(in: 0...(.max), using: &random) : nil,
                    supportedTasks: Bool.random(using: &random) ? tasks : nil
                )
            )
        case .quoteRequest:
            let template = try V01.TaskTemplate.arbitrary(using: &random)
            return .quoteRequest(
                .arbitrary(using: &random),
                try V01.QuoteRequest(
                    taskKind: template.taskKind,
                    input: Array(String.arbitrary(300, using: &random).utf8),
                    params: template.params
                )
            )
        case .quoteResponse:
            return .quoteResponse(
                .arbitrary(using: &random),
                V01.QuoteResponse(
                    price: MilliSatoshi(msat: .arbitrary(using: &random)),
                    quoteExpiry: UnixTime(seconds: .arbitrary(using: &random)),
                    termsHash: .arbitrary(using: &random),
                    paymentRequest: "ln" + .arbitrary(300, using: &random)
                )
            )
        case .result:
            return .result(
                .arbitrary(using: &random),
                V01.Result(
                    result: random.bytes(.random(in: 0...300, using: &random)),
                    contentType: .arbitraryOrNil(40, using: &random)
                )
            )
        case .cancel:
            return .cancel(
                .arbitrary(using: &random),
                V01.Cancel(reason: .arbitraryOrNil(100, using: &random))
            )
        case .error:
            return .error(
                .arbitrary(using: &random),
                V01.Failure(
                    code: V01.ErrorCode(rawValue: .random(in: 1...(.max), using: &random)),
                    message: .arbitraryOrNil(100, using: &random)
                )
            )
        }
    }
}

extension V01.Envelope {
    static func arbitrary(using random: inout SeededGenerator) -> V01.Envelope {
        V01.Envelope(
            protocolVersion: .random(in: 1...(.max), using: &random),
            jobID: .arbitrary(using: &random),
            messageID: .arbitrary(using: &random),
            expiry: UnixTime(seconds: .arbitrary(using: &random))
        )
    }
}

extension V01.TaskTemplate {
    static func arbitrary(using random: inout SeededGenerator) throws -> V01.TaskTemplate {
        guard Bool.random(using: &random) else {
            return try V01.TaskTemplate(
                taskKind: "x" + .arbitrary(20, using: &random),
                params: Bool.random(using: &random) ? random.bytes(7) : nil
            )
        }
        let params = V01.LLMChatParams(
            profile: "p" + .arbitrary(20, using: &random),
            temperatureMilli: Bool.random(using: &random)
                ? .random(in: 0...(.max), using: &random) : nil,
            maxOutputTokens: Bool.random(using: &random)
                ? .random(in: 0...(.max), using: &random) : nil,
            unknown: Bool.random(using: &random)
                ? [TLVRecord(type: .random(in: 4...(.max), using: &random), value: [1, 2])] : []
        )
        return try V01.TaskTemplate(taskKind: "llm.chat", params: params.encoded())
    }
}

extension Identifier32 {
    static func arbitrary(using random: inout SeededGenerator) -> Self {
        Self(Bytes32(random.bytes(32)) ?? .zero)
    }
}

extension UInt64 {
    /// Any number, every length in bytes about equally often.
    static func arbitrary(using random: inout SeededGenerator) -> UInt64 {
        random.next() >> UInt64.random(in: 0...63, using: &random)
    }
}

extension String {
    static func arbitrary(_ limit: Int, using random: inout SeededGenerator) -> String {
        let characters: [Character] = ["a", "Z", "0", ".", " ", "\0", "é", "プ", "🔖", "\u{301}"]
        let count = Int.random(in: 0...limit, using: &random)
        return String((0..<count).map { _ in characters[Int(random.next() % 10)] })
    }

    static func arbitraryOrNil(_ limit: Int, using random: inout SeededGenerator) -> String? {
        Bool.random(using: &random) ? arbitrary(limit, using: &random) : nil
    }
}

extension [UInt8] {
    /// The same bytes with one to three small injuries.
    func damaged(using random: inout SeededGenerator) -> [UInt8] {
        var bytes = self
        for _ in 0..<Int.random(in: 1...3, using: &random) {
            let place = bytes.isEmpty ? 0 : Int(random.next() % UInt64(bytes.count))
            switch random.next() % 6 {
            case 0 where !bytes.isEmpty: bytes[place] ^= 1 << (random.next() % 8)
            case 1 where !bytes.isEmpty: bytes[place] = UInt8(truncatingIfNeeded: random.next())
            case 2 where !bytes.isEmpty: bytes.remove(at: place)
            case 3: bytes.insert(UInt8(truncatingIfNeeded: random.next()), at: place)
            case 4: bytes.removeLast(bytes.count - place)
            default: bytes += [0xfd, 0xff, UInt8(truncatingIfNeeded: random.next()), 1, 7]
            }
        }
        return bytes
    }
}
