import BridgeProtocol
import Foundation
import LCPCore
import LCPWire
import LightningTypes
import SwiftProtobuf
import Testing

@testable import WorkerKit

@Suite struct ProviderStepsTests {
    let steps = ProviderSteps(rules: Sample.rules, identifiers: Sample.identifiers())
    let preimage = Bytes32([UInt8](repeating: 1, count: 32)) ?? .zero

    private func step(
        _ events: [BusJobEvent.OneOf_Body],
        after reply: BusJobReply? = nil,
        outstanding: [UInt64]? = nil,
        at now: UnixTime = Sample.now
    ) throws -> BusJobReply {
        try steps.step(
            Sample.item(.provider, events, after: reply, outstanding: outstanding, at: now),
            in: Sample.context
        )
    }

    /// A job up to its quote.
    private func quoted() throws -> BusJobReply {
        let asked = try step([Sample.quoteRequest()])
        return try step([invoiceCreated(asked)], after: asked, outstanding: [])
    }

    private func invoiceCreated(_ asked: BusJobReply) throws -> BusJobEvent.OneOf_Body {
        guard case .createInvoice(let order) = asked.bodies.first else {
            throw WorkFailure("test", "no invoice was asked for", isRetryable: false)
        }
        let text = try Sample.invoice(order, preimage: preimage, at: Sample.now)
        return .invoiceCreated(
            .with {
                $0.paymentHash = Data(repeating: 5, count: 32)
                $0.paymentRequest = text
            }
        )
    }

    private var settled: BusJobEvent.OneOf_Body {
        .invoiceSettled(.with { $0.paymentHash = Data(repeating: 5, count: 32) })
    }

    @Test func `a request becomes an invoice bound to its terms, and its input is stored`() throws {
        let reply = try step([Sample.quoteRequest()])
        guard case .createInvoice(let order) = reply.bodies.first else {
            Issue.record("no invoice")
            return
        }
        #expect(reply.effects.map(\.id) == [1])
        #expect(order.amountMsat == Sample.price.msat)
        #expect(order.descriptionHash.count == 32)
        #expect(order.expiryUnix == Sample.now.seconds + 295)
        #expect(order.profile == "gpt-5.2")
        #expect(reply.input == Data(Sample.prompt.utf8))
        #expect(reply.view.stage == .quoting)
        #expect(reply.view.profile == "gpt-5.2")
        #expect(reply.wakeAtUnix == Sample.now.seconds + 300)
        #expect(reply.answerByUnix == 0, "nothing can be paid yet")
        // A prompt is nobody's business but the input's.
        #expect(reply.state.range(of: Data(Sample.prompt.utf8)) == nil)
    }

    // LCP v0.1 §5.3 [response-names-job]
    @Test func `the quote's records are those of the codec, behind an envelope of the bridge`()
        throws
    {
        let reply = try quoted()
        let sent = try #require(reply.sent)
        #expect(sent.type == 42_085)
        #expect(sent.jobID == Data(repeating: 9, count: 32))
        #expect(sent.records.map(\.type) == [30, 31, 32, 33])
        #expect(sent.expiryUnix == Sample.now.seconds + 300, "a quote's envelope ends with it")
        #expect(sent.giveUpUnix == Sample.now.seconds + 300)
        #expect(!sent.again, "a quote we forgot could be paid: first the disk")
        #expect(sent.msgID.count == 32)
        #expect(reply.view.stage == .quoted)
        #expect(reply.view.priceMsat == Sample.price.msat)
        #expect(reply.view.quotedUnix == Sample.now.seconds)
        #expect(reply.answerByUnix > reply.wakeAtUnix, "it can be paid from now on")
    }

    @Test func `an effect keeps id and bytes while it is outstanding, and ids never come back`()
        throws
    {
        let quote = try quoted()
        #expect(quote.effects.map(\.id) == [2])
        // Something else happens while the quote still waits for the peer.
        let later = try step([.woken(.init())], after: quote, at: Sample.now.advanced(bySeconds: 9))
        #expect(later.effects == quote.effects)
        // Sent, and asked for again: another message with another id.
        let again = try step([Sample.quoteRequest()], after: later, outstanding: [])
        #expect(again.effects.map(\.id) == [3])
        #expect(again.sent?.msgID != quote.sent?.msgID)
        #expect(again.sent?.records == quote.sent?.records)
        #expect(again.sent?.again == true)
    }

