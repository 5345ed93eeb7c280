import BridgeProtocol
import Foundation
import Journal
import LightningCrypto
import LightningTypes
import Logging
import SwiftProtobuf

/// The endpoint `control`: what can spend, change, or read contents.
struct ControlDoor: Sendable {
    let door: RequestDoor
    let journal: Journal
    let loop: EngineLoop
    let session: LndSession
    /// Keys the hashes of submissions, so that a short prompt can't be guessed from them.
    let secret: Redacted<[UInt8]>

    /// The largest input and params, in bytes: what one message of a peer could carry.
    private static let contentBytes = 65_535
    private static let keyBytes = 64

    func run() async throws {
        try await door.run(
            BusControlRequest.self,
            refuse: { request, code in
                Self.response(
                    request?.id ?? 0,
                    .of(code, "this request can't be taken", advice: "")
                )
            },
            handle: { request, caller in
                let response: BusControlResponse
                do throws(Refusal) {
                    response = try await answer(request, caller)
                } catch {
                    // That we are ending is no answer: whoever asks asks the next bridge.
                    guard !Task.isCancelled else { return }
                    response = Self.response(request.id, error.failure)
                }
                await door.send(response, to: caller)
            }
        )
    }

    private struct Refusal: Error {
        var failure: BusFailure

        init(_ failure: BusFailure) { self.failure = failure }

        init(_ error: JournalError) { failure = .journal(error) }
    }

    private func answer(
        _ request: BusControlRequest,
        _ caller: RequestDoor.Caller
    ) async throws(Refusal) -> BusControlResponse {
        switch request.body {
        case .submit(let submit):
            return try await jobResponse(request, self.submit(submit, caller))
        case .accept(let accept):
            let key = try await find(accept.job)
            let ceiling = MilliSatoshi(msat: accept.maxPriceMsat)
            return try await jobResponse(
                request,
                loop.ask { .accept($0, key, ceiling: ceiling) }
            )
        case .cancel(let cancel):
            let key = try await find(cancel.job)
            return try await jobResponse(request, loop.ask { .cancel($0, key) })
        case .retry(let retry):
            let key = try await find(retry.job)
            return try await jobResponse(request, loop.ask { .retry($0, key) })
        case .connect(let connect):
            let peer = try await self.connect(connect)
            return .with {
                $0.id = request.id
                $0.peer = peer
            }
        case .disconnect(let disconnect):
            let peer = try await self.disconnect(disconnect)
            return .with {
                $0.id = request.id
                $0.peer = peer
            }
        case .getResult(let get):
            let result = try await self.result(of: find(get.job))
            return .with {
                $0.id = request.id
                $0.result = result
            }
        case .findJob(let find):
            return try await jobResponse(request, .job(self.find(find, caller)))
        case nil:
            throw Refusal(
                .of(
                    "unknown-request",
                    "this bridge does not know the request",
                    advice: "Use a bridge at least as new as the client"
                )
            )
        }
    }

    private func jobResponse(
        _ request: BusControlRequest,
        _ answer: ClientAnswer
    ) throws(Refusal) -> BusControlResponse {
        switch answer {
        case .job(let job):
            return .with {
                $0.id = request.id
                $0.job = job
            }
        case .failure(let failure): throw Refusal(failure)
        case .keyTaken: throw Refusal(.keyReused)
        }
    }

    private static func response(_ id: UInt64, _ failure: BusFailure) -> BusControlResponse {
        .with {
            $0.id = id
            $0.failure = failure
        }
    }

    // MARK: - Submissions

    /// The same key and content give the same job; other content is refused.
    private func submit(
        _ submit: BusSubmit,
        _ caller: RequestDoor.Caller
    ) async throws(Refusal) -> ClientAnswer {
        guard let peer = NodeID(submit.peer) else {
            throw Refusal(.of("invalid-peer", "the peer is not a public key of 33 bytes"))
        }
        guard (1...Self.keyBytes).contains(submit.key.count) else {
            throw Refusal(.of("invalid-key", "a client key has 1 to \(Self.keyBytes) bytes"))
        }
        guard submit.input.count <= Self.contentBytes, submit.params.count <= Self.contentBytes
        else {
            throw Refusal(
                .of("too-large", "input and params have at most \(Self.contentBytes) bytes each")
            )
        }
        let client = ClientKey(
            identity: caller.identity,
            key: [UInt8](submit.key),
            contentHash: contentHash(submit)
        )
        if let job = try await known(client) { return .job(job) }
        // LCP v0.1 §2 [first-job-id-unpredictable]
        let key = JobKey(role: .requester, peer: peer, id: .random())
        let answer = await loop.ask { .submit($0, key, client, submit) }
        // Somebody submitted under the same key at the same time.
        if case .keyTaken = answer, let job = try await known(client) { return .job(job) }
        return answer
    }

