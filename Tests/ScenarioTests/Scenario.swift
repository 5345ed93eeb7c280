import Bridge
import BridgeProtocol
import Foundation
import Journal
import LCPCore
import LCPTesting
import LCPWire
import LightningCrypto
import LightningTypes
import SwiftProtobuf
import Testing
import WorkerKit

/// Two nodes, their lnds and what is between them, in one task under a seed.
final class Scenario {
    /// How unkind the world is, each in one of so many moves; 0 for never.
    struct Faults {
        var loss = 0
        var repetition = 0
        var crash = 0
        var workerDeath = 0

        static let none = Faults()
        static let all = Faults(loss: 8, repetition: 10, crash: 40, workerDeath: 20)
    }

    /// Something on its way between the nodes, or inside lnd; survives the nodes.
    enum Transit {
        case message(from: NodeID, to: NodeID, OutboundMessage)
        case payment(PaymentHash)
    }

    let buyer: ScenarioNode
    let seller: ScenarioNode
    var lightning = SimulatedLightning()
    var transit: [Transit] = []
    var now = UnixTime(seconds: 1_800_000_000)
    var faults: Faults
    var random: SeededGenerator
    var messages = 0
    /// Jobs a client was told of, and may count on.
    var acknowledged: Set<JobKey> = []
    private var lastTicket: UInt64 = 0

    init(
        seed: UInt64,
        faults: Faults,
        directory: String,
        paymentRule: @escaping Engine.PaymentRule
    ) throws {
        random = SeededGenerator(seed: seed)
        self.faults = faults
        let prices = PriceList(
            profiles: [
                ChatProfile(
                    name: "test",
                    price: TokenPrice(
                        inputMsatPerMillion: 1_000_000,
                        outputMsatPerMillion: 2_000_000
                    )
                )
            ]
        )
        let rules = ProviderRules(prices: prices)
        buyer = try ScenarioNode(
            name: "buyer",
            secret: 7,
            directory: directory,
            random: SeededGenerator(seed: seed &+ 1),
            rules: rules,
            paymentRule: paymentRule
        )
        seller = try ScenarioNode(
            name: "seller",
            secret: 9,
            directory: directory,
            random: SeededGenerator(seed: seed &+ 2),
            rules: rules,
            paymentRule: paymentRule
        )
    }

    var nodes: [ScenarioNode] { [buyer, seller] }

    /// Submits a job as a client would.
    func submit(ceiling: MilliSatoshi?, prompt: String) throws -> (ClientTicket, JobKey) {
        lastTicket += 1
        let ticket = ClientTicket(lastTicket)
        let key = JobKey(
            role: .requester,
            peer: seller.id,
            id: try #require(Bytes32(random.bytes(32)))
        )
        let params = try V01.LLMChatParams(profile: "test").encoded()
        let submit = BusSubmit.with {
            $0.key = Data("\(lastTicket)".utf8)
            $0.peer = Data(seller.id.bytes)
            $0.taskKind = "llm.chat"
            $0.input = Data(prompt.utf8)
            $0.params = Data(params)
            if let ceiling { $0.maxPriceMsat = ceiling.msat }
        }
        let client = ClientKey(
            identity: Array("test".utf8),
            key: Array("\(lastTicket)".utf8),
            contentHash: SHA256.hash(Array(prompt.utf8))
        )
        buyer.pending.append(.input(.submit(ticket, key, client, submit)))
        return (ticket, key)
    }

    func accept(_ key: JobKey, ceiling: MilliSatoshi) {
        lastTicket += 1
        buyer.pending.append(.input(.accept(ClientTicket(lastTicket), key, ceiling: ceiling)))
    }

    func cancel(_ key: JobKey) {
        lastTicket += 1
        buyer.pending.append(.input(.cancel(ClientTicket(lastTicket), key)))
    }

    // MARK: - Moves

    /// Makes one move of those that are possible.
    ///
    /// - Returns: Whether there was one.
    func move() async throws -> Bool {
        for node in nodes where happens(faults.crash) {
            let downtime = UInt64.random(in: 0...30, using: &random)
            now = now.advanced(bySeconds: downtime)
            try await node.crash(downtime: downtime)
            try await reconcile(node)
        }
        var moves: [() async throws -> Void] = []
        for node in nodes {
            for index in node.pending.indices {
                moves.append { try await self.perform(node.pending.remove(at: index), node) }
            }
            // Writes are made in their order, whatever else happens.
            if !node.writes.isEmpty {
                moves.append { await self.write(node.writes.removeFirst(), node) }
            }
        }
        for index in transit.indices {
            moves.append { try await self.arrive(self.transit.remove(at: index)) }
        }
        guard let move = moves.randomElement(using: &random) else { return false }
        try await move()
        return true
    }

