import BOLT11
package import BridgeProtocol
import Foundation
package import LCPCore
import LCPWire
import LightningTypes

/// The steps of jobs this node buys: the bus around LCPCore's `RequesterJob`.
///
/// What a client is told is the job's view: it goes out with the very step that decides it, so a
/// notice is never outstanding.
package struct RequesterSteps: StepHandler {
    private let rules: RequesterRules
    private let identifiers: IdentifierSource

    /// Makes a handler.
    ///
    /// - Parameters:
    ///   - rules: How this requester asks, waits and judges; the network is the bridge's.
    ///   - identifiers: Where fresh identifiers come from.
    package init(rules: RequesterRules, identifiers: IdentifierSource = .system) {
        self.rules = rules
        self.identifiers = identifiers
    }

    /// Answers an item.
    ///
    /// - Parameters:
    ///   - item: A requester's job and what happened to it.
    ///   - context: The network, without which no quote can be checked.
    /// - Returns: The next state and everything still to do, without the lease.
    /// - Throws: ``WorkFailure``, which names what this worker does not understand.
    package func step(_ item: BusJobItem, in context: WorkerContext) throws -> BusJobReply {
        do throws(StepError) { return try reply(to: item, context) } catch {
            throw error.workFailure
        }
    }

    private func reply(
        to item: BusJobItem,
        _ context: WorkerContext
    ) throws(StepError) -> BusJobReply {
        var record: JobRecord<RequesterJob> = try item.record(.requester)
        var reply = item.emptyReply()
        let network = Network(lndChainNetwork: context.network)

        // A finish that was done opened again: what it meant may be asked for a second time.
        record.effects.forgetFinish(unless: item.outstanding) { $0 == .finish }
        for id in record.sent(item, messageID: \.messageID) {
            try handle(.sent(id), item, network, &record)
        }
        for event in item.events {
            guard let news = try record.effects.requester(event) else { continue }
            let kept = record.job.keptResult
            try handle(news.event, item, network, &record)
            // Only a result the job has taken: a second one must not replace what was bought.
            if let bytes = news.result, record.job.keptResult != kept {
                reply.output = Data(bytes)
            }
        }
        try record.finishIdle(now: item.now, rules)
        try record.write(&reply, wakeAt: record.job.wakeAt, answerBy: record.job.answerBy(rules))
        return reply
    }

    private func handle(
        _ event: RequesterJob.Event,
        _ item: BusJobItem,
        _ network: Network?,
        _ record: inout JobRecord<RequesterJob>
    ) throws(StepError) {
        var rules = rules
        if let network {
            rules.network = network
        } else if case .quoteReceived = event {
            throw StepError(.networkUnknown, "a quote came before lnd has named its network")
        }
        if case .submitted(let request, _) = event, record.job.state == .unsubmitted {
            record.begin(request)
        }
        let context = RequesterContext(
            now: item.now,
            freshMessageID: identifiers.next(),
            freshJobID: identifiers.next(),
            rules: rules
        )
        record.job.handle(event, in: context)
        for case .notifyClient(let notice) in record.job.outstanding {
            record.note(notice)
            record.job.handle(.notified(notice), in: context)
        }
        try record.translateEffects(now: item.now, rules)
        record.look(at: item.now)
    }
}

extension JobRecord<RequesterJob> {
    fileprivate mutating func begin(_ request: V01.QuoteRequest) {
        let facts = TaskFacts(request)
        task = facts
        view.taskKind = facts.kind
        view.profile = facts.profile
    }

    /// Lets a job be forgotten that no client has submitted.
    fileprivate mutating func finishIdle(
        now: UnixTime,
        _ rules: RequesterRules
    ) throws(StepError) {
        guard job.state == .unsubmitted, job.outstanding.isEmpty else { return }
        job = RequesterJob(
            peer: job.peer,
            jobID: job.jobID,
            state: .unsubmitted,
            outstanding: [.finish]
        )
        try translateEffects(now: now, rules)
    }
}

extension RequesterJob {
    /// The result that counts, if one does.
    fileprivate var keptResult: ReceivedResult? {
        switch state {
        case .paying(_, .result(let result)), .withdrawing(_, .result(let result)),
            .ended(.answered(_, .result(let result)), _):
            result
        case .unsubmitted, .requesting, .quoted, .paying, .withdrawing, .awaitingAnswer,
            .unanswered, .ended, .finished:
            nil
        }
    }
}
