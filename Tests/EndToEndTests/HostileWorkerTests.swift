import BOLT11
import BridgeProtocol
import BusClient
import Foundation
import LCPWire
import LightningCrypto
import LightningTypes
import LndRPC
import LocalNetwork
import SwiftProtobuf
import Testing

/// A bridge whose workers want its money: what the rules allow is spent, and nothing else.
@Suite(.timeLimit(.minutes(30))) struct HostileWorkerTests {
    private static let price = MilliSatoshi(msat: 5_000)

    /// alice's bridge has no worker but the test's; bob and carol are paid by their lnds alone.
    private static func market(_ directory: String) -> LocalNetworkPlan {
        var plan = LocalNetworkPlan.market()
        plan.nodes = [.init("alice"), .bare("bob"), .bare("carol")]
        plan.channels = ["alice:bob:1000000", "alice:carol:1000000"]
        plan.arguments["lcp-bridge", default: []] += [
            "--per-payment-limit-sat", "20", "--daily-budget-sat", "100",
        ]
        return plan
    }

    /// An order to pay, and the invoice it is for; a test spoils one thing of them.
    private struct Order: Sendable {
        var ceiling: MilliSatoshi? = HostileWorkerTests.price
        var invoice = NewInvoice(
            amount: HostileWorkerTests.price,
            description: .hash(ScriptedPeer.randomBytes()),
            expirySeconds: 200
        )
        var isCarols = false
        /// Another invoice than lnd's.
        var text: String?
        var waits = false
        var edit: @Sendable (inout BusPay) -> Void = { _ in }
    }

    private static let spoiled: [(String, @Sendable (inout Order) throws -> Void)] = [
        ("no-ceiling", { $0.ceiling = nil }),
        ("above-ceiling", { $0.ceiling = MilliSatoshi(msat: 4_999) }),
        ("malformed-order", { $0.edit = { $0.amountMsat = 0 } }),
        ("malformed-order", { $0.edit = { $0.descriptionHash = Data() } }),
        ("invoice-invalid", { $0.text = "lnbcrt1" }),
        ("wrong-network", { $0.text = try mainnetInvoice() }),
        ("payee-mismatch", { $0.isCarols = true }),
        ("amount-missing", { $0.invoice.amount = nil }),
        ("amount-mismatch", { $0.edit = { $0.amountMsat = 4_000 } }),
        ("hash-mismatch", { $0.edit = { $0.paymentHash = Data(repeating: 7, count: 32) } }),
        ("description-not-hashed", { $0.invoice.description = .text(Redacted("for nothing")) }),
        (
            "description-mismatch",
            { $0.edit = { $0.descriptionHash = Data(repeating: 7, count: 32) } }
        ),
        (
            "invoice-expired",
            {
                $0.invoice.expirySeconds = 1
                $0.waits = true
            }
        ),
        ("expiry-mismatch", { $0.edit = { $0.expiryUnix -= 300 } }),
        ("invoice-lives-too-long", { $0.invoice.expirySeconds = 90_000 }),
        ("too-late", { $0.edit = { $0.notAfterUnix = 1 } }),
        ("final-cltv", { $0.invoice.finalCLTVDelta = 2_000 }),
        (
            "per-payment-limit",
            {
                $0.ceiling = MilliSatoshi(msat: 11_000)
                $0.invoice.amount = MilliSatoshi(msat: 11_000)
                $0.edit = { $0.amountMsat = 11_000 }
            }
        ),
    ]

    /// Has the invoice made and writes the order to pay it.
    ///
    /// There is no field for a fee or a route: a worker has no say in either.
    private static func pay(
        _ order: Order,
        _ bob: ScriptedPeer,
        _ carol: ScriptedPeer
    ) async throws -> BusPay {
        let added = try await (order.isCarols ? carol : bob).lnd.addInvoice(order.invoice)
        let expiry = UInt64(order.invoice.expirySeconds) + UnixTime.wall.seconds
        if order.waits {
            try await eventually("the invoice has ended") { UnixTime.wall.seconds > expiry }
        }
        var pay = BusPay.with {
            $0.paymentRequest =
                order.text ?? added.paymentRequest.reveal("it is the test's own")
            $0.amountMsat = price.msat
            $0.paymentHash = Data(added.paymentHash.bytes.bytes)
            if case .hash(let hash) = order.invoice.description {
                $0.descriptionHash = Data(hash.bytes)
            } else {
                $0.descriptionHash = Data(count: 32)
            }
            $0.expiryUnix = expiry + 5
            $0.notAfterUnix = UnixTime.wall.seconds + 100
            $0.profile = "demo"
        }
        order.edit(&pay)
        return pay
    }

    private static func mainnetInvoice() throws -> String {
        let key = try #require(SecretKey(ScriptedPeer.randomBytes().bytes))
        return try InvoiceDraft(
            network: .mainnet,
            amount: price,
            timestamp: UnixTime.wall,
            paymentHash: PaymentHash(ScriptedPeer.randomBytes()),
            paymentSecret: ScriptedPeer.randomBytes(),
            description: .hash(ScriptedPeer.randomBytes()),
            expirySeconds: 100
        ).signed(with: key)
    }

    private static func effect(_ id: UInt64, _ body: BusEffect.OneOf_Body) -> BusEffect {
        .with {
            $0.id = id
            $0.body = body
        }
    }

    @Test func `no requester's worker spends more than clients and limits allow`() async throws {
        try await Market.run {
            Self.market($0)
        } _: { market in
            let before = try await market.balances()
            try await ScriptedPeer.play("bob", in: market) { bob in
                try await ScriptedPeer.play("carol", in: market) { carol in
                    try await HostileWorker.play(.requester, at: "alice", in: market) { worker in
                        let raid = Raid(market: market, worker: worker, bob: bob, carol: carol)
                        try await raid.spoilOrders()
                        #expect(try await market.calls(of: "SendPaymentV2", at: "alice") == 0)
                        try await raid.payTwice()
                        try await raid.payAfterCancel()
                        try await raid.breakRules()
                        try await raid.finishWhilePaying()
                        #expect(try await market.calls(of: "SendPaymentV2", at: "alice") == 2)
                        try await raid.overshootBudget()
                    }
                }
            }
            // Two payments, and of the flood the six that fitted with their highest fees.
            #expect(try await market.calls(of: "SendPaymentV2", at: "alice") == 8)
            try await market.expectBalancedBooks(spent: 8 * Self.price.msat, before: before)
            let after = try await market.balances()
            #expect(after["bob"]?.msat == 8 * Self.price.msat)
            #expect(after["carol"]?.msat == before["carol"]?.msat)
        }
    }

    /// The attempts, in the order of the test.
    private struct Raid: Sendable {
        let market: Market
        let worker: HostileWorker
        let bob: ScriptedPeer
        let carol: ScriptedPeer

        var bridge: BusClient {
            get async throws { try await market.network.client(of: "alice") }
        }

        func counter(_ name: String) async throws -> UInt64 {
            try await bridge.status().counters[name] ?? 0
        }

        /// A job that a client has submitted, and its first item.
        func job(_ ceiling: MilliSatoshi? = price) async throws -> (BusJobKey, BusJobItem) {
            let key = try await market.submit("hello", to: "bob", ceiling: ceiling)
            return (key, try await worker.item(of: key))
        }

        func goodPay() async throws -> BusPay { try await pay(Order(), bob, carol) }

        /// The refusal that comes back, which says why and what to change.
        func refusal(of key: BusJobKey, _ code: String) async throws -> BusJobItem {
            let item = try await worker.item(of: key)
            let refusal = try #require(item.refusal, "\(code)")
            #expect(refusal.failure.code == code)
            #expect(refusal.cause == (code == "too-late" ? .tooLate : .refused), "\(code)")
            #expect(!refusal.failure.detail.isEmpty && !refusal.failure.advice.isEmpty, "\(code)")
            return item
        }

        func spoilOrders() async throws {
            for (code, spoil) in spoiled {
                var order = Order()
                try spoil(&order)
                let (key, item) = try await job(order.ceiling)
                try await worker.answer(item, [effect(1, .pay(pay(order, bob, carol)))])
                try await worker.finish(try await refusal(of: key, code))
            }
            #expect(try await counter("payment.refused") == UInt64(spoiled.count))
        }

        /// One submission buys once, and one invoice is one job's.
        func payTwice() async throws {
            let (first, item) = try await job()
            let paid = try await goodPay()
            let both = [effect(1, .pay(paid)), effect(2, .pay(try await goodPay()))]
            try await worker.answer(item, both)
            // The second of them is refused before the first has ended, or after.
            var last = try await worker.item(of: first)
            var (isPaid, refusals) = (last.isPaid, [last.refusal])
            while !isPaid || refusals.allSatisfy({ $0 == nil }) {
                try await worker.answer(last, last.kept(of: both))
                last = try await worker.item(of: first)
                isPaid = isPaid || last.isPaid
                refusals.append(last.refusal)
            }
            #expect(refusals.compactMap { $0?.failure.code } == ["already-paying"])
            try await worker.answer(last, [effect(3, .pay(try await goodPay()))])
            try await worker.finish(try await refusal(of: first, "already-paying"))

            let (second, started) = try await job()
            try await worker.answer(started, [effect(1, .pay(paid))])
            try await worker.finish(try await refusal(of: second, "payment-hash-taken"))
        }

        /// The client's word, once taken back, is worth nothing.
        func payAfterCancel() async throws {
            let (key, item) = try await job()
            _ = try await bridge.cancel(key)
            let pays = [effect(1, .pay(try await goodPay()))]
            try await worker.answer(item, pays)
            var next = try await worker.item(of: key)
            if next.refusal == nil {
                try await worker.answer(next, next.kept(of: pays))
                next = try await worker.item(of: key)
            }
            #expect(next.refusal?.failure.code == "no-ceiling")
            try await worker.finish(next)
        }

        /// Replies that no worker may give are dropped whole, counted by name; the job is parked.
        func breakRules() async throws {
            let (owner, asked) = try await job()
            let (key, item) = try await job()
            var lease = item
            let pay = try await goodPay()
            let foul: [(String, [BusEffect])] = [
                ("reply.foreign_job_id", [effect(1, .send(request(owner.jobID)))]),
                (
                    "reply.forbidden_effect",
                    [
                        effect(1, .pay(pay)), effect(2, .startCompute(.init())),
                    ]
                ),
            ]
            for (counter, effects) in foul {
                try await worker.answer(lease, effects)
                lease = try await worker.item(of: key)
                #expect(try await self.counter(counter) == 1)
            }
            try await worker.finish(asked)
            // Somebody else's nonce, and a lease that was given back.
            try await worker.say(.job(reply(lease, [effect(1, .pay(pay))])), nonce: Data(count: 16))
            try await worker.say(.job(reply(item, [effect(1, .pay(pay))])))
            try await eventually("both are counted") {
                let counters = try await bridge.status().counters
                return counters["requester.nonces_stale"] == 1
                    && counters["requester.leases_stale"] == 1
            }
            // Neither LCP's messages of the other side nor anybody else's.
            try await worker.answer(
                lease,
                [effect(1, .pay(pay)), effect(2, .send(.with { $0.type = 42_069 }))]
            )
            try await eventually("the job is parked") {
                try await bridge.job(key).parked
            }
            #expect(try await counter("reply.forbidden_effect") == 2)
            let log = try String(
                contentsOfFile: market.network.log(of: ProcessName("alice", .bridge)),
                encoding: .utf8
            )
            #expect(log.contains("a worker's reply broke the rules"))
        }

        /// A job that wants to end ends with its money.
        func finishWhilePaying() async throws {
            try await market.control("payments", "alice", "--hang")
            let (key, item) = try await job()
            try await worker.answer(item, [effect(1, .pay(try await goodPay()))])
            try await eventually("the payment has begun") {
                try await market.calls(of: "SendPaymentV2", at: "alice") == 2
            }
            // An event for which a step can be made: the order is left out, and that is the end.
            _ = try await bridge.cancel(key)
            let last = try await worker.item(of: key)
            try await worker.finish(last)
            try await eventually("the step is on disk") {
                try await bridge.job(key).version > last.version
            }
            #expect(try await bridge.job(key).finishedUnix == 0)
            try await market.control("release", "alice")
            let paid = try await worker.item(of: key)
            #expect(paid.isPaid)
            try await worker.finish(paid)
        }

        /// Many small payments at the same time are one large one.
        func overshootBudget() async throws {
            try await market.control("payments", "alice", "--hang", "--count", "100")
            let earlier = try await counter("payment.refused")
            let refused = try await withThrowingTaskGroup(of: String?.self) { group in
                for _ in 0..<20 {
                    group.addTask {
                        let (key, item) = try await job()
                        let pays = [effect(1, .pay(try await goodPay()))]
                        try await worker.answer(item, pays)
                        var next = try await worker.item(of: key)
                        while !next.isPaid {
                            if let refusal = next.refusal { return refusal.failure.code }
                            // On its way.
                            try await worker.answer(next, next.kept(of: pays))
                            next = try await worker.item(of: key)
                        }
                        return nil
                    }
                }
                group.addTask {
                    try await eventually("all are decided") {
                        let refused = try await counter("payment.refused") - earlier
                        let begun = try await market.calls(of: "SendPaymentV2", at: "alice") - 2
                        return begun + Int(refused) == 20
                    }
                    let status = try await bridge.status()
                    // 10 of 100 sat were spent; 5 sat each, and 10 for fees until they are known.
                    #expect(status.reservedMsat == 6 * 15_000)
                    #expect(status.spentTodayMsat == status.dailyBudgetMsat)
                    try await market.control("release", "alice")
                    return nil
                }
                var codes: [String] = []
                for try await code in group { if let code { codes.append(code) } }
                return codes
            }
            #expect(refused == Array(repeating: "daily-budget", count: 14))
        }

        private func request(_ jobID: Data) -> BusSendMessage {
            .with {
                $0.type = 42_083
                $0.protocolVersion = 1
                $0.jobID = jobID
                $0.msgID = Data(ScriptedPeer.randomBytes().bytes)
            }
        }

        private func reply(_ item: BusJobItem, _ effects: [BusEffect]) -> BusJobReply {
            .with {
                $0.lease = item.lease
                $0.version = item.version
                $0.effects = effects
            }
        }
    }

    @Test func `no provider's or compute worker pays, or executes what is not paid`() async throws {
        try await Market.run {
            Self.market($0)
        } _: { market in
            let before = try await market.balances()
            let alice = try await market.network.node("alice").id
            try await ScriptedPeer.play("bob", in: market) { bob in
                let added = try await bob.lnd.addInvoice(Order().invoice)
                let pay = BusPay.with {
                    $0.paymentRequest = added.paymentRequest.reveal("it is the test's own")
                    $0.paymentHash = Data(added.paymentHash.bytes.bytes)
                    $0.amountMsat = Self.price.msat
                }
                let bridge = try await market.network.client(of: "alice")
                try await HostileWorker.play(.provider, at: "alice", in: market) { worker in
                    func ask() async throws -> BusJobItem {
                        let request = try V01.QuoteRequest(
                            taskKind: V01.llmChat,
                            input: Array("hello".utf8),
                            params: try V01.LLMChatParams(profile: "demo").encoded()
                        )
                        let envelope = ScriptedPeer.envelope(JobID(ScriptedPeer.randomBytes()))
                        try await bob.send(.quoteRequest(envelope, request), to: alice)
                        return try await worker.item()
                    }
                    // The whole reply is worth nothing; the third time the request is let go.
                    var item = try await ask()
                    for number in 1...3 {
                        try await worker.answer(item, [Self.effect(1, .pay(pay))])
                        if number < 3 { item = try await worker.item(of: item.job) }
                    }
                    let refused = try await bob.inbox.take { $0.code == .rateLimited }
                    #expect(refused.jobID?.bytes.bytes == [UInt8](item.job.jobID))
                    let status = try await bridge.status()
                    #expect(status.counters["reply.forbidden_effect"] == 3)
                    #expect(status.openJobs == 0)

                    let unpaid = try await ask()
                    let compute = BusEffect.OneOf_Body.startCompute(
                        .with { $0.taskKind = "llm.chat" }
                    )
                    try await worker.answer(unpaid, [Self.effect(1, compute)])
                    let next = try await worker.item(of: unpaid.job)
                    guard case .computeFailed(let failed)? = next.events.first?.body else {
                        Issue.record("\(next.events.count) other events")
                        return
                    }
                    #expect(failed.failure.code == "unpaid")

                    // A compute worker can't even say it: the words of a step are not understood.
                    try await HostileWorker.play(.compute, at: "alice", in: market) { computer in
                        try await computer.answer(next, [Self.effect(2, .pay(pay))])
                        try await eventually("it is dropped") {
                            try await bridge.status().counters["compute.replies_malformed"] == 1
                        }
                    }
                }
            }
            #expect(try await market.calls(of: "SendPaymentV2", at: "alice") == 0)
            try await market.expectBalancedBooks(spent: 0, before: before)
        }
    }
}
