import BOLT11
import Journal
import LightningTypes
import LndRPC
import Logging

/// Finds in lnd's records what a journal that was restored from a backup does not know.
///
/// Known afterwards: every payment and every settled invoice since the backup that has a description
/// hash, as LCP's have, with its amount, fee and time. They are booked, count in the budgets, and
/// keep older jobs with the same payee from being paid again. Not known, because only the lost
/// journal had it: the jobs made since the backup, and so whose payments those were, who paid the
/// invoices, prompts and results.
struct Reconciliation {
    let lnd: Lnd
    let journal: Journal
    let logger: Logger

    /// Compares until payments may begin again.
    ///
    /// - Parameters:
    ///   - node: The node that the journal and lnd are of.
    ///   - backup: When the backup was made.
    /// - Throws: ``JournalError``, `CancellationError`.
    func finish(on node: NodeID, since backup: UnixTime) async throws {
        while true {
            do {
                if try await run(on: node, since: backup) { return }
            } catch let error as LndError {
                logger.warning(
                    "the restored journal waits for lnd",
                    metadata: ["error": "\(error)"]
                )
            }
            try await Task.sleep(for: .seconds(2))
        }
    }

    /// Compares once, and lets payments begin again if nothing is open.
    ///
    /// Repeating it changes nothing; what is booked is booked once.
    ///
    /// - Parameters:
    ///   - node: The node that the journal and lnd are of.
    ///   - backup: When the backup was made.
    /// - Returns: Whether payments may begin; not while one is on its way that the journal does not
    ///   know.
    /// - Throws: ``LndError``, ``JournalError``.
    func run(on node: NodeID, since backup: UnixTime) async throws -> Bool {
        let since = UnixTime(seconds: backup.seconds - min(backup.seconds, Self.marginSeconds))
        let (paid, isOpen) = try await payments(since: since)
        let received = try await invoices(since: since, of: node)
        logger.notice(
            "restored journal compared with lnd",
            metadata: [
                "journal.backup_unix": "\(backup)", "lcp.payments": "\(paid)",
                "lcp.invoices": "\(received)", "lcp.is_open": "\(isOpen)",
            ]
        )
        guard !isOpen else { return false }
        try await journal.reconciled()
        return true
    }

    /// An invoice lives for minutes, and lnd's clock may differ; what is known already is passed by.
    private static let marginSeconds: UInt64 = 3_600
    private static let pageLength: UInt32 = 500

    /// Books the payments that the journal does not know.
    ///
    /// - Returns: How many, and whether one is still on its way.
    private func payments(since: UnixTime) async throws -> (booked: Int, isOpen: Bool) {
        var (booked, isOpen, offset) = (0, false, UInt64(0))
        while true {
            let page = try await lnd.listPayments(
                after: offset,
                limit: Self.pageLength,
                includesIncomplete: true,
                since: since
            )
            var unknown: [UnattributedMovement] = []
            for payment in page.elements {
                guard let payee = Self.payee(of: payment) else { continue }
                let known = try await journal.payment(payment.paymentHash)
                switch (payment.status, known?.status) {
                case (.succeeded(let preimage), nil):
                    unknown.append(
                        UnattributedMovement(
                            role: .requester,
                            hash: payment.paymentHash,
                            peer: payee,
                            amount: payment.amount,
                            fee: payment.fee,
                            at: payment.createdAt,
                            preimage: preimage
                        )
                    )
                case (.succeeded(let preimage?), .failed):
                    // It failed, the backup was made, and the next try succeeded.
                    booked += 1
                    let hash = payment.paymentHash
                    try await journal.record(
                        [.paymentSucceeded(hash, preimage: preimage, fee: payment.fee)],
                        for: known?.job,
                        at: payment.createdAt
                    )
                case (.initiated, nil), (.inFlight, nil), (.initiated, .failed),
                    (.inFlight, .failed):
                    isOpen = true
                // Unresolved ones are tracked at every start; failed ones moved no money.
                case (_, .unresolved), (_, .succeeded), (.failed, _), (.succeeded(nil), .failed):
                    break
                }
            }
            booked += try await journal.book(unknown)
            guard !page.elements.isEmpty else { return (booked, isOpen) }
            offset = page.lastIndex
        }
    }

    /// Books what was received for invoices that the journal does not know.
    private func invoices(since: UnixTime, of node: NodeID) async throws -> Int {
        var (booked, offset) = (0, UInt64(0))
        while true {
            let page = try await lnd.listInvoices(
                after: offset,
                limit: Self.pageLength,
                since: since
            )
            var unknown: [UnattributedMovement] = []
            for invoice in page.elements
            where invoice.state == .settled && invoice.descriptionHash != nil {
                guard try await journal.invoice(invoice.paymentHash) == nil else { continue }
                unknown.append(
                    UnattributedMovement(
                        role: .provider,
                        hash: invoice.paymentHash,
                        peer: node,
                        amount: invoice.amountPaid,
                        fee: .zero,
                        at: invoice.settledAt ?? invoice.createdAt,
                        preimage: nil
                    )
                )
            }
            booked += try await journal.book(unknown)
            guard !page.elements.isEmpty else { return booked }
            offset = page.lastIndex
        }
    }

    /// Whom a payment was for, if its invoice can have been a job's; other payments of the node are
    /// none of the journal's.
    static func payee(of payment: Payment) -> NodeID? {
        guard let text = payment.paymentRequest,
            let invoice = try? BOLT11Invoice(decoding: text.reveal("its payee is compared")),
            case .hash = invoice.description
        else { return nil }
        return invoice.payee
    }
}
