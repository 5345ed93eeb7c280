import BOLT11
import BridgeProtocol
import Foundation
import LCPCore
import LCPTesting
import LCPWire
import LightningTypes
import SwiftProtobuf

@testable import WorkerKit

/// Random values of everything a state can hold, the sensible and the odd.
struct Arbitrary {
    var random: SeededGenerator

    mutating func number() -> UInt64 {
        switch random.next() % 4 {
        case 0: 0
        case 1: .max
        default: random.next() >> (random.next() % 64)
        }
    }

    mutating func small() -> UInt32 { UInt32(truncatingIfNeeded: number()) }
    mutating func flag() -> Bool { random.next() % 2 == 0 }
    mutating func maybe<Value>(_ make: (inout Self) -> Value) -> Value? {
        flag() ? make(&self) : nil
    }
    mutating func pick<Value>(_ values: [Value]) -> Value {
        values[Int(random.next() % UInt64(values.count))]
    }
    mutating func id<ID: Identifier32>() -> ID { ID(Bytes32(random.bytes(32)) ?? .zero) }
    mutating func time() -> UnixTime { UnixTime(seconds: number()) }
    mutating func amount() -> MilliSatoshi { MilliSatoshi(msat: number()) }
    mutating func text() -> String {
        pick(["", "a", "プロファイル", "e\u{301}", "gpt-5.2", String(repeating: "x", count: 600)])
    }

    // MARK: Shared

    mutating func terms() -> V01.Terms {
        V01.Terms(
            protocolVersion: UInt16(truncatingIfNeeded: small()),
            jobID: id(),
            price: amount(),
            quoteExpiry: time(),
            taskKind: text(),
            inputHash: id(),
            paramsHash: id()
        )
    }

    mutating func failure() -> V01.Failure {
        V01.Failure(
            code: V01.ErrorCode(rawValue: UInt16(truncatingIfNeeded: small())),
            message: maybe { $0.text() }
        )
    }

    mutating func taskFacts() -> TaskFacts {
        TaskFacts(
            kind: text(),
            profile: text(),
            params: maybe { $0.random.bytes(Int($0.random.next() % 5)) },
            inputBytes: number()
        )
    }

    mutating func view() -> BusJobView {
        .with {
            $0.stage = pick(BusJobStage.allCases)
            $0.profile = text()
            $0.priceMsat = number()
            $0.quotedUnix = number()
            if flag() { $0.failure.code = text() }
        }
    }

    mutating func book<Effect>(_ effects: [Effect]) -> EffectBook<Effect> {
        var lastID: UInt64 = 0
        var entries: [EffectBook<Effect>.Entry] = []
        for effect in effects {
            lastID += 1 + random.next() % 3
            let given = BusEffect.with {
                $0.id = lastID
                $0.send.msgID = Data(random.bytes(32))
                $0.send.again = flag()
            }
            entries.append(.init(effect: effect, given: given))
        }
        return EffectBook(entries: entries, lastID: lastID + random.next() % 3)
    }

    // MARK: Provider

    mutating func pricedTask() -> PricedTask {
        PricedTask(
            profile: text(),
            price: amount(),
            maxOutputTokens: small(),
            temperatureMilli: maybe { $0.small() }
        )
    }

    mutating func draft() -> ProviderJob.Draft {
        ProviderJob.Draft(terms: terms(), termsHash: id(), task: pricedTask())
    }

    mutating func quote() -> ProviderJob.Quote {
        ProviderJob.Quote(draft: draft(), paymentHash: id(), paymentRequest: Redacted(text()))
    }

    mutating func output() -> ProviderJob.Output {
        ProviderJob.Output(byteCount: small(), isCut: flag(), contentType: text())
    }

    /// One of every kind of state; a new kind has to be added to compile `index`.
    mutating func providerStates() -> [ProviderJob.State] {
        let withdrawals: [ProviderJob.Withdrawal] = [
            .expired, .expiredAndAsked, .cancelled, .tooLarge,
        ]
        return [
            .unquoted, .awaitingInvoice(draft()), .droppingInvoice(draft()), .quoted(quote()),
            .withdrawing(quote(), pick(withdrawals)),
            .closed(quote(), pick(withdrawals), until: time()),
            .executing(quote(), deadline: time()),
            .answered(quote(), .result(output()), until: time()),
            .answered(quote(), .failure(failure()), until: time()),
            .finished,
        ]
    }

