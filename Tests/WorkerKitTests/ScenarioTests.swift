import BridgeProtocol
import Foundation
import LCPTesting
import LightningTypes
import Testing

@testable import WorkerKit

@Suite struct ScenarioTests {
    /// What must hold when nothing is left to do.
    private func expectConsistent(_ market: BusMarket, _ name: String) throws {
        #expect(market.violations.isEmpty, "\(name): \(market.violations)")
        let settled = market.invoices.filter { $0.value.state == .settled }
        #expect(settled.count <= 1, "\(name): paid twice")
        let row = try #require(market.bought)
        switch row.view.stage {
        case .done:
            // The buyer has what was computed for its payment, or the part that fits.
            let hash = try #require(settled.keys.first, "\(name)")
            #expect(row.view.paymentHash == hash)
            let computed = try #require(market.outputs[market.invoices[hash]?.job ?? Data()])
            let seller = market.bridges[.provider]?.rows[market.invoices[hash]?.job ?? Data()]
            let output = try #require(row.output)
            #expect(output == computed.prefix(output.count), "\(name)")
            #expect((output.count < computed.count) == seller?.view.truncated, "\(name)")
            #expect(seller?.view.stage == .done, "\(name)")
            #expect(row.view.quotedUnix > 0 && row.view.paidUnix > 0 && row.view.endedUnix > 0)
        case .paidFailed:
            #expect(settled.count == 1, "\(name)")
            #expect(row.view.failure.code == "answered-with-error")
        case .failed, .cancelled:
            #expect(settled.isEmpty, "\(name): paid and not answered, \(row.view.failure.code)")
        case .unspecified, .quoting, .quoted, .paying, .running, .unanswered, .UNRECOGNIZED:
            Issue.record("\(name): the job ends as \(row.view.stage)")
        }
        // Nothing stays open: each quoted invoice that nobody paid can't be paid any more, or will
        // be cancelled when its quote ends.
        for (hash, invoice) in market.invoices where invoice.state == .open {
            let seller = market.bridges[.provider]?.rows[invoice.job]
            if seller?.view.paymentHash == hash {
                #expect(seller?.wakeAt ?? 0 > 0, "\(name): an open invoice nobody watches")
            }
        }
    }

    @Test func `whatever is lost, repeated or killed, a payment buys exactly one answer`() throws {
        var total = BusMarket.Counts()
        for seed in UInt64(0)..<200 {
            var market = try BusMarket(seed: seed, isStormy: true)
            try market.run()
            try expectConsistent(market, "seed \(seed)")
            total.lost += market.counts.lost
            total.repeated += market.counts.repeated
            total.crashes += market.counts.crashes
            switch market.bought?.view.stage {
            case .done:
                total.results += 1
                if market.bridges[.provider]?.rows.values.contains(where: \.view.truncated) == true
                {
                    total.cut += 1
                }
            case .paidFailed: total.errors += 1
            default: total.unpaid += 1
            }
        }
        // The storm was one.
        #expect(total.results > 80 && total.errors > 5 && total.unpaid > 40, "\(total)")
        #expect(total.lost > 200 && total.repeated > 150 && total.crashes > 300, "\(total)")
        #expect(total.cut > 5, "\(total)")
    }

    @Test(arguments: ScriptedBridge.CrashPoint.allCases)
    func `a process may die anywhere on the way and the job arrives all the same`(
        point: ScriptedBridge.CrashPoint
    ) throws {
        for seed in UInt64(0)..<4 {
            var calm = try BusMarket(seed: seed, isStormy: false)
            try calm.run()
            try expectConsistent(calm, "seed \(seed)")
            let places = try #require(calm.passed[point])
            #expect(places >= 2, "\(calm.passed)")
            for place in 1...places {
                var market = try BusMarket(seed: seed, isStormy: false)
                market.crashAt = (point, place)
                try market.run()
                #expect(market.counts.crashes == 1)
                try expectConsistent(market, "seed \(seed), \(point) \(place)")
            }
        }
    }
}
