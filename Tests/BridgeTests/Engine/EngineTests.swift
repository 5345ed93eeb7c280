import Bridge
import BridgeProtocol
import Foundation
import Journal
import LCPWire
import LightningTypes
import SwiftProtobuf
import Testing

/// What the engine does when things come in an unkind order; whole jobs are the scenarios' part.
@Suite struct EngineTests {
    private let bench: EngineBench

    init() throws { bench = try EngineBench() }

    private var request: BusEffect {
        .with { effect in
            effect.id = 1
            effect.send = .with {
                $0.type = 42_083
                $0.protocolVersion = 1
                $0.jobID = Data(bench.key.id.bytes)
                $0.msgID = Data(repeating: 3, count: 32)
            }
        }
    }

    private var paid: EngineInput {
        .paymentSucceeded(bench.key, bench.hash, Preimage(.zero), fee: .zero)
    }

    @Test func `a payment that outlives a gap is followed by word of the gap`() async throws {
        let pay = try await bench.pay()
        let gap = bench.tell(.peerReturned(bench.key))
        #expect(gap.step?.item.events.map(\.body) == [.peerReturned(.init())])
        _ = await bench.write(try bench.step(gap, to: .paying, [pay]))

        let events = try #require(bench.tell(paid).step).item.events
        try #require(events.count == 2)
        guard case .paymentSucceeded = events[0].body, case .peerReturned = events[1].body else {
            Issue.record("\(events.map { "\(type(of: $0.body))" })")
            return
        }
    }

    @Test func `a payment without a gap is its only news`() async throws {
        _ = try await bench.pay()
        #expect(try #require(bench.tell(paid).step).item.events.count == 1)
    }

    @Test func `a gap is not forgotten with a step that can't be written`() async throws {
        _ = try await bench.pay()
        #expect(bench.tell(.peerReturned(bench.key)).step != nil)
        let cancelled = bench.tell(.cancel(ClientTicket(2), bench.key))
        let again = await bench.write(cancelled) { output in
            if case .record = output { JournalError(.diskFull, "no room") } else { nil }
        }
        let event = try #require(again.step).item.events.map(\.body)
        #expect(event == [.resumed(.init())])
        // The payment is taken up where it was.
        #expect(again.contains { if case .pay = $0 { true } else { false } })
    }

    @Test func `nobody is told of a step before it is on disk`() async throws {
        let submitted = await bench.submit()
        #expect(submitted.answers.map(\.version) == [1])
        // The client's word is recorded behind the step, and answered when that is there.
        let unwritten = try bench.step(submitted, to: .quoted)
        #expect(unwritten.changes.isEmpty)
        let ceiling = MilliSatoshi(msat: 5)
        let accepted = bench.tell(.accept(ClientTicket(2), bench.key, ceiling: ceiling))
        // A later step is made in memory while both are being written.
        let later = try bench.step(await bench.write(unwritten) + accepted, to: .paying)
        #expect(later.changes.isEmpty)
        let recorded = await bench.write(accepted)
        #expect(recorded.answers.map(\.view.stage) == [.quoted])
        #expect(recorded.changes.allSatisfy { $0.view.stage == .quoted })
        #expect(await bench.write(later).changes.map(\.view.stage) == [.paying])
    }

    @Test func `what lnd could not send is sent with the next tick, what a peer missed is not`()
        async throws
    {
        _ = await bench.write(try bench.step(await bench.submit(), to: .quoting, [request]))
        #expect(bench.tell(sent: .failed).sends.isEmpty)
        #expect(bench.tell(.tick).sends.count == 1)
        #expect(bench.tell(.tick).sends.isEmpty)
        #expect(bench.tell(sent: .blocked).sends.isEmpty)
        #expect(bench.tell(.tick).sends.isEmpty)
        #expect(bench.tell(.unblocked(bench.seller)).sends.count == 1)
    }