    private func known(_ client: ClientKey) async throws(Refusal) -> BusJob? {
        do {
            guard
                let known = try await journal.submission(
                    identity: client.identity,
                    key: client.key
                )
            else { return nil }
            guard known.contentHash == client.contentHash else { throw Refusal(.keyReused) }
            return try await job(of: known)
        } catch let error as JournalError {
            throw Refusal(error)
        } catch let refusal as Refusal {
            throw refusal
        } catch {
            throw Refusal(.of("internal", "the submission could not be looked up"))
        }
    }

    /// The job of a submission, for whoever submitted it and knows the key alone.
    private func find(
        _ find: BusFindJob,
        _ caller: RequestDoor.Caller
    ) async throws(Refusal) -> BusJob {
        do {
            guard
                let known = try await journal.submission(
                    identity: caller.identity,
                    key: [UInt8](find.key)
                )
            else { throw Refusal(.unknownJob) }
            return try await job(of: known)
        } catch let error as JournalError {
            throw Refusal(error)
        } catch let refusal as Refusal {
            throw refusal
        } catch {
            throw Refusal(.of("internal", "the submission could not be looked up"))
        }
    }

    private func job(of submission: Submission) async throws -> BusJob {
        guard let job = try await journal.job(submission.job) else {
            throw Refusal(
                .of(
                    "job-pruned",
                    "this key's job is over and no longer kept",
                    advice: "Submit under a new key to buy again"
                )
            )
        }
        return BusJob(job.summary)
    }

    private func contentHash(_ submit: BusSubmit) -> Bytes32 {
        var content = submit
        content.key = Data()
        // Fields in the order of their numbers, so the same content gives the same bytes.
        let bytes: [UInt8] = (try? content.serializedBytes()) ?? []
        return HMACSHA256.code(bytes, key: secret.reveal("the key of this hash"))
    }

    // MARK: - Jobs and peers

    /// The job a client names; without a peer the newest with the id.
    private func find(_ key: BusJobKey) async throws(Refusal) -> JobKey {
        if let complete = JobKey(key) { return complete }
        guard key.peer.isEmpty, let id = Bytes32(key.jobID) else {
            throw Refusal(
                .of("invalid-job", "a job is named by role, peer and a job_id of 32 bytes")
            )
        }
        do {
            guard let found = try await journal.job(named: id, role: JobKey.Role(key.role)) else {
                throw Refusal(.unknownJob)
            }
            return found
        } catch let error as JournalError {
            throw Refusal(error)
        } catch let refusal as Refusal {
            throw refusal
        } catch {
            throw Refusal(.unknownJob)
        }
    }

    private func result(of key: JobKey) async throws(Refusal) -> BusResult {
        let found: BoughtRecord?
        do throws(JournalError) {
            found = try await journal.bought(by: key)
        } catch {
            throw Refusal(error)
        }
        guard let bought = found else { throw Refusal(.unknownJob) }
        return .with {
            $0.job = BusJob(bought.summary)
            if let answer = bought.answer {
                $0.output = Data(answer.reveal("its owner asks for it"))
            }
            if let preimage = bought.preimage {
                $0.preimage = Data(preimage.secret.reveal("its owner asks for it").bytes)
            }
        }
    }

    private func connect(_ connect: BusConnect) async throws(Refusal) -> BusPeer {
        guard let peer = NodeID(connect.peer), !connect.address.isEmpty else {
            throw Refusal(.of("invalid-peer", "a peer is a public key and an address host:port"))
        }
        do {
            return try await session.connect(peer, address: connect.address)
        } catch {
            throw Refusal(BusFailure(error))
        }
    }

    private func disconnect(_ disconnect: BusDisconnect) async throws(Refusal) -> BusPeer {
        guard let peer = NodeID(disconnect.peer) else {
            throw Refusal(.of("invalid-peer", "the peer is not a public key of 33 bytes"))
        }
        do {
            return try await session.disconnect(peer)
        } catch {
            throw Refusal(BusFailure(error))
        }
    }
}

extension BusFailure {
    fileprivate static let keyReused = of(
        "key-reused",
        "this key was used for another submission",
        advice: "Draw a new key for new content"
    )
}
