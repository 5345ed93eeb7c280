import BridgeProtocol
import BusClient
import Conversation
import Glibc
import LCPInspector
import LCPWire
import LightningTypes

/// A conversation from its first message to its end.
struct ChatTalk {
    private let settings: ChatSettings
    private let client: BusClient
    private let present: PresentPurchase
    private var conversation: Conversation
    private var reader = ChatReader()
    private var spent = MilliSatoshi.zero
    private var fees = MilliSatoshi.zero
    private var answers = 0
    /// How many old messages the last prompt left out.
    private var leftOut = 0

    init(_ settings: ChatSettings, _ client: BusClient, _ present: PresentPurchase) {
        self.settings = settings
        self.client = client
        self.present = present
        conversation = Self.beginning(settings)
    }

    private static func beginning(_ settings: ChatSettings) -> Conversation {
        Conversation(settings.system.map { [.init(.system, $0)] } ?? [])
    }

    /// Talks until somebody leaves or the input ends.
    ///
    /// - Throws: `CancellationError`; in a pipe also the first failure.
    mutating func run() async throws {
        if ChatReader.isInteractive { say("/help shows the commands.") }
        while let line = try await reader.next() {
            do {
                switch ChatLine(line) {
                case .nothing: break
                case .message(let text): try await exchange(text)
                case .quit: return
                case .cost: say(costs)
                case .clear:
                    conversation = Self.beginning(settings)
                    leftOut = 0
                    say("What was said is forgotten.")
                case .save(let file):
                    try save(to: file)
                    say("Saved to \(file).")
                case .help: say(ChatLine.commands)
                case .unknown(let command):
                    throw CommandError(
                        code: "unknown-command",
                        detail: "\(command) is no command, or lacks something; see /help",
                        status: ExitStatus.badData
                    )
                }
            } catch let error as CommandError where ChatReader.isInteractive {
                say("lcp: \(error.detail)")
            } catch let error as BusClientError where ChatReader.isInteractive {
                say("lcp: \(error.detail). \(error.advice)")
            }
        }
    }

    // MARK: - One exchange

    private mutating func exchange(_ text: String) async throws {
        conversation.messages.append(.init(.user, text))
        do {
            let answer = try await ask()
            present.set(nil)
            conversation.messages.append(.init(.assistant, answer))
        } catch {
            // After a signal somebody has to be told how to go on with it.
            if !(error is CancellationError) { present.set(nil) }
            // What has no answer is no part of the conversation; asking again begins where it was.
            conversation.messages.removeLast()
            throw error
        }
    }

    private mutating func ask() async throws -> String {
        let submission = JobSubmission(
            to: settings.peer,
            taskKind: V01.llmChat,
            input: Redacted(Array(try await prompt().utf8)),
            params: settings.params
        )
        let progress = Progress(json: settings.isJSON)
        let purchase = Purchase(progress: progress)
        present.set(purchase)
        let answer = try await buy(submission, purchase, progress)
        try show(answer)
        if let failure = answer.loss { throw failure }
        guard let output = answer.result.output?.reveal("it is part of the next prompt") else {
            throw CommandError(
                code: "not-kept",
                detail: "there is no answer",
                status: ExitStatus.refusedByBridge
            )
        }
        return String(decoding: output, as: UTF8.self)
    }

    /// The prompt, as much of the conversation as the peer can receive.
    private mutating func prompt() async throws -> String {
        let id = Bytes(settings.peer.bytes)
        let peer = try await client.peers().first { $0.id == id } ?? BusPeer()
        let limit = PromptLimit.bytes(for: peer, params: settings.params)
        do throws(Conversation.TooLong) {
            let prompt = try conversation.prompt(limit: limit)
            if prompt.leftOut > leftOut {
                say(
                    "The \(prompt.leftOut) oldest messages are left out: the peer takes \(limit) "
                        + "bytes."
                )
            }
            leftOut = prompt.leftOut
            return prompt.text
        } catch {
            throw CommandError(
                code: "prompt-too-long",
                detail: "the message has \(error.bytes) bytes; the peer takes \(error.limit)",
                status: ExitStatus.badData
            )
        }
    }