    @Test func `a message that waited longer than an envelope lasts goes out in a new one`()
        async throws
    {
        var outputs = await bench.write(
            try bench.step(await bench.submit(), to: .quoting, [request])
        )
        var envelopes: [V01.Envelope] = []
        for _ in 0..<2 {
            let message = try #require(outputs.messages.first)
            let outbound = try await OutboundMessage(
                message,
                to: bench.seller,
                at: bench.now,
                input: { nil },
                output: { nil }
            )
            let payload = try #require(outbound).payload
            envelopes.append(try V01.Envelope.codec.decode(payload[...]))
            #expect(envelopes.last?.expiry == bench.now.advanced(bySeconds: 600))
            // The peer is away for longer than that.
            #expect(bench.tell(sent: .blocked).sends.isEmpty)
            bench.now = bench.now.advanced(bySeconds: 700)
            outputs = bench.tell(.unblocked(bench.seller))
        }
        // A copy of the first is a copy of the second: it is the same message.
        #expect(envelopes[0].messageID == envelopes[1].messageID)
        #expect(envelopes[0].expiry < envelopes[1].expiry)
    }

    @Test func `a drained bridge has recorded what it sent`() async throws {
        _ = await bench.write(try bench.step(await bench.submit(), to: .quoting, [request]))
        #expect(bench.tell(sent: .sent).isEmpty)
        let recorded = bench.tell(.drain).contains { output in
            if case .record(let facts, _, .done) = output { facts.isEffectDone } else { false }
        }
        #expect(recorded)
    }

    /// The effects of a reply, each one against the rules, and the rule's name.
    static let forbidden: [(String, BusEffect.OneOf_Body)] = [
        ("malformed_hash", .pay(.with { $0.paymentHash = Data([1]) })),
        ("malformed_hash", .withdrawPayment(.init())),
        ("forbidden_effect", .createInvoice(.init())),
        ("forbidden_effect", .startCompute(.init())),
        ("forbidden_effect", .send(.with { $0.type = 42_087 })),
        ("forbidden_effect", .send(.with { $0.type = 42_069 })),
        ("malformed_send", send { $0.jobID.removeLast() }),
        ("malformed_send", send { $0.msgID.removeLast() }),
        ("malformed_send", send { $0.protocolVersion = 0x1_0000 }),
        // Records that stand where the bridge writes the envelope, or in no order, or hold nothing.
        ("malformed_send", send { $0.records = [record(4)] }),
        ("malformed_send", send { $0.records = [record(20), record(20)] }),
        ("malformed_send", send { $0.records = [record(20, nil)] }),
    ]

    private static func send(_ spoil: (inout BusSendMessage) -> Void) -> BusEffect.OneOf_Body {
        var message = BusSendMessage.with {
            $0.type = 42_083
            $0.protocolVersion = 1
            $0.jobID = Data(repeating: 9, count: 32)
            $0.msgID = Data(repeating: 3, count: 32)
        }
        spoil(&message)
        return .send(message)
    }

    private static func record(
        _ type: UInt64,
        _ value: BusRecord.OneOf_Value? = .bytes(Data())
    ) -> BusRecord {
        .with {
            $0.type = type
            $0.value = value
        }
    }

    @Test(arguments: forbidden.indices)
    func `what no worker may ask for is refused by name, and the job parked in the end`(
        _ index: Int
    ) async throws {
        let (rule, body) = Self.forbidden[index]
        var outputs = await bench.submit()
        let effect = BusEffect.with {
            $0.id = 1
            $0.body = body
        }
        for number in 1...3 {
            outputs = try bench.step(outputs, to: .paying, [effect])
            #expect(outputs.complaints == [rule])
            #expect((outputs.step == nil) == (number == 3))
        }
        #expect(bench.engine.counts["reply.\(rule)"] == 3)
        #expect(bench.engine.jobCounts.parked == 1)
    }

