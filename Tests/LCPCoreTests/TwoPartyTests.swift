import LCPCore
import LCPTesting
import LCPWire
import LightningTypes
import Testing

@Suite struct TwoPartyTests {
    @Test func `every settled payment ends in one accepted answer, and nobody pays twice`() throws {
        var total = SimulatedMarket.Counts()
        for seed in UInt64(0)..<3000 {
            var market = try SimulatedMarket(seed: seed)
            try market.run()
            #expect(market.violations.isEmpty, "seed \(seed): \(market.violations)")

            let settled = market.invoices.filter { $0.value.state == .settled }
            #expect(settled.count <= 1, "seed \(seed): paid twice")
            guard case .ended(let ending, _) = market.requester.job.state else {
                Issue.record("seed \(seed): the requester is \(market.requester.job.phaseText)")
                continue
            }
            switch ending {
            case .answered(let receipt, let answer):
                #expect(settled.keys.contains(receipt.offer.paymentHash), "seed \(seed)")
                // What the requester accepted is what the provider said, and keeps saying.
                guard
                    case .answered(_, let said, _) = market.provider[receipt.offer.jobID]?.job.state
                else {
                    Issue.record("seed \(seed): accepted an answer that was never given")
                    continue
                }
                switch (said, answer) {
                case (.result(let sent), .result(let received)):
                    #expect(sent.byteCount == received.byteCount)
                    total.answeredByResult += 1
                case (.failure(let sent), .failure(let received)):
                    #expect(sent == received, "seed \(seed)")
                    total.answeredByError += 1
                case (.result, .failure), (.failure, .result):
                    Issue.record("seed \(seed): \(answer) was accepted, \(said) was said")
                }
            case .unpaid, .paymentFailed:
                #expect(settled.isEmpty, "seed \(seed): paid and not answered: \(ending)")
                total.unpaid += 1
            }
            // Nothing stays open: each invoice that could be paid is settled, cancelled or over.
            for (hash, invoice) in market.invoices where invoice.state == .open {
                let isQuoted = market.providerOrder.contains {
                    market.quote(of: $0)?.paymentHash == hash
                }
                #expect(!isQuoted, "seed \(seed): an invoice is still open")
            }
            total.add(market.counts)
        }
        // The storm was one.
        #expect(total.answeredByResult > 500, "\(total)")
        #expect(total.answeredByError > 50, "\(total)")
        #expect(total.unpaid > 200, "\(total)")
        #expect(total.lost > 1000 && total.repeated > 1000 && total.crashes > 1000, "\(total)")
        #expect(total.askedAgain > 100, "\(total)")
        #expect(total.overtaken > 50, "\(total)")
        #expect(total.cancelledAndPaid > 10, "\(total)")
        #expect(total.paymentsAfterWithdrawal > 10, "\(total)")
    }
}

extension SimulatedMarket.Counts {
    fileprivate mutating func add(_ other: Self) {
        lost += other.lost
        repeated += other.repeated
        crashes += other.crashes
        settled += other.settled
        askedAgain += other.askedAgain
        overtaken += other.overtaken
        cancelledAndPaid += other.cancelledAndPaid
        paymentsAfterWithdrawal += other.paymentsAfterWithdrawal
    }
}
