import BridgeProtocol
import LCPCore
import LCPWire
import LightningTypes
import SwiftProtobuf

extension ProviderJob: StoredJob {
    static func restore(
        from message: StateJob
    ) throws(StepError) -> (state: State, outstanding: [EffectBook<Effect>.Entry]) {
        guard case .provider(let provider) = message.job else {
            throw StepError(.stateUnreadable, "the state is not a provider's")
        }
        var outstanding: [EffectBook<Effect>.Entry] = []
        for effect in provider.outstanding {
            outstanding.append(.init(effect: try Effect(effect), given: effect.given))
        }
        return (try State(provider), outstanding)
    }

    static func store(
        _ state: State,
        _ outstanding: [EffectBook<Effect>.Entry]
    ) -> StateJob.OneOf_Job {
        .provider(
            .with {
                $0.state = StateProvider.OneOf_State(state)
                $0.outstanding = outstanding.map { entry in
                    .with {
                        $0.effect = StateProviderEffect.OneOf_Effect(entry.effect)
                        $0.given = entry.given
                    }
                }
            }
        )
    }
}

// MARK: - States

extension ProviderJob.State {
    fileprivate init(_ message: StateProvider) throws(StepError) {
        switch try StateField.required(message.state, "provider.state") {
        case .unquoted: self = .unquoted
        case .awaitingInvoice(let draft): self = .awaitingInvoice(try .init(draft))
        case .droppingInvoice(let draft): self = .droppingInvoice(try .init(draft))
        case .quoted(let quote): self = .quoted(try .init(quote))
        case .withdrawing(let message):
            self = .withdrawing(try .init(message.quote), try .init(message.why))
        case .closed(let message):
            self = .closed(
                try .init(message.quote),
                try .init(message.why),
                until: UnixTime(seconds: message.untilUnix)
            )
        case .executing(let message):
            self = .executing(
                try .init(message.quote),
                deadline: UnixTime(seconds: message.deadlineUnix)
            )
        case .answered(let message):
            self = .answered(
                try .init(message.quote),
                try .init(StateField.required(message.answer, "answered.answer")),
                until: UnixTime(seconds: message.untilUnix)
            )
        case .finished: self = .finished
        }
    }
}

extension StateProvider.OneOf_State {
    fileprivate init(_ state: ProviderJob.State) {
        switch state {
        case .unquoted: self = .unquoted(.init())
        case .awaitingInvoice(let draft): self = .awaitingInvoice(.init(draft))
        case .droppingInvoice(let draft): self = .droppingInvoice(.init(draft))
        case .quoted(let quote): self = .quoted(.init(quote))
        case .withdrawing(let quote, let why):
            self = .withdrawing(
                .with {
                    $0.quote = .init(quote)
                    $0.why = .init(why)
                }
            )
        case .closed(let quote, let why, let until):
            self = .closed(
                .with {
                    $0.quote = .init(quote)
                    $0.why = .init(why)
                    $0.untilUnix = until.seconds
                }
            )
        case .executing(let quote, let deadline):
            self = .executing(
                .with {
                    $0.quote = .init(quote)
                    $0.deadlineUnix = deadline.seconds
                }
            )
        case .answered(let quote, let answer, let until):
            self = .answered(
                .with {
                    $0.quote = .init(quote)
                    $0.answer = .init(answer)
                    $0.untilUnix = until.seconds
                }
            )
        case .finished: self = .finished(.init())
        }
    }
}

extension ProviderJob.Withdrawal {
    fileprivate init(_ message: StateWithdrawal) throws(StepError) {
        switch message {
        case .expired: self = .expired
        case .expiredAndAsked: self = .expiredAndAsked
        case .cancelled: self = .cancelled
        case .tooLarge: self = .tooLarge
        case .unspecified: throw StepError(.stateUnreadable, "why is missing")
        case .UNRECOGNIZED(let value):
            throw StepError(.stateNewer, "why is \(value), which this worker does not know")
        }
    }
}

extension StateWithdrawal {
    fileprivate init(_ why: ProviderJob.Withdrawal) {
        switch why {
        case .expired: self = .expired
        case .expiredAndAsked: self = .expiredAndAsked
        case .cancelled: self = .cancelled
        case .tooLarge: self = .tooLarge
        }
    }
}

extension ProviderJob.Answer {
    fileprivate init(_ message: StateProvider.Answered.OneOf_Answer) throws(StepError) {
        switch message {
        case .result(let output): self = .result(.init(output))
        case .error(let error): self = .failure(try .init(error))
        }
    }
}

extension StateProvider.Answered.OneOf_Answer {
    fileprivate init(_ answer: ProviderJob.Answer) {
        switch answer {
        case .result(let output): self = .result(.init(output))
        case .failure(let failure): self = .error(.init(failure))
        }
    }
}

// MARK: - Parts

extension ProviderJob.Draft {
    fileprivate init(_ message: StateDraft) throws(StepError) {
        self.init(
            terms: try V01.Terms(message.terms),
            termsHash: try StateField.identifier(message.termsHash, "draft.terms_hash"),
            task: PricedTask(message.task)
        )
    }
}

