import ArgumentParser
import Foundation
import LightningTypes
import LocalNetwork
import MarketAudit

/// `chaos`: buys jobs while workers and bridges are killed, and proves that the books are right.
@main
struct Chaos: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Buy jobs while processes are killed, and look whether anything was lost.",
        discussion: """
            Starts a simulated Lightning network, two bridges and several workers of each kind, \
            buys jobs, and kills with SIGKILL: a worker every so many milliseconds, a bridge every \
            so many seconds, in an order that the seed decides. At the end both ledgers must be what \
            the nodes hold, every paid job must have its one right answer, and nothing may be left \
            to do. The directory with journals and logs stays when something is wrong.

            EXIT CODES: 0 nothing is wrong, 1 something is, 64 the command line is wrong.
            """
    )

    @Option(help: "How many jobs to buy.")
    var jobs = 2_000

    @Option(help: "How many of them at the same time.")
    var concurrency = 32

    @Option(help: "Decides who is killed in which order; drawn when it is not given.")
    var seed: UInt64?

    @Option(help: "Milliseconds between the deaths of workers; 0 for none.")
    var workerKillMs = 200

    @Option(help: "Seconds between the deaths of bridges; 0 for none.")
    var bridgeKillS = 5.0

    @Option(help: "How many of 100 jobs may fail unpaid, for want of a quote.")
    var unpaidPercent = 1.0

    @Option(help: "How many seconds a job may take.")
    var patience = 180

    @Flag(help: "Keep the directory with journals and logs in any case.")
    var keep = false

    @Flag(help: "Print JSON only.")
    var json = false

    func validate() throws {
        guard (1...10_000_000).contains(jobs), (1...1_000).contains(concurrency) else {
            throw ValidationError("--jobs is 1 to 10000000, --concurrency 1 to 1000.")
        }
        guard workerKillMs >= 0, bridgeKillS >= 0, unpaidPercent >= 0, patience > 0 else {
            throw ValidationError("Times are not negative, and patience is at least a second.")
        }
    }

    func run() async throws {
        let directory = "/tmp/lcp-chaos-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(
            atPath: directory,
            withIntermediateDirectories: true
        )
        var report = ChaosReport(seed: seed ?? .random(in: 1...999_999), jobs: jobs)
        do {
            let (outcome, audit) = try await trade(in: directory, seed: report.seed)
            report.take(outcome, allowingUnpaid: unpaidPercent)
            report.findings += try await audit.journals(outcome.audited)
        } catch {
            report.findings.append("\(error)")
        }
        if report.findings.isEmpty, !keep {
            try? FileManager.default.removeItem(atPath: directory)
        } else {
            report.directory = directory
        }
        print(try json ? report.json : report.text)
        if !report.findings.isEmpty { throw ExitCode(1) }
    }

    private func trade(
        in directory: String,
        seed: UInt64
    ) async throws -> (ChaosOutcome, MarketAudit) {
        let capacity = MilliSatoshi(sat: 1_000_000_000) ?? .totalSupply
        let plan = try plan(in: directory, capacity)
        return try await LocalNetwork.run(plan, in: directory) { network in
            let audit = try await MarketAudit(network, capacity: capacity)
            let market = try await ChaosMarket(network, patience: .seconds(patience))
            let reaper = Reaper(
                network,
                seed: seed,
                workers: workerKillMs == 0 ? nil : .milliseconds(workerKillMs),
                bridges: bridgeKillS == 0 ? nil : .seconds(bridgeKillS)
            )
            let watch = Task {
                while !json, (try? await Task.sleep(for: .seconds(1))) != nil {
                    let line = await "\(market.progress) \(reaper.progress)"
                    FileHandle.standardError.write(Data("\r\(line)\u{1b}[K".utf8))
                }
            }
            let reaping = Task { try await reaper.run() }
            await market.buy(jobs, concurrency: concurrency)
            reaping.cancel()
            watch.cancel()
            if !json { FileHandle.standardError.write(Data("\n".utf8)) }
            try await reaping.value
            var outcome = await ChaosOutcome(market: market.account, deaths: reaper.account)
            for node in ["alice", "bob"] { try await network.waitForBridge(of: node) }
            outcome.findings += try await audit.rest(outcome.audited)
            outcome.findings += try await audit.books(outcome.audited)
            return (outcome, audit)
        }
    }

    private func plan(in directory: String, _ capacity: MilliSatoshi) throws -> LocalNetworkPlan {
        var plan = LocalNetworkPlan.market(
            capacitySat: capacity.msat / 1_000,
            requesters: 2,
            providers: 2,
            computes: 3
        )
        // Other tests may run beside this one.
        plan.patience = .seconds(60)
        plan.arguments["lcp-bridge"]? += ["--max-jobs", "10000000"]
        // What was asked while nobody listened is asked again soon, what nobody accepted is over
        // before long, and so is what has ended, as far as it may be.
        let requester = "\(directory)/requester.yaml"
        try Data("quote_wait_seconds: 2\nquote_attempts: 16\nretention_seconds: 600\n".utf8)
            .write(to: URL(filePath: requester))
        plan.arguments["lcp-requester"] = ["--config", requester]
        plan.providerConfiguration = plan.providerConfiguration.replacing(
            "quote_ttl_seconds: 300",
            with: "quote_ttl_seconds: 30\nanswer_retention_seconds: 600"
        )
        return plan
    }
}
