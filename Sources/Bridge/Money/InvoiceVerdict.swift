import LightningTypes
import LndRPC

/// What the end of an AddInvoice call means for the order.
enum InvoiceCreationVerdict: Equatable, Sendable {
    /// lnd won't make it.
    case refused
    /// Another call may work. If this one made an invoice, nobody will ever see it.
    case later
    /// This process is ending.
    case over

    /// Reads the code of an error.
    init(_ code: LndError.Code) {
        switch code {
        case .invalidRequest, .macaroonMissing, .macaroonInvalid, .permissionDenied,
            .macaroonFile, .unimplemented:
            self = .refused
        case .cancelled, .closed: self = .over
        case .walletNotCreated, .walletLocked, .waitingToStart, .starting, .serverExiting,
            .peerNotConnected, .peerDisconnected, .messageTooLarge, .typeNotCustom,
            .alreadyConnected, .cannotConnectToSelf, .hasActiveChannels, .invoiceUnknown,
            .invoiceAlreadySettled, .invoiceAlreadyCanceled, .invoiceStillOpen, .invoiceExists,
            .invoiceExpired, .invoiceInvalid, .wrongNetwork, .alreadyPaid, .paymentInFlight,
            .paymentUnknown, .selfPayment, .notReached, .unavailable, .deadlineExceeded,
            .malformedAnswer, .other:
            self = .later
        }
    }
}

/// What lnd's answer to CancelInvoice or LookupInvoice says about an invoice.
enum InvoiceVerdict: Equatable, Sendable {
    /// Paid; nil when the amount must be looked up.
    case settled(MilliSatoshi?)
    /// It can't be paid any more and was not.
    case cancelled
    /// It may still be paid.
    case open
    /// lnd has no such invoice. Before its expiry that says more about lnd than about the invoice.
    case notFound
    /// Nothing was learned.
    case unknown
    /// This process is ending.
    case over

    /// Reads a lookup's answer.
    init(_ invoice: Invoice) {
        switch invoice.state {
        case .settled: self = .settled(invoice.amountPaid)
        case .canceled: self = .cancelled
        case .open, .accepted: self = .open
        }
    }

    /// Reads the code of an error; a cancellation without one is ``cancelled``.
    init(_ code: LndError.Code) {
        switch code {
        case .invoiceAlreadySettled: self = .settled(nil)
        case .invoiceAlreadyCanceled: self = .cancelled
        case .invoiceUnknown: self = .notFound
        case .cancelled, .closed: self = .over
        case .walletNotCreated, .walletLocked, .waitingToStart, .starting, .serverExiting,
            .macaroonMissing, .macaroonInvalid, .permissionDenied, .macaroonFile,
            .peerNotConnected, .peerDisconnected, .messageTooLarge, .typeNotCustom,
            .alreadyConnected, .cannotConnectToSelf, .hasActiveChannels, .invoiceStillOpen,
            .invoiceExists, .invoiceExpired, .invoiceInvalid, .wrongNetwork, .alreadyPaid,
            .paymentInFlight, .paymentUnknown, .selfPayment, .invalidRequest, .unimplemented,
            .notReached, .unavailable, .deadlineExceeded, .malformedAnswer, .other:
            self = .unknown
        }
    }
}
