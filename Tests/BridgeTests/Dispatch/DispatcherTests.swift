import BridgeProtocol
import LightningTypes
import Testing
import ZeroMQ

@testable import Bridge

@Suite struct DispatcherTests {
    private static func fleet(_ adjust: (inout DispatchSettings) -> Void = { _ in }) -> Fleet {
        var settings = DispatchSettings(role: .provider)
        adjust(&settings)
        return Fleet(settings: settings, seed: 1)
    }

    /// Which orders a connection holds.
    private func orders(_ fleet: Fleet, _ connection: UInt64) -> [UInt64] {
        fleet.workers[connection]?.leases.map(\.order) ?? []
    }

    @Test func `the items of a dead worker go out before what waited behind them, in their order`()
    {
        var fleet = Self.fleet()
        let dying = fleet.join(capacity: 3, concurrency: 1)
        for id in UInt64(1)...5 { fleet.order(id, job: Order.job(Int(id))) }
        #expect(orders(fleet, dying) == [1, 2, 3])
        fleet.kill(dying)
        let next = fleet.join(capacity: 9)
        #expect(orders(fleet, next) == [1, 2, 3, 4, 5])
        #expect(fleet.violations == [])
    }

    @Test func `an item that failed waits for a busy worker rather than go back to its own`() {
        var fleet = Self.fleet()
        let bad = fleet.join(capacity: 1)
        let good = fleet.join(capacity: 1)
        fleet.order(1, job: Order.job(1))
        fleet.order(2, job: Order.job(2))
        #expect(orders(fleet, bad) == [1])
        #expect(orders(fleet, good) == [2])
        fleet.fail(bad)
        #expect(orders(fleet, bad) == [])
        // Others may pass it meanwhile.
        fleet.order(3, job: Order.job(3))
        #expect(orders(fleet, bad) == [3])
        fleet.answer(good)
        #expect(orders(fleet, good) == [1])
    }

    @Test func `an item that failed goes back to its worker when there is no other`() {
        var fleet = Self.fleet()
        let only = fleet.join(capacity: 1)
        let leaving = fleet.join(capacity: 1)
        fleet.goodbye(leaving)
        fleet.order(1, job: Order.job(1))
        fleet.fail(only)
        #expect(orders(fleet, only) == [1])
        #expect(fleet.violations == [])
    }

    @Test func `the second attempt comes at once, the third after a wait that doubles`() throws {
        var fleet = Self.fleet {
            $0.retryDelay = .seconds(1)
            $0.maximumAttempts = 5
            $0.failuresBeforeProbing = 9
        }
        let only = fleet.join(capacity: 1)
        fleet.order(1, job: Order.job(1))
        fleet.fail(only)
        #expect(orders(fleet, only) == [1])
        for delay in [1, 2, 4] {
            fleet.fail(only)
            guard delay < 4 else { break }
            fleet.advance(by: .seconds(delay) - .milliseconds(1))
            #expect(orders(fleet, only) == [], "too early by a millisecond: \(delay) s")
            fleet.advance(by: .milliseconds(1))
            #expect(orders(fleet, only) == [1])
        }
        #expect(fleet.dispatcher.settings.delay(afterFailures: 60) == .seconds(30))
    }

    @Test func `a lease lapses at its end and not a millisecond before`() {
        var fleet = Self.fleet()
        let worker = fleet.join()
        fleet.order(1, job: Order.job(1))
        fleet.advance(by: .seconds(20))
        fleet.progress(worker)
        fleet.advance(by: .seconds(30) - .milliseconds(1))
        #expect(orders(fleet, worker) == [1])
        fleet.advance(by: .milliseconds(1))
        #expect(orders(fleet, worker) == [])
        #expect(fleet.dispatcher.counts[.attemptsFailed] == 1)
    }

    @Test func `an item behind others keeps its lease while its worker moves on`() {
        var fleet = Self.fleet { $0.handlingLimit = .seconds(600) }
        let worker = fleet.join(capacity: 3, concurrency: 1)
        for id in UInt64(1)...3 { fleet.order(id, job: Order.job(Int(id))) }
        for _ in 0..<4 {
            fleet.advance(by: .seconds(20))
            fleet.progress(worker)
        }
        #expect(orders(fleet, worker) == [1, 2, 3])
        fleet.answer(worker)
        fleet.advance(by: .seconds(20))
        // The second is being handled since, the third still waits.
        fleet.advance(by: .seconds(10))
        #expect(orders(fleet, worker) == [])
        #expect(fleet.dispatcher.counts[.attemptsFailed] == 1)
        #expect(fleet.dispatcher.counts[.itemsHandedOn] == 1)
    }

    @Test func `a worker that stopped loses everything and is back with a Hello`() {
        var fleet = Self.fleet()
        let stopped = fleet.join(capacity: 4, concurrency: 1)
        for id in UInt64(1)...2 { fleet.order(id, job: Order.job(Int(id))) }
        fleet.advance(by: .seconds(30))
        #expect(orders(fleet, stopped) == [])
        // Not even a probe goes to it before it has answered.
        fleet.advance(by: .seconds(10))
        #expect(fleet.dispatcher.counts[.workersEvicted] == 1)
        #expect(fleet.dispatcher.members.isEmpty)
        #expect(fleet.dispatcher.queued == 2)
        fleet.hello(stopped)
        #expect(orders(fleet, stopped) == [1, 2])
        #expect(fleet.violations == [])
    }

