import BridgeProtocol
import BusClient
import Foundation
import Glibc
import LightningTypes
import LocalNetwork
import Testing

/// `lcp bench` against a market of real processes: figures that add up, and money that is kept.
@Suite(.timeLimit(.minutes(30))) struct BenchTests {
    @Test func `what is printed adds up, and says what the ledger says`() async throws {
        try await Market.run { market in
            let bob = try await market.network.node("bob").busDirectory
            let outcome = try await market.bench(
                "--jobs",
                "12",
                "--warmup",
                "2",
                "--concurrency",
                "4",
                "--max-price",
                "1000",
                "--max-total",
                "100000",
                "--yes",
                "--also",
                bob
            )
            #expect(outcome.exit == 0, "\(outcome.errors)")
            let report = try outcome.object()
            #expect(try report.number("ok") == 12)
            let ends = ["ok", "failed", "unanswered", "left"]
            #expect(try ends.reduce(0) { try $0 + report.number($1) } == report.number("jobs"))

            let latency = try report.member("latency_ms")
            let shares = try ["p50", "p90", "p99", "max"].map { try latency.number($0) }
            #expect(shares == shares.sorted())
            let parts = try report.member("parts_ms")
            let means = try ["quote", "pay", "execute", "deliver"].map {
                try parts.member($0).number("mean")
            }
            #expect(means.allSatisfy { $0 >= 0 })
            // Each mean is cut after a thousandth of a millisecond, each part of a job too.
            #expect(abs(means.reduce(0, +) - (try latency.number("mean"))) < 0.01, "\(report)")
            // Both are cut after three digits, so the rate of the whole time lies in between.
            let (seconds, rate) = try (report.number("seconds"), report.number("jobs_per_second"))
            #expect((rate * seconds)...((rate + 0.001) * (seconds + 0.001)) ~= 12, "\(report)")

            let ledger = try await market.network.client(of: "alice").ledger(limit: 1)
            #expect(UInt64(try report.number("spent_msat")) == ledger.spentMsat)
            #expect(UInt64(try report.number("fees_msat")) == ledger.feesMsat)
            #expect(ledger.spentMsat > 0)

            let processes = try #require(report["processes"] as? [NSDictionary])
            let pids = try Set(processes.map { Int32(try $0.number("pid")) })
            for (name, process) in await market.network.processes where name.role != .simnet {
                #expect(pids.contains(process.pid), "\(name)")
            }
            // Besides those, only the benchmark itself.
            #expect(processes.filter { $0["program"] as? String == "lcp" }.count == 1)
            #expect(processes.count == 6)
            for process in processes { #expect(try process.number("peak_bytes") > 1_000_000) }
            #expect(try processes.contains { try $0.number("cpu_seconds") > 0 })
        }
    }

    @Test func `quotes alone pay nothing and leave nothing open`() async throws {
        try await Market.run { _ in
            .patientMarket()
        } _: { market in
            let outcome = try await market.bench("--quotes", "--jobs", "10", "--warmup", "0")
            #expect(outcome.exit == 0, "\(outcome.errors)")
            let report = try outcome.object()
            #expect(report["mode"] as? String == "quotes")
            #expect(try report.number("ok") == 10)
            #expect(report["spent_msat"] == nil)
            #expect(try await market.calls(of: "AddInvoice", at: "bob") == 10)
            #expect(try await market.calls(of: "SendPaymentV2", at: "alice") == 0)
            let seller = try await market.network.client(of: "bob")
            try await eventually("every invoice is cancelled") {
                try await seller.jobs(BusListJobs()).jobs
                    .allSatisfy { $0.view.stage == .cancelled }
            }
            #expect(try await seller.jobs(BusListJobs()).jobs.count == 10)
        }
    }

    @Test func `messages alone make neither invoices nor payments`() async throws {
        try await Market.run { _ in
            .patientMarket()
        } _: { market in
            let before = try await market.calls(of: "SendCustomMessage", at: "alice")
            let outcome = try await market.bench("--messages", "--jobs", "10", "--warmup", "0")
            #expect(outcome.exit == 0, "\(outcome.errors)")
            let report = try outcome.object()
            #expect(try report.number("ok") == 10)
            let messages = try report.number("messages_per_second")
            #expect(abs(messages / (try report.number("jobs_per_second")) - 2) < 0.01)
            let sent = try await market.calls(of: "SendCustomMessage", at: "alice") - before
            #expect(sent == 10)
            #expect(try await market.calls(of: "AddInvoice", at: "bob") == 0)
            #expect(try await market.calls(of: "SendPaymentV2", at: "alice") == 0)
        }
    }

    @Test func `no job is bought above its price, and not one more than the total allows`()
        async throws
    {
        try await Market.run { market in
            let dear = try await market.bench(
                "--jobs",
                "3",
                "--warmup",
                "0",
                "--max-price",
                "1",
                "--max-total",
                "100",
                "--yes"
            )
            #expect(dear.exit == 1, "\(dear.errors)")
            let failures = try dear.object().member("failures")
            #expect(try failures.number("price-above-ceiling") == 3)
            let buyer = try await market.network.client(of: "alice")
            #expect(try await buyer.ledger(limit: 1).spentMsat == 0)

            // A job costs between 3.5 and 4 sat: after the second there is no room for 5 more.
            for concurrency in ["1", "8"] {
                let before = try await buyer.ledger(limit: 1).spentMsat
                let outcome = try await market.bench(
                    "--jobs",
                    "20",
                    "--warmup",
                    "0",
                    "--max-price",
                    "5",
                    "--max-total",
                    "12",
                    "--yes",
                    "--concurrency",
                    concurrency
                )
                #expect(outcome.exit == 10, "\(outcome.errors)")
                let report = try outcome.object()
                #expect(report["stopped"] as? String == "max-total")
                #expect(try report.number("ok") == 2)
                let spent = try await buyer.ledger(limit: 1).spentMsat - before
                #expect(UInt64(try report.number("spent_msat")) == spent)
                #expect(spent <= 12_000)
            }
        }
    }

    @Test func `nothing is bought in a pipe without a yes, or without limits`() async throws {
        try await Market.run { market in
            let silent = try await market.bench("--max-price", "5", "--max-total", "50")
            #expect(silent.exit == 64)
            #expect(silent.errors.contains("not-confirmed"), "\(silent.errors)")
            #expect(try await market.bench("--yes").exit == 64)
            #expect(try await market.bench("--yes", "--max-price", "5").exit == 64)
            #expect(try await market.bench("--quotes", "--max-price", "5").exit == 64)
            #expect(try await market.bench("--quotes", "--messages").exit == 64)
            let buyer = try await market.network.client(of: "alice")
            #expect(try await buyer.jobs(BusListJobs()).jobs.isEmpty)
        }
    }

    @Test func `Ctrl-C ends with a summary, and no further job is bought`() async throws {
        try await Market.run { _ in
            var plan = LocalNetworkPlan.market()
            plan.arguments["lcp-compute"] = ["--delay", "100", "--concurrency", "1"]
            return plan
        } _: { market in
            let before = try await market.balances()
            let log = "\(market.directory)/logs/bench.log"
            let bench = try await ChildProcess(
                "\(Market.programs)/lcp",
                try await market.benchArguments([
                    "--jobs", "10000", "--max-price", "1000", "--max-total", "10000000", "--yes",
                    "--warmup", "0", "--concurrency", "4",
                ]),
                log: log
            )
            let buyer = try await market.network.client(of: "alice")
            try await eventually("three jobs are paid") {
                try await buyer.ledger(limit: 10).entries.count >= 3
            }
            bench.signal(SIGINT)
            #expect(await bench.wait() == .exited(130))
            let text = try String(contentsOfFile: log, encoding: .utf8)
            let outcome = Market.Outcome(exit: 130, output: text, errors: "")
            let report = try outcome.object()
            #expect(report["stopped"] as? String == "interrupted")
            let (ok, left) = try (report.number("ok"), report.number("left"))
            #expect(try ok >= 3 && left <= 4 && ok + left == report.number("jobs"), "\(report)")
            // What is under way has five seconds; on a busy machine the rest goes on by itself.
            try await eventually("all that was ordered is there") {
                try await buyer.jobs(BusListJobs()).jobs.allSatisfy { $0.view.stage == .done }
            }
            let bought = Double(try await buyer.jobs(BusListJobs()).jobs.count)
            #expect((ok...ok + left).contains(bought), "\(report)")
            try await market.expectBalancedBooks(before: before)
            let ledger = try await buyer.ledger(limit: 100)
            #expect(Double(ledger.entries.count) == bought)
            // Each costs between 3.5 and 4 sat.
            let open = try Double(ledger.spentMsat) - report.number("spent_msat")
            #expect(((bought - ok) * 3_500...(bought - ok) * 4_000).contains(open), "\(report)")
        }
    }
}

extension Market {
    /// Runs `lcp bench --json` at alice.
    func bench(_ arguments: String...) async throws -> Outcome {
        try await Self.run("lcp", benchArguments(arguments))
    }

    /// What `lcp bench --json` at alice is started with.
    func benchArguments(_ arguments: [String]) async throws -> [String] {
        let bus = try await network.node("alice").busDirectory
        let peer = try await network.node("bob").id.hex
        return ["bench", "--json", "--bus-dir", bus, "--peer", peer, "--profile", "demo"]
            + arguments
    }
}

extension NSDictionary {
    /// A member that is a number.
    fileprivate func number(_ name: String) throws -> Double {
        try #require(self[name] as? Double, "\(name) of \(self)")
    }

    /// A member that is an object.
    fileprivate func member(_ name: String) throws -> NSDictionary {
        try #require(self[name] as? NSDictionary, "\(name) of \(self)")
    }
}