extension StateDraft {
    fileprivate init(_ draft: ProviderJob.Draft) {
        self.init()
        terms = StateTerms(draft.terms)
        termsHash = draft.termsHash.data
        task = StatePricedTask(draft.task)
    }
}

extension PricedTask {
    fileprivate init(_ message: StatePricedTask) {
        self.init(
            profile: message.profile,
            price: MilliSatoshi(msat: message.priceMsat),
            maxOutputTokens: message.maxOutputTokens,
            temperatureMilli: message.hasTemperatureMilli ? message.temperatureMilli : nil
        )
    }
}

extension StatePricedTask {
    fileprivate init(_ task: PricedTask) {
        self.init()
        profile = task.profile
        priceMsat = task.price.msat
        maxOutputTokens = task.maxOutputTokens
        if let milli = task.temperatureMilli { temperatureMilli = milli }
    }
}

extension ProviderJob.Quote {
    fileprivate init(_ message: StateQuote) throws(StepError) {
        self.init(
            draft: try .init(message.draft),
            paymentHash: try StateField.identifier(message.paymentHash, "quote.payment_hash"),
            paymentRequest: Redacted(message.paymentRequest)
        )
    }
}

extension StateQuote {
    fileprivate init(_ quote: ProviderJob.Quote) {
        self.init()
        draft = StateDraft(quote.draft)
        paymentHash = quote.paymentHash.data
        paymentRequest = quote.paymentRequest.reveal("a quote that is asked for again needs it")
    }
}

extension ProviderJob.Output {
    fileprivate init(_ message: StateOutput) {
        self.init(
            byteCount: message.byteCount,
            isCut: message.cut,
            contentType: message.contentType
        )
    }
}

extension StateOutput {
    fileprivate init(_ output: ProviderJob.Output) {
        self.init()
        byteCount = output.byteCount
        cut = output.isCut
        contentType = output.contentType
    }
}

// MARK: - Effects

extension ProviderJob.Effect {
    fileprivate init(_ message: StateProviderEffect) throws(StepError) {
        switch try StateField.required(message.effect, "outstanding.effect") {
        case .createInvoice(let order):
            self = .createInvoice(
                ProviderJob.InvoiceOrder(
                    amount: MilliSatoshi(msat: order.amountMsat),
                    descriptionHash: try StateField.identifier(
                        order.descriptionHash,
                        "create_invoice.description_hash"
                    ),
                    expiresAt: UnixTime(seconds: order.expiresUnix)
                )
            )
        case .cancelInvoice(let hash):
            self = .cancelInvoice(try StateField.identifier(hash, "cancel_invoice"))
        case .sendQuote(let send):
            self = .sendQuote(
                try .init(send.quote),
                try StateField.identifier(send.msgID, "send_quote.msg_id"),
                .init(isAgain: send.again)
            )
        case .sendResult(let send):
            self = .sendResult(
                .init(send.output),
                try StateField.identifier(send.msgID, "send_result.msg_id"),
                .init(isAgain: send.again)
            )
        case .sendError(let send):
            self = .sendError(
                try .init(send.error),
                try StateField.identifier(send.msgID, "send_error.msg_id"),
                .init(isAgain: send.again)
            )
        case .startCompute(let order):
            self = .startCompute(
                .init(task: PricedTask(order.task), maxResultBytes: order.maxResultBytes)
            )
        case .cancelCompute: self = .cancelCompute
        case .finish: self = .finish
        }
    }
}

extension StateProviderEffect.OneOf_Effect {
    fileprivate init(_ effect: ProviderJob.Effect) {
        switch effect {
        case .createInvoice(let order):
            self = .createInvoice(
                .with {
                    $0.amountMsat = order.amount.msat
                    $0.descriptionHash = order.descriptionHash.data
                    $0.expiresUnix = order.expiresAt.seconds
                }
            )
        case .cancelInvoice(let hash): self = .cancelInvoice(hash.data)
        case .sendQuote(let quote, let id, let sending):
            self = .sendQuote(
                .with {
                    $0.quote = .init(quote)
                    $0.msgID = id.data
                    $0.again = sending == .again
                }
            )
        case .sendResult(let output, let id, let sending):
            self = .sendResult(
                .with {
                    $0.output = .init(output)
                    $0.msgID = id.data
                    $0.again = sending == .again
                }
            )
        case .sendError(let failure, let id, let sending):
            self = .sendError(
                .with {
                    $0.error = .init(failure)
                    $0.msgID = id.data
                    $0.again = sending == .again
                }
            )
        case .startCompute(let order):
            self = .startCompute(
                .with {
                    $0.task = .init(order.task)
                    $0.maxResultBytes = order.maxResultBytes
                }
            )
        case .cancelCompute: self = .cancelCompute(.init())
        case .finish: self = .finish(.init())
        }
    }
}

extension ProviderJob.Sending {
    fileprivate init(isAgain: Bool) { self = isAgain ? .again : .first }
}
