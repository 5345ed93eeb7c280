import LndRPC

/// What the end of a SendPaymentV2 call says about whether money may move.
///
/// Read from the code alone. What is doubtful counts as doubt: then lnd is asked, and nothing is
/// concluded before the invoice can't be paid any more.
enum SendVerdict: Equatable, Sendable {
    /// The call began nothing, and neither would another one.
    case refused
    /// The call began nothing; another one may work.
    case notBegun
    /// lnd has a payment with this hash already.
    case exists
    /// Whether the call began something is not known.
    case unknown
    /// This process is ending and asks nobody any more.
    case over

    /// Reads the code of an error that ended the call.
    init(_ code: LndError.Code) {
        switch code {
        // lnd, or our own client, looked at the order and said no before registering anything.
        case .invoiceExpired, .invoiceInvalid, .wrongNetwork, .selfPayment, .invalidRequest:
            self = .refused
        // lnd looks at the macaroon before anything else; only a person can help.
        case .macaroonMissing, .macaroonInvalid, .permissionDenied, .macaroonFile, .unimplemented:
            self = .refused
        // lnd refuses all calls in these phases, or the call never left.
        case .walletNotCreated, .walletLocked, .waitingToStart, .starting, .notReached:
            self = .notBegun
        case .alreadyPaid, .paymentInFlight:
            self = .exists
        // No answer was read to its end, or it is one of lnd's that we don't know.
        case .unavailable, .deadlineExceeded, .serverExiting, .malformedAnswer, .other:
            self = .unknown
        // Answers to other questions; whatever they mean here, it is no certainty.
        case .paymentUnknown, .invoiceUnknown, .invoiceAlreadySettled, .invoiceAlreadyCanceled,
            .invoiceStillOpen, .invoiceExists, .peerNotConnected, .peerDisconnected,
            .messageTooLarge, .typeNotCustom, .alreadyConnected, .cannotConnectToSelf,
            .hasActiveChannels:
            self = .unknown
        case .cancelled, .closed:
            self = .over
        }
    }
}

/// What the end of a TrackPaymentV2 call says.
enum TrackVerdict: Equatable, Sendable {
    /// lnd has no payment with this hash, at the time it was asked.
    case notFound
    /// Nothing was learned.
    case unknown
    /// This process is ending and asks nobody any more.
    case over

    /// Reads the code of an error that ended the call.
    init(_ code: LndError.Code) {
        switch code {
        case .paymentUnknown: self = .notFound
        case .cancelled, .closed: self = .over
        case .walletNotCreated, .walletLocked, .waitingToStart, .starting, .serverExiting,
            .macaroonMissing, .macaroonInvalid, .permissionDenied, .macaroonFile,
            .peerNotConnected, .peerDisconnected, .messageTooLarge, .typeNotCustom,
            .alreadyConnected, .cannotConnectToSelf, .hasActiveChannels, .invoiceUnknown,
            .invoiceAlreadySettled, .invoiceAlreadyCanceled, .invoiceStillOpen, .invoiceExists,
            .invoiceExpired, .invoiceInvalid, .wrongNetwork, .alreadyPaid, .paymentInFlight,
            .selfPayment, .invalidRequest, .unimplemented, .notReached, .unavailable,
            .deadlineExceeded, .malformedAnswer, .other:
            self = .unknown
        }
    }
}

extension LndError {
    /// Whether lnd is away, which is news once and not with every call that waits for it.
    var meansAway: Bool {
        switch code {
        case .walletNotCreated, .walletLocked, .waitingToStart, .starting, .serverExiting,
            .notReached, .unavailable, .cancelled, .closed:
            true
        default: false
        }
    }
}
