import Journal
import LightningTypes
import Testing

@testable import Bridge

/// Under which job_ids a paid job is found.
@Suite struct PaidJobsTests {
    private let peer = SessionSample.peer(1)
    private let first = SessionSample.bytes32(1)
    private let second = SessionSample.bytes32(2)
    private var key: JobKey { JobKey(role: .requester, peer: peer, id: first) }

    @Test func `a job that was asked for twice is found under both job_ids while it is paid`() {
        let jobs = PaidJobs()
        jobs.set(key, wireIDs: [first, second], true)
        #expect(jobs.contains(peer: peer, jobID: first) && jobs.contains(peer: peer, jobID: second))
        #expect(!jobs.contains(peer: SessionSample.peer(2), jobID: second))
        jobs.set(key, wireIDs: [first, second], false)
        #expect(!jobs.contains(peer: peer, jobID: first))
        #expect(!jobs.contains(peer: peer, jobID: second))
    }

    @Test func `one that was read again in between leaves nothing behind`() {
        let jobs = PaidJobs()
        jobs.set(key, wireIDs: [first, second], true)
        jobs.set(key, wireIDs: [], true)
        #expect(jobs.contains(peer: peer, jobID: second))
        jobs.set(key, wireIDs: [], false)
        #expect(!jobs.contains(peer: peer, jobID: first))
        #expect(!jobs.contains(peer: peer, jobID: second))
    }
}
