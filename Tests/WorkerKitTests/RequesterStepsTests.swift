import BOLT11
import BridgeProtocol
import Foundation
import LCPCore
import LCPWire
import LightningCrypto
import LightningTypes
import SwiftProtobuf
import Testing

@testable import WorkerKit

@Suite struct RequesterStepsTests {
    let steps = RequesterSteps(
        rules: RequesterRules(network: .mainnet),
        identifiers: Sample.identifiers()
    )
    let preimage = Bytes32([UInt8](repeating: 1, count: 32)) ?? .zero

    private var paymentHash: Data { Data(SHA256.hash(preimage.bytes).bytes) }

    private func step(
        _ events: [BusJobEvent.OneOf_Body],
        after reply: BusJobReply? = nil,
        outstanding: [UInt64]? = nil,
        at now: UnixTime = Sample.now,
        network: String = "regtest"
    ) throws -> BusJobReply {
        try steps.step(
            Sample.item(.requester, events, after: reply, outstanding: outstanding, at: now),
            in: WorkerContext(nodeID: nil, network: network)
        )
    }

    private func submitted(upTo ceiling: UInt64? = nil) throws -> BusJobEvent.OneOf_Body {
        let params = Data(try Sample.params())
        return .submitted(
            .with {
                $0.taskKind = V01.llmChat
                $0.input = Data(Sample.prompt.utf8)
                $0.params = params
                if let ceiling { $0.maxPriceMsat = ceiling }
            }
        )
    }

    private func quote(version: UInt16 = 1) throws -> BusJobEvent.OneOf_Body {
        let expiry = Sample.now.advanced(bySeconds: 300)
        let terms = try V01.Terms(
            jobID: Sample.id(9),
            price: Sample.price,
            quoteExpiry: expiry,
            taskKind: V01.llmChat,
            input: Array(Sample.prompt.utf8),
            params: Sample.params()
        )
        let order = try BusCreateInvoice.with {
            $0.amountMsat = Sample.price.msat
            $0.descriptionHash = Data(try terms.hash().bytes.bytes)
            $0.expiryUnix = expiry.seconds - 5
        }
        let response = V01.QuoteResponse(
            price: Sample.price,
            quoteExpiry: expiry,
            termsHash: try terms.hash(),
            paymentRequest: try Sample.invoice(order, preimage: preimage, at: Sample.now)
        )
        return try Sample.message(.quoteResponse(Sample.envelope(version: version), response))
    }

    private func result(_ text: String) throws -> BusJobEvent.OneOf_Body {
        try Sample.message(
            .result(Sample.envelope(), V01.Result(result: Array(text.utf8), contentType: "text/x"))
        )
    }

    private var succeeded: BusJobEvent.OneOf_Body {
        .paymentSucceeded(
            .with {
                $0.paymentHash = paymentHash
                $0.preimage = Data(preimage.bytes)
                $0.feeMsat = 12
            }
        )
    }

    private func paying() throws -> BusJobReply {
        let asked = try step([submitted(upTo: Sample.price.msat)])
        return try step([quote()], after: asked, outstanding: [])
    }

    @Test func `a submission asks for a quote with the stored input, at once`() throws {
        let reply = try step([submitted()])
        let sent = try #require(reply.sent)
        #expect(sent.type == 42_083)
        #expect(sent.jobID == Data(repeating: 9, count: 32))
        #expect(sent.records.map(\.type) == [20, 21, 22])
        #expect(sent.records[1].value == .storedInput(UInt64(Sample.prompt.utf8.count)))
        #expect(sent.again)
        #expect(sent.expiryUnix == 0, "600 seconds after each sending")
        #expect(!reply.hasInput, "the bridge stores what a client submits")
        #expect(reply.view.stage == .quoting && reply.view.profile == "gpt-5.2")
        #expect(reply.effects.count == 1, "notices are part of the view")
        #expect(reply.state.range(of: Data(Sample.prompt.utf8)) == nil)
    }

    @Test func `a good quote within the ceiling is paid as checked`() throws {
        let reply = try paying()
        guard case .pay(let pay) = reply.bodies.first else {
            Issue.record("not paid: \(reply.view.stage)")
            return
        }
        #expect(pay.amountMsat == Sample.price.msat)
        #expect(pay.paymentHash == paymentHash)
        #expect(pay.descriptionHash == reply.view.termsHash)
        #expect(pay.expiryUnix == Sample.now.seconds + 305)
        #expect(pay.notAfterUnix == Sample.now.seconds + 240)
        #expect(pay.profile == "gpt-5.2")
        #expect(reply.view.stage == .paying)
        #expect(reply.view.quotedUnix == Sample.now.seconds)
        #expect(reply.answerByUnix > 0)
    }

    @Test func `a quote above the ceiling waits and says so, until the client agrees`() throws {
        let asked = try step([submitted(upTo: 1000)])
        let waiting = try step([quote()], after: asked, outstanding: [])
        #expect(waiting.effects.isEmpty)
        #expect(waiting.view.stage == .quoted)
        #expect(waiting.view.failure.code == "price-above-ceiling")
        #expect(waiting.view.endedUnix == 0)
        // Still said after something unrelated.
        let later = try step([.peerReturned(.init())], after: waiting)
        #expect(later.view.failure.code == "price-above-ceiling")
        let agreed = try step(
            [.accepted(.with { $0.maxPriceMsat = Sample.price.msat })],
            after: later
        )
        #expect(agreed.view.stage == .paying)
        #expect(!agreed.view.hasFailure)
    }

