import GRDB
import LightningTypes
import Synchronization
import Testing

@testable import Journal

@Suite struct KnownKeysTests {
    @Test func `every key is found again, however many more came than were expected`() {
        var known = KnownKeys<JobKey>(capacity: 0)
        for number in 0..<60_000 { known.insert(Sample.job(number)) }
        #expect((0..<60_000).allSatisfy { known.mayContain(Sample.job($0)) })
        let wrong = (60_000..<100_000).count { known.mayContain(Sample.job($0)) }
        #expect(wrong < 400, "of 40,000 strangers")
    }

    @Test func `beyond the limit it does not grow, and still forgets none`() {
        var known = KnownKeys<JobKey>(capacity: 0, limit: 16_384)
        for number in 0..<120_000 { known.insert(Sample.job(number)) }
        #expect((0..<120_000).allSatisfy { known.mayContain(Sample.job($0)) })
        let wrong = (120_000..<121_000).count { known.mayContain(Sample.job($0)) }
        #expect(wrong > 500, "of 1,000 strangers: more memory would know better")
    }

    @Test func `the side and the peer of a job are parts of its name`() {
        var known = KnownKeys<JobKey>(capacity: 1)
        known.insert(Sample.job(1))
        #expect(!known.mayContain(Sample.job(1, role: .provider)))
        #expect(!known.mayContain(Sample.job(1, peer: 2)))
    }

    @Test func `a job may be there while its first step is written, and after every start`()
        async throws
    {
        let folder = try TemporaryFolder()
        let first = try folder.open()
        #expect(!first.mayHave(Sample.job(1)))
        // The writer is kept busy, so that the step is not on disk yet.
        try await first.pool.writeWithoutTransaction { [first] _ in
            let step = Step(job: Sample.job(1), version: 0, at: Sample.time(1), state: [1])
            first.commit(step) { _ in }
            #expect(first.mayHave(Sample.job(1)))
        }
        try await first.close()
        let second = try folder.open()
        #expect(second.mayHave(Sample.job(1)) && !second.mayHave(Sample.job(2)))
        #expect(try await second.job(Sample.job(1)) != nil)
        try await second.close()
    }

    @Test func `a client's key is found by the next process, and the filter knows a free one`()
        async throws
    {
        let folder = try TemporaryFolder()
        let first = try folder.open()
        let client = ClientKey(identity: [1], key: [2], contentHash: Sample.bytes32(3))
        var step = Step(job: Sample.job(1), version: 0, at: Sample.time(1), state: [1])
        step.client = client
        try await first.commit(step)
        try await first.close()
        let second = try folder.open()
        #expect(try await second.submission(identity: [1], key: [2])?.job == Sample.job(1))
        let free = ClientKey.Name(identity: [2], key: [1])
        let (isKnown, isFree) = second.knownClientKeys.withLock {
            ($0?.mayContain(client.name), $0?.mayContain(free))
        }
        #expect(isKnown == true && isFree == false)
        try await second.close()
    }
}
