/// Why a call to lnd did not give what was asked for.
///
/// Made from lnd's status codes and texts, which differ between versions; callers branch on
/// ``code`` and never on a text.
package struct LndError: Error, Hashable, Sendable {
    /// What to branch on.
    package enum Code: String, Sendable, CaseIterable {
        // lnd is not ready.
        case walletNotCreated
        case walletLocked
        /// lnd waits to become the leader of its cluster.
        case waitingToStart
        /// lnd is starting up.
        case starting
        /// lnd is shutting down.
        case serverExiting

        // The macaroon.
        /// lnd got no macaroon, or several.
        case macaroonMissing
        /// lnd does not accept the macaroon: forged, or its root key is gone.
        case macaroonInvalid
        /// The macaroon does not allow this call.
        case permissionDenied
        /// Our macaroon file can't be used.
        case macaroonFile

        // Peers and messages.
        /// There is no connection to the peer.
        case peerNotConnected
        /// The connection to the peer went down during the call.
        case peerDisconnected
        /// A custom message has more than 65533 bytes.
        case messageTooLarge
        /// A message type below 32768 that lnd was not told to let through.
        case typeNotCustom
        case alreadyConnected
        case cannotConnectToSelf
        /// lnd keeps the connection because a channel with the peer is open.
        case hasActiveChannels

        // Invoices.
        case invoiceUnknown
        case invoiceAlreadySettled
        case invoiceAlreadyCanceled
        /// A hold invoice without a payment waiting can't be settled.
        case invoiceStillOpen
        /// There is an invoice with this payment hash already.
        case invoiceExists
        case invoiceExpired
        /// The text is not an invoice that lnd can read or pay.
        case invoiceInvalid
        /// The invoice belongs to another Bitcoin network than the node.
        case wrongNetwork

        // Payments.
        /// A payment with this hash has succeeded before.
        case alreadyPaid
        /// A payment with this hash exists and has neither succeeded nor failed.
        case paymentInFlight
        /// No payment with this hash was ever begun.
        case paymentUnknown
        /// The invoice is the node's own.
        case selfPayment

        // The call itself.
        /// lnd refuses what the request says, or we did before asking.
        case invalidRequest
        /// This lnd lacks the call: too old, or a subserver that is not compiled in.
        case unimplemented
        /// No connection to lnd, or it was lost during the call.
        case unavailable
        case deadlineExceeded
        /// The caller cancelled.
        case cancelled
        /// lnd's answer breaks its own interface.
        case malformedAnswer
        /// Our own client was shut down.
        case closed
        /// A refusal this version does not know; the detail has lnd's words.
        case other
    }

    /// What kind of failure it is.
    package var code: Code

    /// What happened, beginning with the RPC's name; bounded, without secrets.
    package var detail: String

    /// Makes an error.
    ///
    /// - Parameters:
    ///   - code: What to branch on.
    ///   - detail: What happened; must be free of secrets.
    package init(_ code: Code, _ detail: String) {
        self.code = code
        self.detail = detail
    }
}

extension LndError {
    /// Whether the call may have done its work although it failed.
    ///
    /// True whenever no answer of lnd was read to its end. Money then needs a question to lnd
    /// (`trackPaymentV2`, `lookupInvoice`), not a conclusion.
    package var outcomeIsUnknown: Bool {
        switch code {
        case .unavailable, .deadlineExceeded, .cancelled, .serverExiting, .malformedAnswer,
            .peerDisconnected, .other:
            true
        case .walletNotCreated, .walletLocked, .waitingToStart, .starting, .macaroonMissing,
            .macaroonInvalid, .permissionDenied, .macaroonFile, .peerNotConnected,
            .messageTooLarge, .typeNotCustom, .alreadyConnected, .cannotConnectToSelf,
            .hasActiveChannels, .invoiceUnknown, .invoiceAlreadySettled, .invoiceAlreadyCanceled,
            .invoiceStillOpen, .invoiceExists, .invoiceExpired, .invoiceInvalid, .wrongNetwork,
            .alreadyPaid, .paymentInFlight, .paymentUnknown, .selfPayment, .invalidRequest,
            .unimplemented, .closed:
            false
        }
    }

    /// Whether lnd refused the macaroon before looking at the call.
    var refusesMacaroon: Bool {
        switch code {
        case .macaroonMissing, .macaroonInvalid, .permissionDenied: true
        default: false
        }
    }
}

extension LndError: CustomStringConvertible {
    /// Code, detail and advice in one line.
    package var description: String { "\(code.rawValue): \(detail). \(advice)" }

    /// The next step for the person reading the log.
    package var advice: String {
        switch code {
        case .walletNotCreated: "Create lnd's wallet: lncli create."
        case .walletLocked:
            "Unlock lnd's wallet: lncli unlock, or set wallet-unlock-password-file in lnd.conf."
        case .waitingToStart:
            "Nothing to do if another node of the lnd cluster is the leader; else check its etcd."
        case .starting: "Wait until lnd has started and synced; lncli state shows how far it is."
        case .serverExiting: "lnd is shutting down; start it again, everything resumes by itself."
        case .macaroonMissing: "Configure the path of the macaroon, or start lnd with macaroons."
        case .macaroonInvalid:
            "Give the macaroon of this very node; if its keys were changed, bake a new one."
        case .permissionDenied:
            "Bake a macaroon that allows this call: lncli bakemacaroon uri:/package.Service/Method."
        case .macaroonFile: "Check the path and who may read it; use the file as lnd wrote it."
        case .peerNotConnected: "Wait for the peer, or connect to it: lncli connect."
        case .peerDisconnected: "Send again when the peer is back."
        case .messageTooLarge: "Send less; nothing was sent, since lnd would drop the peer for it."
        case .typeNotCustom: "Use a type from 32768 to 65535."
        case .alreadyConnected: "Nothing to do: the peer is connected."
        case .cannotConnectToSelf: "Give the address of another node."
        case .hasActiveChannels: "Close the channels with this peer first, or leave it connected."
        case .invoiceUnknown: "Check the payment hash, and that it is this node's invoice."
        case .invoiceAlreadySettled: "The invoice is paid: deliver what was bought."
        case .invoiceAlreadyCanceled: "Make a new invoice; this one can never be paid."
        case .invoiceStillOpen: "Wait until a payment has arrived."
        case .invoiceExists: "Use another preimage, or the invoice that exists."
        case .invoiceExpired: "Ask for a new invoice."
        case .invoiceInvalid: "Ask the payee for a correct invoice."
        case .wrongNetwork: "Use nodes of one network on both sides."
        case .alreadyPaid: "Don't pay again; TrackPaymentV2 has the preimage."
        case .paymentInFlight: "Don't pay again; follow the payment with TrackPaymentV2."
        case .paymentUnknown: "lnd has no such payment; only the same invoice may be tried again."
        case .selfPayment: "Pay invoices of other nodes only."
        case .invalidRequest: "Correct what the detail names; if you can't influence it, report it."
        case .unimplemented:
            "Run lnd 0.18 or newer, built with the routerrpc and invoicesrpc subservers."
        case .unavailable:
            "Check that lnd runs and the address is right; the call may have been executed."
        case .deadlineExceeded: "See whether lnd hangs; the call may have been executed."
        case .cancelled: "Nothing to do; the call may have been executed."
        case .malformedAnswer: "Report this with lnd's version; the call may have been executed."
        case .closed: "Nothing to do: this process is ending."
        case .other: "Look for these words in lnd's log; the call may have been executed."
        }
    }
}
