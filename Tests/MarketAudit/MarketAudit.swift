import BridgeProtocol
import BusClient
import FoundationEssentials
import Journal
package import LightningTypes
package import LocalNetwork

/// What must be true of a buyer and a seller, whatever was killed while they traded.
///
/// Each check gives what it finds wrong, in words; nothing when all is right.
package struct MarketAudit: Sendable {
    private let network: LocalNetwork
    private let buyer: BusClient
    private let seller: BusClient
    private let capacity: MilliSatoshi

    /// Looks at the nodes `alice`, who buys, and `bob`, who sells.
    ///
    /// - Parameters:
    ///   - network: Both nodes with their bridges.
    ///   - capacity: What alice had before the first job; bob had nothing.
    /// - Throws: `LocalNetworkError` when one of them has no bridge.
    package init(_ network: LocalNetwork, capacity: MilliSatoshi) async throws {
        self.network = network
        self.capacity = capacity
        buyer = try await network.client(of: "alice")
        seller = try await network.client(of: "bob")
    }

    // MARK: - Money

    /// Both ledgers say what lnd says, and each payment bought one answer.
    ///
    /// - Parameter jobs: What the clients know of their jobs.
    /// - Returns: What is wrong.
    /// - Throws: `BusClientError` and `LndError`.
    package func books(_ jobs: AuditedJobs) async throws -> [String] {
        var findings = try await balances()
        let spent = try await entries(buyer)
        let earned = try await entries(seller)
        let (ours, theirs) = (Self.amounts(spent, \.spentMsat), Self.amounts(earned, \.earnedMsat))
        if ours != theirs {
            findings.append("the ledgers of both sides are not about the same payments")
        }
        let paid = Set(spent.map(\.job))
        if paid.count != spent.count { findings.append("a job was paid twice") }
        if Set(earned.map(\.job)).count != earned.count {
            findings.append("a job was sold twice")
        }
        findings += jobs.answered.subtracting(paid).map { "\($0.name) was answered and not paid" }
        findings += paid.subtracting(jobs.answered).subtracting(jobs.doubtful)
            .map { "\($0.name) was paid and not answered" }
        return findings
    }

    /// The sums of the ledgers are what has moved from one node to the other.
    private func balances() async throws -> [String] {
        let (alice, bob) = (try await network.node("alice"), try await network.node("bob"))
        // The ledgers follow lnd by some milliseconds.
        let deadline = ContinuousClock.now + .seconds(20)
        while true {
            let paid = try await persistently { try await buyer.ledger(limit: 1) }
            let got = try await persistently { try await seller.ledger(limit: 1) }
            let (mine, yours) = (try await alice.balance(), try await bob.balance())
            let isRight =
                !mine.isMoving && !yours.isMoving
                && mine.local.msat + paid.spentMsat + paid.feesMsat == capacity.msat
                && yours.local.msat == got.earnedMsat
                && paid.spentMsat == got.earnedMsat && paid.earnedMsat + got.spentMsat == 0
            if isRight { return [] }
            guard .now < deadline else {
                return [
                    """
                    the ledgers are not what the nodes hold: \(paid.spentMsat) + \(paid.feesMsat) \
                    msat spent, \(got.earnedMsat) earned; of \(capacity.msat) the buyer has \
                    \(mine.local.msat) and the seller \(yours.local.msat)\
                    \(mine.isMoving || yours.isMoving ? ", and payments are on their way" : "")
                    """
                ]
            }
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    private static func amounts(
        _ entries: [BusLedgerEntry],
        _ amount: (BusLedgerEntry) -> UInt64
    ) -> [Data: [UInt64]] {
        Dictionary(grouping: entries, by: \.paymentHash).mapValues { $0.map(amount) }
    }

    private func entries(_ client: BusClient) async throws -> [BusLedgerEntry] {
        var entries: [BusLedgerEntry] = []
        var next = Data()
        repeat {
            let page = try await persistently { [next] in
                try await client.ledger(limit: 1_000, page: next)
            }
            entries += page.entries
            next = page.next
        } while !next.isEmpty
        return entries
    }

    // MARK: - Rest

    /// Waits until no job of either side has anything more to wait for than its retention.
    ///
    /// - Parameters:
    ///   - jobs: What the clients know of their jobs; doubtful ones are not waited for.
    ///   - patience: How long it may take.
    /// - Returns: What did not come to rest, and what came to the wrong one.
    /// - Throws: `BusClientError`.
    package func rest(
        _ jobs: AuditedJobs,
        within patience: Duration = .seconds(90)
    ) async throws -> [String] {
        var findings: [String] = []
        let deadline = ContinuousClock.now + patience
        for client in [buyer, seller] {
            let known = client.directory == buyer.directory ? jobs.doubtful : []
            var open: [BusJob] = []
            repeat {
                // Quotes that nobody accepted run out.
                open = try await self.jobs(client, [.quoting, .quoted, .paying, .running])
                    .filter { !known.contains($0.key) }
                if open.isEmpty { break }
                try await Task.sleep(for: .milliseconds(100))
            } while ContinuousClock.now < deadline
            findings += open.map { "\($0.key.name) is still \($0.view.stage)" }
            let status = try await persistently { try await client.status() }
            if status.parkedJobs > 0 { findings.append("\(status.parkedJobs) jobs are parked") }
        }
        return try await findings + sales(jobs)
    }

    /// Every job that was sold has its answer, unless its buyer wanted none.
    private func sales(_ jobs: AuditedJobs) async throws -> [String] {
        let unwanted = try await entries(buyer).filter { jobs.doubtful.contains($0.job) }
        let hashes = Set(unwanted.map(\.paymentHash))
        let sold = try await entries(seller).filter { !hashes.contains($0.paymentHash) }
        let done = Set(try await self.jobs(seller, [.done]).map(\.key))
        return Set(sold.map(\.job)).subtracting(done).map { "\($0.name) was sold and not done" }
    }

    private func jobs(_ client: BusClient, _ stages: [BusJobStage]) async throws -> [BusJob] {
        var filter = BusListJobs()
        filter.stages = stages
        filter.limit = 1_000
        var jobs: [BusJob] = []
        repeat {
            let page = try await persistently { [filter] in try await client.jobs(filter) }
            jobs += page.jobs
            filter.page = page.next
        } while !filter.page.isEmpty
        return jobs
    }

    // MARK: - Journals

    /// Nothing is owed, nothing is left to be done, and no file is damaged; once the bridges have
    /// ended.
    ///
    /// - Parameter jobs: What the clients know of their jobs.
    /// - Returns: What is wrong.
    /// - Throws: `JournalError`.
    package func journals(_ jobs: AuditedJobs) async throws -> [String] {
        let doubts = Set(jobs.doubtful.compactMap { Bytes32($0.jobID) })
        var findings: [String] = []
        for node in await network.nodes where FileManager.default.fileExists(atPath: node.journal) {
            let journal = try Journal(path: node.journal)
            findings += try await journal.check(.full).map { "\(node.name)'s journal: \($0)" }
            for payment in try await journal.unresolvedPayments()
            where !doubts.contains(payment.job.id) {
                findings.append("\(payment.job): its payment is unresolved")
            }
            for invoice in try await journal.openInvoices() {
                findings.append("\(invoice.job): its invoice is open")
            }
            var place: Int64?
            repeat {
                let page = try await journal.openJobs(after: place, limit: 1_000)
                for job in page where !doubts.contains(job.summary.key.id) {
                    if !job.outstanding.isEmpty {
                        findings.append("\(job.summary.key) has effects outstanding")
                    }
                    if job.events > 0 { findings.append("\(job.summary.key) has unheard events") }
                }
                place = page.count == 1_000 ? page.last?.summary.place : nil
            } while place != nil
            try await journal.close()
        }
        return findings
    }
}