    @Test func `a worker that failed three in a row gets one at a time until one succeeds`() {
        var fleet = Self.fleet { $0.maximumAttempts = 9 }
        let worker = fleet.join(capacity: 3)
        for id in UInt64(1)...5 { fleet.order(id, job: Order.job(Int(id))) }
        for _ in 0..<3 { fleet.fail(worker) }
        #expect(orders(fleet, worker).count == 2, "what it had it keeps")
        fleet.answer(worker)
        #expect(orders(fleet, worker).count == 3, "a success ends it")
        for _ in 0..<5 { fleet.fail(worker) }
        #expect(orders(fleet, worker).count == 1)
        // Not even an eviction makes it a fresh one.
        fleet.advance(by: .seconds(40))
        fleet.hello(worker)
        #expect(orders(fleet, worker).count == 1)
        fleet.answer(worker)
        #expect(orders(fleet, worker).count == 3)
        #expect(fleet.violations == [])
    }

    @Test func `what waits longest goes first, whatever capability it needs`() {
        var fleet = Self.fleet()
        let kinds = ["a", "b"].map { BusCapability.kind($0) }
        for id in UInt64(1)...4 {
            let capability = Capability(kinds[Int(id % 2)])
            fleet.order(id, job: Order.job(Int(id)), capability: capability)
        }
        let worker = fleet.join(capacity: 4, can: kinds)
        #expect(orders(fleet, worker) == [1, 2, 3, 4])
    }

    @Test func `load is measured by what a worker does at a time`() {
        var fleet = Self.fleet()
        let narrow = fleet.join(capacity: 8, concurrency: 1)
        let wide = fleet.join(capacity: 8, concurrency: 4)
        for id in UInt64(1)...5 { fleet.order(id, job: Order.job(Int(id))) }
        #expect(orders(fleet, narrow).count == 1)
        #expect(orders(fleet, wide).count == 4)
    }

    @Test func `a capacity above the bound is cut to it`() {
        var fleet = Self.fleet { $0.maximumCapacity = 2 }
        let worker = fleet.join(capacity: 1_000_000)
        for id in UInt64(1)...5 { fleet.order(id, job: Order.job(Int(id))) }
        #expect(orders(fleet, worker).count == 2)
    }

    @Test func `a reply that came with another key is dropped`() throws {
        let keys = [try CurveKeyPair().publicKey, try CurveKeyPair().publicKey]
        var fleet = Self.fleet()
        let id = WorkerID.random()
        var actions = fleet.dispatcher.handle(
            .connected(1, id, key: keys[0]),
            at: fleet.now,
            using: &fleet.random
        )
        guard case .welcome(1, let nonce) = try #require(actions.first) else {
            throw ScriptedWorker.NotExpected()
        }
        let greeting = Greeting(
            program: "",
            capacity: 1,
            concurrency: 0,
            capabilities: [],
            at: .init(seconds: 0)
        )
        for key in [keys[1], nil] {
            actions = fleet.dispatcher.handle(
                .said(.hello(greeting), by: .init(worker: id, nonce: nonce, key: key)),
                at: fleet.now,
                using: &fleet.random
            )
            #expect(fleet.dispatcher.members.isEmpty)
        }
        #expect(fleet.dispatcher.counts[.noncesStale] == 2)
        actions = fleet.dispatcher.handle(
            .said(.hello(greeting), by: .init(worker: id, nonce: nonce, key: keys[0])),
            at: fleet.now,
            using: &fleet.random
        )
        #expect(fleet.dispatcher.members.count == 1)
    }

    @Test func `a worker of another version of LCP gets no step`() {
        var fleet = Self.fleet()
        let newer = fleet.join(speaksVersion: false)
        fleet.order(1, job: Order.job(1))
        #expect(orders(fleet, newer).isEmpty && fleet.dispatcher.queued == 1)
        let ours = fleet.join()
        #expect(orders(fleet, newer).isEmpty && orders(fleet, ours).count == 1)
    }

    @Test func `withdrawn orders leave nothing behind, however many`() {
        var fleet = Self.fleet()
        for id in UInt64(1)...1_000 { fleet.order(id, job: Order.job(Int(id % 50))) }
        for id in UInt64(1)...1_000 where id % 7 != 0 { fleet.withdraw(id) }
        #expect(fleet.dispatcher.queued == 142)
        for id in UInt64(1)...1_000 { fleet.withdraw(id) }
        #expect(fleet.dispatcher.orders.isEmpty)
        #expect(fleet.dispatcher.queues.isEmpty)
        #expect(fleet.dispatcher.current.isEmpty)
        #expect(fleet.dispatcher.behind.isEmpty)
    }
}
