package import BridgeProtocol
import FoundationEssentials
package import LightningTypes
import SwiftProtobuf

// What can spend, change or read contents. Each call waits until the bridge's step is on disk.
extension BusClient {
    /// Submits a job.
    ///
    /// - Parameter submission: What to buy; the same value again gives the same job.
    /// - Returns: The job, which is durable now.
    /// - Throws: ``BusClientError``; `CancellationError`, after which the job may exist.
    package func submit(_ submission: JobSubmission) async throws -> BusJob {
        try await job(.submit(submission.message))
    }

    /// Buys the quote at hand.
    ///
    /// - Parameters:
    ///   - job: A quoted job; accepting it again changes nothing.
    ///   - ceiling: The most it may cost, routing fees apart.
    /// - Returns: The job as it stands.
    /// - Throws: ``BusClientError``; `CancellationError`.
    package func accept(_ job: BusJobKey, upTo ceiling: MilliSatoshi) async throws -> BusJob {
        try await self.job(
            .accept(
                .with {
                    $0.job = job
                    $0.maxPriceMsat = ceiling.msat
                }
            )
        )
    }

    /// Gives a job up.
    ///
    /// - Parameter job: The job. A payment that has begun is still followed to its end.
    /// - Returns: The job as it stands.
    /// - Throws: ``BusClientError``; `CancellationError`.
    package func cancel(_ job: BusJobKey) async throws -> BusJob {
        try await self.job(.cancel(.with { $0.job = job }))
    }

    /// Tries a parked job again.
    ///
    /// - Parameter job: The job.
    /// - Returns: The job as it stands.
    /// - Throws: ``BusClientError``; `CancellationError`.
    package func retry(_ job: BusJobKey) async throws -> BusJob {
        try await self.job(.retry(.with { $0.job = job }))
    }

    /// Lets lnd connect to a node.
    ///
    /// - Parameters:
    ///   - peer: The node.
    ///   - address: `host:port`.
    /// - Returns: The peer as it stands.
    /// - Throws: ``BusClientError``; `CancellationError`.
    package func connect(to peer: NodeID, at address: String) async throws -> BusPeer {
        let order = BusConnect.with {
            $0.peer = Data(peer.bytes)
            $0.address = address
        }
        guard case .peer(let peer) = try await ask(.connect(order)) else { throw unexpected() }
        return peer
    }

    /// Lets lnd disconnect a node; one that the bridge keeps connected is then left alone.
    ///
    /// - Parameter peer: The node.
    /// - Returns: The peer as it stands.
    /// - Throws: ``BusClientError``: `refused` when it is not connected or has a channel with us;
    ///   `CancellationError`.
    package func disconnect(from peer: NodeID) async throws -> BusPeer {
        let order = BusDisconnect.with { $0.peer = Data(peer.bytes) }
        guard case .peer(let peer) = try await ask(.disconnect(order)) else { throw unexpected() }
        return peer
    }

    /// Fetches what a job has bought so far: its contents, and the proof of payment.
    ///
    /// - Parameters:
    ///   - job: The job.
    ///   - version: What the caller has already seen: contents come from the disk, which may be some
    ///     milliseconds behind what a watch tells. Given up after two seconds, since a crash of the
    ///     bridge can take back what was not on disk.
    /// - Returns: The job with output and preimage, as far as they exist.
    /// - Throws: ``BusClientError``; `CancellationError`.
    package func result(
        of job: BusJobKey,
        atLeast version: UInt64 = 0
    ) async throws -> BoughtResult {
        let deadline = ContinuousClock.now + .seconds(2)
        // A commit is a millisecond or two away, unless the disk is slow.
        var pause = Duration.milliseconds(1)
        while true {
            guard case .result(let result) = try await ask(.getResult(.with { $0.job = job }))
            else { throw unexpected() }
            if result.job.version >= version || .now >= deadline { return BoughtResult(result) }
            try await Task.sleep(for: pause)
            pause = min(pause * 2, .milliseconds(50))
        }
    }

    /// Looks up which job a submission made, for a caller that knows its key alone.
    ///
    /// - Parameter key: The submission's key.
    /// - Returns: The job as it stands; nil when nothing was submitted under the key.
    /// - Throws: ``BusClientError``, `job-pruned` when the job is no longer kept; `CancellationError`.
    package func job(submittedAs key: SubmissionKey) async throws -> BusJob? {
        do {
            return try await job(.findJob(.with { $0.key = Data(key.bytes) }))
        } catch let error as BusClientError where error.failure?.code == "unknown-job" {
            return nil
        }
    }

    private func job(_ body: BusControlRequest.OneOf_Body) async throws -> BusJob {
        guard case .job(let job) = try await ask(body) else { throw unexpected() }
        return job
    }

    private func ask(
        _ body: BusControlRequest.OneOf_Body
    ) async throws -> BusControlResponse.OneOf_Body? {
        let answer = try await control.ask(.with { $0.body = body }).body
        if case .failure(let failure) = answer { throw BusClientError(failure) }
        return answer
    }

    private func unexpected() -> BusClientError {
        BusClientError(.unexpectedAnswer, "control answered with something else than was asked for")
    }
}
