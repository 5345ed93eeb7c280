import BridgeProtocol
import LCPCore
import LCPWire
import LightningTypes
import SwiftProtobuf

// What anybody may see of a provider's job.
extension JobRecord<ProviderJob> {
    /// Brings the view up to date with the state.
    mutating func look(at now: UnixTime) {
        switch job.state {
        case .unquoted:
            // Once the refusal is sent, what it said stays.
            if let refusal = job.refusal { reach(.failed, .refused(refusal), at: now) }
        case .awaitingInvoice: reach(.quoting, at: now)
        case .droppingInvoice: reach(.cancelled, at: now)  // no quote was sent, nobody can pay
        case .quoted(let quote), .withdrawing(let quote, _):
            show(quote)
            reach(.quoted, at: now)
        case .closed(let quote, let why, _):
            show(quote)
            switch why {
            case .expired, .expiredAndAsked: reach(.failed, .quoteExpired, at: now)
            case .cancelled: reach(.cancelled, at: now)
            case .tooLarge: reach(.failed, .quoteTooLarge, at: now)
            }
        case .executing(let quote, _):
            show(quote)
            reach(.running, at: now)
        case .answered(let quote, let answer, _):
            show(quote)
            switch answer {
            case .result(let output):
                view.contentType = output.contentType
                view.truncated = view.truncated || output.isCut
                reach(.done, at: now)
            case .failure(let failure):
                reach(.paidFailed, .gaveError(failure), at: now)
            }
        case .finished: break  // what was last to be seen stays
        }
    }

    private mutating func show(_ quote: ProviderJob.Quote) {
        view.priceMsat = quote.draft.terms.price.msat
        view.quoteExpiryUnix = quote.expiry.seconds
        view.termsHash = quote.draft.termsHash.data
        view.paymentHash = quote.paymentHash.data
    }
}

extension ProviderJob {
    /// The `lcp_error` of a request that was refused, while it is to be sent.
    fileprivate var refusal: V01.Failure? {
        for case .sendError(let failure, _, _) in outstanding { return failure }
        return nil
    }
}

extension BusFailure {
    /// The first message of a job could not be read.
    static let unreadableRequest = BusFailure.with {
        $0.code = "unreadable-request"
        $0.detail = "the peer's first message is not a valid lcp_quote_request"
    }

    /// Nobody paid in time.
    static let quoteExpired = BusFailure.with {
        $0.code = "quote-expired"
        $0.detail = "the quote was not paid before it expired"
    }

    /// The buyer can't receive what it asked for.
    static let quoteTooLarge = BusFailure.with {
        $0.code = "quote-too-large"
        $0.detail = "the quote exceeds the max_payload_bytes that the buyer states; it was told so"
    }

    /// This provider refused a request; the text is our own.
    fileprivate static func refused(_ failure: V01.Failure) -> BusFailure {
        .with {
            $0.code = "refused"
            $0.detail = failure.ownText
        }
    }

    /// This provider answered a paid job with an error; the text is our own.
    fileprivate static func gaveError(_ failure: V01.Failure) -> BusFailure {
        .with {
            $0.code = "answered-with-error"
            $0.detail = failure.ownText
        }
    }
}

extension V01.Failure {
    /// Code and name: `lcp_error 7 (rate_limited)`.
    var label: String {
        code.name.map { "lcp_error \(code.rawValue) (\($0))" } ?? "lcp_error \(code.rawValue)"
    }

    /// The label and the message, for messages this side has written.
    fileprivate var ownText: String { message.map { "\(label): \($0)" } ?? label }
}