    /// Lets time pass: by a second, or to where something is due.
    func pass(seconds: UInt64) async throws {
        now = now.advanced(bySeconds: seconds)
        for node in nodes {
            let due = try await node.journal.due(at: now)
            node.pending.append(.input(.due(wake: due.wake, answer: due.answer)))
            node.pending.append(.input(.tick))
            node.pending.append(.input(.unblocked(nil)))
        }
    }

    /// Moves until nothing moves and no time is left.
    func run(seconds: UInt64, step: UInt64 = 1) async throws {
        let end = now.advanced(bySeconds: seconds)
        while now < end {
            var count = 0
            while try await move() {
                count += 1
                try #require(count < 20_000, "the nodes never come to rest")
            }
            try await pass(seconds: step)
        }
        while try await move() {}
    }

    private func happens(_ oneIn: Int) -> Bool {
        oneIn > 0 && Int.random(in: 0..<oneIn, using: &random) == 0
    }

    private func perform(_ pending: ScenarioNode.Pending, _ node: ScenarioNode) async throws {
        switch pending {
        case .input(let input): try await feed(input, node)
        case .load(let key): try await feed(.loaded(key, try await node.journal.job(key)), node)
        case .work(let order, var item):
            if happens(faults.workerDeath) {
                // Handed on to another worker.
                return node.pending.append(.work(order, item))
            }
            item.nowUnix = now.seconds
            item.attempt = 1
            item.peer = .with {
                $0.connected = true
                $0.hasChannel_p = true
                $0.maxPayloadBytes = 16_384
                $0.openJobs = node.engine.activeJobs(besides: JobKey(item.job) ?? buyerKey)
                $0.requestsLastMinute = 1
            }
            let context = WorkerContext(nodeID: node.id, network: "regtest")
            let reply =
                item.job.role == .provider
                ? try node.provider.step(item, in: context)
                : try node.requester.step(item, in: context)
            try await feed(.stepped(order: order, reply), node)
        case .compute(let order, let item, let input):
            let key = try #require(JobKey(item.job))
            if happens(faults.workerDeath) {
                return node.pending.append(.compute(order, item, input))
            }
            try await compute(order, key, input, node)
        }
    }

    private var buyerKey: JobKey { JobKey(role: .requester, peer: seller.id, id: .zero) }

    private func compute(
        _ order: UInt64,
        _ key: JobKey,
        _ input: [UInt8]?,
        _ node: ScenarioNode
    ) async throws {
        let settled = lightning.invoices.values.filter { $0.state == .settled }.count
        #expect(settled > 0, "a computation ran before any invoice was settled")
        var bytes = input
        if bytes == nil {
            bytes = try await node.journal.input(of: key)?.reveal("the test computes")
        }
        let prompt = try #require(bytes)
        node.executions[key, default: 0] += 1
        let reply = BusComputeReply.with { reply in
            reply.result = .with {
                $0.output = Data("echo: ".utf8) + Data(prompt)
                $0.contentType = "text/plain; charset=utf-8"
            }
        }
        try await feed(.computed(order: order, reply), node)
    }

    private func write(_ write: ScenarioNode.Write, _ node: ScenarioNode) async {
        switch write {
        case .step(let step):
            let result: Result<Committed, JournalError>
            do throws(JournalError) {
                result = .success(try await node.journal.commit(step))
            } catch {
                result = .failure(error)
            }
            node.pending.append(
                .input(.committed(step.job, version: step.version + 1, result))
            )
        case .record(let facts, let key, let purpose):
            let result: Result<Void, JournalError>
            do throws(JournalError) {
                result = .success(try await node.journal.record(facts, for: key, at: now))
            } catch {
                result = .failure(error)
            }
            node.pending.append(.input(.recorded(key, purpose, result)))
        }
    }

