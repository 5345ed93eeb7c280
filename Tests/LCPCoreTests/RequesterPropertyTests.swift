import BOLT11
import LCPCore
import LCPTesting
import LCPWire
import LightningCrypto
import LightningTypes
import Testing

/// Random events in random order; what must hold whatever happens.
@Suite struct RequesterPropertyTests {
    /// Invoices are signed once for each job id: that is what costs time here.
    private final class Quotes {
        private var honest: [JobID: V01.QuoteResponse] = [:]
        let request: V01.QuoteRequest

        init() throws { request = try Sample.request() }

        func response(to id: JobID) throws -> V01.QuoteResponse {
            if let known = honest[id] { return known }
            let made = try Sample.response(
                to: request,
                jobID: id,
                paymentHash: PaymentHash(SHA256.hash(id.bytes.bytes))
            )
            honest[id] = made
            return made
        }
    }

    private func newestJobID(_ job: RequesterJob) -> JobID {
        switch job.state {
        case .requesting(let asking): asking.terms.jobID
        case .quoted(let offer), .withdrawing(let offer, _): offer.jobID
        case .paying(let intent, _): intent.offer.jobID
        case .awaitingAnswer(let receipt), .unanswered(let receipt, _): receipt.offer.jobID
        case .unsubmitted, .ended, .finished: job.jobID
        }
    }

    private func event(
        for job: RequesterJob,
        _ quotes: Quotes,
        _ random: inout SeededGenerator
    ) throws -> RequesterJob.Event {
        let stale: JobID = Sample.id(0x77)
        let id = random.next() % 5 == 0 ? stale : newestJobID(job)
        let hash = PaymentHash(SHA256.hash(id.bytes.bytes))
        let price = MilliSatoshi(msat: 57_355)
        let low = MilliSatoshi(msat: 57_354)
        // Pure chance rarely gets far, so half of the time the job gets what it waits for.
        if Bool.random(using: &random) {
            switch job.phase {
            case .requesting: return .quoteReceived(id, try quotes.response(to: id))
            case .quoted: return .accepted(ceiling: price)
            case .awaitingAnswer: return random.next() % 3 == 0 ? .peerReturned : .woken
            case .unsubmitted, .paying, .withdrawing, .unanswered, .ended, .finished: break
            }
        }
        switch RequesterJob.EventKind.allCases.randomElement(using: &random) ?? .woken {
        case .submitted:
            return .submitted(quotes.request, ceiling: Bool.random(using: &random) ? price : nil)
        case .accepted: return .accepted(ceiling: Bool.random(using: &random) ? price : low)
        case .cancelledByClient:
            return random.next() % 4 == 0 ? .cancelledByClient : .woken
        case .quoteReceived:
            var response = try quotes.response(to: id)
            switch random.next() % 8 {
            case 0: response.price = low
            case 1: response.termsHash = Sample.id(3)
            case 2: response.paymentRequest = try quotes.response(to: stale).paymentRequest
            default: break
            }
            return .quoteReceived(id, response)
        case .resultReceived:
            let result = RequesterJob.ReceivedResult(
                messageID: Sample.id(UInt8.random(in: 0...255, using: &random)),
                byteCount: 5,
                contentType: nil
            )
            return .resultReceived(id, result)
        case .errorReceived:
            return random.next() % 3 == 0
                ? .errorReceived(id, V01.Failure(code: .rateLimited, message: nil)) : .woken
        case .paymentSucceeded:
            return .paymentSucceeded(hash, Preimage(id.bytes), fee: MilliSatoshi(msat: 1))
        case .paymentFailed:
            return random.next() % 3 == 0
                ? .paymentFailed(hash, .lnd(.init(code: "TIMEOUT"))) : .paymentInFlight(hash)
        case .paymentInFlight: return .paymentInFlight(hash)
        case .sent: return .sent(Sample.id(UInt8.random(in: 0...50, using: &random)))
        case .tooLargeToSend:
            return .tooLargeToSend(Sample.id(UInt8.random(in: 0...50, using: &random)))
        case .notified: return .notified(.submitted(job.jobID))
        case .peerReturned: return .peerReturned
        case .resumed: return .resumed(downtimeSeconds: random.next() % 50)
        case .woken: return .woken
        }
    }

