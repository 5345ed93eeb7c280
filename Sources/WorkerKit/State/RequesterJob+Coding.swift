import BridgeProtocol
import Foundation
import LCPCore
import LCPWire
import LightningTypes
import SwiftProtobuf

extension RequesterJob: StoredJob {
    static func restore(
        from message: StateJob
    ) throws(StepError) -> (state: State, outstanding: [EffectBook<Effect>.Entry]) {
        guard case .requester(let requester) = message.job else {
            throw StepError(.stateUnreadable, "the state is not a requester's")
        }
        var outstanding: [EffectBook<Effect>.Entry] = []
        for effect in requester.outstanding {
            outstanding.append(.init(effect: try Effect(effect), given: effect.given))
        }
        return (try State(requester), outstanding)
    }

    static func store(
        _ state: State,
        _ outstanding: [EffectBook<Effect>.Entry]
    ) -> StateJob.OneOf_Job {
        .requester(
            .with {
                $0.state = StateRequester.OneOf_State(state)
                $0.outstanding = outstanding.map { entry in
                    .with {
                        $0.effect = StateRequesterEffect.OneOf_Effect(entry.effect)
                        $0.given = entry.given
                    }
                }
            }
        )
    }
}

// MARK: - States

extension RequesterJob.State {
    fileprivate init(_ message: StateRequester) throws(StepError) {
        switch try StateField.required(message.state, "requester.state") {
        case .unsubmitted: self = .unsubmitted
        case .requesting(let asking): self = .requesting(try .init(asking))
        case .quoted(let offer): self = .quoted(try .init(offer))
        case .paying(let message):
            self = .paying(
                .init(
                    offer: try .init(message.offer),
                    ceiling: MilliSatoshi(msat: message.ceilingMsat)
                ),
                overtaking: message.hasOvertaking ? try .init(message.overtaking) : nil
            )
        case .withdrawing(let message):
            self = .withdrawing(
                try .init(message.offer),
                overtaking: message.hasOvertaking ? try .init(message.overtaking) : nil
            )
        case .awaitingAnswer(let receipt): self = .awaitingAnswer(try .init(receipt))
        case .unanswered(let message):
            self = .unanswered(
                try .init(message.receipt),
                until: UnixTime(seconds: message.untilUnix)
            )
        case .ended(let message):
            self = .ended(
                try .init(StateField.required(message.ending, "ended.ending")),
                until: UnixTime(seconds: message.untilUnix)
            )
        case .finished: self = .finished
        }
    }
}

extension StateRequester.OneOf_State {
    fileprivate init(_ state: RequesterJob.State) {
        switch state {
        case .unsubmitted: self = .unsubmitted(.init())
        case .requesting(let asking): self = .requesting(.init(asking))
        case .quoted(let offer): self = .quoted(.init(offer))
        case .paying(let intent, let overtaking):
            self = .paying(
                .with {
                    $0.offer = .init(intent.offer)
                    $0.ceilingMsat = intent.ceiling.msat
                    if let overtaking { $0.overtaking = .init(overtaking) }
                }
            )
        case .withdrawing(let offer, let overtaking):
            self = .withdrawing(
                .with {
                    $0.offer = .init(offer)
                    if let overtaking { $0.overtaking = .init(overtaking) }
                }
            )
        case .awaitingAnswer(let receipt): self = .awaitingAnswer(.init(receipt))
        case .unanswered(let receipt, let until):
            self = .unanswered(
                .with {
                    $0.receipt = .init(receipt)
                    $0.untilUnix = until.seconds
                }
            )
        case .ended(let ending, let until):
            self = .ended(
                .with {
                    $0.ending = .init(ending)
                    $0.untilUnix = until.seconds
                }
            )
        case .finished: self = .finished(.init())
        }
    }
}

// MARK: - Parts

extension RequesterJob.Asking {
    fileprivate init(_ message: StateAsking) throws(StepError) {
        self.init(
            terms: try V01.Terms(message.terms),
            ceiling: message.hasCeilingMsat ? MilliSatoshi(msat: message.ceilingMsat) : nil,
            attempts: message.attempts,
            deadline: UnixTime(seconds: message.deadlineUnix)
        )
    }
}

extension StateAsking {
    fileprivate init(_ asking: RequesterJob.Asking) {
        self.init()
        terms = StateTerms(asking.terms)
        if let ceiling = asking.ceiling { ceilingMsat = ceiling.msat }
        attempts = asking.attempts
        deadlineUnix = asking.deadline.seconds
    }
}

