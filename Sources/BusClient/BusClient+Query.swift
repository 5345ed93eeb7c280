package import BridgeProtocol
package import FoundationEssentials
package import LightningTypes
import SwiftProtobuf

// Read-only metadata.
extension BusClient {
    /// Looks a job up.
    ///
    /// - Parameter job: The job.
    /// - Returns: The job as it stands.
    /// - Throws: ``BusClientError``; `CancellationError`.
    package func job(_ job: BusJobKey) async throws -> BusJob {
        guard case .job(let job) = try await ask(.getJob(.with { $0.job = job })) else {
            throw unexpected()
        }
        return job
    }

    /// Lists jobs, one page a call.
    ///
    /// - Parameter filter: What to list, and from which page on.
    /// - Returns: At most `filter.limit` jobs, and where the next page begins.
    /// - Throws: ``BusClientError``; `CancellationError`.
    package func jobs(_ filter: BusListJobs) async throws -> BusJobPage {
        guard case .jobs(let page) = try await ask(.listJobs(filter)) else { throw unexpected() }
        return page
    }

    /// Lists the peers, with what each offers.
    ///
    /// - Returns: All peers.
    /// - Throws: ``BusClientError``; `CancellationError`.
    package func peers() async throws -> [BusPeer] {
        var peers: [BusPeer] = []
        var request = BusListPeers()
        repeat {
            guard case .peers(let list) = try await ask(.listPeers(request)) else {
                throw unexpected()
            }
            peers += list.peers
            request.page = list.next
        } while !request.page.isEmpty
        return peers
    }

    /// Lists the workers of every role.
    ///
    /// - Returns: The live workers.
    /// - Throws: ``BusClientError``; `CancellationError`.
    package func workers() async throws -> [BusWorker] {
        guard case .workers(let list) = try await ask(.listWorkers(.init())) else {
            throw unexpected()
        }
        return list.workers
    }

    /// Reads the ledger, one page a call.
    ///
    /// - Parameters:
    ///   - since: From when on.
    ///   - limit: The most entries; 0 for the bridge's default.
    ///   - page: The `next` of the page before; empty for the first.
    /// - Returns: Entries, and the sums over everything since then.
    /// - Throws: ``BusClientError``; `CancellationError`.
    package func ledger(
        since: UnixTime = UnixTime(seconds: 0),
        limit: UInt32 = 0,
        page: Data = Data()
    ) async throws -> BusLedgerPage {
        let request = BusGetLedger.with {
            $0.sinceUnix = since.seconds
            $0.limit = limit
            $0.page = page
        }
        guard case .ledger(let page) = try await ask(.getLedger(request)) else {
            throw unexpected()
        }
        return page
    }

    /// Reads how the bridge stands.
    ///
    /// - Returns: Its connection to lnd, its money and its counters.
    /// - Throws: ``BusClientError``; `CancellationError`.
    package func status() async throws -> BusStatus {
        guard case .status(let status) = try await ask(.getStatus(.init())) else {
            throw unexpected()
        }
        return status
    }

    /// Watches jobs while a closure runs.
    ///
    /// The present state of each job comes first, then every later one; when several come before the
    /// closure asks, only the newest. Restarts of the bridge are bridged.
    ///
    /// - Parameters:
    ///   - jobs: Which jobs; empty watches all.
    ///   - body: Reads the states.
    /// - Returns: What `body` returns.
    /// - Throws: ``BusClientError``; what `body` throws.
    package func watch<Result: Sendable>(
        _ jobs: [BusJobKey],
        _ body: (JobStates) async throws -> Result
    ) async throws -> Result {
        let states = try await watches.begin(jobs)
        do {
            let result = try await body(states)
            await watches.end(states)
            return result
        } catch {
            await watches.end(states)
            throw error
        }
    }

    private func ask(
        _ body: BusQueryRequest.OneOf_Body
    ) async throws -> BusQueryResponse.OneOf_Body? {
        let answer = try await query.ask(.with { $0.body = body }).body
        if case .failure(let failure) = answer { throw BusClientError(failure) }
        return answer
    }

    private func unexpected() -> BusClientError {
        BusClientError(.unexpectedAnswer, "query answered with something else than was asked for")
    }
}
