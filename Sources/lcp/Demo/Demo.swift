import ArgumentParser
import BridgeProtocol
import BusClient
import LCPInspector
import LightningTypes
import LocalNetwork

/// `lcp demo`: the whole market on this machine.
struct Demo: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Buy and sell a job on a simulated Lightning network, all on this machine.",
        discussion: """
            Starts a simulated Lightning network, a bridge for each of two nodes, and provider, \
            requester and compute workers as separate processes in a temporary directory; buys jobs; \
            shows quote, payment, result and balances; ends everything. No real money is touched.

            With --gateway the buyer also has lcp-gateway. On a terminal the line for curl is printed, \
            and every job that is bought with it is shown until Ctrl-C; with --jobs, with --json or in a \
            pipe that many requests are made, one without --jobs, and answer, price and headers shown.

            With --json, one object: jobs, ok, failed, unanswered, kills, jobs_per_second, \
            latency_ms (p50, p90, p99, max), nodes (name, node_id, balance_before_msat, \
            balance_after_msat, earned_msat, spent_msat, fees_msat), processes, failures when there \
            were some, for a single job what lcp ask --json prints as job, and with --gateway as \
            response the last status, headers and content.

            EXIT CODES: 0 every job was answered and the accounts are right, 1 not so, 64 the \
            command line is wrong, 69 a program is missing or did not start, 130 interrupted. \
            Nothing is left behind.
            """
    )

    @Option(help: "How many jobs to buy; with --kill 40 unless given.")
    var jobs: Int?

    @Option(help: "How many of them at the same time.")
    var concurrency: Int?

    @Flag(help: "Kill workers and bridges on the way, to see that the jobs arrive all the same.")
    var kill = false

    @Flag(help: "Buy over HTTP, through lcp-gateway, as clients of OpenAI do.")
    var gateway = false

    @Option(help: "What to ask.")
    var prompt = "Say hello in one word."

    @Flag(help: "Keep the directory with journals and logs, and say where it is.")
    var keep = false

    @Flag(help: "Print JSON only.")
    var json = false

    func validate() throws {
        guard (1...1_000_000).contains(jobs ?? 1) else {
            throw ValidationError("--jobs is 1 to 1000000.")
        }
        guard (1...1_000).contains(concurrency ?? 1) else {
            throw ValidationError("--concurrency is 1 to 1000.")
        }
        guard !prompt.isEmpty else { throw ValidationError("--prompt is empty.") }
        guard !gateway || !kill && concurrency == nil else {
            throw ValidationError("--gateway goes without --kill and --concurrency.")
        }
    }

    /// Whether somebody at a terminal makes the requests.
    private var isServing: Bool {
        gateway && jobs == nil && !json && StandardOutput.isTerminal
    }

    func run() async throws {
        let directory = try DemoDirectory(keeping: keep)
        directory.markIfKept()
        let path = directory.path
        var plan = LocalNetworkPlan.market()
        var front: DemoGateway?
        if gateway {
            let address = "127.0.0.1:\(try LoopbackPort.free())"
            plan.nodes[0].gateway = address
            front = DemoGateway(address: address, prompt: prompt)
        }
        let stage = DemoStage(
            jobs: jobs ?? (kill ? 40 : 1),
            concurrency: concurrency ?? (kill ? 4 : 1),
            kills: kill,
            prompt: prompt,
            account: DemoAccount(isSilent: json),
            gateway: front
        )
        // Else a computation is over before it can be killed.
        if kill { plan.arguments["lcp-compute"] = ["--delay", "100"] }
        do {
            let report = try await interruptible { [plan, front] in
                try await LocalNetwork.run(plan, in: path) { step in
                    stage.account.tell(step)
                } _: { network in
                    if let front, isServing { try await stage.serve(front, on: network) }
                    return try await stage.play(on: network)
                }
            }
            if json {
                try StandardOutput.write(Array("\(report.json)\n".utf8))
            } else {
                stage.account.tell(report, directory: keep ? path : nil)
            }
            guard report.isGood else { throw ExitCode(1) }
        } catch let error as LocalNetworkError {
            throw CommandError(
                code: error.code.rawValue,
                detail: "\(error.detail). \(error.advice)"
                    + (keep ? " They are in \(path)/logs." : ""),
                status: ExitStatus.unavailable
            )
        }
    }
}
