import BridgeProtocol
import LCPCore
import LCPWire
import LightningTypes

// What anybody may see of a requester's job.
extension JobRecord<RequesterJob> {
    /// Shows what the state alone does not tell.
    mutating func note(_ notice: RequesterJob.Notice) {
        switch notice {
        case .aboveCeiling(let price, let ceiling):
            view.failure = .priceAboveCeiling(price, ceiling)
        case .submitted, .quoted, .paying, .paymentInFlight, .paid, .unanswered, .ended:
            view.clearFailure()
        }
    }

    /// Brings the view up to date with the state.
    mutating func look(at now: UnixTime) {
        switch job.state {
        case .unsubmitted, .requesting: reach(.quoting, at: now)
        case .quoted(let offer):
            show(offer)
            reach(.quoted, view.hasFailure ? view.failure : nil, at: now)
        case .paying(let intent, _):
            show(intent.offer)
            reach(.paying, at: now)
        case .withdrawing(let offer, _):
            show(offer)
            reach(.paying, at: now)  // until its outcome is known the money may be gone
        case .awaitingAnswer(let receipt):
            show(receipt)
            reach(.running, at: now)
        case .unanswered(let receipt, _):
            show(receipt)
            reach(.unanswered, .unanswered, at: now)
        case .ended(let ending, _): show(ending, at: now)
        case .finished: break  // what was last to be seen stays
        }
    }

    private mutating func show(_ offer: RequesterJob.Offer) {
        view.priceMsat = offer.price.msat
        view.quoteExpiryUnix = offer.terms.quoteExpiry.seconds
        view.termsHash = offer.termsHash.data
        view.paymentHash = offer.paymentHash.data
    }

    private mutating func show(_ receipt: RequesterJob.Receipt) {
        show(receipt.offer)
        view.feeMsat = receipt.fee.msat
    }

    private mutating func show(_ ending: RequesterJob.Ending, at now: UnixTime) {
        switch ending {
        case .answered(let receipt, .result(let result)):
            show(receipt)
            view.contentType = result.contentType ?? ""
            reach(.done, at: now)
        case .answered(let receipt, .failure(let failure)):
            show(receipt)
            reach(.paidFailed, .gotError(failure), at: now)
        case .unpaid(.cancelled): reach(.cancelled, at: now)
        case .unpaid(let reason): reach(.failed, .unpaid(reason), at: now)
        case .paymentFailed(let offer, .withdrawn):
            show(offer)
            reach(.cancelled, at: now)
        case .paymentFailed(let offer, let why):
            show(offer)
            reach(.failed, .paymentFailed(why), at: now)
        }
    }
}
