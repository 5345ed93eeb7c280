import BridgeProtocol
import BusClient
import LightningTypes
import SwiftProtobuf
import Synchronization
import Testing

@testable import Gateway

@Suite struct RetryTests {
    private func identity(
        _ bearer: String = "t",
        _ name: String? = nil,
        _ count: Int = 0,
        _ body: String = "{}"
    ) -> RetryIdentity {
        RetryIdentity(
            bearer: Redacted(Array(bearer.utf8)),
            idempotencyKey: name,
            retryCount: count,
            body: Array(body.utf8)
        )
    }

    @Test func `the bearer, the name or the body tell purchases apart`() {
        let now = UnixTime(seconds: 1_800_000_000)
        let keys = [
            identity(), identity("u"), identity("t", "n"), identity("u", "n"), identity("t", "m"),
            identity("t", nil, 0, "[]"),
        ]
        .map { $0.series(at: now)[0].key(0) }
        #expect(Set(keys).count == keys.count)
        // The name alone, without the body, so that another body is noticed.
        #expect(identity("t", "n").base == identity("t", "n", 0, "[]").base)
        #expect(identity("t", "n").body != identity("t", "n", 0, "[]").body)
        #expect(identity("t", nil, 1).base == identity().base)
        #expect(identity("t", nil, 1).takesUp && identity("t", "n").takesUp)
        #expect(!identity().takesUp)
    }

    @Test func `a repetition finds its series for an hour, a name for ever`() {
        let series = identity().series(at: UnixTime(seconds: 3_599))
        let later = identity().series(at: UnixTime(seconds: 7_199))
        #expect(later.last == series[0])
        #expect(!identity().series(at: UnixTime(seconds: 7_200)).contains(series[0]))
        let named = identity("t", "n")
        #expect(named.series(at: .init(seconds: 0)) == named.series(at: .init(seconds: 1 << 40)))
    }

    @Test(arguments: [0, 1, 2, 3, 4, 7, 8, 9, 1_000] as [UInt64])
    func `the end of a series is found by asking for one at a time`(_ count: UInt64) async throws {
        let questions = Mutex(0)
        let found = try await PurchaseSeries.count { number in
            questions.withLock { $0 += 1 }
            return number < count
        }
        #expect(found == count)
        #expect(questions.withLock { $0 } <= 22)
    }

    // MARK: - One purchase and its clients

    private func job(_ stage: BusJobStage) -> BusJob {
        .with {
            $0.key.jobID.append(contentsOf: Array(repeating: 7, count: 32))
            $0.view.stage = stage
        }
    }

