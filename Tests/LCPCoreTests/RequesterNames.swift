import LCPCore
import LCPWire

// Exhaustive switches: a new state, event or effect does not compile until it has a name here, and
// the table test then asks for its rows.

extension RequesterJob {
    enum Phase: String, CaseIterable {
        case unsubmitted, requesting, quoted, paying, withdrawing, awaitingAnswer, unanswered
        case ended, finished
    }

    enum EventKind: String, CaseIterable {
        case submitted, accepted, cancelledByClient, quoteReceived, resultReceived, errorReceived
        case paymentSucceeded, paymentFailed, paymentInFlight, sent, tooLargeToSend, notified,
            peerReturned
        case resumed, woken
    }

    var phase: Phase {
        switch state {
        case .unsubmitted: .unsubmitted
        case .requesting: .requesting
        case .quoted: .quoted
        case .paying: .paying
        case .withdrawing: .withdrawing
        case .awaitingAnswer: .awaitingAnswer
        case .unanswered: .unanswered
        case .ended: .ended
        case .finished: .finished
        }
    }

    /// The phase with what distinguishes its kinds.
    var phaseText: String {
        switch state {
        case .paying(_, .some(let answer)), .withdrawing(_, .some(let answer)):
            "\(phase) (holding \(answer.text))"
        case .awaitingAnswer(let receipt):
            receipt.provisional == nil
                ? receipt.repeats == 0 ? "awaitingAnswer" : "awaitingAnswer (asked again)"
                : "awaitingAnswer (provisional error)"
        case .ended(let ending, _): "ended (\(ending.text))"
        case .unsubmitted, .requesting, .quoted, .paying(_, nil), .withdrawing(_, nil),
            .unanswered, .finished:
            phase.rawValue
        }
    }
}

extension RequesterJob.Answer {
    var text: String {
        switch self {
        case .result: "result"
        case .failure(let failure): "error \(failure.code.rawValue)"
        }
    }
}

extension RequesterJob.Ending {
    var text: String {
        switch self {
        case .answered(_, let answer): answer.text
        case .unpaid(.invalidTask): "invalid task"
        case .unpaid(.requestTooLarge): "request too large"
        case .unpaid(.noQuote): "no quote"
        case .unpaid(.refused(let failure)): "refused \(failure.code.rawValue)"
        case .unpaid(.defectiveQuote(let defect)): "defective quote: \(defect)"
        case .unpaid(.quoteExpired): "quote expired"
        case .unpaid(.cancelled): "cancelled"
        case .paymentFailed(_, .withdrawn): "withdrawn"
        case .paymentFailed(_, .tooLate): "too late"
        case .paymentFailed(_, .refused(let rule)): "payment refused: \(rule.code)"
        case .paymentFailed(_, .lnd(let reason)): "payment failed: \(reason.code)"
        }
    }
}

extension RequesterJob.Event {
    var kind: RequesterJob.EventKind {
        switch self {
        case .submitted: .submitted
        case .accepted: .accepted
        case .cancelledByClient: .cancelledByClient
        case .quoteReceived: .quoteReceived
        case .resultReceived: .resultReceived
        case .errorReceived: .errorReceived
        case .paymentSucceeded: .paymentSucceeded
        case .paymentFailed: .paymentFailed
        case .paymentInFlight: .paymentInFlight
        case .sent: .sent
        case .tooLargeToSend: .tooLargeToSend
        case .notified: .notified
        case .peerReturned: .peerReturned
        case .resumed: .resumed
        case .woken: .woken
        }
    }
}

extension RequesterJob.Notice {
    var text: String {
        switch self {
        case .submitted: "submitted"
        case .quoted: "quoted"
        case .aboveCeiling: "above ceiling"
        case .paying: "paying"
        case .paymentInFlight: "in flight"
        case .paid: "paid"
        case .unanswered: "unanswered"
        case .ended: "ended"
        }
    }
}

extension RequesterJob.Effect {
    var text: String {
        switch self {
        case .sendQuoteRequest(let id, _):
            id == Sample.id(9) ? "sendQuoteRequest" : "sendQuoteRequest (new job id)"
        case .sendCancel: "sendCancel"
        case .pay: "pay"
        case .withdrawPayment: "withdrawPayment"
        case .notifyClient(let notice): "notifyClient (\(notice.text))"
        case .finish: "finish"
        }
    }

    /// The effect without identifiers, to see whether a repeat lost some work.
    var kind: String {
        switch self {
        case .sendQuoteRequest: "sendQuoteRequest"
        case .sendCancel: "sendCancel"
        case .pay: "pay"
        case .withdrawPayment: "withdrawPayment"
        case .notifyClient: "notifyClient"
        case .finish: "finish"
        }
    }
}
