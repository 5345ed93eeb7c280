package import BridgeProtocol
package import FoundationEssentials
import LCPWire
import SwiftProtobuf

/// What happens to a job, by the profile it asks for.
package enum Plot: String, CaseIterable, Sendable {
    /// Quoted at 57,355 msat, paid with a fee of 21 msat, answered with its input.
    case echo
    /// Quoted; the answer is bytes that are no text.
    case binary
    /// The provider refuses.
    case refused
    /// Nothing comes.
    case silent
    /// Quoted; lnd finds no route.
    case unpayable
    /// Quoted and paid; the deadline passes.
    case unanswered
    /// Quoted and paid; the provider answers with an error.
    case broken
    /// Quoted and paid; runs until somebody changes it.
    case endless
}

/// The jobs of a ``ScriptedBridge`` and what it says about everything else.
package struct Market: Sendable {
    /// A peer's key as scripts use it.
    package static let peer = Data([2] + Array(repeating: 7, count: 32))
    /// Another that is away.
    package static let awayPeer = Data([3] + Array(repeating: 7, count: 32))
    /// What every quote costs, in msat.
    package static let price: UInt64 = 57_355

    /// All jobs, oldest first.
    package private(set) var jobs: [BusJob] = []
    /// Every state a job has had, in order.
    package private(set) var changed: [BusJob] = []
    private var keys: [Data: (request: BusSubmit, job: Data)] = [:]
    private var inputs: [Data: Data] = [:]
    /// Who sells, all of them everything.
    package var peers = [Market.peer]
    /// Keys of submissions whose jobs are no longer kept.
    package var prunedKeys: Set<Data> = []
    /// What the next quotes cost, in msat; every later one costs ``price``.
    package var nextPrices: [UInt64] = []

    /// What pages of jobs clients asked for.
    package private(set) var lists: [BusListJobs] = []

    /// Nothing has happened.
    package init() {}

    /// Changes a job under a new version.
    ///
    /// - Parameters:
    ///   - job: Its id.
    ///   - body: Changes it.
    /// - Returns: The new state; empty when there is no such job.
    package mutating func change(_ job: Data, _ body: (inout BusJob) -> Void) -> [BusJob] {
        guard let index = jobs.firstIndex(where: { $0.key.jobID == job }) else { return [] }
        body(&jobs[index])
        jobs[index].version += 1
        changed.append(jobs[index])
        return [jobs[index]]
    }

    // MARK: - Control

    mutating func answer(_ request: BusControlRequest) -> BusControlResponse.OneOf_Body {
        switch request.body {
        case .submit(let submit): answer(submit)
        case .accept(let accept): answer(accept)
        case .cancel(let cancel):
            job(cancel.job).map { job in
                let cancelled = change(job.key.jobID) { $0.view.stage = .cancelled }
                return .job(cancelled[0])
            } ?? .failure(Self.unknownJob)
        case .retry(let retry):
            job(retry.job).map { job in
                .job(change(job.key.jobID) { $0.parked = false }[0])
            } ?? .failure(Self.unknownJob)
        case .connect(let connect):
            .peer(
                .with {
                    $0.id = connect.peer
                    $0.address = connect.address
                    $0.connected = true
                }
            )
        case .disconnect(let disconnect):
            .peer(.with { $0.id = disconnect.peer })
        case .getResult(let get):
            job(get.job).map { .result(result(of: $0)) } ?? .failure(Self.unknownJob)
        case .findJob(let find) where prunedKeys.contains(find.key):
            .failure(
                .with {
                    $0.code = "job-pruned"
                    $0.detail = "the job is no longer kept"
                }
            )
        case .findJob(let find):
            keys[find.key].flatMap { known in job(.with { $0.jobID = known.job }) }
                .map { .job($0) } ?? .failure(Self.unknownJob)
        case nil:
            .failure(
                .with {
                    $0.code = "unknown-request"
                    $0.detail = "the script has no answer to this"
                }
            )
        }
    }

    private mutating func answer(_ submit: BusSubmit) -> BusControlResponse.OneOf_Body {
        if let known = keys[submit.key] {
            guard known.request == submit else {
                return .failure(
                    .with {
                        $0.code = "key-reused"
                        $0.detail = "the key belongs to another submission"
                    }
                )
            }
            return job(.with { $0.jobID = known.job }).map { .job($0) } ?? .failure(Self.unknownJob)
        }
        let id = Data(repeating: UInt8(truncatingIfNeeded: jobs.count + 1), count: 32)
        keys[submit.key] = (submit, id)
        inputs[id] = submit.input
        let params = try? V01.LLMChatParams(decoding: Array(submit.params))
        let job = BusJob.with {
            $0.key.role = .requester
            $0.key.peer = submit.peer
            $0.key.jobID = id
            $0.version = 1
            $0.view.stage = .quoting
            $0.view.taskKind = submit.taskKind
            $0.view.profile = params?.profile ?? ""
            $0.inputBytes = UInt64(submit.input.count)
            $0.createdUnix = 1_800_000_000 + UInt64(jobs.count)
        }
        jobs.append(job)
        changed.append(job)
        quote(id)
        let view = self.job(.with { $0.jobID = id })?.view ?? BusJobView()
        if view.stage == .quoted, submit.hasMaxPriceMsat, submit.maxPriceMsat >= view.priceMsat {
            buy(id)
        }
        // The acknowledgement speaks of the step that took the submission.
        return .job(job)
    }

    private mutating func answer(_ accept: BusAccept) -> BusControlResponse.OneOf_Body {
        guard let job = job(accept.job) else { return .failure(Self.unknownJob) }
        guard accept.maxPriceMsat >= job.view.priceMsat else {
            return .failure(
                .with {
                    $0.code = "above-ceiling"
                    $0.detail = "the quote is above the price agreed to"
                }
            )
        }
        if job.view.stage == .quoted { buy(job.key.jobID) }
        return .job(self.job(accept.job) ?? job)
    }

    private func plot(of id: Data) -> Plot? {
        job(.with { $0.jobID = id }).flatMap { Plot(rawValue: $0.view.profile) }
    }

    private mutating func quote(_ id: Data) {
        switch plot(of: id) {
        case .silent: break
        case .refused, nil:
            _ = change(id) {
                $0.view.stage = .failed
                $0.view.failure.code = "refused-by-peer"
                $0.view.failure.detail = "the provider answered unsupported_task (2)"
            }
        case .echo, .binary, .unpayable, .unanswered, .broken, .endless:
            let price = nextPrices.isEmpty ? Self.price : nextPrices.removeFirst()
            _ = change(id) {
                $0.view.stage = .quoted
                $0.view.priceMsat = price
                $0.view.quoteExpiryUnix = 1_900_000_000
                $0.view.termsHash = Data(repeating: 0x7e, count: 32)
                $0.view.paymentHash = Data(repeating: 0x9a, count: 32)
                $0.view.quotedUnix = 1_800_000_001
            }
        }
    }

    private mutating func buy(_ id: Data) {
        _ = change(id) { $0.view.stage = .paying }
        guard plot(of: id) != .unpayable else {
            _ = change(id) {
                $0.view.stage = .failed
                $0.view.failure.code = "payment-failed"
                $0.view.failure.detail = "lnd found no route"
            }
            return
        }
        _ = change(id) {
            $0.view.stage = .running
            $0.view.feeMsat = 21
            $0.view.paidUnix = 1_800_000_002
        }
        switch plot(of: id) {
        case .echo, .binary:
            _ = change(id) {
                $0.view.stage = .done
                $0.view.contentType = "text/plain; charset=utf-8"
                $0.view.endedUnix = 1_800_000_003
                $0.outputBytes = $0.inputBytes
            }
        case .unanswered: _ = change(id) { $0.view.stage = .unanswered }
        case .broken:
            _ = change(id) {
                $0.view.stage = .paidFailed
                $0.view.failure.code = "peer-error"
                $0.view.failure.detail = "the provider answered rate_limited (7)"
            }
        case .refused, .silent, .unpayable, .endless, nil: break
        }
    }

    private func result(of job: BusJob) -> BusResult {
        .with {
            $0.job = job
            if job.view.feeMsat > 0 { $0.preimage = Data(repeating: 0x5e, count: 32) }
            guard job.view.stage == .done else { return }
            let isText = job.view.profile == Plot.echo.rawValue
            $0.output = isText ? inputs[job.key.jobID] ?? Data() : Data([0xff, 0x00, 0x1b])
        }
    }

    // MARK: - Query

    mutating func answer(_ request: BusQueryRequest) -> BusQueryResponse.OneOf_Body {
        if case .listJobs(let list) = request.body { lists.append(list) }
        return switch request.body {
        case .getJob(let get): job(get.job).map { .job($0) } ?? .failure(Self.unknownJob)
        case .listJobs(let list): .jobs(page(list))
        case .listPeers(let list) where !list.page.isEmpty:
            // The last page: a peer that is away and offers nothing.
            .peers(.with { $0.peers = [.with { $0.id = Self.awayPeer }] })
        case .listPeers:
            .peers(
                .with {
                    $0.next = Self.peer
                    $0.peers = peers.map { peer in
                        .with {
                            $0.id = peer
                            $0.address = "127.0.0.1:9735"
                            $0.connected = true
                            $0.hasChannel_p = true
                            $0.protocolVersion = 1
                            $0.maxPayloadBytes = 16_384
                            $0.offers = Plot.allCases.map { plot in
                                .with {
                                    $0.taskKind = "llm.chat"
                                    $0.profile = plot.rawValue
                                }
                            }
                        }
                    }
                }
            )
        case .listWorkers:
            .workers(
                .with {
                    $0.workers = [
                        .with {
                            $0.id = Data(repeating: 3, count: 16)
                            $0.role = .requester
                            $0.program = "lcp-requester 0.1.0"
                            $0.capacity = 8
                        }
                    ]
                }
            )
        case .getLedger: .ledger(ledger())
        case .getStatus:
            .status(
                .with {
                    $0.program = "scripted 0.0"
                    $0.lndState = "ready"
                    $0.network = "regtest"
                    $0.openJobs = UInt32(jobs.count)
                    $0.counters = ["bus.stale_replies": 2]
                }
            )
        case .watchJobs, .unwatch, nil: .failure(.with { $0.code = "unknown-request" })
        }
    }

    /// One page of at most `limit` jobs; the token is the number of jobs before it.
    private func page(_ list: BusListJobs) -> BusJobPage {
        let wanted = jobs.filter { job in
            (list.stages.isEmpty || list.stages.contains(job.view.stage))
                && (list.role == .unspecified || list.role == job.key.role)
                && (list.peer.isEmpty || list.peer == job.key.peer)
                && (!list.onlyParked || job.parked)
                && job.createdUnix >= list.createdAfterUnix
        }
        let start = Int(list.page.first ?? 0)
        let limit = list.limit == 0 ? 100 : Int(list.limit)
        let rest = wanted.dropFirst(start)
        return .with {
            $0.jobs = Array(rest.prefix(limit))
            if rest.count > limit { $0.next = Data([UInt8(start + limit)]) }
        }
    }

    private func ledger() -> BusLedgerPage {
        let paid = jobs.filter { $0.view.feeMsat > 0 }
        return .with {
            $0.entries = paid.map { job in
                .with {
                    $0.job = job.key
                    $0.profile = job.view.profile
                    $0.spentMsat = job.view.priceMsat
                    $0.feeMsat = job.view.feeMsat
                }
            }
            $0.spentMsat = paid.reduce(0) { $0 + $1.view.priceMsat }
            $0.feesMsat = paid.reduce(0) { $0 + $1.view.feeMsat }
        }
    }

    private func job(_ key: BusJobKey) -> BusJob? { jobs.last { $0.key.jobID == key.jobID } }

    private static let unknownJob = BusFailure.with {
        $0.code = "unknown-job"
        $0.detail = "there is no such job"
        $0.advice = "List them with lcp jobs."
    }
}
