import Bridge
import BridgeProtocol
import Foundation
import Journal
import LightningTypes
import SwiftProtobuf
import Testing

/// What of a step may be seen before it is on disk, and what is left of one that never gets there.
@Suite struct LostStepTests {
    private let bench: EngineBench

    init() throws { bench = try EngineBench() }

    private func cancel(_ id: UInt64, again: Bool = false) -> BusEffect {
        .with { effect in
            effect.id = id
            effect.send = .with {
                $0.type = 42_095
                $0.protocolVersion = 1
                $0.jobID = Data(bench.key.id.bytes)
                $0.msgID = Data(repeating: UInt8(id), count: 32)
                $0.again = again
            }
        }
    }

    private func full(_ output: EngineOutput) -> JournalError? {
        if case .commit = output { JournalError(.diskFull, "no room") } else { nil }
    }

    @Test func `a repetition waits until what it repeats is on disk`() async throws {
        let first = try bench.step(await bench.submit(), to: .cancelled, [cancel(1)])
        let returned = bench.tell(.peerReturned(bench.key))
        let repeated = try bench.step(
            returned,
            to: .cancelled,
            [cancel(1), cancel(2, again: true)]
        )
        #expect((first + repeated).sends.isEmpty)
        #expect(await bench.write(first + repeated).sends.count == 2)
    }

    @Test func `a repetition of what is on disk goes out at once`() async throws {
        _ = await bench.write(try bench.step(await bench.submit(), to: .cancelled, [cancel(1)]))
        let returned = bench.tell(.peerReturned(bench.key))
        let repeated = try bench.step(
            returned,
            to: .cancelled,
            [cancel(1), cancel(2, again: true)]
        )
        #expect(repeated.sends.count == 1)
    }

    @Test func `the outcome of a lost step's message says nothing of what has its id now`()
        async throws
    {
        let sending = try bench.step(
            await bench.submit(),
            to: .quoting,
            [cancel(1, again: true)]
        )
        #expect(sending.sends.count == 1)
        let lost = await bench.write(sending, failing: full)
        let pay = BusEffect.with { effect in
            effect.id = 1
            effect.pay.paymentHash = Data(bench.hash.bytes.bytes)
        }
        let paying = try bench.step(lost, to: .paying, [pay])
        #expect(bench.tell(sent: .sent).isEmpty)
        let outputs = await bench.write(paying)
        #expect(outputs.contains { if case .pay = $0 { true } else { false } })
    }

    @Test func `a payment is withdrawn once the step that leaves it out is on disk`() async throws {
        _ = try await bench.pay()
        let left = try bench.step(bench.tell(.peerReturned(bench.key)), to: .cancelled)
        #expect(!left.isWithdrawing)
        // Had it been withdrawn, it would be made all the same: its order stands again.
        let lost = await bench.write(left, failing: full)
        #expect(lost.contains { if case .pay = $0 { true } else { false } })
        #expect(!lost.isWithdrawing)
        #expect(await bench.write(try bench.step(lost, to: .cancelled)).isWithdrawing)
    }
}

extension [EngineOutput] {
    /// Whether a payment is to be withdrawn.
    fileprivate var isWithdrawing: Bool {
        contains { if case .withdrawPayment = $0 { true } else { false } }
    }
}
