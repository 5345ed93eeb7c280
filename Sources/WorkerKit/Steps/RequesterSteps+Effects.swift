import BridgeProtocol
import Foundation
import LCPCore
import LCPWire
import LightningTypes
import SwiftProtobuf

// What the requester's state machine wants done, as the bus says it.
extension JobRecord<RequesterJob> {
    /// Brings the book of effects up to date with the job.
    mutating func translateEffects(
        now: UnixTime,
        _ rules: RequesterRules
    ) throws(StepError) {
        let record = self
        try effects.replace(with: job.outstanding) { (effect) throws(StepError) in
            try record.body(of: effect, now, rules)
        }
    }

    /// nil for what is done within the step.
    private func body(
        of effect: RequesterJob.Effect,
        _ now: UnixTime,
        _ rules: RequesterRules
    ) throws(StepError) -> BusEffect.OneOf_Body? {
        switch effect {
        case .sendQuoteRequest(let jobID, let id):
            guard let task else { throw StepError(.unwritable, "a request without a task") }
            return .send(
                BusSendMessage(
                    .quoteRequest,
                    job: jobID,
                    id: id,
                    records: try MessageRecords.quoteRequest(task),
                    expiry: effect.envelopeExpiry,
                    isAtOnce: effect.timing == .atOnce,
                    giveUpAt: job.uselessAfter(now)
                )
            )
        case .sendCancel(let jobID, let id):
            return .send(
                BusSendMessage(
                    .cancel,
                    job: jobID,
                    id: id,
                    records: try MessageRecords.of(V01.Cancel(reason: nil), V01.Cancel.codec),
                    expiry: effect.envelopeExpiry,
                    isAtOnce: effect.timing == .atOnce,
                    giveUpAt: EnvelopeExpiry.window.time(sentAt: now)
                )
            )
        case .pay(let intent):
            let offer = intent.offer
            let latest = offer.terms.quoteExpiry.advanced(bySeconds: rules.expirySkewSeconds)
            return .pay(
                .with {
                    $0.paymentRequest = offer.paymentRequest.reveal("the bridge pays it")
                    $0.amountMsat = offer.price.msat
                    $0.paymentHash = offer.paymentHash.data
                    $0.descriptionHash = offer.termsHash.data
                    $0.expiryUnix = latest.seconds
                    $0.notAfterUnix = offer.notAfter.seconds
                    $0.profile = task?.profile ?? ""
                }
            )
        case .withdrawPayment(let hash):
            return .withdrawPayment(.with { $0.paymentHash = hash.data })
        case .notifyClient: return nil
        case .finish: return .finish(.init())
        }
    }
}

extension RequesterJob {
    /// When a request that could not be sent has lost its use.
    fileprivate func uselessAfter(_ now: UnixTime) -> UnixTime {
        switch state {
        case .requesting(let asking): asking.deadline
        case .awaitingAnswer(let receipt): receipt.deadline
        case .unanswered(_, let until), .ended(_, let until): until
        case .unsubmitted, .quoted, .paying, .withdrawing, .finished:
            EnvelopeExpiry.window.time(sentAt: now)
        }
    }
}
