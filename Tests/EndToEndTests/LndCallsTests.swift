import BridgeProtocol
import LocalNetwork
import Testing

/// What a job costs lnd, counted by the simulated lnd itself.
@Suite(.timeLimit(.minutes(30))) struct LndCallsTests {
    private static let jobs = 40

    @Test func `a job costs lnd what it must, however many other jobs are open`() async throws {
        try await Market.run { _ in
            .patientMarket()
        } _: { market in
            // By then the manifests have been exchanged.
            _ = try await market.cost(of: 1)
            check(try await market.cost(of: Self.jobs))
            try await market.open(quotes: 300)
            check(try await market.cost(of: Self.jobs))
            for node in ["alice", "bob"] {
                let calls = try await market.network.lndCalls(of: node)
                let subscriptions = calls.filter { $0.key.hasPrefix("Subscribe") }
                #expect(subscriptions.count >= 3, "\(calls)")
                for (kind, count) in subscriptions { #expect(count == 1, "\(kind) at \(node)") }
            }
        }
    }

    private func check(_ cost: LndCost) {
        // One request; one payment.
        #expect(cost.buyer["SendCustomMessage"] == Self.jobs)
        #expect(cost.buyer["SendPaymentV2"] == Self.jobs)
        // One invoice; the quote and the result.
        #expect(cost.seller["AddInvoice"] == Self.jobs)
        #expect(cost.seller["SendCustomMessage"] == 2 * Self.jobs)
        for calls in [cost.buyer, cost.seller] {
            // Lookups, and whatever else is not for a certain job, are for the news' gaps: a few,
            // and each minute a look at peers and channels.
            let others = calls.filter { !Self.necessary.contains($0.key) }
            let most = Self.jobs / 10 + 2 * cost.minutes
            #expect(others.values.reduce(0, +) <= most, "\(others) in \(cost.minutes) minutes")
        }
    }

    private static let necessary = ["SendCustomMessage", "SendPaymentV2", "AddInvoice"]
}

/// How often the buyer's and the seller's lnd were called, by method.
private struct LndCost {
    var buyer: [String: Int]
    var seller: [String: Int]
    /// How many it took, begun ones included.
    var minutes: Int
}

extension Market {
    /// Leaves so many quotes open.
    fileprivate func open(quotes: Int) async throws {
        for start in stride(from: 0, to: quotes, by: 50) {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in start..<start + 50 {
                    group.addTask {
                        let key = try await submit("quote \(number)", ceiling: nil)
                        try await wait(for: key) { $0.view.stage == .quoted }
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    /// What so many jobs cost.
    fileprivate func cost(of jobs: Int) async throws -> LndCost {
        let (buyer, seller) = (
            try await network.lndCalls(of: "alice"), try await network.lndCalls(of: "bob")
        )
        let start = ContinuousClock.now
        let outcome = try await bench(
            "--jobs",
            "\(jobs)",
            "--warmup",
            "0",
            "--concurrency",
            "8",
            "--max-price",
            "1000",
            "--max-total",
            "1000000",
            "--yes"
        )
        #expect(outcome.exit == 0, "\(outcome.errors)\(outcome.output)")
        return LndCost(
            buyer: try await network.lndCalls(of: "alice").merging(buyer) { $0 - $1 },
            seller: try await network.lndCalls(of: "bob").merging(seller) { $0 - $1 },
            minutes: Int((ContinuousClock.now - start) / .seconds(60)) + 1
        )
    }
}
