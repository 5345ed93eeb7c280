package import BridgeProtocol
import Foundation
package import LCPCore
import LCPWire
import LightningTypes

/// The steps of jobs this node sells: the bus around LCPCore's `ProviderJob`.
package struct ProviderSteps: StepHandler {
    private let rules: ProviderRules
    private let identifiers: IdentifierSource

    /// Makes a handler.
    ///
    /// - Parameters:
    ///   - rules: How this provider does business.
    ///   - identifiers: Where fresh identifiers come from.
    package init(rules: ProviderRules, identifiers: IdentifierSource = .system) {
        self.rules = rules
        self.identifiers = identifiers
    }

    /// Answers an item.
    ///
    /// - Parameters:
    ///   - item: A provider's job and what happened to it.
    ///   - context: Not needed here.
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
        var record: JobRecord<ProviderJob> = try item.record(.provider)
        var reply = item.emptyReply()
        let committed = record.job.state

        // A finish that was done opened again: what it meant may be asked for a second time.
        record.effects.forgetFinish(unless: item.outstanding) { $0 == .finish }
        for id in record.sent(item, messageID: \.messageID) {
            try handle(.sent(id), item, committed, &record)
        }
        for event in item.events {
            guard let news = try record.effects.provider(event) else { continue }
            if let taken = try handle(news, item, committed, &record) {
                reply.input = Data(taken.input)
            }
            if case .computeFinished(let finished) = event.body, finished.truncated,
                record.view.stage == .done
            {
                record.view.truncated = true
            }
        }
        try record.finishIdle(now: item.now, since: committed)
        try record.write(&reply, wakeAt: record.job.wakeAt, answerBy: record.job.answerBy(rules))
        return reply
    }

    /// Advances the job by one event.
    ///
    /// Returns the request when it was taken just now, so that its input is stored.
    @discardableResult
    private func handle(
        _ event: ProviderJob.Event,
        _ item: BusJobItem,
        _ committed: ProviderJob.State,
        _ record: inout JobRecord<ProviderJob>
    ) throws(StepError) -> V01.QuoteRequest? {
        let wasUnquoted = record.job.state == .unquoted
        record.job.handle(
            event,
            in: ProviderContext(
                now: item.now,
                freshMessageID: identifiers.next(),
                peer: PeerFacts(item.peer, rules.peers),
                rules: rules
            )
        )
        var taken: V01.QuoteRequest?
        if case .quoteRequested(let request) = event, wasUnquoted,
            case .awaitingInvoice = record.job.state
        {
            taken = request.body
            record.begin(request.body)
        }
        try record.translateEffects(now: item.now, since: committed)
        record.look(at: item.now)
        return taken
    }
}

extension JobRecord<ProviderJob> {
    /// Takes a request: what was shown of an earlier, refused one is over.
    fileprivate mutating func begin(_ request: V01.QuoteRequest) {
        let facts = TaskFacts(request)
        task = facts
        view = BusJobView()
        view.taskKind = facts.kind
        view.profile = facts.profile
    }

    /// Lets a job be forgotten of which nothing came: its first message could not be read.
    fileprivate mutating func finishIdle(
        now: UnixTime,
        since committed: ProviderJob.State
    ) throws(StepError) {
        guard job.state == .unquoted, job.outstanding.isEmpty else { return }
        job = ProviderJob(
            peer: job.peer,
            jobID: job.jobID,
            state: .unquoted,
            outstanding: [.finish]
        )
        try translateEffects(now: now, since: committed)
        if view.stage == .quoting { reach(.failed, .unreadableRequest, at: now) }
    }
}

extension EffectBook {
    /// Lets a finish go that was done: the job has been opened again.
    mutating func forgetFinish(unless outstanding: [UInt64], isFinish: (Effect) -> Bool) {
        forget { isFinish($0.effect) && !outstanding.contains($0.given.id) }
    }
}

extension PeerFacts {
    /// What the bridge knows of a peer, measured by a policy.
    init(_ facts: BusPeerFacts, _ policy: PeerPolicy) {
        self.init(
            hasChannel: facts.hasChannel_p,
            openJobs: facts.openJobs,
            isWithinRate: facts.requestsLastMinute <= policy.requestsPerMinute,
            maxPayloadBytes: facts.maxPayloadBytes == 0 ? nil : facts.maxPayloadBytes
        )
    }
}