    @Test func `the last client to go before the payment takes the job with it, once`() throws {
        let withdrawn = Mutex(0)
        let purchase = Purchase(key: .random(), body: .zero) { _ in
            withdrawn.withLock { $0 += 1 }
        }
        let (first, second) = (try #require(purchase.join()), try #require(purchase.join()))
        #expect(purchase.note(job(.quoting)))
        first.leave()
        first.leave()
        #expect(withdrawn.withLock { $0 } == 0)
        second.leave()
        #expect(withdrawn.withLock { $0 } == 1)
        #expect(purchase.join() == nil)
        #expect(!purchase.beginPaying(job(.quoted)))
        #expect(!purchase.note(job(.quoted)))
    }

    @Test func `a job that comes after the last client has gone is given up, once`() throws {
        let withdrawn = Mutex<[BusJobKey]>([])
        let purchase = Purchase(key: .random(), body: .zero) { job in
            withdrawn.withLock { $0.append(job) }
        }
        try #require(purchase.join()).leave()
        #expect(withdrawn.withLock { $0 }.isEmpty, "there is nothing to give up")
        #expect(!purchase.note(job(.quoting)))
        #expect(!purchase.note(job(.quoted)))
        #expect(withdrawn.withLock { $0 } == [job(.quoting).key])
    }

    @Test func `a payment that overtakes the withdrawal is worth waiting for`() async throws {
        let purchase = Purchase(key: .random(), body: .zero) { _ in }
        try #require(purchase.join()).leave()
        #expect(purchase.join() == nil)
        #expect(purchase.claim(at: .now) == .none)
        async let isResolved = purchase.isResolved()
        purchase.notePayment(job(.paying))
        #expect(await isResolved)
        #expect(purchase.claim(at: .now) == .wanted)
        var news = try #require(purchase.join()).news.makeAsyncIterator()
        guard case .paying = await news.next() else {
            Issue.record("it does not say that it is paid")
            return
        }
    }

    @Test func `whether a withdrawal came in time is not waited for without end`() async throws {
        let purchase = Purchase(key: .random(), body: .zero) { _ in
            Issue.record("it was withdrawn twice")
        }
        let withdrawn = Purchase(key: .random(), body: .zero) { _ in }
        try #require(withdrawn.join()).leave()
        async let isResolved = withdrawn.isResolved()
        while withdrawn.clients == 0 { await Task.yield() }
        for _ in 0..<3 { withdrawn.tick() }
        #expect(await !isResolved)
        #expect(await purchase.isResolved(), "nobody has withdrawn it")
    }

    @Test func `after the payment began it goes on alone, and waits for a repetition`() async throws
    {
        let purchase = Purchase(key: .random(), body: .zero) { _ in
            Issue.record("it was withdrawn")
        }
        let first = try #require(purchase.join())
        #expect(purchase.claim(at: .now) == .shared)
        #expect(purchase.beginPaying(job(.quoted)))
        first.leave()
        #expect(purchase.claim(at: .now) == .wanted)
        purchase.end(PurchaseEnding(job: job(.done), isUnpaid: false))
        #expect(purchase.claim(at: .now) == .wanted)
        let again = try #require(purchase.join())
        var news = again.news.makeAsyncIterator()
        guard case .ended(let ending) = await news.next() else {
            Issue.record("it does not say that it ended")
            return
        }
        #expect(ending.job?.view.stage == .done)
        again.leave(isDelivered: true)
        // The client may have given up just then, and take minutes until it asks again.
        #expect(purchase.claim(at: .now) == .shared)
        #expect(purchase.claim(at: .now + .seconds(890)) == .shared)
        #expect(!purchase.isForgotten(at: .now + .seconds(890)))
        #expect(purchase.claim(at: .now + .seconds(901)) == .none)
        #expect(purchase.isForgotten(at: .now + .seconds(901)))
    }

    @Test func `from the moment that the bridge may pay, no other try is advised`() throws {
        func purchase() -> Purchase { Purchase(key: .random(), body: .zero) { _ in } }
        func heard(_ purchase: Purchase) -> Refusal? {
            purchase.leftAlone(because: .stopping)?.refusal
        }
        let waiting = purchase()
        #expect(heard(waiting) == .stopping)
        #expect(waiting.note(job(.quoted)))
        #expect(heard(waiting) == .stopping, "nobody has agreed to the price")
        // The acceptance is on its way; the bridge has not told of it.
        #expect(waiting.beginPaying(job(.quoted)))
        #expect(heard(waiting) == .takesLong)
        let agreed = purchase()
        agreed.note(isAgreed: true)
        #expect(heard(agreed) == .undecided)
        try #require(agreed.join()).leave()
        #expect(heard(agreed) == .undecided, "the withdrawal may come too late")
        agreed.notePayment(job(.paying))
        #expect(heard(agreed) == .takesLong)
        agreed.end(PurchaseEnding(job: job(.done), isUnpaid: false))
        #expect(heard(agreed) == nil)
        #expect([Refusal.takesLong, .undecided].allSatisfy { $0.retry == .paid })
    }

    @Test func `what was never paid is nobody's, and what nobody fetched is so after a while`() {
        let unpaid = Purchase(key: .random(), body: .zero) { _ in }
        unpaid.end(PurchaseEnding(job: job(.failed), refusal: .defect, isUnpaid: true))
        #expect(unpaid.claim(at: .now) == .none)
        let paid = Purchase(key: .random(), body: .zero) { _ in }
        paid.end(PurchaseEnding(job: job(.done), isUnpaid: false))
        #expect(paid.claim(at: .now) == .wanted)
        #expect(paid.claim(at: .now + .seconds(901)) == .none)
    }
}