    /// Replies out of shape, each against one rule, and the rule's name.
    static let misshapen: [(String, @Sendable (inout BusJobReply) -> Void)] = [
        ("wrong_version", { $0.version += 1 }),
        ("wrong_version", { $0.version -= 1 }),
        ("too_large", { $0.state = Data(count: Journal.Limits.stateBytes + 1) }),
        ("too_large", { $0.effects = finishes(1...UInt64(Journal.Limits.effects) + 1) }),
        ("duplicate_effect", { $0.effects = finishes(1...1) + finishes(1...1) }),
        ("unknown_effect", { $0.effects = [.with { $0.id = 1 }] }),
        ("effect_id", { $0.effects = finishes(0...0) }),
        // The bridge's own begin here.
        ("effect_id", { $0.effects = finishes(1 << 63...1 << 63) }),
    ]

    private static func finishes(_ ids: ClosedRange<UInt64>) -> [BusEffect] {
        ids.map { id in
            .with {
                $0.id = id
                $0.finish = BusFinish()
            }
        }
    }

    @Test(arguments: misshapen.indices)
    func `a reply out of shape makes no step, and another worker is asked`(
        _ index: Int
    ) async throws {
        let (rule, spoil) = Self.misshapen[index]
        let (order, item) = try #require(await bench.submit().step)
        var reply = BusJobReply.with {
            $0.version = item.version
            $0.view.stage = .quoting
        }
        spoil(&reply)
        let outputs = bench.tell(.stepped(order: order, reply))
        #expect(outputs.complaints == [rule])
        #expect(!outputs.contains { if case .commit = $0 { true } else { false } })
        #expect(outputs.step?.item.version == item.version)
    }

    @Test func `what a worker has ordered stays as it was ordered`() async throws {
        let quoting = try bench.step(await bench.submit(), to: .quoting, [request])
        _ = await bench.write(quoting)
        var changed = request
        changed.send.msgID = Data(repeating: 4, count: 32)
        let returned = bench.tell(.peerReturned(bench.key))
        let outputs = try bench.step(returned, to: .quoting, [changed])
        #expect(outputs.complaints == ["changed_effect"])
        #expect(!outputs.contains { if case .commit = $0 { true } else { false } })
    }

    @Test func `what a crash must not forget waits for the disk, and the rest goes at once`()
        async throws
    {
        let hash = Data(bench.hash.bytes.bytes)
        func send(_ type: UInt32, again: Bool = false) -> BusEffect.OneOf_Body {
            .send(
                .with {
                    $0.type = type
                    $0.protocolVersion = 1
                    $0.jobID = Data(bench.key.id.bytes)
                    $0.msgID = Data(repeating: UInt8(type & 0xff), count: 32)
                    $0.again = again
                }
            )
        }
        func effects(_ bodies: [BusEffect.OneOf_Body]) -> [BusEffect] {
            bodies.enumerated().map { index, body in
                .with {
                    $0.id = UInt64(index) + 1
                    $0.body = body
                }
            }
        }
        let bought = effects([
            send(42_083), send(42_095, again: true), send(42_095),
            .pay(.with { $0.paymentHash = hash }),
        ])
        let buying = try bench.step(await bench.submit(), to: .paying, bought)
        #expect(buying.begun == ["send 42083", "send 42095 again"])
        let paying = buying.begun + ["send 42095", "pay"]
        #expect(await bench.write(buying).begun == paying)

        let key = JobKey(role: .provider, peer: bench.seller, id: bench.key.id)
        let request = JobMessage(
            peer: bench.seller,
            type: 42_083,
            protocolVersion: 1,
            jobID: key.id,
            messageID: .zero,
            expiresAt: bench.now.advanced(bySeconds: 60),
            payload: []
        )
        let sold = effects([
            .createInvoice(.init()), send(42_087, again: true), send(42_085), send(42_087),
            .cancelInvoice(.with { $0.paymentHash = hash }),
        ])
        let asked = await bench.write(bench.tell(.message(request, key)))
        let selling = try bench.step(asked, to: .quoting, sold)
        #expect(selling.begun == ["createInvoice", "send 42087 again"])
        let after = selling.begun + ["send 42085", "send 42087", "cancelInvoice"]
        #expect(await bench.write(selling).begun == after)
    }

