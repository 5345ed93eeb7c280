import ArgumentParser
import BusClient
import Glibc
import LightningTypes
import UnixSignals

/// `lcp bench`: how many jobs a second, and how long each takes.
struct Bench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measure a running bridge and a peer: jobs a second, and where their time goes.",
        discussion: """
            Buys jobs and measures them as a client sees them: quote (until a quote is there), pay \
            (until the payment has succeeded), execute (until the answer is at this bridge), \
            deliver (until its contents are here). It spends real money on a real node: it needs \
            --max-price and --max-total, says what it may spend, asks on a terminal, and refuses in \
            a pipe without --yes. What jobs under way may cost counts as spent until they end; the \
            routing fees of those under way come on top.

            --quotes drops each quote and pays nothing. --messages asks for a task that nobody \
            sells: two Lightning messages a job, a request and its refusal, without invoice and \
            payment. Both are bound by what the peer lets one buyer ask for; jobs that it refuses \
            are counted as failed.

            CPU time and peak memory are those of the lcp programs on this machine that serve the \
            bus directory, and each --also, as far as this user may look; the peak is that of the \
            process's life.

            Ctrl-C begins no more jobs, waits up to five seconds for those under way, and prints what \
            was done; jobs that are left then go on by themselves: lcp jobs.

            With --json, one object: mode, peer_id, profile, concurrency, jobs (measured), ok, \
            failed, unanswered, left (given up before their end), stopped (null, interrupted or \
            max-total), seconds, jobs_per_second, messages_per_second with --messages, latency_ms \
            (mean, p50, p90, p99, max; percentiles are at most 1/64 too high), parts_ms with the \
            same for quote, pay, execute and deliver, whose means add up to that of latency_ms, \
            spent_msat and fees_msat (those of --warmup included), processes (pid, program, \
            cpu_seconds, cpu_ms_per_job, peak_bytes) and failures.

            EXAMPLE
              lcp bench --peer 02… --profile small --jobs 1000 --concurrency 16 --max-price 20 \
            --max-total 20000

            EXIT CODES: 0 every job ended as it should, 1 not so, 10 --max-total left no room for \
            another job, 64 the command line is wrong or nobody said yes, 69 no bridge answers, 74 \
            the output could not be written, 75 the bridge did not answer in time, 77 this user may \
            not open the bus, 130 interrupted.
            """
    )

    @OptionGroup var bus: BusOptions

    @Option(
        help: ArgumentHelp("Who shall do the jobs: a node's key; see lcp peers.", valueName: "key")
    )
    var peer: NodeID

    @Option(help: "What the provider shall run, one of its offers.")
    var profile: String

    @Option(help: "How many jobs to measure.")
    var jobs = 100

    @Option(help: "How many of them at the same time.")
    var concurrency = 8

    @Option(help: "How many jobs to do before, without measuring them.")
    var warmup = 10

    @Flag(help: "Ask for quotes only, and pay nothing.")
    var quotes = false

    @Flag(help: "Exchange messages only: no invoice, no payment.")
    var messages = false

    @Option(
        help: ArgumentHelp(
            "Pay up to this price in satoshis for a job, routing fees apart.",
            valueName: "sats"
        )
    )
    var maxPrice: SatoshiArgument?

    @Option(
        help: ArgumentHelp("Spend no more than this in satoshis in total.", valueName: "sats")
    )
    var maxTotal: SatoshiArgument?

    @Flag(help: "Spend without asking.")
    var yes = false

    @Option(help: "What to ask; each job gets a number behind it.")
    var prompt = "Say hello in one word."

    @Option(help: ArgumentHelp("How long one job may take: seconds, or 5m, 1h.", valueName: "time"))
    var timeout = TimeSpanArgument(seconds: 120)

    @Option(
        help: ArgumentHelp(
            "Measure the processes of this bus directory too, such as the seller's; repeatable.",
            valueName: "dir"
        )
    )
    var also: [String] = []

    @Flag(help: "Print JSON only.")
    var json = false

    func validate() throws {
        guard (1...1_000_000).contains(jobs) else {
            throw ValidationError("--jobs is 1 to 1000000.")
        }
        guard (1...1_000).contains(concurrency) else {
            throw ValidationError("--concurrency is 1 to 1000.")
        }
        guard (0...1_000_000).contains(warmup) else {
            throw ValidationError("--warmup is 0 to 1000000.")
        }
        guard !prompt.isEmpty, !profile.isEmpty else {
            throw ValidationError("--prompt and --profile must not be empty.")
        }
        guard !quotes || !messages else {
            throw ValidationError("Give --quotes or --messages, not both.")
        }
        let limits = [maxPrice, maxTotal].compactMap { $0 }.count
        guard limits == (quotes || messages ? 0 : 2) else {
            throw ValidationError(
                limits == 2 || quotes || messages
                    ? "Nothing is paid, so --max-price and --max-total mean nothing."
                    : "Say what may be spent: --max-price for a job and --max-total for all."
            )
        }
    }

    func run() async throws {
        try await confirmSpending()
        let directory = bus.resolved()
        let report = try await BusClient.connected(to: directory) { client in
            // Says at once when no bridge is there, instead of once for each job.
            _ = try await client.status()
            return try await measure(client, [directory] + also)
        }
        if json {
            try StandardOutput.write(Array("\(report.json)\n".utf8))
        } else {
            try StandardOutput.write(Array(report.text.utf8))
        }
        switch report.stopped {
        case .interrupted: throw ExitStatus.interrupted
        case .limit: throw ExitStatus.refusedByPrice
        case nil: if !report.isGood { throw ExitCode(1) }
        }
    }

    // MARK: - Measuring

    private func measure(
        _ client: BusClient,
        _ directories: [String]
    ) async throws -> BenchReport {
        let limit = SpendingLimit(maxTotal?.amount)
        let plan = LoadPlan(
            peer: peer,
            profile: profile,
            prompt: prompt,
            goal: goal,
            timeout: timeout.duration
        )
        let warming = LoadRun(plan, at: client, within: limit)
        let measured = LoadRun(plan, at: client, within: limit)
        let progress = BenchProgress(isSilent: json)
        let (jobs, warmup, concurrency) = (jobs, warmup, concurrency)
        try await stoppable(warming) {
            try await progress.following(warming, of: warmup, "to warm up") {
                try await warming.run(warmup, concurrency: concurrency)
            }
        }
        let before = ProcessUsage(of: directories)
        let start = ContinuousClock.now
        if warming.isStopped { measured.stop() }
        try await stoppable(measured) {
            try await progress.following(measured, of: jobs, "jobs") {
                try await measured.run(jobs, concurrency: concurrency)
            }
        }
        return BenchReport(
            plan: plan,
            concurrency: concurrency,
            warmup: warming.tally,
            tally: measured.tally,
            duration: .now - start,
            stopped: measured.isStopped ? .interrupted : measured.isLimitReached ? .limit : nil,
            reserved: limit.reserved,
            processes: ProcessUsage(of: directories).since(before)
        )
    }

    private var goal: LoadPlan.Goal {
        if quotes { return .quote }
        return messages ? .refusal : .answer(upTo: maxPrice?.amount ?? .zero)
    }

    /// Runs a load; after a signal what is under way gets five seconds, or until another signal.
    private func stoppable(
        _ load: LoadRun,
        _ body: @escaping @Sendable () async throws -> Void
    ) async throws {
        let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm)
        let (stops, stop) = AsyncStream.makeStream(of: Void.self)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await body() }
            group.addTask {
                for await _ in signals {
                    if load.isStopped { return }
                    load.stop()
                    stop.yield()
                }
            }
            group.addTask {
                for await _ in stops { break }
                try await Task.sleep(for: .seconds(5))
            }
            try await group.next()
            group.cancelAll()
            // What is given up here is counted as left.
            while await group.nextResult() != nil {}
        }
    }

    // MARK: - Money

    /// Says what may be spent, and goes on only when somebody agreed to it.
    private func confirmSpending() async throws {
        guard let price = maxPrice?.amount, let total = maxTotal?.amount else { return }
        let count = UInt64(jobs + warmup)
        let most = price.msat.multipliedReportingOverflow(by: count)
        let sum = most.overflow ? total : min(total, MilliSatoshi(msat: most.partialValue))
        let words = """
            \(count) jobs for at most \(Words.sats(price.msat)) each, \(Words.sats(sum.msat)) in \
            total, plus routing fees
            """
        if yes {
            guard !json else { return }
            return try StandardOutput.write(Array("buying \(words)\n".utf8), to: STDERR_FILENO)
        }
        guard !json, Question.isPossible else {
            throw CommandError(
                code: "not-confirmed",
                detail: "this buys \(words): give --yes to spend without a terminal",
                status: ExitStatus.usage
            )
        }
        guard try await Question.confirm("Buy \(words)?") else {
            throw CommandError(
                code: "not-confirmed",
                detail: "declined; nothing was bought",
                status: ExitStatus.usage
            )
        }
    }
}
