import BridgeProtocol
import Foundation
import Journal
import LightningTypes
import SwiftProtobuf

/// The endpoint `query`: read-only metadata, without prompts, outputs, invoices and preimages.
struct QueryDoor: Sendable {
    let door: RequestDoor
    let watches: Watches
    let journal: Journal
    let status: @Sendable () async -> BusStatus
    /// The peers after one, up to about so many bytes.
    let peers: @Sendable (_ after: NodeID?, _ bytes: Int) async -> (peers: [BusPeer], hasMore: Bool)
    let workers: @Sendable () async -> [BusWorker]

    private static let pageLimit = 1_000
    /// Far below what a client takes in one frame.
    private static let pageBytes = 1 << 20

    func run() async throws {
        try await door.run(
            BusQueryRequest.self,
            refuse: { request, code -> BusQueryResponse in
                .with {
                    $0.id = request?.id ?? 0
                    $0.failure = .of(code, "this request can't be taken")
                }
            },
            handle: { request, caller in
                var response: BusQueryResponse
                do throws(JournalError) {
                    response = try await answer(request, caller)
                } catch {
                    // That we are ending is no answer: whoever asks asks the next bridge.
                    guard !Task.isCancelled else { return }
                    response = .with { $0.failure = .journal(error) }
                }
                response.id = request.id
                // An Unwatch and a WatchJobs of all jobs have nothing to say.
                if response.body != nil { await door.send(response, to: caller) }
            }
        )
    }

    private func answer(
        _ request: BusQueryRequest,
        _ caller: RequestDoor.Caller
    ) async throws(JournalError) -> BusQueryResponse {
        switch request.body {
        case .getJob(let get): return try await job(get)
        case .listJobs(let list): return try await jobs(list)
        case .watchJobs(let watch): return try await self.watch(watch, request.id, caller)
        case .unwatch(let unwatch):
            watches.remove(Watches.Watch(caller: caller, request: unwatch.watch))
            return BusQueryResponse()
        case .listPeers(let list):
            let page = await peers(NodeID(list.page), Self.pageBytes)
            return .with {
                $0.peers = .with {
                    $0.peers = page.peers
                    if page.hasMore, let last = page.peers.last { $0.next = last.id }
                }
            }
        case .listWorkers:
            let workers = await workers()
            return .with { $0.workers = .with { $0.workers = workers } }
        case .getLedger(let get): return try await ledger(get)
        case .getStatus:
            let status = await status()
            return .with { $0.status = status }
        case nil:
            return .with {
                $0.failure = .of(
                    "unknown-request",
                    "this bridge does not know the request",
                    advice: "Use a bridge at least as new as the client"
                )
            }
        }
    }

    private func job(_ get: BusGetJob) async throws(JournalError) -> BusQueryResponse {
        guard let key = try await find(get.job), let job = try await journal.job(key) else {
            return .with { $0.failure = .unknownJob }
        }
        return .with { $0.job = BusJob(job.summary) }
    }

    private func find(_ key: BusJobKey) async throws(JournalError) -> JobKey? {
        if let complete = JobKey(key) { return complete }
        guard key.peer.isEmpty, let id = Bytes32(key.jobID) else { return nil }
        return try await journal.job(named: id, role: JobKey.Role(key.role))
    }

    private func jobs(_ list: BusListJobs) async throws(JournalError) -> BusQueryResponse {
        var filter = JobFilter(
            role: JobKey.Role(list.role),
            stages: Set(list.stages.map { UInt8(clamping: $0.rawValue) }),
            onlyParked: list.onlyParked,
            createdSince: list.createdAfterUnix == 0
                ? nil : UnixTime(seconds: list.createdAfterUnix)
        )
        if !list.peer.isEmpty {
            guard let peer = NodeID(list.peer) else {
                return .with {
                    $0.failure = .of("invalid-peer", "the peer is not a public key of 33 bytes")
                }
            }
            filter.peer = peer
        }
        let limit = Self.limit(list.limit)
        let page = try await journal.jobs(filter, before: Self.place(list.page), limit: limit)
        return .with {
            $0.jobs = .with {
                $0.jobs = page.map { BusJob($0) }
                if page.count == limit, let last = page.last { $0.next = Self.page(last.place) }
            }
        }
    }

    private func watch(
        _ watch: BusWatchJobs,
        _ request: UInt64,
        _ caller: RequestDoor.Caller
    ) async throws(JournalError) -> BusQueryResponse {
        guard watch.jobs.count <= Watches.maximumJobs else {
            return .with {
                $0.failure = .of(
                    "too-many-jobs",
                    "one watch names at most \(Watches.maximumJobs) jobs",
                    advice: "Watch every job, or use several watches"
                )
            }
        }
        var keys: Set<JobKey> = []
        for name in watch.jobs {
            guard let key = try await find(name) else {
                return .with { $0.failure = .unknownJob }
            }
            keys.insert(key)
        }
        let entry = Watches.Watch(caller: caller, request: request)
        watches.add(entry, jobs: keys.isEmpty ? nil : keys)
        // Where the jobs stand now; every change follows.
        var last = BusQueryResponse()
        for key in keys {
            guard let job = try await journal.job(key) else { continue }
            if last.body != nil { await door.send(last, to: caller) }
            last = .with {
                $0.id = request
                $0.job = BusJob(job.summary)
            }
        }
        return last
    }

    private func ledger(_ get: BusGetLedger) async throws(JournalError) -> BusQueryResponse {
        let since = UnixTime(seconds: get.sinceUnix)
        let limit = Self.limit(get.limit)
        let entries = try await journal.ledger(
            since: since,
            after: Self.place(get.page),
            limit: limit
        )
        let totals = try await journal.totals(since: since)
        return .with {
            $0.ledger = .with {
                $0.entries = entries.map { BusLedgerEntry($0) }
                if entries.count == limit, let last = entries.last { $0.next = Self.page(last.id) }
                $0.earnedMsat = totals.earned.msat
                $0.spentMsat = totals.spent.msat
                $0.feesMsat = totals.fees.msat
            }
        }
    }

    private static func limit(_ limit: UInt32) -> Int {
        limit == 0 ? 100 : min(Int(limit), pageLimit)
    }

    /// A page's name is the place it continues after, eight bytes.
    private static func page(_ place: Int64) -> Data {
        withUnsafeBytes(of: place.bigEndian) { Data($0) }
    }

    private static func place(_ page: Data) -> Int64? {
        guard page.count == 8 else { return nil }
        return page.reduce(Int64(0)) { $0 << 8 | Int64($1) }
    }
}

extension BusLedgerEntry {
    fileprivate init(_ entry: LedgerEntry) {
        self = .with {
            $0.atUnix = entry.at.seconds
            $0.job = entry.job.bus
            $0.profile = entry.profile
            switch entry.job.role {
            case .provider: $0.earnedMsat = entry.amount.msat
            case .requester: $0.spentMsat = entry.amount.msat
            }
            $0.feeMsat = entry.fee.msat
            $0.paymentHash = Data(entry.hash.bytes.bytes)
            $0.truncated = entry.isCut
            $0.inputTokens = entry.tokens.input
            $0.outputTokens = entry.tokens.output
        }
    }
}
