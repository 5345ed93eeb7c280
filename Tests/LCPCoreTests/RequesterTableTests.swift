import Foundation
import LCPCore
import LCPTesting
import LCPWire
import LightningCrypto
import LightningTypes
import Testing

@Suite struct RequesterTableTests {
    private typealias Timed = (RequesterJob.Event, at: UInt64)

    /// A job that has been through some events.
    private func job(_ events: [Timed]) throws -> RequesterJob {
        let peer = try Sample.providerKey().publicKey
        var job = RequesterJob(peer: peer, jobID: Sample.id(9))
        for (index, (event, seconds)) in events.enumerated() {
            job.handle(
                event,
                in: Sample.requesterContext(
                    at: Sample.now.advanced(bySeconds: seconds),
                    fresh: 0xa0 + UInt8(index)
                )
            )
        }
        return job
    }

    private let ours: JobID = Sample.id(9)
    private let foreign: JobID = Sample.id(0x77)
    private let ceiling = MilliSatoshi(msat: 60_000)
    private let result = RequesterJob.ReceivedResult(
        messageID: Sample.id(0x55),
        byteCount: 5,
        contentType: nil
    )
    private let failure = V01.Failure(code: .paymentInvalid, message: nil)
    private let paid = RequesterJob.Event.paymentSucceeded(
        Sample.paymentHash(1),
        Preimage(Sample.preimage(1)),
        fee: .zero
    )
    private let failed = RequesterJob.Event.paymentFailed(
        Sample.paymentHash(1),
        .lnd(.init(code: "NO_ROUTE"))
    )

    private func submitted(_ ceiling: MilliSatoshi?) throws -> RequesterJob.Event {
        .submitted(try Sample.request(), ceiling: ceiling)
    }

    private var quote: RequesterJob.Event {
        get throws {
            .quoteReceived(ours, try Sample.response(to: Sample.request(), jobID: ours))
        }
    }

    /// Every state, reached by events alone.
    private func samples() throws -> [RequesterJob] {
        let requesting: [Timed] = [
            (try submitted(nil), at: 0), (.notified(.submitted(ours)), at: 0),
            (.sent(Sample.id(0xa0)), at: 0),
        ]
        let quoted = requesting + [(try quote, at: 1)]
        let paying = quoted + [(.accepted(ceiling: ceiling), at: 2)]
        let awaiting = paying + [(paid, at: 3)]
        let repeated = awaiting + [(.woken, at: 63), (.sent(Sample.id(0xa6)), at: 63)]
        let noisy: [Timed] = [(.errorReceived(ours, failure), at: 64)]
        return [
            try job([]),
            try job(requesting),
            try job([(try submitted(ceiling), at: 0)]),
            try job(quoted),
            try job(paying),
            try job(paying + [(.resultReceived(ours, result), at: 3)]),
            try job(paying + [(.errorReceived(ours, failure), at: 3)]),
            try job(paying + [(.cancelledByClient, at: 3)]),
            try job(awaiting),
            try job(repeated),
            try job(repeated + noisy),
            try job(awaiting + [(.woken, at: 903)]),
            try job(awaiting + [(.resultReceived(ours, result), at: 4)]),
            try job(paying + [(failed, at: 3)]),
            try job(requesting + [(.cancelledByClient, at: 3)]),
            try job(requesting + [(.cancelledByClient, at: 3), (.woken, at: 700_000)]),
        ]
    }

