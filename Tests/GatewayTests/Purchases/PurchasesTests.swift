import BridgeProtocol
import BusClient
import Foundation
import LightningTypes
import Logging
import OpenAIChat
import ScriptedBridge
import SwiftProtobuf
import Synchronization
import Testing

@testable import Gateway

/// Purchases before a scripted bridge: what is asked of it, and what a repetition finds.
@Suite(.timeLimit(.minutes(2))) struct PurchasesTests {
    /// The wall clock of a test.
    private final class Clock: Sendable {
        let seconds = Mutex<UInt64>(1_800_000_000)
    }

    private static func with(
        _ clock: Clock = Clock(),
        limits: PurchaseLimits = PurchaseLimits(),
        keys: KeyRing? = nil,
        before: @escaping @Sendable (BusClient, ScriptedBridge) async throws -> Void = { _, _ in },
        _ body: @escaping @Sendable (Purchases, ScriptedBridge) async throws -> Void
    ) async throws {
        let directory = "/tmp/lcp-buy-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(
            atPath: directory,
            withIntermediateDirectories: true
        )
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let bridge = try await ScriptedBridge(in: directory)
        let client = try await BusClient(directory: directory)
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let purchases = Purchases(
            client: client,
            keys: keys ?? .openToEverybody(logger: logger),
            routes: ModelRoutes(),
            limits: limits,
            logger: logger,
            clock: { UnixTime(seconds: clock.seconds.withLock { $0 }) }
        )
        try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                try? await bridge.run()
                return false
            }
            group.addTask {
                try await client.run()
                return false
            }
            try await before(client, bridge)
            group.addTask {
                try await purchases.run()
                return false
            }
            group.addTask {
                try await body(purchases, bridge)
                return true
            }
            while try await group.next() == false {}
            group.cancelAll()
            while await group.nextResult() != nil {}
        }
        await bridge.stop()
    }

    private static func request(
        _ plot: Plot,
        _ prompt: String = "Hello?",
        name: String? = nil,
        retry: Int = 0
    ) throws -> PurchaseRequest {
        let body = Data(
            #"{"model":"\#(plot)","messages":[{"role":"user","content":"\#(prompt)"}]}"#.utf8
        )
        return PurchaseRequest(
            identity: RetryIdentity(
                bearer: Redacted([]),
                idempotencyKey: name,
                retryCount: retry,
                body: Array(body)
            ),
            order: try ChatOrder(ChatJSON.decode(ChatRequest.self, from: body)),
            account: .anyone
        )
    }

    private static func ending(_ ticket: PurchaseTicket) async throws -> PurchaseEnding {
        for await news in ticket.news { if case .ended(let ending) = news { return ending } }
        throw CancellationError()
    }

    @Test func `a request costs the bridge what a bare job does, and no question besides`()
        async throws
    {
        try await Self.with { purchases, bridge in
            for number in 0..<10 {
                // The same one twice is two purchases.
                let request = try Self.request(.echo, "\(number % 9)")
                let ending = try await Self.ending(try await purchases.open(request))
                #expect(ending.job?.view.stage == .done && ending.refusal == nil)
            }
            #expect(await bridge.orders("submit") == 10)
            #expect(await bridge.orders("findJob") == 0)
            #expect(await bridge.orders("accept") == 0)
        }
    }

    @Test func `what a process before this one has bought is asked for until the quarter is over`()
        async throws
    {
        let clock = Clock()
        try await Self.with(clock) { client, _ in
            _ = try await client.submit(Self.request(.echo, "earlier").firstSubmission())
        } _: { purchases, bridge in
            for prompt in ["earlier", "new"] {
                let request = try Self.request(.echo, prompt)
                let ending = try await Self.ending(try await purchases.open(request))
                #expect(ending.job?.view.stage == .done && ending.refusal == nil)
            }
            // Three jobs: the earlier one was not taken for the request that looks like its own.
            #expect(await bridge.orders("submit") == 3)
            // Numbers 0 and 1 of the first, number 0 of the second.
            #expect(await bridge.orders("findJob") == 3)
            clock.seconds.withLock { $0 += 900 }
            _ = try await Self.ending(try await purchases.open(try Self.request(.echo, "last")))
            #expect(await bridge.orders("findJob") == 3)
        }
    }

    @Test func `one question without conditions tells whether anybody has bought lately`()
        async throws
    {
        let clock = Clock()
        // Two windows after the only job that there is.
        clock.seconds.withLock { $0 += 1_800 }
        try await Self.with(clock) { client, _ in
            _ = try await client.submit(Self.request(.echo, "earlier").firstSubmission())
        } _: { purchases, bridge in
            _ = try await Self.ending(try await purchases.open(try Self.request(.echo)))
            #expect(await bridge.orders("findJob") == 0, "it is too old")
            let list = await bridge.market.lists
            #expect(list == [.with { $0.limit = 1 }], "the journal has no index for more")
        }
    }

    @Test func `a request does not fail for want of an answer about others`() async throws {
        try await Self.with { _, bridge in
            await bridge.refuse(1_000, "listJobs")
        } _: { purchases, bridge in
            let ending = try await Self.ending(try await purchases.open(try Self.request(.echo)))
            #expect(ending.job?.view.stage == .done)
            #expect(await bridge.orders("findJob") == 1, "it has asked for its own number")
        }
    }

    @Test func `what the bridge no longer keeps is no hindrance unless it has a name`()
        async throws
    {
        let clock = Clock()
        try await Self.with(clock) { purchases, bridge in
            // A quarter before this process was started.
            let early = UnixTime(seconds: clock.seconds.withLock { $0 } - 900)
            let (request, named) = (
                try Self.request(.echo, retry: 1), try Self.request(.echo, name: "a")
            )
            let keys = [request.identity.series(at: early)[0], named.identity.series(at: early)[0]]
                .map { Data($0.key(0).bytes) }
            await bridge.arrange { $0.prunedKeys = Set(keys) }
            let ending = try await Self.ending(try await purchases.open(request))
            #expect(ending.job?.view.stage == .done)
            await #expect { try await purchases.open(named) } throws: {
                ($0 as? Refusal)?.error.code == "result_expired"
            }
        }
    }

    @Test func `a purchase that its client named waits for an acceptance`() async throws {
        try await Self.with { purchases, bridge in
            let request = try Self.request(.echo, name: "order 4711")
            let ending = try await Self.ending(try await purchases.open(request))
            #expect(ending.job?.view.stage == .done)
            #expect(await bridge.orders("accept") == 1)
        }
    }

    @Test func `a price above the ceiling is refused, although the quote could have been paid`()
        async throws
    {
        var limits = PurchaseLimits()
        limits.ceiling = MilliSatoshi(msat: Market.price - 1)
        try await Self.with(limits: limits) { purchases, bridge in
            let ticket = try await purchases.open(try Self.request(.echo))
            let ending = try await Self.ending(ticket)
            #expect(ending.refusal?.error.code == "price_limit")
            #expect(ending.isUnpaid)
            #expect(await bridge.orders("accept") == 0)
        }
    }

    @Test(arguments: [nil, "order 4711"])
    func `the price that was compared is the most that is paid`(_ name: String?) async throws {
        var limits = PurchaseLimits()
        limits.isCheapest = true
        try await Self.with(limits: limits) { purchases, bridge in
            await bridge.arrange {
                $0.peers.append(Data([3] + Array(repeating: 7, count: 32)))
                // Two that are compared, and the one that is to be bought.
                $0.nextPrices = [50_000, 50_000, 50_001, 50_000, 50_000, 50_000]
            }
            let raised = try await Self.ending(
                try await purchases.open(try Self.request(.echo, name: name))
            )
            #expect(raised.refusal?.error.code == "price_raised", "\(raised)")
            #expect(raised.refusal?.retry == .after(seconds: 2))
            #expect(raised.isUnpaid)
            #expect(await !bridge.market.changed.contains { $0.view.stage == .paying })
            // The repetition asks the other one first.
            let again = try await purchases.open(try Self.request(.echo, name: name, retry: 1))
            let bought = try await Self.ending(again)
            #expect(bought.job?.view.priceMsat == 50_000, "\(bought)")
            #expect(bought.job?.view.stage == .done)
            #expect(bought.job?.key.peer != raised.job?.key.peer)
        }
    }

    @Test func `what is paid although everybody has left waits for its repetition`() async throws {
        try await Self.with { purchases, bridge in
            // Neither the cancellation nor the end of the quoting comes through at first.
            await bridge.ignore(1_000, "cancel")
            let ticket = try await purchases.open(try Self.request(.silent))
            while await bridge.orders("submit") == 0 { await Task.yield() }
            while ticket.purchase.job == nil { await Task.yield() }
            ticket.leave()
            #expect(ticket.purchase.join() == nil, "it is withdrawn")
            let again = try Self.request(.silent, retry: 1)
            let repetition = Task { try await purchases.open(again) }
            let job = try #require(await bridge.market.jobs.first)
            try await bridge.change(job.key.jobID) {
                $0.view.stage = .paying
                $0.view.priceMsat = Market.price
            }
            let place = try await repetition.value
            #expect(place.purchase.key == ticket.purchase.key, "nothing else is bought")
            try await bridge.change(job.key.jobID) {
                $0.view.stage = .done
                $0.view.paidUnix = 1_800_000_002
            }
            #expect(try await Self.ending(place).job?.view.stage == .done)
            #expect(await bridge.orders("submit") == 1)
        }
    }

    @Test func `a repetition after a withdrawal that came in time is another purchase`()
        async throws
    {
        try await Self.with { purchases, bridge in
            let ticket = try await purchases.open(try Self.request(.silent))
            while ticket.purchase.job == nil { await Task.yield() }
            ticket.leave()
            let place = try await purchases.open(try Self.request(.silent, retry: 1))
            #expect(place.purchase.key != ticket.purchase.key)
            #expect(ticket.purchase.ending?.isUnpaid == true)
        }
    }

    @Test(arguments: [false, true])
    func `a withdrawal that the bridge did not take is repeated`(_ isEarly: Bool) async throws {
        try await Self.with { purchases, bridge in
            await bridge.refuse(2, "cancel")
            let ticket = try await purchases.open(try Self.request(.silent))
            while !isEarly, ticket.purchase.job == nil { await Task.yield() }
            ticket.leave()
            #expect(await ticket.purchase.isResolved())
            #expect(ticket.purchase.ending?.job?.view.stage == .cancelled)
            #expect(await bridge.count("cancel") > 2)
        }
    }

    @Test(arguments: [0, 900] as [UInt64])
    func `a repetition finds what was forgotten for want of room`(_ later: UInt64) async throws {
        let clock = Clock()
        var limits = PurchaseLimits()
        limits.remembered = 1
        try await Self.with(clock, limits: limits) { purchases, bridge in
            // Near the end of a quarter.
            let start = later + 800
            clock.seconds.withLock { $0 += start }
            var keys: [String: SubmissionKey] = [:]
            for prompt in ["a", "b"] {
                let ticket = try await purchases.open(try Self.request(.echo, prompt))
                let ending = try await Self.ending(ticket)
                ticket.leave(isDelivered: true)
                keys[prompt] = ticket.purchase.key
                let job = try #require(ending.job?.key.jobID)
                try await bridge.change(job) { $0.view.endedUnix += start }
            }
            #expect(await bridge.orders("findJob") == 0)
            // Once in the same quarter, and once in the next, when even their numbers are forgotten.
            for round in 0..<2 {
                for prompt in ["a", "b"] {
                    let place = try await purchases.open(
                        try Self.request(.echo, prompt, retry: 1)
                    )
                    #expect(place.purchase.key == keys[prompt], "\(prompt) \(round)")
                    #expect(try await Self.ending(place).job?.view.stage == .done)
                    place.leave(isDelivered: true)
                }
                clock.seconds.withLock { $0 += 200 }
                await purchases.lookAround()
            }
            #expect(await bridge.orders("submit") == 2)
            #expect(await bridge.orders("findJob") > 0)
            // A new one asks for nothing all the same.
            let questions = await bridge.count("findJob")
            _ = try await Self.ending(try await purchases.open(try Self.request(.echo, "c")))
            #expect(await bridge.count("findJob") == questions)
        }
    }

    @Test func `those that have ended are taken in their order`() {
        let series = PurchaseSeries(.zero, window: 0)
        var ended = EndedPurchases()
        var (put, taken): (UInt64, UInt64) = (0, 0)
        for round in 1..<100 {
            for _ in 0..<round % 7 {
                ended.append(.init(series: series, number: put))
                put += 1
            }
            for _ in 0..<round % 5 {
                guard let place = ended.takeOldest() else { continue }
                #expect(place.number == taken)
                taken += 1
            }
            #expect(ended.count == Int(put - taken))
        }
        #expect(taken > 100 && ended.count > 10)
    }

    @Test func `an order that the bridge took without an answer is found and followed`()
        async throws
    {
        try await Self.with { purchases, bridge in
            // The first answer is lost; the order is there all the same.
            let request = try Self.request(.echo)
            let key = request.identity.series(at: UnixTime(seconds: 1_800_000_000))[0].key(0)
            await bridge.ignore(1, "submit")
            let ticket = try await purchases.open(request)
            #expect(ticket.purchase.key == key)
            #expect(try await Self.ending(ticket).job?.view.stage == .done)
            #expect(await bridge.orders("submit") == 1)
        }
    }
}

extension PurchaseRequest {
    /// What a process that was started in the same quarter of an hour submits first for it.
    fileprivate func firstSubmission() throws -> JobSubmission {
        let series = identity.series(at: UnixTime(seconds: 1_800_000_000))[0]
        let peer = try #require(NodeID(Market.peer))
        return try submission(
            to: ModelRoutes.Candidate(peer: peer, profile: order.model, payloadBytes: 16_384),
            as: series.key(0)
        )
    }
}