    @Test func `settlement starts the computation with the request's own params`() throws {
        let paid = try step([settled], after: quoted(), outstanding: [])
        guard case .startCompute(let order) = paid.bodies.first else {
            Issue.record("no computation")
            return
        }
        #expect(order.taskKind == "llm.chat")
        #expect(order.profile == "gpt-5.2")
        #expect(order.params == Data(try Sample.params()))
        #expect(order.limits.maxResultBytes == 16275)
        #expect(order.limits.maxOutputTokens == 4096)
        #expect(!order.limits.hasTemperatureMilli)
        #expect(order.deadlineUnix == Sample.now.seconds + 600)
        #expect(paid.wakeAtUnix == order.deadlineUnix)
        #expect(paid.answerByUnix == order.deadlineUnix + 30)
        #expect(paid.view.stage == .running)
        #expect(paid.view.paidUnix == Sample.now.seconds)
    }

    @Test func `a computation whose deadline moved is asked for anew, not changed`() throws {
        let paid = try step([settled], after: quoted(), outstanding: [])
        let resumed = try step(
            [.resumed(.with { $0.downtimeSeconds = 100 })],
            after: paid,
            at: Sample.now.advanced(bySeconds: 100)
        )
        #expect(resumed.effects.count == 1)
        #expect(resumed.firstID != paid.firstID)
        guard case .startCompute(let order) = resumed.bodies.first else {
            Issue.record("no computation")
            return
        }
        #expect(order.deadlineUnix == Sample.now.seconds + 700)
        #expect(resumed.answerByUnix == paid.answerByUnix + 100)
    }

    @Test func `an output is sent from the store, cut where it must be, and marked`() throws {
        let paid = try step([settled], after: quoted(), outstanding: [])
        let output = Data(String(repeating: "プ", count: 6000).utf8)
        let done = try step(
            [.computeFinished(.with { $0.output = output })],
            after: paid,
            outstanding: []
        )
        let sent = try #require(done.sent)
        #expect(sent.type == 42_087)
        #expect(sent.records.map(\.type) == [40, 41])
        #expect(sent.records.first?.value == .storedOutput(16275))
        #expect(sent.records.last?.bytes == Data(ResultLimit.chatContentType.utf8))
        #expect(sent.expiryUnix == 0 && !sent.again)
        #expect(done.view.stage == .done && done.view.truncated)
        #expect(done.view.contentType == ResultLimit.chatContentType)
        #expect(!done.hasOutput, "the bridge stores it itself")
        #expect(done.answerByUnix == 0)
    }

    @Test func `an answer that is asked for again in its own step still waits for the disk`()
        throws
    {
        let paid = try step([settled], after: quoted(), outstanding: [])
        let finished = BusComputeFinished.with { $0.output = Data("hello".utf8) }
        let both = try step(
            [.computeFinished(finished), Sample.quoteRequest()],
            after: paid,
            outstanding: []
        )
        #expect(both.sent?.type == 42_087)
        #expect(both.sent?.again == false)
        // On disk by now: it may go out at once.
        let later = try step([Sample.quoteRequest()], after: both, outstanding: [])
        #expect(later.sent?.again == true)
        #expect(later.sent?.records == both.sent?.records)
    }

    @Test func `an output that compute has cut is marked too`() throws {
        let paid = try step([settled], after: quoted(), outstanding: [])
        let finished = BusComputeFinished.with {
            $0.output = Data("short".utf8)
            $0.truncated = true
        }
        let done = try step([.computeFinished(finished)], after: paid, outstanding: [])
        #expect(done.view.truncated)
    }

    @Test func `a message that is too large is not taken for one that went out`() throws {
        let paid = try step([settled], after: quoted(), outstanding: [])
        let finished = BusComputeFinished.with { $0.output = Data("hello".utf8) }
        let done = try step([.computeFinished(finished)], after: paid, outstanding: [])
        let id = try #require(done.firstID)
        let refused = try step([.tooLarge(.with { $0.effect = id })], after: done, outstanding: [])
        #expect(refused.sent?.type == 42_097)
        #expect(refused.view.stage == .paidFailed)
        #expect(refused.view.failure.code == "answered-with-error")
        // An id of no message says nothing.
        let stray = try step([.tooLarge(.with { $0.effect = 77 })], after: done)
        #expect(stray.effects == done.effects)
    }

