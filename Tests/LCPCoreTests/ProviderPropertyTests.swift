import LCPCore
import LCPTesting
import LCPWire
import LightningTypes
import Testing

/// Random events in random order; what must hold whatever happens.
@Suite struct ProviderPropertyTests {
    /// A random event; half of the time what the job waits for, as pure chance rarely gets far.
    private func event(
        for job: ProviderJob,
        _ random: inout SeededGenerator
    ) throws -> ProviderJob.Event {
        let hash = Sample.paymentHash(UInt8.random(in: 1...4, using: &random))
        if Bool.random(using: &random) {
            switch job.state {
            case .unquoted, .answered:
                return .quoteRequested(ProviderJob.Request(body: try Sample.request()))
            case .awaitingInvoice, .droppingInvoice: return .invoiceCreated(hash, Redacted("l"))
            case .quoted(let quote), .withdrawing(let quote, _):
                if Bool.random(using: &random) { return .invoiceSettled(quote.paymentHash) }
            case .closed, .executing, .finished: break
            }
        }
        switch ProviderJob.EventKind.allCases.randomElement(using: &random) ?? .woken {
        case .quoteRequested:
            let prompt = random.next() % 4 == 0 ? "another prompt" : Sample.prompt
            return .quoteRequested(ProviderJob.Request(body: try Sample.request(prompt)))
        case .cancelRequested:
            return random.next() % 3 == 0 ? .cancelRequested : .woken
        case .invoiceCreated: return .invoiceCreated(hash, Redacted("lnbcrt1"))
        case .invoiceNotCreated:
            return random.next() % 3 == 0
                ? .invoiceNotCreated : .invoiceCreated(hash, Redacted("l"))
        case .invoiceSettled: return .invoiceSettled(hash)
        case .invoiceCancelled: return .invoiceCancelled(hash)
        case .computed:
            let text = String(repeating: "プ", count: Int(random.next() % 6000))
            let output = ProviderJob.ComputedOutput(bytes: Redacted(Array(text.utf8)))
            return .computed(output)
        case .computeFailed: return .computeFailed
        case .computeCancelled: return .computeCancelled
        case .sent: return .sent(Sample.id(UInt8.random(in: 0...50, using: &random)))
        case .tooLargeToSend:
            return .tooLargeToSend(Sample.id(UInt8.random(in: 0...50, using: &random)))
        case .answeredByBridge: return .answeredByBridge(.executionFailed)
        case .resumed: return .resumed(downtimeSeconds: random.next() % 100)
        case .woken: return .woken
        }
    }

    /// What an answer says, without the sending's identifier.
    private func answers(_ effects: [ProviderJob.Effect]) -> [ProviderJob.Answer] {
        effects.compactMap { effect in
            switch effect {
            case .sendResult(let output, _, _): .result(output)
            case .sendError(let failure, _, _): .failure(failure)
            case .createInvoice, .cancelInvoice, .sendQuote, .startCompute, .cancelCompute, .finish:
                nil
            }
        }
    }

