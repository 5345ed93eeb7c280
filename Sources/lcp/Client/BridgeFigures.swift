import BridgeProtocol
import BusClient
import Glibc
import LightningTypes
import SwiftProtobuf

/// A bridge in numbers, as read at one time.
struct BridgeFigures: Sendable {
    /// A side of jobs and how far they are.
    struct JobGroup: Hashable, Sendable {
        var role: BusRole
        var stage: BusJobStage
    }

    /// Sums of the ledger.
    struct Money: Sendable {
        var earned: UInt64 = 0
        var spent: UInt64 = 0
        var fees: UInt64 = 0

        init(_ page: BusLedgerPage) {
            (earned, spent, fees) = (page.earnedMsat, page.spentMsat, page.feesMsat)
        }
    }

    var status: BusStatus
    var workers: [BusWorker]
    var peers: [BusPeer]
    /// Since the journal began.
    var total: Money
    /// In the last 24 hours.
    var day: Money
    /// The jobs that have not ended; nil when there are more than ``limit``.
    var open: [JobGroup: Int]?

    /// More jobs than this are not counted by stage.
    static let limit = 20_000
    private static let pageSize: UInt32 = 1_000
    private static let stages = BusJobStage.named.filter { !$0.isEnd }

    /// Asks for everything.
    ///
    /// - Throws: `BusClientError`, `CancellationError`.
    init(of client: BusClient) async throws {
        let now = UInt64(clamping: Glibc.time(nil))
        let yesterday = UnixTime(seconds: now > 86_400 ? now - 86_400 : 0)
        async let status = client.status()
        async let workers = client.workers()
        async let peers = client.peers()
        async let total = client.ledger(limit: 1)
        async let day = client.ledger(since: yesterday, limit: 1)
        async let open = Self.count(client)
        self.status = try await status
        self.workers = try await workers
        self.peers = try await peers
        self.total = Money(try await total)
        self.day = Money(try await day)
        self.open = try await open
    }

    private static func count(_ client: BusClient) async throws -> [JobGroup: Int]? {
        var counts: [JobGroup: Int] = [:]
        for role in [BusRole.provider, .requester] {
            for stage in stages { counts[JobGroup(role: role, stage: stage)] = 0 }
        }
        var filter = BusListJobs.with {
            $0.stages = stages
            $0.limit = pageSize
        }
        var counted = 0
        repeat {
            let page = try await client.jobs(filter)
            for job in page.jobs {
                counts[JobGroup(role: job.key.role, stage: job.view.stage), default: 0] += 1
            }
            counted += page.jobs.count
            guard counted < limit else { return nil }
            filter.page = page.next
        } while !filter.page.isEmpty
        return counts
    }

    /// How many of the open jobs are at a stage, on both sides; nil when they are not counted.
    func jobs(at stage: BusJobStage) -> Int? {
        open.map { $0.reduce(0) { $0 + ($1.key.stage == stage ? $1.value : 0) } }
    }
}