    @Test func `a refusal is sent, shown and forgotten`() throws {
        let other = try V01.QuoteRequest(
            taskKind: V01.llmChat,
            input: [65],
            params: Sample.params("unknown")
        )
        let reply = try step([Sample.message(.quoteRequest(Sample.envelope(), other))])
        #expect(reply.sent?.type == 42_097)
        #expect(reply.sent?.records.first?.bytes == Data([0, 2]))
        #expect(reply.bodies.last == .finish(.init()))
        #expect(!reply.hasInput)
        #expect(reply.view.stage == .failed)
        #expect(reply.view.failure.code == "refused")
        #expect(reply.view.endedUnix == Sample.now.seconds)

        // Asked once more when all of it is done: the new refusal must not look like the old one.
        let again = try step(
            [Sample.message(.quoteRequest(Sample.envelope(), other))],
            after: reply,
            outstanding: []
        )
        #expect(Set(again.effects.map(\.id)).isDisjoint(with: reply.effects.map(\.id)))
        #expect(again.effects.count == 2)
    }

    @Test func `a finished job that is opened again finishes again`() throws {
        let refused = try step([
            Sample.raw(
                42_083,
                [UInt8](try Sample.message(.cancel(Sample.envelope(), .init(reason: nil))).payload)
            )
        ])
        #expect(refused.bodies == [.finish(.init())])
        let woken = try step([.woken(.init())], after: refused, outstanding: [])
        #expect(woken.bodies == [.finish(.init())])
        #expect(woken.firstID != refused.firstID)
    }

    @Test func `what a peer writes is never an error of ours`() throws {
        let valid = try [UInt8](Sample.quoteRequest().payload)
        let quote = try quoted()
        for type: UInt16 in [42_081, 42_083, 42_085, 42_087, 42_089, 42_095, 42_097, 1] {
            for length in 0...valid.count {
                let event = Sample.raw(type, Array(valid.prefix(length)))
                let fresh = try step([event])
                #expect(!fresh.effects.isEmpty, "a job without work would stay for ever")
                // In a job that stands, garbage changes nothing.
                if length < valid.count, type != 42_095, type != 42_083 {
                    #expect(try step([event], after: quote).effects == quote.effects)
                }
            }
        }
    }

    @Test func `an unreadable request leaves no answer and no trace`() throws {
        let reply = try step([Sample.raw(42_083, [1, 2])])
        #expect(reply.bodies == [.finish(.init())])
        #expect(reply.view.stage == .failed)
        #expect(reply.view.failure.code == "unreadable-request")
        #expect(!reply.hasInput)
    }

    @Test func `a request of another version is answered unsupported_version, readable or not`()
        throws
    {
        let readable = try Sample.message(
            .quoteRequest(Sample.envelope(version: 2), Sample.request()),
            version: 2
        )
        let unreadable = Sample.raw(42_083, [1, 2, 0, 2], version: 2)
        for event in [readable, unreadable] {
            let reply = try step([event])
            #expect(reply.sent?.records.first?.bytes == Data([0, 1]))
            #expect(reply.bodies.last == .finish(.init()))
        }
    }

    @Test func `a bridge that breaks its own rules is told so`() throws {
        var item = try Sample.item(.provider, [Sample.quoteRequest()])
        item.job.role = .requester
        #expect(throws: WorkFailure.self) { try steps.step(item, in: Sample.context) }
        item = try Sample.item(.provider, [Sample.quoteRequest()])
        item.job.jobID = Data([1])
        #expect(throws: WorkFailure.self) { try steps.step(item, in: Sample.context) }
        item = try Sample.item(.provider, [Sample.quoteRequest()])
        item.events.append(BusJobEvent())
        let unknown = #expect(throws: WorkFailure.self) {
            try steps.step(item, in: Sample.context)
        }
        #expect(unknown?.code == "event-unknown")
        #expect(throws: WorkFailure.self) { try step([.accepted(.init())]) }
    }
}

extension BusJobEvent.OneOf_Body {
    /// The payload of a message event.
    var payload: Data {
        if case .message(let message) = self { message.payload } else { Data() }
    }
}