    @Test func `a job can't take another one's messages`() async throws {
        let first = await bench.submit()
        let other = try #require(Bytes32([UInt8](repeating: 8, count: 32)))
        let second = await bench.submit(other, number: 2)
        _ = try bench.step(first, to: .quoting, [request])
        var stolen = request
        stolen.send.msgID = Data(repeating: 4, count: 32)
        #expect(try bench.step(second, to: .quoting, [stolen]).complaints == ["foreign_job_id"])
        let owner = bench.engine.requesterJob(peer: bench.seller, jobID: bench.key.id)
        #expect(owner == bench.key)
    }

    @Test func `a step that contradicts the journal is not made for ever`() async throws {
        _ = await bench.submit()
        let id = try #require(Bytes32([UInt8](repeating: 8, count: 32)))
        let other = JobKey(role: .requester, peer: bench.seller, id: id)
        _ = await bench.submit(id, number: 2)
        bench.restart()
        var outputs = await bench.write(bench.tell(.peerReturned(other)))
        // Only the journal remembers whose job_id it is.
        var attempts = 0
        while outputs.step != nil, attempts < 10 {
            attempts += 1
            outputs = await bench.write(try bench.step(outputs, to: .quoting, [request]))
            #expect(outputs.complaints.count == 1)
        }
        #expect(attempts == 3)
        #expect(bench.engine.jobCounts.parked == 1)
    }

    @Test func `an order to pay under the id of something done is taken back`() async throws {
        let quoting = try bench.step(await bench.submit(), to: .quoting, [request])
        _ = await bench.write(quoting)
        _ = bench.tell(sent: .sent)
        _ = await bench.write(bench.tell(.tick))
        let pay = BusEffect.with { effect in
            effect.id = 1
            effect.pay.paymentHash = Data(bench.hash.bytes.bytes)
        }
        let returned = bench.tell(.peerReturned(bench.key))
        let outputs = await bench.write(try bench.step(returned, to: .paying, [pay]))
        #expect(outputs.contains { if case .withdrawPayment = $0 { true } else { false } })
        #expect(!outputs.contains { if case .pay = $0 { true } else { false } })
    }

