import Bridge
import BridgeProtocol
import Journal
import LCPTesting
import LightningTypes
import SwiftProtobuf

// What must hold when everything has come to rest.
extension Scenario {
    /// Compares both journals with what lnd knows, and looks whether every job has ended.
    ///
    /// What is wrong is added to ``violations``.
    func checkTruth(of keys: [JobKey]) async throws {
        try await checkPayments()
        for node in nodes { try await checkBooks(of: node) }
        for key in keys { try await checkJob(key) }
        for bodies in outcomes.values where bodies.count > 1 {
            let texts = bodies.map { String(decoding: $0.dropFirst(), as: UTF8.self) }.sorted()
            violations.append("one payment bought different answers: \(texts)")
        }
    }

    private func checkPayments() async throws {
        var paidJobs: Set<JobKey> = []
        for (hash, payment) in lightning.payments.sorted(by: { $0.key.bytes < $1.key.bytes })
        where payment.state == .succeeded {
            guard let paid = try await buyer.journal.payment(hash), paid.status == .succeeded else {
                violations.append("the buyer does not know that it paid")
                continue
            }
            if try await seller.journal.invoice(hash)?.state != .settled {
                violations.append("the seller does not know that it was paid")
            }
            if !paidJobs.insert(paid.job).inserted { violations.append("a job was paid twice") }
            if let stage = buyer.stage(of: paid.job) {
                trace.note("bought: \(stage)")
                if ![.done, .paidFailed, .unanswered].contains(stage) {
                    violations.append("a paid job ended as \(stage)")
                }
            }
            if let job = lightning.invoices[hash]?.job, let stage = seller.stage(of: job) {
                trace.note("sold: \(stage)")
                if ![.done, .paidFailed].contains(stage) {
                    violations.append("a job that was sold ended as \(stage)")
                }
                if outcomes[job] == nil { violations.append("a paid job never got an answer") }
            }
        }
    }

    private func checkBooks(of node: ScenarioNode) async throws {
        let totals = try await node.journal.totals(since: UnixTime(seconds: 0))
        let books = Int64(totals.earned.msat) - Int64(totals.spent.msat) - Int64(totals.fees.msat)
        let balance = lightning.balances[node.id] ?? 0
        trace.note("books", node.name, "\(books)")
        if books != balance { violations.append("\(node.name)'s books: \(books), not \(balance)") }
        for payment in try await node.journal.unresolvedPayments() {
            let job = try await node.journal.job(payment.job)
            let state = lightning.payments[payment.intent.hash]?.state
            violations.append(
                """
                \(node.name) has an unresolved payment: lnd says \(String(describing: state)), the \
                job's effects are \(job?.outstanding.map(\.effect.kind) ?? []), \
                \(job?.events.count ?? 0) events wait, and it is \
                \(String(describing: node.stage(of: payment.job)))
                """
            )
        }
        if try await !node.journal.openInvoices().isEmpty {
            violations.append("\(node.name) has open invoices")
        }
        let spending = try await node.journal.spending(since: UnixTime(seconds: 0))
        if spending.reserved != .zero { violations.append("\(node.name) still reserves money") }
    }

    private func checkJob(_ key: JobKey) async throws {
        guard let job = try await buyer.journal.job(key) else {
            // The crash came first; its client, who heard nothing, submits again.
            if acknowledged.contains(key) { violations.append("an acknowledged job is lost") }
            return
        }
        if job.summary.isParked { violations.append("a job is parked") }
        if !job.outstanding.isEmpty || !job.events.isEmpty {
            violations.append(
                """
                a job still has work to do: effects \(job.outstanding.map(\.effect.kind)), events \
                \(job.events.map(\.sequence)), \(String(describing: buyer.stage(of: key))), wake \
                \(String(describing: job.summary.wakeAt)), now \(now)
                """
            )
        }
    }
}

extension ScenarioNode {
    /// Where a job stands by its last step on disk.
    func stage(of key: JobKey) -> BusJobStage? {
        durable[key].flatMap { try? BusJobView(serializedBytes: $0.notice).stage }
    }
}
