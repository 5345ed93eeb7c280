import BOLT11
import LCPCore
import LCPWire
import LightningTypes
import SwiftProtobuf

extension RequesterJob.Ending {
    init(_ message: StateRequester.Ended.OneOf_Ending) throws(StepError) {
        switch message {
        case .answered(let answered):
            self = .answered(try .init(answered.receipt), try .init(answered.answer))
        case .unpaid(let unpaid):
            self = .unpaid(try .init(StateField.required(unpaid.reason, "unpaid.reason")))
        case .paymentFailed(let failed):
            self = .paymentFailed(
                try .init(failed.offer),
                try .init(failed.why)
            )
        }
    }
}

extension StateRequester.Ended.OneOf_Ending {
    init(_ ending: RequesterJob.Ending) {
        switch ending {
        case .answered(let receipt, let answer):
            self = .answered(
                .with {
                    $0.receipt = .init(receipt)
                    $0.answer = .init(answer)
                }
            )
        case .unpaid(let reason): self = .unpaid(.with { $0.reason = .init(reason) })
        case .paymentFailed(let offer, let why):
            self = .paymentFailed(
                .with {
                    $0.offer = .init(offer)
                    $0.why = .init(why)
                }
            )
        }
    }
}

extension RequesterJob.UnpaidReason {
    fileprivate init(_ message: StateUnpaid.OneOf_Reason) throws(StepError) {
        switch message {
        case .invalidTask: self = .invalidTask
        case .requestTooLarge: self = .requestTooLarge
        case .noQuote: self = .noQuote
        case .refused(let error): self = .refused(try V01.Failure(error))
        case .defectiveQuote(let message): self = .defectiveQuote(try QuoteDefect(message))
        case .quoteExpired: self = .quoteExpired
        case .cancelled: self = .cancelled
        }
    }
}

extension StateUnpaid.OneOf_Reason {
    fileprivate init(_ reason: RequesterJob.UnpaidReason) {
        switch reason {
        case .invalidTask: self = .invalidTask(.init())
        case .requestTooLarge: self = .requestTooLarge(.init())
        case .noQuote: self = .noQuote(.init())
        case .refused(let failure): self = .refused(StateLcpError(failure))
        case .defectiveQuote(let defect):
            self = .defectiveQuote(
                .with {
                    $0.defect = defect.label
                    if case .invoice(let rule) = defect { $0.invoiceRule = rule.rawValue }
                }
            )
        case .quoteExpired: self = .quoteExpired(.init())
        case .cancelled: self = .cancelled(.init())
        }
    }
}

extension RequesterJob.PaymentFailure {
    fileprivate init(_ message: StatePaymentFailure) throws(StepError) {
        func objection(_ code: String) -> RequesterJob.PaymentObjection {
            .init(code: code, detail: message.detail, advice: message.advice)
        }
        switch try StateField.required(message.why, "payment_failed.why") {
        case .withdrawn: self = .withdrawn
        case .tooLate: self = .tooLate
        case .refused(let rule): self = .refused(objection(rule))
        case .lnd(let reason): self = .lnd(objection(reason))
        }
    }
}

extension StatePaymentFailure {
    fileprivate init(_ why: RequesterJob.PaymentFailure) {
        self.init()
        switch why {
        case .withdrawn: self.why = .withdrawn(.init())
        case .tooLate: self.why = .tooLate(.init())
        case .refused(let objection):
            self.why = .refused(objection.code)
            (detail, advice) = (objection.detail, objection.advice)
        case .lnd(let objection):
            self.why = .lnd(objection.code)
            (detail, advice) = (objection.detail, objection.advice)
        }
    }
}

extension QuoteDefect {
    /// The defect as a stable label; the rule an invoice breaks apart.
    var label: String {
        switch self {
        case .quoteExpired: "quote-expired"
        case .termsHash: "terms-hash"
        case .invoice: "invoice"
        case .amountMissing: "amount-missing"
        case .amount: "amount"
        case .descriptionNotHashed: "description-not-hashed"
        case .descriptionHash: "description-hash"
        case .payee: "payee"
        case .payeeHidden: "payee-hidden"
        case .ampRequired: "amp-required"
        case .outlivesQuote: "outlives-quote"
        case .invoiceExpired: "invoice-expired"
        case .finalCLTV: "final-cltv"
        case .tooLateToPay: "too-late-to-pay"
        }
    }

    /// Every defect that has no rule beside it.
    private static let labelled: [QuoteDefect] = [
        .quoteExpired, .termsHash, .amountMissing, .amount, .descriptionNotHashed,
        .descriptionHash, .payee, .payeeHidden, .ampRequired, .outlivesQuote, .invoiceExpired,
        .finalCLTV, .tooLateToPay,
    ]

    fileprivate init(_ message: StateUnpaid.DefectiveQuote) throws(StepError) {
        if let defect = Self.labelled.first(where: { $0.label == message.defect }) {
            self = defect
        } else if message.defect == "invoice",
            let rule = BOLT11Error.Kind(rawValue: message.invoiceRule)
        {
            self = .invoice(rule)
        } else {
            throw StepError(.stateNewer, "the state names a quote's defect unknown here")
        }
    }
}