    mutating func providerEffects() -> [ProviderJob.Effect] {
        let sending: ProviderJob.Sending = flag() ? .first : .again
        let order = ProviderJob.InvoiceOrder(
            amount: amount(),
            descriptionHash: id(),
            expiresAt: time()
        )
        let compute = ProviderJob.ComputeOrder(task: pricedTask(), maxResultBytes: small())
        return [
            .createInvoice(order), .cancelInvoice(id()), .sendQuote(quote(), id(), sending),
            .sendResult(output(), id(), sending), .sendError(failure(), id(), sending),
            .startCompute(compute), .cancelCompute, .finish,
        ]
    }

    // MARK: Requester

    mutating func offer() -> RequesterJob.Offer {
        RequesterJob.Offer(
            terms: terms(),
            termsHash: id(),
            paymentHash: id(),
            paymentRequest: Redacted(text()),
            notAfter: time()
        )
    }

    mutating func intent() -> RequesterJob.PaymentIntent {
        RequesterJob.PaymentIntent(offer: offer(), ceiling: amount())
    }

    mutating func receipt() -> RequesterJob.Receipt {
        RequesterJob.Receipt(
            offer: offer(),
            preimage: Preimage(Bytes32(random.bytes(32)) ?? .zero),
            fee: amount(),
            deadline: time(),
            repeats: small(),
            askedAt: time(),
            repeatAt: time(),
            provisional: maybe { $0.failure() }
        )
    }

    mutating func answer() -> RequesterJob.Answer {
        guard flag() else { return .failure(failure()) }
        return .result(
            RequesterJob.ReceivedResult(
                messageID: id(),
                byteCount: small(),
                contentType: maybe { $0.text() }
            )
        )
    }

    mutating func objection() -> RequesterJob.PaymentObjection {
        .init(code: text(), detail: text(), advice: text())
    }

    mutating func endings() -> [RequesterJob.Ending] {
        let defects: [QuoteDefect] = [
            .quoteExpired, .termsHash, .amountMissing, .amount, .descriptionNotHashed,
            .descriptionHash, .payee, .payeeHidden, .ampRequired, .outlivesQuote, .invoiceExpired,
            .finalCLTV, .tooLateToPay, .invoice(pick(BOLT11Error.Kind.allCases)),
        ]
        var endings: [RequesterJob.Ending] = [
            .answered(receipt(), answer()), .unpaid(.invalidTask), .unpaid(.requestTooLarge),
            .unpaid(.noQuote), .unpaid(.refused(failure())), .unpaid(.quoteExpired),
            .unpaid(.cancelled), .paymentFailed(offer(), .withdrawn),
            .paymentFailed(offer(), .tooLate), .paymentFailed(offer(), .refused(objection())),
            .paymentFailed(offer(), .lnd(objection())),
        ]
        endings += defects.map { .unpaid(.defectiveQuote($0)) }
        return endings
    }

    mutating func requesterStates() -> [RequesterJob.State] {
        let asking = RequesterJob.Asking(
            terms: terms(),
            ceiling: maybe { $0.amount() },
            attempts: small(),
            deadline: time()
        )
        var states: [RequesterJob.State] = [
            .unsubmitted, .requesting(asking), .quoted(offer()),
            .paying(intent(), overtaking: maybe { $0.answer() }),
            .withdrawing(offer(), overtaking: maybe { $0.answer() }), .awaitingAnswer(receipt()),
            .unanswered(receipt(), until: time()), .finished,
        ]
        for ending in endings() { states.append(.ended(ending, until: time())) }
        return states
    }

    mutating func requesterEffects() -> [RequesterJob.Effect] {
        [
            .sendQuoteRequest(id(), id()), .sendCancel(id(), id()), .pay(intent()),
            .withdrawPayment(id()), .finish,
        ]
    }
}