    @Test func `a payment that is ordered twice is decided on once`() async throws {
        let orders = ([1, 2] as [UInt64]).map { id in
            BusEffect.with { effect in
                effect.id = id
                effect.pay.paymentHash = Data(bench.hash.bytes.bytes)
            }
        }
        let ordered = try bench.step(await bench.submit(), to: .paying, orders)
        for case .commit(let step) in ordered { #expect(step.payments.count == 1) }
        let outputs = await bench.write(ordered)
        #expect(outputs.begun == ["pay"])
        let events = try #require(outputs.step).item.events
        #expect(events.map(\.paymentFailed.failure.code) == ["already-paying"])
    }

    @Test func `a request that no worker can take is refused, and may come again`() async throws {
        let key = JobKey(role: .provider, peer: bench.seller, id: bench.key.id)
        let asked = EngineInput.message(
            JobMessage(
                peer: bench.seller,
                type: 42_083,
                protocolVersion: 1,
                jobID: key.id,
                messageID: .zero,
                expiresAt: bench.now.advanced(bySeconds: 60),
                payload: []
            ),
            key
        )
        for _ in 0..<2 {
            var outputs = await bench.write(bench.tell(asked))
            let pay = BusEffect.with {
                $0.id = 1
                $0.pay = BusPay()
            }
            for _ in 0..<3 { outputs = try bench.step(outputs, to: .quoting, [pay]) }
            #expect(outputs.contains { if case .refuse = $0 { true } else { false } })
            #expect(bench.engine.jobCounts == (open: 0, parked: 0))
        }
    }

    @Test func `a message a full job has no room for may come again`() async throws {
        let submitted = await bench.submit()
        #expect(submitted.step != nil)
        func message(_ number: UInt8) throws -> EngineInput {
            .message(
                JobMessage(
                    peer: bench.seller,
                    type: 42_085,
                    protocolVersion: 1,
                    jobID: bench.key.id,
                    messageID: try #require(Bytes32([UInt8](repeating: number, count: 32))),
                    expiresAt: bench.now.advanced(bySeconds: 60),
                    payload: []
                ),
                bench.key
            )
        }
        // One event is with the worker and counts until it is answered.
        for number in UInt8(1)...31 {
            #expect(bench.tell(try message(number)).forgotten.isEmpty)
        }
        let last = try #require(Bytes32([UInt8](repeating: 32, count: 32)))
        #expect(bench.tell(try message(32)).forgotten == [last])
        #expect(bench.engine.counts["message.job_full"] == 1)
    }

    @Test func `a client that cancels has agreed to nothing, whatever a worker asks for then`()
        async throws
    {
        let submitted = await bench.submit()
        let accepted = bench.tell(
            .accept(ClientTicket(2), bench.key, ceiling: MilliSatoshi(msat: 5))
        )
        _ = await bench.write(accepted)
        #expect(bench.ceilings == [])
        _ = await bench.write(bench.tell(.cancel(ClientTicket(3), bench.key)))
        let pay = BusEffect.with { effect in
            effect.id = 1
            effect.pay.paymentHash = Data(bench.hash.bytes.bytes)
        }
        _ = try bench.step(submitted, to: .paying, [pay])
        #expect(bench.ceilings == [nil])
        #expect(try await bench.ceilingOnDisk() == nil)
    }

    @Test func `a job ends once the step that lets it end is on disk`() async throws {
        let finish = BusEffect.with {
            $0.id = 1
            $0.finish = BusFinish()
        }
        let step = try bench.step(await bench.submit(), to: .done, [finish])
        #expect(!step.contains { if case .record(_, _, .finish) = $0 { true } else { false } })
        #expect(await bench.write(step).changes.last?.finishedUnix == bench.now.seconds)
    }

    @Test func `a job that the journal does not let end is tried again until it does`()
        async throws
    {
        let finish = BusEffect.with {
            $0.id = 1
            $0.finish = BusFinish()
        }
        let step = try bench.step(await bench.submit(), to: .done, [finish])
        let refused = await bench.write(step) { output in
            guard case .record(_, _, .finish) = output else { return nil }
            return JournalError(.notFinished, "a payment is unresolved")
        }
        #expect(refused.changes.allSatisfy { $0.finishedUnix == 0 })
        let ended = await bench.write(bench.tell(.tick))
        #expect(ended.changes.map(\.finishedUnix) == [bench.now.seconds])
        #expect(bench.engine.jobCounts.open == 0)
    }
}

extension [EngineOutput] {
    /// The rules that a worker broke.
    fileprivate var complaints: [String] {
        compactMap { if case .complain(_, let rule) = $0 { rule } else { nil } }
    }

    /// The effects that are carried out, in order.
    fileprivate var begun: [String] {
        compactMap { output in
            switch output {
            case .send(_, _, let message, _):
                "send \(message.type)" + (message.again ? " again" : "")
            case .pay: "pay"
            case .createInvoice: "createInvoice"
            case .cancelInvoice: "cancelInvoice"
            default: nil
            }
        }
    }

    /// What is to be sent.
    fileprivate var messages: [BusSendMessage] {
        compactMap { if case .send(_, _, let message, _) = $0 { message } else { nil } }
    }

    /// The ids of messages that may come again.
    fileprivate var forgotten: [Bytes32] {
        compactMap { if case .forget(let message) = $0 { message.messageID } else { nil } }
    }
}

extension [Fact] {
    /// Whether the only fact is that an effect is done.
    fileprivate var isEffectDone: Bool {
        if count == 1, case .effectDone(1)? = first { true } else { false }
    }
}