extension RequesterJob.Offer {
    init(_ message: StateOffer) throws(StepError) {
        self.init(
            terms: try V01.Terms(message.terms),
            termsHash: try StateField.identifier(message.termsHash, "offer.terms_hash"),
            paymentHash: try StateField.identifier(message.paymentHash, "offer.payment_hash"),
            paymentRequest: Redacted(message.paymentRequest),
            notAfter: UnixTime(seconds: message.notAfterUnix)
        )
    }
}

extension StateOffer {
    init(_ offer: RequesterJob.Offer) {
        self.init()
        terms = StateTerms(offer.terms)
        termsHash = offer.termsHash.data
        paymentHash = offer.paymentHash.data
        paymentRequest = offer.paymentRequest.reveal("a payment that was asked for needs it")
        notAfterUnix = offer.notAfter.seconds
    }
}

extension RequesterJob.Receipt {
    init(_ message: StateReceipt) throws(StepError) {
        self.init(
            offer: try .init(message.offer),
            preimage: Preimage(try StateField.bytes32(message.preimage, "receipt.preimage")),
            fee: MilliSatoshi(msat: message.feeMsat),
            deadline: UnixTime(seconds: message.deadlineUnix),
            repeats: message.repeats,
            askedAt: UnixTime(seconds: message.askedUnix),
            repeatAt: UnixTime(seconds: message.repeatUnix),
            provisional: message.hasProvisional ? try V01.Failure(message.provisional) : nil
        )
    }
}

extension StateReceipt {
    init(_ receipt: RequesterJob.Receipt) {
        self.init()
        offer = StateOffer(receipt.offer)
        preimage = Data(receipt.preimage.secret.reveal("the proof of payment outlives it").bytes)
        feeMsat = receipt.fee.msat
        deadlineUnix = receipt.deadline.seconds
        repeats = receipt.repeats
        askedUnix = receipt.askedAt.seconds
        repeatUnix = receipt.repeatAt.seconds
        if let failure = receipt.provisional { provisional = StateLcpError(failure) }
    }
}

extension RequesterJob.Answer {
    init(_ message: StateAnswer) throws(StepError) {
        switch try StateField.required(message.answer, "answer.answer") {
        case .result(let result):
            self = .result(
                .init(
                    messageID: try StateField.identifier(result.msgID, "result.msg_id"),
                    byteCount: result.byteCount,
                    contentType: result.hasContentType ? result.contentType : nil
                )
            )
        case .error(let error): self = .failure(try .init(error))
        }
    }
}

extension StateAnswer {
    init(_ answer: RequesterJob.Answer) {
        self.init()
        switch answer {
        case .result(let received):
            result = .with {
                $0.msgID = received.messageID.data
                $0.byteCount = received.byteCount
                if let type = received.contentType { $0.contentType = type }
            }
        case .failure(let failure): error = StateLcpError(failure)
        }
    }
}

// MARK: - Effects

extension RequesterJob.Effect {
    fileprivate init(_ message: StateRequesterEffect) throws(StepError) {
        switch try StateField.required(message.effect, "outstanding.effect") {
        case .sendQuoteRequest(let send):
            self = .sendQuoteRequest(
                try StateField.identifier(send.jobID, "send_quote_request.job_id"),
                try StateField.identifier(send.msgID, "send_quote_request.msg_id")
            )
        case .sendCancel(let send):
            self = .sendCancel(
                try StateField.identifier(send.jobID, "send_cancel.job_id"),
                try StateField.identifier(send.msgID, "send_cancel.msg_id")
            )
        case .pay(let pay):
            self = .pay(
                .init(
                    offer: try .init(pay.offer),
                    ceiling: MilliSatoshi(msat: pay.ceilingMsat)
                )
            )
        case .withdrawPayment(let hash):
            self = .withdrawPayment(try StateField.identifier(hash, "withdraw_payment"))
        case .finish: self = .finish
        }
    }
}

extension StateRequesterEffect.OneOf_Effect {
    /// nil for what is done within the step and never stored.
    fileprivate init?(_ effect: RequesterJob.Effect) {
        switch effect {
        case .sendQuoteRequest(let jobID, let id): self = .sendQuoteRequest(.init(jobID, id))
        case .sendCancel(let jobID, let id): self = .sendCancel(.init(jobID, id))
        case .pay(let intent):
            self = .pay(
                .with {
                    $0.offer = .init(intent.offer)
                    $0.ceilingMsat = intent.ceiling.msat
                }
            )
        case .withdrawPayment(let hash): self = .withdrawPayment(hash.data)
        case .notifyClient: return nil
        case .finish: self = .finish(.init())
        }
    }
}

extension StateRequesterEffect.Send {
    fileprivate init(_ job: JobID, _ message: MessageID) {
        self.init()
        jobID = job.data
        msgID = message.data
    }
}
