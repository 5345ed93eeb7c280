import Foundation
import LCPCore
import LCPTesting
import LCPWire
import LightningTypes
import Testing

@Suite struct ProviderTableTests {
    private static let quoteExpiry = Sample.now.advanced(bySeconds: 300)

    /// A job that has been through some events, one second apart.
    private func job(_ events: [(ProviderJob.Event, at: UInt64)]) throws -> ProviderJob {
        var job = ProviderJob(peer: try Sample.peer(), jobID: Sample.id(9))
        for (index, (event, seconds)) in events.enumerated() {
            job.handle(
                event,
                in: Sample.context(
                    at: Sample.now.advanced(bySeconds: seconds),
                    fresh: 0xa0 + UInt8(index)
                )
            )
        }
        return job
    }

    private var asked: ProviderJob.Event {
        get throws { .quoteRequested(ProviderJob.Request(body: try Sample.request())) }
    }

    private let created = ProviderJob.Event.invoiceCreated(
        Sample.paymentHash(1),
        Redacted("lnbcrt1")
    )
    private let settled = ProviderJob.Event.invoiceSettled(Sample.paymentHash(1))
    private let cancelled = ProviderJob.Event.invoiceCancelled(Sample.paymentHash(1))

    /// Every state, reached by events alone, with its text.
    private func samples() throws -> [ProviderJob] {
        let ask = (try asked, at: UInt64(0))
        let quoted = [ask, (created, 0), (.sent(Sample.id(0xa1)), 0)]
        let paid = quoted + [(settled, 10)]
        let computed = ProviderJob.Event.computed(
            ProviderJob.ComputedOutput(bytes: Redacted(Array("hello".utf8)))
        )
        return [
            try job([]),
            try job([ask]),
            try job([ask, (.cancelRequested, 0)]),
            try job([ask, (created, 0)]),
            try job(quoted),
            try job(quoted + [(.woken, 300)]),
            try job(quoted + [(ask.0, 300)]),
            try job(quoted + [(.cancelRequested, 1)]),
            try job([ask, (created, 0), (.tooLargeToSend(Sample.id(0xa1)), 0)]),
            try job(quoted + [(.woken, 300), (cancelled, 300)]),
            try job(quoted + [(.cancelRequested, 1), (cancelled, 300)]),
            try job([ask, (created, 0), (.tooLargeToSend(Sample.id(0xa1)), 0), (cancelled, 1)]),
            try job(paid),
            try job(paid + [(computed, 20)]),
            try job(paid + [(.computeFailed, 20)]),
            try job(quoted + [(.woken, 300), (cancelled, 300), (.woken, 900)]),
        ]
    }

    /// Every kind of event with each variant that matters; times are seconds after the request.
    private func events(for job: ProviderJob) throws -> [(String, ProviderJob.Event, at: UInt64)] {
        let waiting = job.outstanding.compactMap(\.messageID).first ?? Sample.id(0x12)
        let other = ProviderJob.Request(body: try Sample.request("another prompt"))
        let newer = ProviderJob.Request(protocolVersion: 2, body: try Sample.request())
        let stray = Sample.paymentHash(3)
        let small = ProviderJob.ComputedOutput(bytes: Redacted(Array("hello".utf8)))
        let large = [UInt8](repeating: 0x61, count: 20_000)
        return [
            ("the same", try asked, at: 30),
            ("the same, late", try asked, at: 300),
            ("another request", .quoteRequested(other), at: 30),
            ("another version", .quoteRequested(newer), at: 30),
            ("", .cancelRequested, at: 30),
            ("", created, at: 30),
            ("too late", created, at: 300),
            ("another", .invoiceCreated(stray, Redacted("lnbcrt2")), at: 30),
            ("", .invoiceNotCreated, at: 30),
            ("", settled, at: 30),
            ("late", settled, at: 310),
            ("another", .invoiceSettled(stray), at: 30),
            ("", cancelled, at: 30),
            ("another", .invoiceCancelled(stray), at: 30),
            ("", .computed(small), at: 30),
            (
                "too large text",
                .computed(ProviderJob.ComputedOutput(bytes: Redacted(large))), at: 30
            ),
            (
                "too large image",
                .computed(
                    ProviderJob.ComputedOutput(bytes: Redacted(large), contentType: "image/png")
                ), at: 30
            ),
            ("", .computeFailed, at: 30),
            ("", .computeCancelled, at: 30),
            ("of another message", .sent(Sample.id(0x11)), at: 30),
            ("", .tooLargeToSend(waiting), at: 30),
            ("of another message", .tooLargeToSend(Sample.id(0x11)), at: 30),
            ("", .answeredByBridge(.executionFailed), at: 30),
            ("", .resumed(downtimeSeconds: 60), at: 30),
            ("early", .woken, at: 30),
            ("at the quote's end", .woken, at: 300),
            ("long after", .woken, at: 100_000),
        ]
    }

    private func table() throws -> MachineTable {
        var table = MachineTable()
        for before in try samples() {
            let isUnsent = before.phase == .quoted && !before.outstanding.isEmpty
            for (variant, event, seconds) in try events(for: before) {
                var after = before
                after.handle(
                    event,
                    in: Sample.context(at: Sample.now.advanced(bySeconds: seconds))
                )
                let label = event.kind.rawValue + (variant.isEmpty ? "" : ", \(variant)")
                table.rows.append(
                    MachineTable.Row(
                        state: before.phaseText + (isUnsent ? " (not sent yet)" : ""),
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
        let kept = try String(decoding: Fixture.data(named: "machines/provider.txt"), as: UTF8.self)
        expectSame(try table().text, as: kept, in: "machines/provider.txt")
    }

    @Test func `the table has every state and every event`() throws {
        #expect(Set(try samples().map(\.phase)) == Set(ProviderJob.Phase.allCases))
        #expect(Set(try events(for: job([])).map(\.1.kind)) == Set(ProviderJob.EventKind.allCases))
    }

    @Test func `the article shows the machine as it is`() throws {
        let diagram = try table().diagram(start: "unquoted")
        #expect(try Article.text().contains(diagram), "LCPCore.md must contain:\n\(diagram)")
    }

    @Test func `a sent message is no longer outstanding, whatever the state`() throws {
        var sent = 0
        for before in try samples() {
            for effect in before.outstanding {
                guard let id = effect.messageID else { continue }
                var after = before
                after.handle(.sent(id), in: Sample.context())
                #expect(after.state == before.state)
                #expect(after.outstanding == before.outstanding.filter { $0 != effect })
                sent += 1
            }
        }
        #expect(sent > 0)
    }
}

/// The module's article.
enum Article {
    static func text() throws -> String {
        let tests = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        let file = tests.deletingLastPathComponent()
            .appending(path: "Sources/LCPCore/LCPCore.docc/LCPCore.md")
        return String(decoding: try Data(contentsOf: file), as: UTF8.self)
    }
}
