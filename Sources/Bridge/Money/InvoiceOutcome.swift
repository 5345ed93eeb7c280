package import BridgeProtocol
import FoundationEssentials
package import Journal
package import LightningTypes
package import LndRPC

/// News of one of our invoices.
///
/// May come more than once; ``fact`` and ``event`` belong into one commit.
package struct InvoiceOutcome: Sendable {
    /// What is known now.
    package enum Result: Sendable {
        /// lnd has made the invoice, and it says what was ordered.
        case created(AddedInvoice, InvoiceTerms)
        /// The invoice won't be made.
        case refused(BusFailure)
        /// Paid.
        case settled(PaymentHash, MilliSatoshi)
        /// Not paid, and it can't be any more.
        case cancelled(PaymentHash)
        /// The job has no such invoice: nothing was done, nothing is to be recorded.
        case notOurs(PaymentHash)
    }

    /// The invoice's job.
    package var job: JobKey
    /// The effect that is done with this; nil for what happened without one.
    package var effect: UInt64?
    /// What is known now.
    package var result: Result

    /// What to record; nil when there is nothing.
    package var fact: Fact? {
        switch result {
        case .created(_, let terms): .invoiceOpened(terms)
        case .settled(let hash, let amount): .invoiceSettled(hash, paid: amount)
        case .cancelled(let hash): .invoiceCancelled(hash)
        case .refused, .notOurs: nil
        }
    }

    /// What to tell the job's worker; nil for an order that makes no sense.
    package var event: BusJobEvent? {
        var event = BusJobEvent()
        switch result {
        case .created(let invoice, _):
            event.invoiceCreated.paymentHash = Data(invoice.paymentHash.bytes.bytes)
            event.invoiceCreated.paymentRequest = invoice.paymentRequest
                .reveal("the worker puts it into the quote")
        case .refused(let failure):
            event.invoiceFailed.failure = failure
        case .settled(let hash, let amount):
            event.invoiceSettled.paymentHash = Data(hash.bytes.bytes)
            event.invoiceSettled.amountMsat = amount.msat
        case .cancelled(let hash):
            event.invoiceCancelled.paymentHash = Data(hash.bytes.bytes)
        case .notOurs:
            return nil
        }
        return event
    }
}