    @Test func `a result is stored once, and a second one does not replace it`() throws {
        let paid = try step([succeeded], after: paying(), outstanding: [])
        #expect(paid.view.stage == .running && paid.view.feeMsat == 12)
        let done = try step([result("first")], after: paid)
        #expect(done.output == Data("first".utf8))
        #expect(done.view.stage == .done && done.view.contentType == "text/x")
        let second = try step([result("second")], after: done)
        #expect(!second.hasOutput)
        #expect(second.view == done.view)
    }

    @Test func `a result that overtakes its payment is kept and counts when it succeeds`() throws {
        let early = try step([result("early")], after: paying())
        #expect(early.output == Data("early".utf8))
        #expect(early.view.stage == .paying)
        let done = try step([succeeded], after: early, outstanding: [])
        #expect(!done.hasOutput)
        #expect(done.view.stage == .done)
        #expect(done.view.paidUnix == Sample.now.seconds)
    }

    @Test func `an unpaid job has no result to store`() throws {
        let asked = try step([submitted()])
        let reply = try step([result("free")], after: asked)
        #expect(!reply.hasOutput)
        #expect(reply.effects == asked.effects)
    }

    @Test func `a quote is not judged before the network is known`() throws {
        let asked = try step([submitted()], network: "")
        let failure = #expect(throws: WorkFailure.self) {
            try step([quote()], after: asked, network: "")
        }
        #expect(failure?.code == "network-unknown")
        #expect(failure?.isRetryable == true)
        let wrong = try step([quote()], after: asked, network: "mainnet")
        #expect(wrong.view.failure.code == "defective-quote")
        #expect(wrong.sent?.type == 42_095, "the provider may give up its invoice")
    }

    @Test func `a quote of another version is not ours to judge`() throws {
        let asked = try step([submitted()])
        let reply = try step([quote(version: 2)], after: asked)
        #expect(reply.view.stage == .quoting)
        #expect(reply.effects == asked.effects)
    }

    @Test func `a task that can't be written ends the job and sends nothing`() throws {
        let noParams = BusSubmitted.with {
            $0.taskKind = V01.llmChat
            $0.input = Data("x".utf8)
        }
        let notText = BusSubmitted.with {
            $0.taskKind = V01.llmChat
            $0.input = Data([0xff])
            $0.params = Data((try? Sample.params()) ?? [])
        }
        for submission in [noParams, notText, BusSubmitted()] {
            let reply = try step([.submitted(submission)])
            #expect(reply.effects.isEmpty)
            #expect(reply.view.stage == .failed)
            #expect(reply.view.failure.code == "invalid-task")
        }
    }

    @Test func `a refusal names its code, and never the peer's own words`() throws {
        let asked = try step([submitted()])
        let refusal = V01.Failure(code: .unsupportedTask, message: Sample.prompt)
        let reply = try step([Sample.message(.error(Sample.envelope(), refusal))], after: asked)
        #expect(reply.view.stage == .failed)
        #expect(reply.view.failure.code == "refused-by-provider")
        #expect(reply.view.failure.detail == "the provider refused: lcp_error 2 (unsupported_task)")
    }

    @Test func `an overdue answer is shown as unanswered, and a late one still arrives`() throws {
        let paid = try step([succeeded], after: paying(), outstanding: [])
        let late = Sample.now.advanced(bySeconds: 900)
        for event: BusJobEvent.OneOf_Body in [.woken(.init()), .answeredByBridge(.init())] {
            let unanswered = try step([event], after: paid, at: late)
            #expect(unanswered.view.stage == .unanswered)
            #expect(unanswered.view.failure.code == "unanswered")
            let done = try step([result("late")], after: unanswered, at: late)
            #expect(done.view.stage == .done && !done.view.hasFailure)
            #expect(done.output == Data("late".utf8))
        }
    }

    @Test func `a cancel withdraws the payment, and what the payment did decides`() throws {
        let cancelled = try step([.clientCancelled(.init())], after: paying())
        #expect(cancelled.bodies.contains(.withdrawPayment(.with { $0.paymentHash = paymentHash })))
        #expect(cancelled.sent?.type == 42_095)
        #expect(cancelled.view.stage == .paying)
        let failed = BusPaymentFailed.with {
            $0.paymentHash = paymentHash
            $0.cause = .withdrawn
        }
        let over = try step([.paymentFailed(failed)], after: cancelled)
        #expect(over.view.stage == .cancelled)
        let paid = try step([succeeded], after: cancelled)
        #expect(paid.view.stage == .running)
    }

    @Test func `what a peer writes is never an error of ours`() throws {
        let valid = try [UInt8](quote().payload)
        let asked = try step([submitted()])
        for type: UInt16 in [42_081, 42_083, 42_085, 42_087, 42_089, 42_095, 42_097, 1] {
            for length in stride(from: 0, to: valid.count, by: 3) {
                let event = Sample.raw(type, Array(valid.prefix(length)))
                #expect(try step([event], after: asked).effects == asked.effects)
            }
        }
    }

    @Test func `an ended job is forgotten when its retention is over`() throws {
        let asked = try step([submitted()])
        let cancelled = try step([.clientCancelled(.init())], after: asked)
        #expect(cancelled.view.stage == .cancelled && !cancelled.view.hasFailure)
        let end = UnixTime(seconds: cancelled.wakeAtUnix)
        let over = try step([.woken(.init())], after: cancelled, at: end)
        #expect(over.bodies == [.finish(.init())])
        #expect(over.view == cancelled.view, "what was last to be seen stays")
        #expect(over.wakeAtUnix == 0)
    }
}
