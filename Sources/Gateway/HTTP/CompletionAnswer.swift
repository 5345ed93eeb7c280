import BridgeProtocol
import BusClient
import FoundationEssentials
import Hummingbird
import LightningTypes
import NIOCore
import OpenAIChat

/// Waits for a purchase and writes what came of it, at once or as an event stream.
struct CompletionAnswer: Sendable {
    let order: ChatOrder
    let ticket: PurchaseTicket
    let client: BusClient
    var deadline = ContinuousClock.now

    /// The client has gone, and nobody reads what would be written.
    struct ClientGone: Error {}

    // MARK: - At once

    /// The whole answer.
    ///
    /// - Throws: ``Refusal`` before there is a job; ``ClientGone``.
    func whole(_ presence: ClientPresence) async throws -> Response {
        // The news and the answer come on the client's thread, which need not wake another in between.
        let (ending, bought) = try await withTaskExecutorPreference(client.executor) {
            let ending = try await end()
            return (ending, await text(of: ending))
        }
        defer { presence.whenGone(nil) }
        do throws(Refusal) {
            let (job, text) = try bought.get()
            let completion = ChatCompletion(
                id: Self.id(of: job),
                created: Int(clamping: job.view.endedUnix),
                model: order.model,
                choices: [
                    .init(
                        message: ChatMessage(.assistant, text),
                        finishReason: job.view.truncated ? .length : .stop
                    )
                ],
                usage: usage(of: job)
            )
            let response = Reply.json(completion, Self.headers(of: job))
            ticket.leave(isDelivered: true)
            return response
        } catch {
            ticket.leave()
            return Reply.refusal(error, ending.job)
        }
    }

    /// Waits for the end, whatever happens before.
    private func end() async throws -> PurchaseEnding {
        for await next in ticket.news {
            switch next {
            case .ended(let ending): return ending
            case .paying: continue
            case .stillThere: if let late { return late }
            }
        }
        throw ClientGone()
    }

    /// What to say once the time for one request is over; the job goes on if it is paid.
    ///
    /// Nil before. The place is given up first: what is said then can't be overtaken by a payment that
    /// begins for it.
    private var late: PurchaseEnding? {
        guard ContinuousClock.now >= deadline else { return nil }
        ticket.leave()
        return ticket.purchase.leftAlone(because: .noQuote) ?? ticket.purchase.ending
    }

    // MARK: - As a stream

    /// The answer as events, opened once the quote is accepted.
    ///
    /// - Throws: ``ClientGone``.
    func stream(_ presence: ClientPresence, _ tally: GatewayTally) async throws -> Response {
        for await next in ticket.news {
            switch next {
            case .paying(let job): return open(job, nil, presence, tally)
            case .ended(let ending):
                if let job = ending.job, ending.refusal == nil {
                    return open(job, ending, presence, tally)
                }
                return refuse(ending, presence)
            case .stillThere:
                if let late { return refuse(late, presence) }
            }
        }
        throw ClientGone()
    }

    private func refuse(_ ending: PurchaseEnding, _ presence: ClientPresence) -> Response {
        presence.whenGone(nil)
        ticket.leave()
        return Reply.refusal(ending.refusal ?? .defect, ending.job)
    }

    private func open(
        _ job: BusJob,
        _ known: PurchaseEnding?,
        _ presence: ClientPresence,
        _ tally: GatewayTally
    ) -> Response {
        let headers = [
            ("content-type", "text/event-stream; charset=utf-8"), ("cache-control", "no-cache"),
            ("x-accel-buffering", "no"),
        ]
        return Response(
            status: .ok,
            headers: Reply.fields(headers + Self.headers(of: job)),
            body: ResponseBody { writer in
                tally.openStream()
                // A client that goes before this has given its place up by itself.
                defer {
                    tally.closeStream()
                    presence.whenGone(nil)
                    ticket.leave()
                }
                try await write(job, known, &writer)
                try await writer.finish(nil)
            }
        )
    }

    private func write(
        _ job: BusJob,
        _ known: PurchaseEnding?,
        _ writer: inout any ResponseBodyWriter
    ) async throws {
        let events = CompletionEvents(id: Self.id(of: job), order: order, job: job)
        try await writer.write(events.beginning)
        if let known { return try await finish(known, events, &writer) }
        for await next in ticket.news {
            switch next {
            case .paying: continue
            case .ended(let ending): return try await finish(ending, events, &writer)
            case .stillThere:
                if let late { return try await finish(late, events, &writer) }
                try await writer.write(CompletionEvents.ping)
            }
        }
        throw ClientGone()
    }

    /// Writes the rest of the stream: never nothing, also when there is no answer.
    private func finish(
        _ ending: PurchaseEnding,
        _ events: CompletionEvents,
        _ writer: inout any ResponseBodyWriter
    ) async throws {
        do throws(Refusal) {
            let (job, text) = try await text(of: ending).get()
            let rest = events.rest(of: job, text, usage(of: job))
            do { try await writer.write(rest) } catch { throw .stopping }
            ticket.leave(isDelivered: true)
        } catch {
            try await writer.write(events.failure(error))
        }
    }

    // MARK: - What was bought

    private func text(of ending: PurchaseEnding) async -> Result<(BusJob, String), Refusal> {
        do throws(Refusal) {
            if let refusal = ending.refusal { throw refusal }
            guard let job = ending.job else { throw .defect }
            return .success((job, try await text(of: job)))
        } catch {
            return .failure(error)
        }
    }

    private func text(of job: BusJob) async throws(Refusal) -> String {
        let result = try await result(of: job)
        guard let output = result.output?.reveal("its buyer asks for it") else { throw .notKept }
        guard let text = String(validating: output, as: UTF8.self) else { throw .notText }
        return text
    }

    /// What was bought; a bridge that is busy or away for a moment is asked again, as the client can't.
    private func result(of job: BusJob) async throws(Refusal) -> BoughtResult {
        let patience = ContinuousClock.now + .seconds(30)
        while true {
            do {
                return try await client.result(of: job.key, atLeast: job.version)
            } catch {
                guard ContinuousClock.now < patience, !Task.isCancelled else {
                    throw Refusal(
                        503,
                        ChatError(
                            .server,
                            "paid; the bridge does not give the answer now",
                            code: "answer_pending"
                        ),
                        .paid
                    )
                }
                try? await Task.sleep(for: .milliseconds(200))
            }
        }
    }

    private func usage(of job: BusJob) -> TokenUsage {
        UsageEstimate.usage(
            promptBytes: Int(clamping: job.inputBytes),
            answerBytes: Int(clamping: job.outputBytes)
        )
    }

    private static func id(of job: BusJob) -> String {
        "chatcmpl-\(Hex.encode(job.key.jobID.prefix(16)))"
    }

    private static func headers(of job: BusJob) -> [(name: String, value: String)] {
        AnswerHeaders.headers(of: job) + AnswerHeaders.headers(of: .paid)
            + [("x-lcp-usage", UsageEstimate.rule)]
    }
}