    private mutating func buy(
        _ submission: JobSubmission,
        _ purchase: Purchase,
        _ progress: Progress
    ) async throws -> Answer {
        let (client, settings, room) = (client, settings, room)
        let reached = try await progress.ticking {
            try await within(settings.timeout) {
                try await Self.steps(submission, purchase, client, settings, room: room)
            }
        }
        if let job = reached ?? purchase.job { count(job) }
        guard let job = reached else {
            let more = purchase.job.map { purchase.resumption(of: $0) } ?? "; nothing was submitted"
            throw CommandError(
                code: "timed-out",
                detail: "the time is over" + more,
                status: ExitStatus.timedOut
            )
        }
        if let failure = purchase.failure(of: job) { throw failure }
        return Answer(
            result: try await client.result(of: job.key, atLeast: job.version),
            elapsed: purchase.elapsed
        )
    }

    private static func steps(
        _ submission: JobSubmission,
        _ purchase: Purchase,
        _ client: BusClient,
        _ settings: ChatSettings,
        room: MilliSatoshi?
    ) async throws -> BusJob {
        let quoted = try await purchase.quote(submission, from: client)
        guard quoted.view.stage == .quoted else { return quoted }
        let price = MilliSatoshi(msat: quoted.view.priceMsat)
        if let ceiling = settings.maxPrice, price > ceiling {
            let why = "--max-price is \(Words.sats(ceiling.msat))"
            return try await purchase.refuse(quoted, why, from: client)
        }
        if let room, price > room {
            let why = "\(Words.sats(room.msat)) are left of --budget"
            return try await purchase.refuse(quoted, why, from: client)
        }
        if settings.maxPrice == nil, room == nil {
            guard !settings.isJSON, Question.isPossible else {
                let why = "give --budget or --max-price to talk without a terminal"
                return try await purchase.refuse(quoted, why, from: client)
            }
            guard try await purchase.confirm(quoted) else {
                return try await purchase.refuse(quoted, "declined", from: client)
            }
        }
        return try await purchase.buy(quoted, upTo: price, from: client)
    }

    // MARK: - Money

    /// What may still be spent; nil without a budget.
    private var room: MilliSatoshi? {
        settings.budget.map { budget in
            let total = spent.msat + fees.msat
            return MilliSatoshi(msat: budget.msat > total ? budget.msat - total : 0)
        }
    }

    /// Counts what a job has cost, or may yet cost because its payment is under way.
    private mutating func count(_ job: BusJob) {
        let isUnderWay = job.view.stage == .paying || job.view.stage == .running
        guard job.view.paidUnix > 0 || isUnderWay else { return }
        spent = MilliSatoshi(msat: spent.msat + job.view.priceMsat)
        fees = MilliSatoshi(msat: fees.msat + job.view.feeMsat)
        answers += 1
    }

    private var costs: String {
        let total = MilliSatoshi(msat: spent.msat + fees.msat)
        let budget = settings.budget.map { " of \(Words.sats($0.msat))" } ?? ""
        return "\(answers) answers, \(Words.sats(total.msat))\(budget), fees "
            + "\(Words.sats(fees.msat)) included"
    }

    // MARK: - Output

    private func show(_ answer: Answer) throws {
        guard !settings.isJSON else {
            guard case .object(let members) = answer.json else { return }
            let total = JSONText.Member(name: "total_msat", value: .number(spent.msat + fees.msat))
            return try StandardOutput.write(Array("\(JSONText.object(members + [total]))\n".utf8))
        }
        try answer.show()
        if !StandardOutput.isTerminal { try StandardOutput.write([0x0a]) }
        let view = answer.result.job.view
        say(
            "\(Words.sats(view.priceMsat)), fee \(Words.sats(view.feeMsat)) · total "
                + "\(Words.sats(spent.msat + fees.msat))"
                + (room.map { " · \(Words.sats($0.msat)) left" } ?? "")
        )
    }

    private func save(to path: String) throws {
        let file = try NewPrivateFile(path: path)
        try file.write(Array((conversation.transcript + "\n").utf8))
    }

    /// Says something about the conversation, beside it.
    private func say(_ text: String) {
        guard !settings.isJSON else { return }
        let line = Paint.dim(Table.printableLines(text), on: STDERR_FILENO)
        // A remark that can't be shown is no reason to end a conversation.
        try? StandardOutput.write(
            Array((line + (text.hasSuffix("\n") ? "" : "\n")).utf8),
            to: STDERR_FILENO
        )
    }
}