    // LCP v0.1 §5.3 [deliver-after-settlement]
    @Test
    func `in no order of events is anything done that was not paid, or paid and not answered`()
        throws
    {
        var executions = 0
        var latePayments = 0
        var repeatedAnswers = 0
        var cut = 0
        var withdrawals = 0
        for seed in UInt64(0)..<1000 {
            var random = SeededGenerator(seed: seed)
            var job = ProviderJob(peer: try Sample.peer(), jobID: Sample.id(9))
            var now = Sample.now
            var created: Set<PaymentHash> = []
            var settled: Set<PaymentHash> = []
            var cancelledInvoices: Set<PaymentHash> = []
            var quotes: [V01.QuoteResponse] = []
            var answer: ProviderJob.Answer?
            var isPaid = false

            for step in 0..<40 {
                now = now.advanced(bySeconds: random.next() % 8 == 0 ? random.next() % 400 : 3)
                let event = try event(for: job, &random)
                let context = Sample.context(at: now, fresh: UInt8(step))
                // lnd makes an invoice once, and then settles or cancels it, never both.
                if case .invoiceCreated(let hash, _) = event {
                    guard !created.contains(hash) || job.phase == .quoted else { continue }
                    created.insert(hash)
                }
                if case .invoiceSettled(let hash) = event {
                    guard created.contains(hash), !cancelledInvoices.contains(hash) else {
                        continue
                    }
                    settled.insert(hash)
                }
                if case .invoiceCancelled(let hash) = event {
                    guard created.contains(hash), !settled.contains(hash) else { continue }
                    cancelledInvoices.insert(hash)
                }
                let before = job
                job.handle(event, in: context)
                let new = job.outstanding.filter { !before.outstanding.contains($0) }

                for effect in new {
                    switch effect {
                    case .startCompute:
                        executions += 1
                        // LCP v0.1 §5.3 [execute-after-settlement]
                        guard case .executing(let quote, _) = job.state else {
                            Issue.record("seed \(seed): compute in \(job.phase)")
                            continue
                        }
                        #expect(settled.contains(quote.paymentHash), "seed \(seed)")
                        #expect(before.phase != .executing && before.phase != .answered)
                        if before.phase == .withdrawing { latePayments += 1 }
                    case .sendQuote(let quote, _, _):
                        #expect(!isPaid, "seed \(seed): a quote after payment")
                        #expect(!cancelledInvoices.contains(quote.paymentHash), "seed \(seed)")
                        if before.phase == .quoted {
                            quotes.append(quote.response)
                        } else {
                            quotes = [quote.response]
                        }
                    case .cancelInvoice: withdrawals += 1
                    case .finish:
                        // Never while an invoice could still be paid.
                        if case .closed(let quote, _, _) = before.state {
                            #expect(cancelledInvoices.contains(quote.paymentHash))
                        }
                        #expect([.unquoted, .finished].contains(job.phase), "seed \(seed)")
                        #expect(
                            ![.quoted, .withdrawing, .executing].contains(before.phase),
                            "seed \(seed): forgot an open invoice"
                        )
                    case .createInvoice, .sendResult, .sendError, .cancelCompute: break
                    }
                }
                // The terms never change after the quote.
                #expect(Set(quotes.map(\.termsHash)).count <= 1, "seed \(seed)")

                isPaid = isPaid || job.phase == .executing || job.phase == .answered
                if isPaid, job.phase != .finished {
                    // A result that was never sent may become an error.
                    if case .tooLargeToSend = event { answer = nil }
                    for said in answers(new) {
                        if answer != nil { repeatedAnswers += 1 }
                        #expect(answer == nil || answer == said, "seed \(seed): two answers")
                        answer = said
                        if case .result(let output) = said, output.isCut { cut += 1 }
                    }
                }

                // Hearing the same again withdraws nothing.
                var again = job
                again.handle(event, in: context)
                #expect(
                    again.outstanding.map(\.kind) == job.outstanding.map(\.kind),
                    "seed \(seed): a repeat of \(event.kind) in \(job.phase) changed the work"
                )
            }

