import BridgeProtocol
import BusClient
import Glibc
import LightningTypes
import LocalNetwork
import Synchronization
import Testing

/// Processes that come and go while jobs are bought.
@Suite(.timeLimit(.minutes(30))) struct RollingTests {
    @Test func `every process is restarted in turn, and no job is lost or fails`() async throws {
        try await Market.run { _ in
            .market(requesters: 2, providers: 2, computes: 2)
        } _: { market in
            let before = try await market.balances()
            let names = await market.network.processes.map(\.name).filter { $0.role != .simnet }
            #expect(names.count == 8)
            let spent = try await market.buying {
                for name in names { try await market.network.restart(name) }
            }
            try await market.expectBalancedBooks(spent: spent, before: before)
        }
    }

    @Test func `whoever asks a bridge all the time never hears of its restarts`() async throws {
        try await Market.run { market in
            let key = try await market.submit("asked for again and again")
            #expect(try await market.end(of: key).view.stage == .done)
            let buyer = try await market.network.client(of: "alice")
            let flag = Flag()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        while !flag.isSet.withLock({ $0 }) {
                            _ = try await buyer.result(of: key)
                            _ = try await buyer.ledger(limit: 1)
                        }
                    }
                }
                group.addTask {
                    defer { flag.isSet.withLock { $0 = true } }
                    for _ in 0..<4 {
                        try await market.network.restart(ProcessName("alice", .bridge))
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test func `provider workers are added and taken away, and no job notices`() async throws {
        try await Market.run { market in
            let before = try await market.balances()
            let seller = try await market.network.client(of: "bob")
            @Sendable func provider(_ number: Int) -> ProcessName {
                ProcessName("bob", .provider, number)
            }
            let spent = try await market.buying {
                for number in 2...4 {
                    try await market.network.start(provider(number))
                    try await eventually("\(number) are there") {
                        try await seller.workers().count { $0.role == .provider } == number
                    }
                }
                // Each of them gets some of the work.
                try await eventually("all have worked") {
                    try await seller.workers().allSatisfy { $0.role != .provider || $0.done > 0 }
                }
                for number in 1...3 {
                    let process = await market.network.process(provider(number))
                    process?.signal(SIGTERM)
                    #expect(await process?.wait() == .exited(0))
                }
            }
            #expect(try await seller.workers().count { $0.role == .provider } == 1)
            try await market.expectBalancedBooks(spent: spent, before: before)
        }
    }
}

extension Market {
    /// Buys jobs, four at a time, for as long as a closure runs; each must be answered.
    ///
    /// - Returns: What all of them cost.
    fileprivate func buying(_ body: @escaping @Sendable () async throws -> Void) async throws
        -> UInt64
    {
        let flag = Flag()
        return try await withThrowingTaskGroup(of: UInt64.self) { group in
            for buyer in 0..<4 {
                group.addTask {
                    var spent: UInt64 = 0
                    var number = 0
                    repeat {
                        let job = try await end(of: submit("job \(number) of \(buyer)"))
                        #expect(job.view.stage == .done, "\(job.view.failure.code)")
                        spent += job.view.priceMsat
                        number += 1
                    } while !flag.isSet.withLock { $0 }
                    return spent
                }
            }
            group.addTask {
                defer { flag.isSet.withLock { $0 = true } }
                try await body()
                return 0
            }
            return try await group.reduce(0, +)
        }
    }
}

/// Something that becomes so.
private final class Flag: Sendable {
    let isSet = Mutex(false)
}
