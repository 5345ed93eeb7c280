import Journal
import LCPTesting
import LCPWire
import LightningTypes
import LndRPC
import Testing

@testable import Bridge

@Suite struct MessageGateTests {
    private let start = ContinuousClock.now

    private func judge(
        _ gate: inout MessageGate,
        _ payload: [UInt8],
        type: V01.MessageType = .quoteRequest,
        from peer: Int = 1,
        at now: UnixTime = SessionSample.now,
        after elapsed: Duration = .zero,
        paid: Set<Bytes32> = [],
        hasRoom: Bool = true
    ) -> MessageGate.Verdict {
        gate.judge(
            PeerMessage(peer: SessionSample.peer(peer), type: type.rawValue, data: payload),
            at: now,
            instant: start + elapsed,
            MessageGate.Questions(
                isPaid: { paid.contains($1) },
                hasRoom: { _, _ in hasRoom }
            )
        )
    }

    private func gate(_ change: (inout SessionSettings) -> Void = { _ in }) -> MessageGate {
        var settings = SessionSettings()
        change(&settings)
        return MessageGate(settings, at: start)
    }

    @Test(
        arguments: [
            Array(#"{"protocol_version":4,"swap_id":"0101"}"#.utf8),
            [],
            [0x01, 0x02, 0x00],
            [0x01, 0x01, 0x01],
            [0x01, 0x02, 0x00, 0x01, 0x01, 0x02, 0x00, 0x01],
            [0x02, 0x00],
        ] as [[UInt8]]
    )
    func `a payload that is no canonical stream with a version is not LCP`(_ payload: [UInt8]) {
        var gate = gate()
        for type in V01.MessageType.allCases {
            #expect(judge(&gate, payload, type: type) == .drop(.notLCP))
        }
    }

    @Test func `a job message without a whole envelope is malformed`() throws {
        let whole = try SessionSample.request()
        let records = try TLVStream.records(whole[...])
        for missing in 2...4 as ClosedRange<UInt64> {
            var gate = gate()
            let payload = try TLVStream.encode(records.filter { $0.type != missing })
            #expect(judge(&gate, payload) == .drop(.malformed), "without \(missing)")
        }
    }

    // LCP v0.1 §3.1 [unknown-odd-ignored] [unknown-even-disconnects]
    @Test func `types LCP does not know follow their parity`() {
        var strict = gate()
        var lenient = gate { $0.unknownEven = .ignore }
        for type in [42_082, 42_084, 32_768, 65_534] as [UInt16] {
            let message = PeerMessage(peer: SessionSample.peer(1), type: type, data: [])
            let questions = MessageGate.Questions(
                isPaid: { _, _ in false },
                hasRoom: { _, _ in true }
            )
            #expect(
                strict.judge(message, at: SessionSample.now, instant: start, questions)
                    == .disconnect
            )
            #expect(
                lenient.judge(message, at: SessionSample.now, instant: start, questions)
                    == .drop(.unknownEven)
            )
            let odd = PeerMessage(peer: message.peer, type: type + 1, data: [])
            guard V01.MessageType(rawValue: odd.type) == nil else { continue }
            #expect(
                strict.judge(odd, at: SessionSample.now, instant: start, questions)
                    == .drop(.unknownOdd)
            )
        }
    }

    // LCP v0.1 §4.2: equal still counts; what is too far ahead counts as the window.
    // LCP v0.1 §4.2 [expired-ignored] [expiry-window]
    @Test(arguments: [(-1, nil), (0, 0), (300, 300), (600, 600), (601, 600), (90_000, 600)])
    func `an expiry counts for ten minutes at most`(_ seconds: Int, _ effective: Int?) throws {
        var gate = gate()
        let verdict = judge(&gate, try SessionSample.request(expiresIn: seconds))
        guard let effective else {
            #expect(verdict == .drop(.expired))
            return
        }
        guard case .take(let message, isPaid: false) = verdict else {
            Issue.record("\(verdict)")
            return
        }
        let expected = SessionSample.now.advanced(bySeconds: UInt64(effective))
        #expect(message.effectiveExpiry == expected)
        #expect(message.replayEntry.expiresAt == expected.advanced(bySeconds: 1))
    }

    // LCP v0.1 §4.2 [replay-ignored]
    @Test func `a message is a replay until its expiry has passed`() throws {
        var gate = gate()
        let payload = try SessionSample.request(expiresIn: 10)
        guard case .take = judge(&gate, payload) else {
            Issue.record("a new message was not taken")
            return
        }
        let other = try SessionSample.request(job: 2, expiresIn: 10)
        guard case .take = judge(&gate, other) else {
            Issue.record("another job may use the same msg_id")
            return
        }
        for seconds in [0, 9, 10] as [UInt64] {
            let now = SessionSample.now.advanced(bySeconds: seconds)
            #expect(judge(&gate, payload, at: now) == .drop(.replayed), "after \(seconds) s")
        }
        let late = SessionSample.now.advanced(bySeconds: 11)
        #expect(judge(&gate, payload, at: late) == .drop(.expired))
        guard case .take = judge(&gate, payload, from: 2) else {
            Issue.record("another peer may use the same ids")
            return
        }
    }

    // LCP v0.1 §5.1 [own-payload-limit]
    @Test func `a payload above the limit is dropped, unless it was paid for`() throws {
        let most = try SessionSample.request(message: 1, padding: 80)
        let large = try SessionSample.request(message: 2, padding: 81)
        #expect(large.count == most.count + 1)
        var gate = gate { $0.maxPayloadBytes = UInt32(most.count) }
        guard case .take = judge(&gate, most) else {
            Issue.record("a message of just the limit was not taken")
            return
        }
        #expect(judge(&gate, large) == .drop(.tooLarge))
        let paid: Set = [SessionSample.bytes32(1)]
        guard case .take(let message, isPaid: true) = judge(&gate, large, paid: paid) else {
            Issue.record("what was paid for was not taken")
            return
        }
        #expect(message.replayQuota > SessionSettings().replayPerPeer)
        #expect(judge(&gate, try manifest(tooLargeFor: 200), type: .manifest) == .drop(.tooLarge))
    }

    private func manifest(tooLargeFor limit: Int) throws -> [UInt8] {
        let kind = String(repeating: "k", count: limit)
        return try SessionSample.manifest(tasks: [V01.TaskTemplate(taskKind: kind, params: nil)])
    }

    @Test func `a flood is refused, a quote request is answered once, others pass`() throws {
        var gate = gate {
            $0.peerRate = Rate(perSecond: 1, burst: 3)
            $0.paidJobRate = Rate(perSecond: 1, burst: 2)
        }
        var verdicts: [MessageGate.Verdict] = []
        for message in 1...6 {
            verdicts.append(judge(&gate, try SessionSample.request(message: message)))
        }
        for case .take in verdicts.prefix(3) { verdicts.removeFirst() }
        #expect(verdicts.count == 3)
        guard case .refuse(.rateLimited, let first) = verdicts.first else {
            Issue.record("\(verdicts)")
            return
        }
        #expect(first.messageID == SessionSample.bytes32(4))
        #expect(verdicts.dropFirst().allSatisfy { $0 == .drop(.rateLimited) })
        // Errors are never answered, and another peer has a rate of its own.
        #expect(
            judge(&gate, try SessionSample.error(message: 9), type: .error)
                == .drop(.rateLimited)
        )
        guard case .take = judge(&gate, try SessionSample.request(message: 1), from: 2) else {
            Issue.record("another peer was refused")
            return
        }

        let paid: Set = [SessionSample.bytes32(5)]
        let results = try (20...23).map { message in
            judge(&gate, try SessionSample.request(job: 5, message: message), paid: paid)
        }
        #expect(results.count { if case .take(_, isPaid: true) = $0 { true } else { false } } == 2)
        #expect(results.suffix(2).allSatisfy { $0 == .drop(.rateLimited) })
        // What was refused was not remembered: it may come again.
        let later = judge(
            &gate,
            try SessionSample.request(message: 4),
            after: .seconds(10)
        )
        guard case .take = later else {
            Issue.record("\(later)")
            return
        }
    }

    @Test func `all peers together have a rate, a window and a queue`() throws {
        var crowded = gate { $0.totalRate = Rate(perSecond: 1, burst: 2) }
        let taken = try (1...4).map { peer in
            judge(&crowded, try SessionSample.request(), from: peer)
        }
        #expect(taken.count { if case .take = $0 { true } else { false } } == 2)
        #expect(taken.count { if case .refuse(.overloaded, _) = $0 { true } else { false } } == 2)

        var full = gate()
        let request = try SessionSample.request()
        guard case .refuse(.queueFull, _) = judge(&full, request, hasRoom: false) else {
            Issue.record("a full queue took a message")
            return
        }
        guard case .take = judge(&full, request, hasRoom: true) else {
            Issue.record("what found no room may come again")
            return
        }

        var small = gate { ($0.replayPerPeer, $0.replayPaidReserve) = (2, 1) }
        let quota = try (1...3).map { judge(&small, try SessionSample.request(message: $0)) }
        guard case .refuse(.replayFull, _) = quota[2] else {
            Issue.record("\(quota)")
            return
        }
        let paid: Set = [SessionSample.bytes32(5)]
        let reserve = try (4...5).map {
            judge(&small, try SessionSample.request(job: 5, message: $0), paid: paid)
        }
        #expect(reserve[1] == .drop(.replayFull))
        guard case .take = reserve[0] else {
            Issue.record("the reserve was not there for a paid job")
            return
        }
    }

    @Test func `no bytes do more than be counted`() throws {
        var random = SeededGenerator(seed: 5)
        let request = try SessionSample.request()
        var verdicts: Set<String> = []
        var gate = gate {
            $0.peerRate = Rate(perSecond: 1_000_000, burst: 100_000)
            $0.totalRate = $0.peerRate
        }
        for _ in 0..<3000 {
            var payload = request
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                guard let place = payload.indices.randomElement(using: &random) else { break }
                switch Int.random(in: 0..<3, using: &random) {
                case 0: payload[place] = .random(in: 0...255, using: &random)
                case 1: payload.remove(at: place)
                default: payload.removeSubrange(place...)
                }
            }
            let type = try #require(V01.MessageType.allCases.randomElement(using: &random))
            switch judge(&gate, payload, type: type) {
            case .take(let message, _):
                #expect(message.payload == payload)
                verdicts.insert("take")
            case .drop(let counter): verdicts.insert(counter.rawValue)
            case .manifest: verdicts.insert("manifest")
            case .refuse, .disconnect: Issue.record("changed bytes were answered")
            }
        }
        #expect(verdicts.isSuperset(of: ["take", "message.not_lcp", "message.malformed"]))
    }
}