    @Test func `in no order of events is anything paid unchecked, twice, or after a cancel`() throws
    {
        let quotes = try Quotes()
        var payments = 0
        var answers = 0
        var overtaken = 0
        var late = 0
        var provisional = 0
        var cancelledPayments = 0
        for seed in UInt64(0)..<800 {
            var random = SeededGenerator(seed: seed)
            let peer = try Sample.providerKey().publicKey
            var job = RequesterJob(peer: peer, jobID: Sample.id(9))
            var now = Sample.now
            var agreed: MilliSatoshi = .zero
            var isCancelled = false
            var offers: Set<PaymentHash> = []
            var succeeded: Set<PaymentHash> = []
            var accepted: RequesterJob.Ending?

            for step in 0..<40 {
                now = now.advanced(bySeconds: random.next() % 16 == 0 ? random.next() % 1000 : 2)
                let event =
                    step == 0
                    ? .submitted(quotes.request, ceiling: nil)
                    : try event(for: job, quotes, &random)
                let context = Sample.requesterContext(at: now, fresh: UInt8(step))
                let before = job
                job.handle(event, in: context)
                switch event {
                case .accepted(let ceiling): agreed = max(agreed, ceiling)
                case .submitted(_, .some(let ceiling)):
                    if before.phase == .unsubmitted { agreed = max(agreed, ceiling) }
                case .cancelledByClient: isCancelled = true
                case .paymentSucceeded(let hash, _, _): succeeded.insert(hash)
                case .submitted(_, nil), .quoteReceived, .resultReceived, .errorReceived,
                    .paymentFailed, .paymentInFlight, .sent, .tooLargeToSend, .notified,
                    .peerReturned, .resumed,
                    .woken:
                    break
                }

                for case .pay(let intent) in job.outstanding {
                    if !before.outstanding.contains(.pay(intent)) {
                        payments += 1
                        let offer = intent.offer
                        let invoice = try BOLT11Invoice(
                            decoding: offer.paymentRequest.reveal("the test reads it"),
                            network: .regtest
                        )
                        var terms = try Sample.terms(
                            of: quotes.request,
                            jobID: newestJobID(before),
                            price: MilliSatoshi(msat: 57_355),
                            quoteExpiry: Sample.now.advanced(bySeconds: 300)
                        )
                        terms.jobID = offer.jobID
                        #expect(invoice.payee == peer)
                        #expect(invoice.amount == offer.price)
                        #expect(invoice.paymentHash == offer.paymentHash)
                        #expect(invoice.description == .hash(try terms.hash().bytes))
                        #expect(offer.price <= intent.ceiling && intent.ceiling <= agreed)
                        #expect(now < offer.notAfter)
                        #expect(newestJobID(before) == offer.jobID, "seed \(seed): an older quote")
                        offers.insert(offer.paymentHash)
                    }
                    #expect(!isCancelled, "seed \(seed): a payment after the client's cancel")
                }
                #expect(offers.count <= 1, "seed \(seed): paid twice")
                if before.phase == .paying, job.phase == .withdrawing {
                    cancelledPayments += 1
                    #expect(job.outstanding.contains { $0.kind == "withdrawPayment" })
                }
                // Until its outcome is known a payment is never let go.
                if job.phase == .paying {
                    #expect(job.outstanding.contains { $0.kind == "pay" }, "seed \(seed)")
                }

                if case .ended(let ending, _) = job.state,
                    case .answered(let receipt, let answer) = ending
                {
                    #expect(succeeded.contains(receipt.offer.paymentHash), "seed \(seed)")
                    #expect(accepted == nil || accepted == ending, "seed \(seed): two answers")
                    if accepted == nil {
                        answers += 1
                        if before.phase == .paying || before.phase == .withdrawing {
                            overtaken += 1
                        }
                        if before.phase == .unanswered { late += 1 }
                        if receipt.provisional != nil, case .result = answer { provisional += 1 }
                    }
                    accepted = ending
                } else {
                    #expect(accepted == nil || job.phase == .finished, "seed \(seed)")
                }

                var again = job
                again.handle(event, in: context)
                #expect(
                    again.outstanding.map(\.kind) == job.outstanding.map(\.kind),
                    "seed \(seed): a repeat of \(event.kind) in \(job.phase) changed the work"
                )
            }
        }
        #expect(payments > 200)
        #expect(answers > 100)
        #expect(overtaken > 20, "no result overtook its payment")
        #expect(late > 5, "no answer came after the deadline")
        #expect(provisional > 5, "no result followed a provisional error")
        #expect(cancelledPayments > 20)
    }

    @Test func `a provider that stays silent is asked under new job ids, then given up`() throws {
        let peer = try Sample.providerKey().publicKey
        var job = RequesterJob(peer: peer, jobID: Sample.id(9))
        job.handle(
            .submitted(try Sample.request(), ceiling: MilliSatoshi(msat: 60_000)),
            in: Sample.requesterContext()
        )
        var asked: [JobID] = []
        var round: UInt8 = 0
        while job.phase == .requesting {
            for case .sendQuoteRequest(let id, _) in job.outstanding { asked.append(id) }
            let wake = try #require(job.wakeAt)
            round += 1
            job.handle(.woken, in: Sample.requesterContext(at: wake, fresh: round))
        }
        #expect(asked.count == 4)
        #expect(Set(asked).count == 4)
        guard case .ended(.unpaid(.noQuote), _) = job.state else {
            Issue.record("ended as \(job.phaseText)")
            return
        }
    }

    @Test func `an overdue answer is asked for again and again, under the same job id`() throws {
        let peer = try Sample.providerKey().publicKey
        var job = RequesterJob(peer: peer, jobID: Sample.id(9))
        let request = try Sample.request()
        let submitted = RequesterJob.Event.submitted(request, ceiling: MilliSatoshi(msat: 60_000))
        job.handle(submitted, in: Sample.requesterContext())
        let quote = try Sample.response(to: request, jobID: Sample.id(9))
        job.handle(.quoteReceived(Sample.id(9), quote), in: Sample.requesterContext())
        job.handle(
            .paymentSucceeded(
                Sample.paymentHash(1),
                Preimage(Sample.preimage(1)),
                fee: .zero
            ),
            in: Sample.requesterContext()
        )
        var repeats: [UInt64] = []
        while job.phase == .awaitingAnswer {
            let wake = try #require(job.wakeAt)
            let before = job.outstanding
            job.handle(
                .woken,
                in: Sample.requesterContext(at: wake, fresh: UInt8(repeats.count + 1))
            )
            for case .sendQuoteRequest(let id, _) in job.outstanding.filter({ !before.contains($0) }
            ) {
                #expect(id == Sample.id(9))
                repeats.append(wake.seconds - Sample.now.seconds)
            }
        }
        #expect(repeats == [60, 180, 420])
        #expect(job.phase == .unanswered)
        let proof = RequesterJob.Notice.unanswered(
            Sample.paymentHash(1),
            Preimage(Sample.preimage(1))
        )
        #expect(job.outstanding.contains(.notifyClient(proof)))
    }
}
