import Bridge
import BridgeProtocol
import Foundation
import Journal
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
        #expect(bench.tell(.sent(bench.key, effect: 1, .failed)).sends.isEmpty)
        #expect(bench.tell(.tick).sends == [1])
        #expect(bench.tell(.tick).sends.isEmpty)
        #expect(bench.tell(.sent(bench.key, effect: 1, .blocked)).sends.isEmpty)
        #expect(bench.tell(.tick).sends.isEmpty)
        #expect(bench.tell(.unblocked(bench.seller)).sends == [1])
    }

    @Test func `a drained bridge has recorded what it sent`() async throws {
        _ = await bench.write(try bench.step(await bench.submit(), to: .quoting, [request]))
        #expect(bench.tell(.sent(bench.key, effect: 1, .sent)).isEmpty)
        let recorded = bench.tell(.drain).contains { output in
            if case .record(let facts, _, .done) = output { facts.isEffectDone } else { false }
        }
        #expect(recorded)
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

extension [Fact] {
    /// Whether the only fact is that an effect is done.
    fileprivate var isEffectDone: Bool {
        if count == 1, case .effectDone(1)? = first { true } else { false }
    }
}
