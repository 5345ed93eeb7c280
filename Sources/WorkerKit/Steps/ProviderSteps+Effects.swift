import BridgeProtocol
import Foundation
import LCPCore
import LCPWire
import LightningTypes
import SwiftProtobuf

// What the provider's state machine wants done, as the bus says it.
extension JobRecord<ProviderJob> {
    /// Brings the book of effects up to date with the job.
    ///
    /// `committed` is the state the item came with: what it says already may be said at once.
    mutating func translateEffects(
        now: UnixTime,
        since committed: ProviderJob.State
    ) throws(StepError) {
        if let deadline = job.computeDeadline {
            // An effect's form is fixed, so a computation that may take longer is asked for anew.
            effects.forget { entry in
                guard case .startCompute(let order) = entry.given.body else { return false }
                return order.deadlineUnix != deadline.seconds
            }
        }
        let record = self
        try effects.replace(with: job.outstanding) { (effect) throws(StepError) in
            try record.body(of: effect, now, since: committed)
        }
    }

    private func body(
        of effect: ProviderJob.Effect,
        _ now: UnixTime,
        since committed: ProviderJob.State
    ) throws(StepError) -> BusEffect.OneOf_Body {
        switch effect {
        case .createInvoice(let order):
            return .createInvoice(
                .with {
                    $0.amountMsat = order.amount.msat
                    $0.descriptionHash = order.descriptionHash.data
                    $0.expiryUnix = order.expiresAt.seconds
                    $0.profile = task?.profile ?? ""
                }
            )
        case .cancelInvoice(let hash):
            return .cancelInvoice(.with { $0.paymentHash = hash.data })
        case .sendQuote(let quote, let id, _):
            let records = try MessageRecords.of(quote.response, V01.QuoteResponse.codec)
            return .send(message(.quoteResponse, id, effect, records, now, since: committed))
        case .sendResult(let output, let id, _):
            let records = try MessageRecords.result(
                bytes: UInt64(output.byteCount),
                contentType: output.contentType
            )
            return .send(message(.result, id, effect, records, now, since: committed))
        case .sendError(let failure, let id, _):
            let records = try MessageRecords.of(failure, V01.Failure.codec)
            return .send(message(.error, id, effect, records, now, since: committed))
        case .startCompute(let order):
            guard let task, let deadline = job.computeDeadline else {
                throw StepError(.unwritable, "a computation without a task or a deadline")
            }
            return .startCompute(
                .with {
                    $0.taskKind = task.kind
                    $0.profile = order.task.profile
                    $0.params = Data(task.params ?? [])
                    $0.limits.maxResultBytes = order.maxResultBytes
                    $0.limits.maxOutputTokens = order.task.maxOutputTokens
                    if let milli = order.task.temperatureMilli {
                        $0.limits.temperatureMilli = milli
                    }
                    $0.deadlineUnix = deadline.seconds
                }
            )
        case .cancelCompute: return .cancelCompute(.init())
        case .finish: return .finish(.init())
        }
    }

    private func message(
        _ type: V01.MessageType,
        _ id: MessageID,
        _ effect: ProviderJob.Effect,
        _ records: [BusRecord],
        _ now: UnixTime,
        since committed: ProviderJob.State
    ) -> BusSendMessage {
        BusSendMessage(
            type,
            // LCP v0.1 §5.3 [response-names-job]
            job: job.jobID,
            id: id,
            records: records,
            expiry: effect.envelopeExpiry,
            isAtOnce: effect.timing == .atOnce && committed.says(effect),
            giveUpAt: job.uselessAfter(now)
        )
    }
}

extension ProviderJob {
    /// Until when the running computation is worth something.
    fileprivate var computeDeadline: UnixTime? {
        if case .executing(_, let deadline) = state { deadline } else { nil }
    }

    /// When a message that could not be sent has lost its use.
    fileprivate func uselessAfter(_ now: UnixTime) -> UnixTime {
        switch state {
        // A refusal that nobody waits for any more.
        case .unquoted, .finished: EnvelopeExpiry.window.time(sentAt: now)
        case .awaitingInvoice(let draft), .droppingInvoice(let draft): draft.terms.quoteExpiry
        case .quoted(let quote), .withdrawing(let quote, _): quote.expiry
        case .executing(_, let deadline): deadline
        case .closed(_, _, let until), .answered(_, _, let until): until
        }
    }
}

extension ProviderJob.State {
    /// Whether a message repeats what this state has fixed.
    ///
    /// One item can bring an answer and somebody who asks for it again. To the state machine those
    /// are two steps, to the disk they are one: the answer must not overtake it.
    fileprivate func says(_ effect: ProviderJob.Effect) -> Bool {
        switch (self, effect) {
        case (.quoted(let quote), .sendQuote(let sent, _, _)): sent == quote
        case (.answered(_, .result(let output), _), .sendResult(let sent, _, _)): sent == output
        case (.answered(_, .failure(let failure), _), .sendError(let sent, _, _)): sent == failure
        case (.unquoted, _), (.awaitingInvoice, _), (.droppingInvoice, _), (.quoted, _),
            (.withdrawing, _), (.closed, _), (.executing, _), (.answered, _), (.finished, _):
            false
        }
    }
}

extension BusSendMessage {
    /// A message of LCP v0.1 without its envelope, which the bridge writes at each sending.
    init(
        _ type: V01.MessageType,
        job: JobID,
        id: MessageID,
        records: [BusRecord],
        expiry: EnvelopeExpiry?,
        isAtOnce: Bool,
        giveUpAt: UnixTime
    ) {
        self.init()
        self.type = UInt32(type.rawValue)
        protocolVersion = UInt32(V01.protocolVersion)
        jobID = job.data
        msgID = id.data
        self.records = records
        if case .at(let time) = expiry { expiryUnix = time.seconds }
        again = isAtOnce
        giveUpUnix = giveUpAt.seconds
    }
}