    /// Every kind of event with each variant that matters; times are seconds after submission.
    private func events(for job: RequesterJob) throws -> [(String, RequesterJob.Event, at: UInt64)]
    {
        let waiting = job.outstanding.compactMap(\.messageID).first ?? Sample.id(0x12)
        let request = try Sample.request()
        var defective = try Sample.response(to: request, jobID: ours)
        defective.price = MilliSatoshi(msat: 1)
        let second = try Sample.response(
            to: request,
            jobID: ours,
            price: MilliSatoshi(msat: 50_000),
            paymentHash: Sample.paymentHash(3)
        )
        let low = MilliSatoshi(msat: 57_354)
        let other = Sample.paymentHash(4)
        return [
            ("with ceiling", try submitted(ceiling), at: 65),
            ("without ceiling", try submitted(nil), at: 65),
            ("", .accepted(ceiling: ceiling), at: 65),
            ("below the price", .accepted(ceiling: low), at: 65),
            ("after the last moment", .accepted(ceiling: ceiling), at: 241),
            ("", .cancelledByClient, at: 65),
            ("", try quote, at: 65),
            ("defective", .quoteReceived(ours, defective), at: 65),
            ("a second", .quoteReceived(ours, second), at: 65),
            (
                "of an older job id",
                .quoteReceived(foreign, try Sample.response(to: request, jobID: foreign)), at: 65
            ),
            ("", .resultReceived(ours, result), at: 65),
            ("foreign", .resultReceived(foreign, result), at: 65),
            ("", .errorReceived(ours, failure), at: 65),
            ("foreign", .errorReceived(foreign, failure), at: 65),
            ("", paid, at: 65),
            (
                "foreign",
                .paymentSucceeded(other, Preimage(Sample.preimage(4)), fee: .zero), at: 65
            ),
            ("", failed, at: 65),
            ("withdrawn", .paymentFailed(Sample.paymentHash(1), .withdrawn), at: 65),
            (
                "refused",
                .paymentFailed(Sample.paymentHash(1), .refused(.init(code: "no-ceiling"))), at: 65
            ),
            ("foreign", .paymentFailed(other, .tooLate), at: 65),
            ("", .paymentInFlight(Sample.paymentHash(1)), at: 65),
            ("foreign", .paymentInFlight(other), at: 65),
            ("of another message", .sent(Sample.id(0x11)), at: 65),
            ("", .tooLargeToSend(waiting), at: 65),
            ("of another message", .tooLargeToSend(Sample.id(0x11)), at: 65),
            ("of another notice", .notified(.submitted(foreign)), at: 65),
            ("soon after asking", .peerReturned, at: 5),
            ("", .peerReturned, at: 80),
            ("soon after asking", .resumed(downtimeSeconds: 1), at: 5),
            ("", .resumed(downtimeSeconds: 60), at: 80),
            ("early", .woken, at: 2),
            ("after a minute", .woken, at: 65),
            ("after the answer's deadline", .woken, at: 905),
            ("long after", .woken, at: 1_000_000),
        ]
    }

    private func table() throws -> MachineTable {
        var table = MachineTable()
        for before in try samples() {
            let agreed =
                if case .requesting(let asking) = before.state { asking.ceiling != nil } else {
                    false
                }
            for (variant, event, seconds) in try events(for: before) {
                var after = before
                after.handle(
                    event,
                    in: Sample.requesterContext(at: Sample.now.advanced(bySeconds: seconds))
                )
                let label = event.kind.rawValue + (variant.isEmpty ? "" : ", \(variant)")
                table.rows.append(
                    MachineTable.Row(
                        state: before.phaseText + (agreed ? " (price agreed)" : ""),
                        event: label,
                        eventKind: event.kind.rawValue,
                        next: after == before ? nil : after.phaseText,
                        effects: after.outstanding.map(\.text)
                    )
                )
            }
        }
        return table
    }

    @Test func `every event in every state does what is written down`() throws {
        let file = "machines/requester.txt"
        let kept = try String(decoding: Fixture.data(named: file), as: UTF8.self)
        expectSame(try table().text, as: kept, in: file)
    }

    @Test func `the table has every state and every event`() throws {
        #expect(Set(try samples().map(\.phase)) == Set(RequesterJob.Phase.allCases))
        #expect(Set(try events(for: job([])).map(\.1.kind)) == Set(RequesterJob.EventKind.allCases))
    }

    @Test func `the article shows the machine as it is`() throws {
        let diagram = try table().diagram(start: "unsubmitted")
        #expect(try Article.text().contains(diagram), "LCPCore.md must contain:\n\(diagram)")
    }
}
