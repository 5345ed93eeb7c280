import Journal
import LightningTypes
import Logging
import LndRPC

// Passes over the open invoices: the truth about settlement.
extension InvoiceDesk {
    /// Makes a pass whenever one is wished for.
    func makePasses() async {
        for await _ in wishes {
            guard await makePass() else {
                failedPasses += 1
                count("invoices.passes_broken")
                let pause = settings.backoff.pause(
                    after: failedPasses,
                    jitter: .random(in: 0..<1)
                )
                guard (try? await Task.sleep(for: pause)) != nil else { return }
                wish.yield()
                continue
            }
            failedPasses = 0
            count("invoices.passes")
        }
    }

    /// Looks up every open invoice, from where the last pass broke off, round to the same place.
    ///
    /// - Returns: Whether it came round.
    private func makePass() async -> Bool {
        let start = position
        guard await lookUpAll(upTo: nil) else { return false }
        position = nil
        guard let start else { return true }
        guard await lookUpAll(upTo: start) else { return false }
        position = nil
        return true
    }

    private func lookUpAll(upTo end: PaymentHash?) async -> Bool {
        while true {
            let page: [InvoiceRecord]
            do {
                page = try await journal.openInvoices(after: position, limit: Self.pageLength)
            } catch {
                logger.error("invoices can't be read", metadata: ["error": "\(error)"])
                return false
            }
            for record in page {
                // Before the call, so that one bad answer does not keep a pass from the rest; the
                // next pass ends here.
                position = record.terms.hash
                guard await lookUp(record) else { return false }
                if record.terms.hash == end { return true }
            }
            guard page.count == Self.pageLength else { return true }
        }
    }

    private static let pageLength = 500

    /// Looks up one invoice and tells what became of it.
    ///
    /// - Returns: Whether lnd answered.
    private func lookUp(_ record: InvoiceRecord) async -> Bool {
        let wait = pacer.place(at: .now)
        if wait > .zero, (try? await Task.sleep(for: wait)) == nil { return false }
        let hash = record.terms.hash
        let (verdict, error) = await lookUp(hash)
        count("invoices.lookups")
        switch verdict {
        case .settled(let paid?): report(record.job, nil, .settled(hash, paid))
        case .cancelled: report(record.job, nil, .cancelled(hash))
        case .notFound where isHopeless(record.terms):
            report(record.job, nil, .cancelled(hash))
        case .open: break
        case .notFound:
            // lnd was set back, or is another node than the one that made the invoice.
            count("invoices.missing")
            logger.warning(
                "lnd does not know an invoice of ours",
                metadata: ["lcp.job": "\(record.job)", "lnd.payment_hash": "\(hash)"]
            )
        case .settled(nil), .unknown, .over:
            if verdict != .over {
                logger.notice(
                    "an invoice can't be looked up",
                    metadata: [
                        "lcp.job": "\(record.job)", "error": "\(error.map { "\($0)" } ?? "")",
                    ]
                )
            }
            return false
        }
        return true
    }

    /// Asks lnd about one invoice.
    func lookUp(_ hash: PaymentHash) async -> (InvoiceVerdict, LndError?) {
        do {
            return (InvoiceVerdict(try await lnd.lookupInvoice(hash)), nil)
        } catch {
            return (InvoiceVerdict(error.code), error)
        }
    }

    /// Whether an invoice that lnd does not know can't have become payable elsewhere.
    func isHopeless(_ terms: InvoiceTerms) -> Bool {
        now() > terms.expiresAt.advanced(bySeconds: settings.expiryMarginSeconds)
    }
}
