import BridgeProtocol
import Foundation
import LCPCore
import LCPTesting
import LCPWire
import LightningCrypto
import LightningTypes
import SwiftProtobuf
import Testing

@testable import WorkerKit

@Suite struct StateCodingTests {
    private func expectSame<Job: StoredJob>(
        _ record: JobRecord<Job>,
        _ seed: UInt64
    ) throws {
        let bytes = try record.encoded()
        let read = try JobRecord<Job>(
            decoding: bytes,
            peer: record.job.peer,
            jobID: record.job.jobID
        )
        #expect(read == record, "seed \(seed): \(record.job.state)")
        #expect(try read.encoded() == bytes, "seed \(seed)")
    }

    @Test func `whatever a provider's job can be survives its state bytes`() throws {
        var count = 0
        for seed in UInt64(0)..<200 {
            var arbitrary = Arbitrary(random: SeededGenerator(seed: seed))
            for state in arbitrary.providerStates() {
                let effects = arbitrary.providerEffects().shuffled(using: &arbitrary.random)
                let outstanding = Array(effects.prefix(Int(seed % 9)))
                let job = ProviderJob(
                    peer: try Sample.requesterKey().publicKey,
                    jobID: arbitrary.id(),
                    state: state,
                    outstanding: outstanding
                )
                try expectSame(
                    JobRecord(
                        job: job,
                        task: arbitrary.maybe { $0.taskFacts() },
                        effects: arbitrary.book(outstanding),
                        view: arbitrary.view()
                    ),
                    seed
                )
                count += 1
            }
        }
        #expect(count == 2000)
    }

    @Test func `whatever a requester's job can be survives its state bytes`() throws {
        var count = 0
        for seed in UInt64(0)..<100 {
            var arbitrary = Arbitrary(random: SeededGenerator(seed: seed))
            for state in arbitrary.requesterStates() {
                let effects = arbitrary.requesterEffects().shuffled(using: &arbitrary.random)
                let outstanding = Array(effects.prefix(Int(seed % 6)))
                let job = RequesterJob(
                    peer: try Sample.providerKey().publicKey,
                    jobID: arbitrary.id(),
                    state: state,
                    outstanding: outstanding
                )
                try expectSame(
                    JobRecord(
                        job: job,
                        task: arbitrary.maybe { $0.taskFacts() },
                        effects: arbitrary.book(outstanding),
                        view: arbitrary.view()
                    ),
                    seed
                )
                count += 1
            }
        }
        #expect(count == 3300)
    }

    /// The state of a job whose quote is out.
    private func quoted() throws -> (reply: BusJobReply, state: StateJob) {
        let steps = ProviderSteps(rules: Sample.rules, identifiers: Sample.identifiers())
        let first = try steps.step(
            Sample.item(.provider, [Sample.quoteRequest()]),
            in: Sample.context
        )
        return (first, try StateJob(serializedBytes: first.state))
    }

    private func failure(of state: StateJob) throws -> WorkFailure? {
        let steps = ProviderSteps(rules: Sample.rules)
        let (reply, _) = try quoted()
        var changed = reply
        changed.state = try state.serializedData()
        let item = try Sample.item(.provider, [.woken(.init())], after: changed)
        do {
            _ = try steps.step(item, in: Sample.context)
            return nil
        } catch { return error as? WorkFailure }
    }

    @Test func `a state of a newer format is refused by its number`() throws {
        var (_, state) = try quoted()
        #expect(try failure(of: state) == nil)
        state.format = 2
        let failure = try #require(try failure(of: state))
        #expect(failure.code == "state-newer")
        #expect(failure.detail == "the state has format 2, this worker reads up to 1")
        #expect(failure.isRetryable, "another worker may be newer")
    }

    @Test func `a field that only a newer worker knows is refused, not dropped`() throws {
        let (_, state) = try quoted()
        // Field 100, a varint of 1: at the top, and inside the draft.
        let unknown = Data([0xa0, 0x06, 0x01])
        let atTop = try StateJob(serializedBytes: state.serializedData() + unknown)
        #expect(try failure(of: atTop)?.code == "state-newer")

        var inside = state
        inside.provider.awaitingInvoice = try StateDraft(
            serializedBytes: state.provider.awaitingInvoice.serializedData() + unknown
        )
        #expect(try failure(of: inside)?.code == "state-newer")

        var inEffect = state
        let effect = try #require(state.provider.outstanding.first)
        inEffect.provider.outstanding[0] = try StateProviderEffect(
            serializedBytes: effect.serializedData() + unknown
        )
        #expect(try failure(of: inEffect)?.code == "state-newer")

        var inView = state
        inView.view = try BusJobView(serializedBytes: state.view.serializedData() + unknown)
        #expect(try failure(of: inView)?.code == "state-newer")
    }

    @Test func `a value that only a newer worker knows is refused`() throws {
        var arbitrary = Arbitrary(random: SeededGenerator(seed: 1))
        let peer = try Sample.requesterKey().publicKey
        let job = ProviderJob(
            peer: peer,
            jobID: Sample.id(9),
            state: .withdrawing(arbitrary.quote(), .expired),
            outstanding: []
        )
        var state = try StateJob(serializedBytes: JobRecord(new: job).encoded())
        state.provider.withdrawing.why = .UNRECOGNIZED(7)
        let error = #expect(throws: StepError.self) {
            try JobRecord<ProviderJob>(
                decoding: state.serializedData(),
                peer: peer,
                jobID: Sample.id(9)
            )
        }
        #expect(error?.code == .stateNewer)
    }

    @Test func `a state of the other role, without a format, or torn is refused`() throws {
        let (reply, state) = try quoted()
        var other = state
        other.requester.unsubmitted = .init()
        #expect(try failure(of: other)?.code == "state-unreadable")
        var none = state
        none.format = 0
        #expect(try failure(of: none)?.code == "state-unreadable")
        var ids = state
        ids.lastEffectID = 0
        #expect(try failure(of: ids)?.code == "state-unreadable")

        let steps = ProviderSteps(rules: Sample.rules)
        var refused = 0
        for length in 1..<reply.state.count {
            var torn = reply
            torn.state = reply.state.prefix(length)
            let item = try Sample.item(.provider, [.woken(.init())], after: torn)
            do { _ = try steps.step(item, in: Sample.context) } catch {
                #expect(error is WorkFailure)
                refused += 1
            }
        }
        // What ends between two fields may still read as a state; most does not.
        #expect(refused > reply.state.count / 2)
    }
}