    private func feed(_ input: EngineInput, _ node: ScenarioNode) async throws {
        node.engine.handle(input, at: now)
        for output in node.engine.takeOutputs() { try await carryOut(output, node) }
    }

    private func carryOut(_ output: EngineOutput, _ node: ScenarioNode) async throws {
        switch output {
        case .load(let key): node.pending.append(.load(key))
        case .commit(let step): node.writes.append(.step(step))
        case .record(let facts, let key, let purpose):
            node.writes.append(.record(facts, key, purpose))
        case .order(let id, _, let item): node.pending.append(.work(id, item))
        case .compute(let id, _, let item, let input):
            node.pending.append(.compute(id, item, input))
        case .withdraw(let id, _, _):
            node.pending.removeAll { pending in
                switch pending {
                case .work(let order, _), .compute(let order, _, _): order == id
                case .input, .load: false
                }
            }
        case .send(let key, let effect, let message, let contents):
            try await send(key, effect, message, contents, node)
        case .createInvoice(let key, let effect, let order):
            try createInvoice(key, effect, order, node)
        case .cancelInvoice(let key, _, let hash): lookUp(lightning.cancel(hash), hash, key, node)
        case .lookUpInvoices: try await reconcile(node)
        case .pay(let key, let hash): try await pay(hash, key, node)
        case .withdrawPayment(let key, let hash): try await withdraw(hash, key, node)
        case .answer(let ticket, let answer):
            node.answers[ticket] = answer
            guard case .job(let job) = answer, let key = JobKey(job.key) else { break }
            acknowledged.insert(key)
            try await expectDurable(job, node)
        case .changed(let job): try await expectDurable(job, node)
        case .refuse, .forget, .paid: break
        case .complain(let key, let rule): Issue.record("\(key) broke \(rule)")
        case .fatal(let error): throw error
        }
    }

