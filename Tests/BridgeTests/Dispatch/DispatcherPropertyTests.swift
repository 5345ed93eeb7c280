import BridgeProtocol
import LCPTesting
import Testing

@testable import Bridge

@Suite(.timeLimit(.minutes(10))) struct DispatcherPropertyTests {
    /// How often the interesting things happened over all seeds.
    fileprivate struct Tally {
        var outcomes = 0
        var givenUp = 0
        var withdrawn = 0
        var kills = 0
        var lapses: UInt64 = 0
        var handedOn: UInt64 = 0
        var evictions: UInt64 = 0
        var duplicates: UInt64 = 0
    }

    private static var settings: DispatchSettings {
        var settings = DispatchSettings(role: .provider)
        settings.lease = .seconds(30)
        settings.patience = .seconds(10)
        return settings
    }

    @Test func `no order of events loses an item, gives it to two, exceeds a credit or miscounts`()
    {
        var tally = Tally()
        for seed in UInt64(0)..<300 {
            var fleet = Fleet(settings: Self.settings, seed: seed)
            var choices = SeededGenerator(seed: seed &+ 1_000_000)
            var nextOrder: UInt64 = 0
            for _ in 0..<150 { step(&fleet, &choices, &nextOrder, &tally) }
            // In the end everybody goes, and one good worker does the rest.
            for connection in fleet.workers.keys.sorted() { fleet.kill(connection) }
            let last = fleet.join(capacity: 8)
            for _ in 0..<1_000 where !fleet.open.isEmpty {
                fleet.answer(last)
                // What waits for its third attempt comes within seconds.
                if fleet.workers[last]?.leases.isEmpty == true { fleet.advance(by: .seconds(2)) }
            }
            #expect(fleet.violations == [], "seed \(seed)")
            #expect(fleet.open.isEmpty, "seed \(seed): lost")
            let ended = fleet.outcomes + fleet.givenUp
            #expect(Set(ended).count == ended.count, "seed \(seed): ended twice")
            #expect(fleet.dispatcher.orders.isEmpty, "seed \(seed)")
            #expect(fleet.dispatcher.queued == 0, "seed \(seed)")
            #expect(fleet.dispatcher.current.isEmpty && fleet.dispatcher.behind.isEmpty)
            #expect(fleet.dispatcher.queues.isEmpty, "seed \(seed)")
            tally.add(fleet)
        }
        // Each of these must have happened, or the run proved less than it says.
        #expect(tally.outcomes > 1_000)
        #expect(tally.givenUp > 50)
        #expect(tally.withdrawn > 50)
        #expect(tally.kills > 50)
        #expect(tally.lapses > 50)
        #expect(tally.handedOn > 50)
        #expect(tally.evictions > 50)
        #expect(tally.duplicates > 50)
    }

    private func step(
        _ fleet: inout Fleet,
        _ choices: inout SeededGenerator,
        _ nextOrder: inout UInt64,
        _ tally: inout Tally
    ) {
        let anybody = fleet.workers.keys.sorted().randomElement(using: &choices)
        switch Int.random(in: 0..<20, using: &choices) {
        case 0...4:
            nextOrder += 1
            fleet.order(nextOrder, job: Order.job(Int.random(in: 0..<12, using: &choices)))
        case 5:
            tally.withdrawn += 1
            fleet.withdraw(UInt64.random(in: 0...nextOrder, using: &choices))
        case 6 where fleet.workers.count < 6:
            // Sometimes a second process with an id that is taken.
            let id = Bool.random(using: &choices) ? anybody.flatMap { fleet.workers[$0]?.id } : nil
            _ = fleet.connect(id)
        case 7:
            guard let anybody else { return }
            tally.kills += 1
            fleet.kill(anybody)
        case 8: if let anybody { fleet.goodbye(anybody) }
        case 9...10: if let anybody { fleet.fail(anybody, at: position(&choices)) }
        case 11: if let anybody { fleet.progress(anybody, at: position(&choices)) }
        case 12...15: if let anybody { fleet.answer(anybody, at: position(&choices)) }
        case 16:
            if Bool.random(using: &choices) { fleet.repeatStaleReply(&choices) }
            if let anybody, let id = fleet.workers[anybody]?.id { fleet.handle(.unclear(id)) }
        case 17: fleet.advance(by: .seconds(Int.random(in: 0...20, using: &choices)))
        default:
            guard let anybody else { return }
            fleet.hello(
                anybody,
                capacity: Int.random(in: 0...5, using: &choices),
                concurrency: Int.random(in: 0...3, using: &choices)
            )
        }
    }

    private func position(_ choices: inout SeededGenerator) -> Int {
        Int.random(in: 0..<3, using: &choices)
    }

    @Test func `the same events give the same actions`() {
        func run() -> [String] {
            var fleet = Fleet(settings: Self.settings, seed: 5)
            fleet.now = Self.origin
            var choices = SeededGenerator(seed: 6)
            var nextOrder: UInt64 = 0
            var tally = Tally()
            var log: [String] = []
            for _ in 0..<300 {
                step(&fleet, &choices, &nextOrder, &tally)
                log += fleet.actions.map { "\($0)" }
            }
            return log
        }
        let log = run()
        #expect(log == run())
        #expect(log.contains { $0.contains("send") })
    }

    private static let origin = ContinuousClock.now
}

extension DispatcherPropertyTests.Tally {
    fileprivate mutating func add(_ fleet: Fleet) {
        let counts = fleet.dispatcher.counts
        outcomes += fleet.outcomes.count
        givenUp += fleet.givenUp.count
        lapses += counts[.leasesLapsed] ?? 0
        handedOn += counts[.itemsHandedOn] ?? 0
        evictions += counts[.workersEvicted] ?? 0
        duplicates += counts[.duplicatesRefused] ?? 0
    }
}
