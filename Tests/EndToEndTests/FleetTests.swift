import BridgeProtocol
import BusClient
import Foundation
import Glibc
import LightningTypes
import LocalNetwork
import Testing

/// Several workers of each role, of several versions and languages.
@Suite(.timeLimit(.minutes(30))) struct FleetTests {
    @Test func `workers of every role are drained under load without an error`() async throws {
        try await Market.run { _ in
            .market(requesters: 2, providers: 2, computes: 2)
        } _: {
            market in
            let before = try await market.balances()
            let victims = [
                ProcessName("bob", .provider, 1), ProcessName("bob", .compute, 1),
                ProcessName("alice", .requester, 1),
            ]
            let jobs = 30
            try await withThrowingTaskGroup(of: BusJob.self) { group in
                var spent: UInt64 = 0
                var ended = 0
                for number in 0..<6 { group.addTask { try await market.buy(number) } }
                var next = 6
                while let job = try await group.next() {
                    #expect(job.view.stage == .done, "\(job.view.failure.code)")
                    spent += job.view.priceMsat
                    ended += 1
                    if next < jobs {
                        let number = next
                        group.addTask { try await market.buy(number) }
                        next += 1
                    }
                    // One after the other while the rest goes on.
                    if ended % 6 == 0, ended / 6 <= victims.count {
                        let process = await market.network.process(victims[ended / 6 - 1])
                        process?.signal(SIGTERM)
                        #expect(await process?.wait() == .exited(0))
                    }
                }
                #expect(ended == jobs)
                try await market.expectBalancedBooks(spent: spent, before: before)
            }
        }
    }

    @Test(
        .enabled(
            if: PythonWorker.python != nil,
            "LCP_PYTHON names no interpreter with Tests/requirements.txt; Tests/run makes one"
        )
    )
    func `a Python worker serves paid jobs alone and beside a Swift one`() async throws {
        try await Market.run { _ in
            var plan = LocalNetworkPlan.market(computes: 0)
            plan.providerConfiguration = plan.providerConfiguration.replacing(
                "demo:",
                with: "shout:"
            )
            return plan
        } _: { market in
            let before = try await market.balances()
            let worker = try await PythonWorker.start(in: market)
            let alone = try await market.ask("say it louder", profile: "shout")
            #expect(alone.exit == 0, "\(alone.errors)")
            #expect(try alone.object()["result"] as? String == "SAY IT LOUDER")

            // Beside lcp-compute, which sells the same: each job is executed by one of them.
            try await market.network.start(ProcessName("bob", .compute))
            let seller = try await market.network.client(of: "bob")
            try await eventually("both are there") {
                try await seller.workers().count { $0.role == .compute } == 2
            }
            var answers: [String] = []
            try await withThrowingTaskGroup(of: String?.self) { group in
                for number in 0..<12 {
                    group.addTask {
                        let key = try await market.submit("job \(number)", profile: "shout")
                        #expect(try await market.end(of: key).view.stage == .done)
                        return try await market.output(of: key)
                    }
                }
                for try await answer in group { answers.append(try #require(answer)) }
            }
            let byPython = answers.count { $0.hasPrefix("JOB ") }
            let bySwift = answers.count { $0.contains("\njob ") }
            #expect(byPython + bySwift == 12)
            #expect(byPython > 0 && bySwift > 0, "\(byPython) and \(bySwift)")

            // SIGTERM drains it; Swift goes on alone.
            worker.signal(SIGTERM)
            #expect(await worker.wait() == .exited(0))
            let log = try String(
                contentsOfFile: "\(market.directory)/logs/python.log",
                encoding: .utf8
            )
            #expect(!log.isEmpty && !log.lowercased().contains("say it louder"))
            let last = try await market.ask("quietly", profile: "shout")
            #expect(try last.object()["result"] as? String != "QUIETLY")
            #expect(last.exit == 0, "\(last.errors)")
            try await market.expectBalancedBooks(before: before)
        }
    }
}

extension Market {
    /// Buys a job and waits for its end.
    fileprivate func buy(_ number: Int) async throws -> BusJob {
        try await end(of: try await submit("job \(number)"))
    }
}

/// The compute worker of `ipc-schema/python/examples`.
enum PythonWorker {
    /// What starts Python with the packages of `Tests/requirements.txt`; nil when nobody says.
    static let python: String? = ProcessInfo.processInfo.environment["LCP_PYTHON"]

    /// Starts it at bob's bridge and waits until it is a member.
    ///
    /// - Parameters:
    ///   - market: Where bob is.
    ///   - bus: The bus directory it gets; bob's own unless given.
    /// - Returns: The process.
    /// - Throws: `Ended` when it ended first.
    static func start(in market: Market, bus: String? = nil) async throws -> ChildProcess {
        let library = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../ipc-schema/python").standardized.path()
        let own = try await market.network.node("bob").busDirectory
        let worker = try await ChildProcess(
            "/usr/bin/env",
            [
                "LCP_BUS_DIR=\(bus ?? own)", "PYTHONPATH=\(library)", "PYTHONDONTWRITEBYTECODE=1",
                try #require(python),
                "\(library)/examples/compute_worker.py",
            ],
            log: "\(market.directory)/logs/python.log"
        )
        let seller = try await market.network.client(of: "bob")
        try await eventually("the Python worker is a member") {
            if let ending = worker.ending { throw Ended(ending: ending) }
            return try await seller.workers().contains { $0.role == .compute }
        }
        return worker
    }

    /// It ended before it began.
    struct Ended: Error { var ending: ChildProcess.Ending }
}