    /// What a client is told must be what it finds when it looks.
    private func expectDurable(_ told: BusJob, _ node: ScenarioNode) async throws {
        let key = try #require(JobKey(told.key))
        let found = BusJob(try #require(try await node.journal.job(key)).summary)
        #expect(found.version >= told.version, "told of a step that is not on disk")
        if found.version == told.version { #expect(found.view == told.view) }
    }

    // MARK: - Messages

    private func send(
        _ key: JobKey,
        _ effect: UInt64,
        _ message: BusSendMessage,
        _ contents: JobContents,
        _ node: ScenarioNode
    ) async throws {
        let journal = node.journal
        let outbound = try await OutboundMessage(
            message,
            to: key.peer,
            at: now,
            input: { () throws(JournalError) in
                if let input = contents.input { return input }
                return try await journal.input(of: key)?.reveal("a peer's message")
            },
            output: { () throws(JournalError) in
                if let output = contents.output { return output }
                return try await journal.answer(of: key)?.reveal("a peer's message")
            }
        )
        guard let outbound else {
            node.pending.append(.input(.sent(key, effect: effect, .givenUp)))
            return
        }
        node.pending.append(.input(.sent(key, effect: effect, .sent)))
        messages += 1
        // lnd says "sent" all the same.
        if happens(faults.loss) { return }
        transit.append(.message(from: node.id, to: key.peer, outbound))
        if happens(faults.repetition) {
            transit.append(.message(from: node.id, to: key.peer, outbound))
        }
    }

    private func arrive(_ transit: Transit) async throws {
        switch transit {
        case .message(let sender, let receiver, let message):
            guard let node = nodes.first(where: { $0.id == receiver }) else { return }
            try await receive(message, from: sender, node)
        case .payment(let hash):
            lightning.arrive(hash)
            try await report(hash)
        }
    }

    /// What the session does with a message: envelope, expiry, replay, routing.
    private func receive(
        _ message: OutboundMessage,
        from sender: NodeID,
        _ node: ScenarioNode
    ) async throws {
        let envelope = try V01.Envelope.codec.decode(message.payload[...])
        let messageID = envelope.messageID.bytes
        guard envelope.expiry >= now, node.seen.insert(messageID).inserted else { return }
        let inbound = JobMessage(
            peer: sender,
            type: message.type,
            protocolVersion: envelope.protocolVersion,
            jobID: envelope.jobID.bytes,
            messageID: messageID,
            expiresAt: min(envelope.expiry, now.advanced(bySeconds: 600)),
            payload: message.payload
        )
        if message.type == 42_083 || message.type == 42_095 {
            let key = JobKey(role: .provider, peer: sender, id: inbound.jobID)
            return try await feed(.message(inbound, key), node)
        }
        var key = node.engine.requesterJob(peer: sender, jobID: inbound.jobID)
        if key == nil { key = try await node.journal.job(withWireID: inbound.jobID, from: sender) }
        if let key { try await feed(.message(inbound, key), node) }
    }

    // MARK: - Money

    private func createInvoice(
        _ key: JobKey,
        _ effect: UInt64,
        _ order: BusCreateInvoice,
        _ node: ScenarioNode
    ) throws {
        let amount = MilliSatoshi(msat: order.amountMsat)
        let (hash, text) = try lightning.addInvoice(
            payee: node.id,
            key: node.key,
            amount: amount,
            descriptionHash: try #require(Bytes32(order.descriptionHash)),
            expiresAt: UnixTime(seconds: order.expiryUnix),
            now: now,
            random: &random
        )
        let terms = InvoiceTerms(
            hash: hash,
            amount: amount,
            expiresAt: UnixTime(seconds: order.expiryUnix),
            profile: order.profile
        )
        node.pending.append(
            .input(
                .invoiceCreated(key, effect: effect, terms, paymentRequest: Redacted(text))
            )
        )
    }

    private func lookUp(
        _ state: SimulatedLightning.Invoice.State?,
        _ hash: PaymentHash,
        _ key: JobKey,
        _ node: ScenarioNode
    ) {
        switch state {
        case .settled:
            let paid = lightning.invoices[hash]?.amount ?? .zero
            node.pending.append(.input(.invoiceSettled(key, hash, paid: paid)))
        case .cancelled: node.pending.append(.input(.invoiceCancelled(key, hash)))
        case .open, nil: break
        }
    }

    /// What the payments' desk does: the call is noted before it is made.
    private func pay(_ hash: PaymentHash, _ key: JobKey, _ node: ScenarioNode) async throws {
        guard let known = try await node.journal.payment(hash), known.status == .unresolved else {
            return
        }
        if lightning.payments[hash] == nil {
            guard now <= known.intent.notAfter else {
                node.pending.append(.input(.paymentFailed(key, hash, .tooLate, nil)))
                return
            }
            try await node.journal.record([.paymentAttempted(hash)], for: key, at: now)
            lightning.pay(hash, payer: node.id, now: now)
            transit.append(.payment(hash))
        }
        try await report(hash)
    }

    private func withdraw(_ hash: PaymentHash, _ key: JobKey, _ node: ScenarioNode) async throws {
        guard let known = try await node.journal.payment(hash), known.status == .unresolved else {
            return
        }
        if known.attempted { return try await pay(hash, key, node) }
        node.pending.append(.input(.paymentFailed(key, hash, .withdrawn, nil)))
    }

    /// Tells both sides what became of a payment: lnd's streams.
    private func report(_ hash: PaymentHash) async throws {
        guard let payment = lightning.payments[hash], let invoice = lightning.invoices[hash] else {
            return
        }
        if let payer = nodes.first(where: { $0.id == payment.payer }),
            let record = try await payer.journal.payment(hash)
        {
            switch payment.state {
            case .inFlight: payer.pending.append(.input(.paymentInFlight(record.job, hash)))
            case .succeeded:
                payer.pending.append(
                    .input(
                        .paymentSucceeded(
                            record.job,
                            hash,
                            invoice.preimage,
                            fee: SimulatedLightning.fee
                        )
                    )
                )
            case .failed:
                payer.pending.append(.input(.paymentFailed(record.job, hash, .lnd, nil)))
            }
        }
        if payment.state == .succeeded, let payee = nodes.first(where: { $0.id == invoice.payee }),
            let record = try await payee.journal.invoice(hash)
        {
            lookUp(.settled, hash, record.job, payee)
        }
    }

    /// What the desks do after a start.
    private func reconcile(_ node: ScenarioNode) async throws {
        node.seen = []
        for payment in try await node.journal.unresolvedPayments() {
            try await pay(payment.intent.hash, payment.job, node)
        }
        for invoice in try await node.journal.openInvoices() {
            lookUp(
                lightning.invoices[invoice.terms.hash]?.state,
                invoice.terms.hash,
                invoice.job,
                node
            )
        }
    }
}