            // A paid job always ends in an answer, at the latest when its time is over.
            if job.phase == .executing {
                let deadline = try #require(job.wakeAt)
                job.handle(.woken, in: Sample.context(at: deadline, fresh: 0xff))
                #expect(job.phase == .answered, "seed \(seed)")
                #expect(answers(job.outstanding).count == 1, "seed \(seed)")
            }
        }
        #expect(executions > 500)
        #expect(latePayments > 20, "no payment overtook a withdrawal")
        #expect(repeatedAnswers > 20, "nobody asked again")
        #expect(cut > 5, "no result was too large")
        #expect(withdrawals > 500)
    }

    // LCP v0.1 §5.2 [other-request-refused]
    @Test func `a repeated request is recognised by its content, not by the clock`() throws {
        var job = ProviderJob(peer: try Sample.peer(), jobID: Sample.id(9))
        let request = ProviderJob.Request(body: try Sample.request())
        job.handle(.quoteRequested(request), in: Sample.context())
        let created = ProviderJob.Event.invoiceCreated(Sample.paymentHash(1), Redacted("lnbcrt1"))
        job.handle(created, in: Sample.context(fresh: 1))
        guard case .sendQuote(let first, _, .first) = job.outstanding.first else {
            Issue.record("no quote")
            return
        }
        for seconds in UInt64(1)..<300 {
            // Dearer by now, and the same quote all the same.
            var rules = ProviderRules(prices: Sample.prices)
            rules.prices.minimumPrice = MilliSatoshi(msat: 1_000_000)
            job.handle(
                .quoteRequested(request),
                in: Sample.context(
                    at: Sample.now.advanced(bySeconds: seconds),
                    fresh: UInt8(truncatingIfNeeded: seconds),
                    rules: rules
                )
            )
            let id: MessageID = Sample.id(UInt8(truncatingIfNeeded: seconds))
            #expect(job.outstanding == [.sendQuote(first, id, .again)])
        }
        let quoted = job.outstanding
        let other = ProviderJob.Request(body: try Sample.request("another prompt"))
        job.handle(.quoteRequested(other), in: Sample.context(fresh: 2))
        #expect(job.outstanding.dropLast() == quoted[...])
        guard case .sendError(let failure, _, .first) = job.outstanding.last else {
            Issue.record("another request was not refused")
            return
        }
        #expect(failure.code == .paymentInvalid)
    }

    // LCP v0.1 §5.3 [invoice-commits-to-terms] [invoice-amount-is-price]
    // LCP v0.1 §5.3 [invoice-ends-with-quote]
    @Test func `the invoice is bound to the terms and ends before the quote`() throws {
        var rules = ProviderRules(prices: Sample.prices)
        for (quoteSeconds, expected) in [
            (UInt64(300), UInt64(295)), (10, 5), (7, 4), (5, 3), (3, 2), (2, 1), (1, 1),
        ] {
            rules.quoteSeconds = quoteSeconds
            var job = ProviderJob(peer: try Sample.peer(), jobID: Sample.id(9))
            let request = try Sample.request()
            job.handle(
                .quoteRequested(ProviderJob.Request(body: request)),
                in: Sample.context(rules: rules)
            )
            guard case .createInvoice(let order) = job.outstanding.first else {
                Issue.record("no invoice")
                continue
            }
            let terms = try Sample.terms(
                of: request,
                jobID: Sample.id(9),
                price: MilliSatoshi(msat: 57_355),
                quoteExpiry: Sample.now.advanced(bySeconds: quoteSeconds)
            )
            #expect(order.amount == terms.price)
            #expect(order.descriptionHash == (try terms.hash()))
            #expect(order.expirySeconds(at: Sample.now) == expected)
            // lnd may be asked late; the invoice still ends in time.
            #expect(order.expirySeconds(at: Sample.now.advanced(bySeconds: 1000)) == 1)
        }
    }

    @Test func `time the bridge was away does not count against an execution`() throws {
        var job = ProviderJob(peer: try Sample.peer(), jobID: Sample.id(9))
        let request = ProviderJob.Request(body: try Sample.request())
        job.handle(.quoteRequested(request), in: Sample.context())
        job.handle(
            .invoiceCreated(Sample.paymentHash(1), Redacted("lnbcrt1")),
            in: Sample.context()
        )
        let paidAt = Sample.now.advanced(bySeconds: 290)
        job.handle(.invoiceSettled(Sample.paymentHash(1)), in: Sample.context(at: paidAt))
        // From the settlement, long after the quote's end.
        #expect(job.wakeAt == paidAt.advanced(bySeconds: 600))
        job.handle(.resumed(downtimeSeconds: 5000), in: Sample.context(at: paidAt))
        #expect(job.wakeAt == paidAt.advanced(bySeconds: 5600))
        #expect(
            job.answerBy(ProviderRules(prices: Sample.prices)) == paidAt.advanced(bySeconds: 5630)
        )
        job.handle(.woken, in: Sample.context(at: paidAt.advanced(bySeconds: 5599)))
        #expect(job.phase == .executing)
        job.handle(.woken, in: Sample.context(at: paidAt.advanced(bySeconds: 5600)))
        #expect(job.phase == .answered)
    }

    @Test func `nothing is quoted whose answer could not be received`() throws {
        var peer = Sample.stranger
        peer.maxPayloadBytes = 107
        var job = ProviderJob(peer: try Sample.peer(), jobID: Sample.id(9))
        let request = ProviderJob.Request(body: try Sample.request())
        job.handle(.quoteRequested(request), in: Sample.context(peer: peer))
        guard case .sendError(let failure, _, _) = job.outstanding.first else {
            Issue.record("quoted")
            return
        }
        #expect(failure.code == .payloadTooLarge)
        // A text could make the error itself too large.
        #expect(failure.message == nil)
        #expect(job.outstanding.last == .finish)
    }
}
