import LCPCore
import LCPWire

// Exhaustive switches: a new state, event or effect does not compile until it has a name here, and
// the table test then asks for its rows.

extension ProviderJob {
    enum Phase: String, CaseIterable {
        case unquoted, awaitingInvoice, droppingInvoice, quoted, withdrawing, closed, executing
        case answered, finished
    }

    enum EventKind: String, CaseIterable {
        case quoteRequested, cancelRequested, invoiceCreated, invoiceNotCreated, invoiceSettled
        case invoiceCancelled, computed, computeFailed, computeCancelled, sent, tooLargeToSend,
            answeredByBridge
        case resumed, woken
    }

    var phase: Phase {
        switch state {
        case .unquoted: .unquoted
        case .awaitingInvoice: .awaitingInvoice
        case .droppingInvoice: .droppingInvoice
        case .quoted: .quoted
        case .withdrawing: .withdrawing
        case .closed: .closed
        case .executing: .executing
        case .answered: .answered
        case .finished: .finished
        }
    }

    /// The phase with what distinguishes its kinds.
    var phaseText: String {
        switch state {
        case .withdrawing(_, let why), .closed(_, let why, _): "\(phase) (\(why))"
        case .answered(_, .result(let output), _):
            output.isCut ? "answered (cut result)" : "answered (result)"
        case .answered(_, .failure(let failure), _): "answered (error \(failure.code.rawValue))"
        case .unquoted, .awaitingInvoice, .droppingInvoice, .quoted, .executing, .finished:
            phase.rawValue
        }
    }
}

extension ProviderJob.Event {
    var kind: ProviderJob.EventKind {
        switch self {
        case .quoteRequested: .quoteRequested
        case .cancelRequested: .cancelRequested
        case .invoiceCreated: .invoiceCreated
        case .invoiceNotCreated: .invoiceNotCreated
        case .invoiceSettled: .invoiceSettled
        case .invoiceCancelled: .invoiceCancelled
        case .computed: .computed
        case .computeFailed: .computeFailed
        case .computeCancelled: .computeCancelled
        case .sent: .sent
        case .tooLargeToSend: .tooLargeToSend
        case .answeredByBridge: .answeredByBridge
        case .resumed: .resumed
        case .woken: .woken
        }
    }
}

extension ProviderJob.Effect {
    var text: String {
        switch self {
        case .createInvoice: "createInvoice"
        case .cancelInvoice(let hash):
            hash == Sample.paymentHash(1) ? "cancelInvoice" : "cancelInvoice (stray)"
        case .sendQuote(_, _, let sending): "sendQuote (\(sending))"
        case .sendResult(_, _, let sending): "sendResult (\(sending))"
        case .sendError(let failure, _, let sending):
            "sendError \(failure.code.rawValue) (\(sending))"
        case .startCompute: "startCompute"
        case .cancelCompute: "cancelCompute"
        case .finish: "finish"
        }
    }

    /// The effect without identifiers, to see whether a repeat lost some work.
    var kind: String {
        switch self {
        case .createInvoice: "createInvoice"
        case .cancelInvoice: "cancelInvoice"
        case .sendQuote: "sendQuote"
        case .sendResult: "sendResult"
        case .sendError: "sendError"
        case .startCompute: "startCompute"
        case .cancelCompute: "cancelCompute"
        case .finish: "finish"
        }
    }
}
