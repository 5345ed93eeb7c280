import ArgumentParser
import BridgeProtocol
import BusClient
import FoundationEssentials
import Glibc
import LCPInspector
import LightningTypes
import SwiftProtobuf

/// `lcp jobs`: the jobs this node buys and sells.
struct ListJobs: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "jobs",
        abstract: "List the jobs this node buys and sells.",
        discussion: """
            In JSON, next is null or what --page takes for the jobs that follow.

            \(ExitStatus.clientHelp)
            """
    )

    @OptionGroup var bus: BusOptions
    @OptionGroup var output: OutputOptions

    @Option(help: "Only jobs that this node sells (provider) or buys (requester).")
    var role: JobRole?

    @Option(help: ArgumentHelp("Only jobs with this peer.", valueName: "key"))
    var peer: NodeID?

    @Option(help: "Only jobs at this stage; repeat for several.")
    var stage: [StageArgument] = []

    @Flag(help: "Only jobs that were set aside after too many failed attempts.")
    var parked = false

    @Option(
        help: ArgumentHelp("Only jobs made in the last seconds, or 5m, 2h, 1d.", valueName: "time")
    )
    var since: TimeSpanArgument?

    @Option(help: "How many jobs at most, 1 to 1000.")
    var limit: UInt32 = 100

    @Option(help: ArgumentHelp("Go on where another page ended.", valueName: "next"))
    var page: String?

    @Flag(help: "All jobs, whatever the limit.")
    var all = false

    func validate() throws {
        guard (1...1_000).contains(limit) else { throw ValidationError("--limit is 1 to 1000.") }
        guard page.map({ Hex.decode($0) != nil }) ?? true else {
            throw ValidationError("--page takes what next said.")
        }
    }

    func run() async throws {
        let filter = filter
        let isWhole = all
        let (jobs, next) = try await bus.withClient { client in
            var (filter, jobs) = (filter, [BusJob]())
            repeat {
                let page = try await client.jobs(filter)
                jobs += page.jobs
                filter.page = page.next
            } while isWhole && !filter.page.isEmpty
            return (jobs, filter.page)
        }
        try output.show(
            ["jobs": .array(jobs.map { JSONText($0) }), "next": .hex(next)],
            columns: ["CREATED", "ROLE", "STAGE", "PRICE", "PROFILE", "PEER", "JOB"],
            jobs.map { job in
                [
                    Words.time(job.createdUnix), job.key.role.label,
                    job.view.stage.label + (job.parked ? " (parked)" : ""),
                    job.view.priceMsat == 0 ? "" : Words.sats(job.view.priceMsat),
                    job.view.profile, Words.short(job.key.peer), Hex.encode(job.key.jobID),
                ]
            }
        )
        if !next.isEmpty, !output.json, StandardOutput.isTerminal {
            try StandardOutput.write(Array("more: --page \(Hex.encode(next)), or --all\n".utf8))
        }
    }

    private var filter: BusListJobs {
        .with {
            if let role { $0.role = role.message }
            if let peer { $0.peer = Data(peer.bytes) }
            $0.stages = stage.map(\.stage)
            $0.onlyParked = parked
            if let since {
                let now = UInt64(clamping: Glibc.time(nil))
                $0.createdAfterUnix = now > since.seconds ? now - since.seconds : 1
            }
            $0.limit = all ? 1_000 : limit
            if let page { $0.page = Data(Hex.decode(page) ?? []) }
        }
    }
}

/// The side of a job on the command line.
enum JobRole: String, ExpressibleByArgument, CaseIterable {
    case provider, requester

    var message: BusRole {
        switch self {
        case .provider: .provider
        case .requester: .requester
        }
    }
}

/// A stage on the command line, by its label.
struct StageArgument: ExpressibleByArgument {
    let stage: BusJobStage

    init?(argument: String) {
        guard let stage = BusJobStage.named.first(where: { $0.label == argument }) else {
            return nil
        }
        self.stage = stage
    }

    static var allValueStrings: [String] { BusJobStage.named.map(\.label) }
}
