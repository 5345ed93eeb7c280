import GRDB
import LightningTypes
import Testing

@testable import Journal

@Suite struct StepTests {
    let folder: TemporaryFolder
    let journal: Journal
    let job = Sample.job(1)

    init() throws {
        folder = try TemporaryFolder()
        journal = try folder.open()
    }

    private func step(_ version: UInt64, state: [UInt8] = [9]) -> Step {
        Step(job: job, version: version, at: Sample.time(200), state: state)
    }

    @Test func `a step replaces state and times and counts the version up`() async throws {
        #expect(try await journal.add(job).version == 1)
        var next = step(1, state: [1, 2, 3])
        next.wakeAt = Sample.time(300)
        next.answerBy = Sample.time(400)
        next.notice = Step.Notice(stage: 4, body: [7])
        #expect(try await journal.commit(next).version == 2)
        let record = try #require(try await journal.job(job))
        #expect(record.state == [1, 2, 3])
        #expect(record.summary.version == 2)
        #expect(record.summary.wakeAt == Sample.time(300))
        #expect(record.summary.answerBy == Sample.time(400))
        #expect(record.summary.stage == 4)
        #expect(record.summary.notice == [7])
        #expect(record.summary.createdAt == Sample.time(100))
        #expect(record.summary.changedAt == Sample.time(200))

        try await journal.commit(step(2))
        let later = try #require(try await journal.job(job))
        #expect(later.summary.wakeAt == nil && later.summary.answerBy == nil)
        #expect(later.summary.notice == [7], "a step without a notice leaves the last one")
    }

    @Test func `a step from another version is refused and changes nothing`() async throws {
        try await journal.add(job, effects: [Sample.effect(1)])
        let before = try await journal.job(job)
        for version: UInt64 in [0, 2, .max] {
            var stale = step(version, state: [66])
            stale.effects = [Sample.effect(2)]
            stale.input = .store(Redacted([1]))
            stale.facts = [.event(kind: 1, body: [], limit: nil)]
            #expect(await code { try await journal.commit(stale) } == .staleVersion)
        }
        #expect(try await journal.job(job) == before)
        #expect(try await journal.input(of: job) == nil)
    }

    @Test func `a step for a job that is not there is refused`() async throws {
        #expect(await code { try await journal.commit(step(1)) } == .unknown)
        #expect(
            await code {
                try await journal.record([.parked(true)], for: job, at: Sample.time(1))
            } == .unknown
        )
    }

    @Test func `the outstanding set becomes what the step says`() async throws {
        try await journal.add(job, effects: [1, 2, 3].map { Sample.effect($0) })
        var next = step(1)
        next.effects = [4, 2].map { Sample.effect($0) }
        let committed = try await journal.commit(next)
        #expect(committed.outstanding.map(\.effect.id) == [2, 4])
        #expect(try await journal.job(job)?.outstanding == committed.outstanding)
    }

    @Test func `what was done stays done, also when a step lists it again`() async throws {
        try await journal.add(job, effects: [1, 2].map { Sample.effect($0) })
        try await journal.record([.effectDone(1)], for: job, at: Sample.time(150))
        #expect(try await journal.job(job)?.outstanding.map(\.effect.id) == [2])
        var next = step(1)
        next.effects = [1, 2].map { Sample.effect($0) }
        #expect(try await journal.commit(next).outstanding.map(\.effect.id) == [2])
        // Left out and listed once more: still done.
        try await journal.commit(step(2))
        next.version = 3
        #expect(try await journal.commit(next).outstanding.map(\.effect.id) == [2])
    }

    @Test func `an effect keeps its attempts from step to step`() async throws {
        try await journal.add(job, effects: [Sample.effect(1)])
        try await journal.record(
            [.effectAttempted(1, nextAttempt: Sample.time(160))],
            for: job,
            at: Sample.time(150)
        )
        var next = step(1)
        next.effects = [Sample.effect(1)]
        let outstanding = try await journal.commit(next).outstanding
        #expect(
            outstanding == [
                OutstandingEffect(
                    effect: Sample.effect(1),
                    attempts: 1,
                    nextAttempt: Sample.time(160)
                )
            ]
        )
    }

    @Test func `an id that comes back as another effect is refused`() async throws {
        try await journal.add(job, effects: [Sample.effect(1)])
        var next = step(1)
        next.effects = [Sample.effect(1, kind: 2)]
        #expect(await code { try await journal.commit(next) } == .invalidStep)
        next.effects = [Sample.effect(2), Sample.effect(2)]
        #expect(await code { try await journal.commit(next) } == .invalidStep)
        #expect(try await journal.job(job)?.summary.version == 1)
    }

    @Test func `ids of effects may use all 64 bits`() async throws {
        let ids: [UInt64] = [.max, 0, 1 << 63]
        let committed = try await journal.add(job, effects: ids.map { Sample.effect($0) })
        #expect(Set(committed.outstanding.map(\.effect.id)) == Set(ids))
        #expect(try await journal.job(job)?.outstanding == committed.outstanding)
    }

    @Test func `a state above 1 MiB is refused`() async throws {
        let large = [UInt8](repeating: 0, count: Journal.Limits.stateBytes + 1)
        let refused = await code {
            try await journal.commit(
                Step(job: job, version: 0, at: Sample.time(1), state: large)
            )
        }
        #expect(refused == .invalidStep)
    }

    @Test func `events wait in order until a step answers them`() async throws {
        try await journal.add(job)
        for kind: UInt8 in 1...3 {
            try await journal.record(
                [.event(kind: kind, body: [kind], limit: 3)],
                for: job,
                at: Sample.time(150)
            )
        }
        let full = await code {
            try await journal.record(
                [.event(kind: 4, body: [], limit: 3)],
                for: job,
                at: Sample.time(150)
            )
        }
        #expect(full == .quotaExceeded)
        // A settlement is taken however much a peer has sent.
        try await journal.record(
            [.event(kind: 5, body: [], limit: nil)],
            for: job,
            at: Sample.time(150)
        )
        let events = try #require(try await journal.job(job)).events
        #expect(events.map(\.kind) == [1, 2, 3, 5])
        #expect(events.map(\.sequence) == [1, 2, 3, 4])

        var next = step(1)
        next.answeredEvents = 2
        try await journal.commit(next)
        #expect(try await journal.job(job)?.events.map(\.kind) == [3, 5])
        try await journal.record(
            [.event(kind: 6, body: [], limit: 3)],
            for: job,
            at: Sample.time(150)
        )
        #expect(try await journal.job(job)?.events.map(\.sequence) == [3, 4, 5])
    }

    @Test func `a step that answers an event whose write failed is stale`() async throws {
        try await journal.add(job, facts: [.event(kind: 1, body: [], limit: nil)])
        // The event and the payment it told of found no room; the step made from it does.
        var next = step(1)
        next.answeredEvents = 2
        #expect(await code { try await journal.commit(next) } == .staleVersion)
        #expect(try await journal.job(job)?.events.map(\.sequence) == [1])
        next.answeredEvents = 1
        try await journal.commit(next)
        #expect(try await journal.job(job)?.events.isEmpty == true)
    }

    @Test func `an event is not recorded in the place of one whose write failed`() async throws {
        try await journal.add(job)
        func record(_ sequence: UInt64) async throws {
            try await journal.record(
                [.event(kind: 1, body: [], limit: nil, sequence: sequence)],
                for: job,
                at: Sample.time(150)
            )
        }
        #expect(await code { try await record(2) } == .staleVersion)
        try await record(1)
        try await record(2)
        #expect(try await journal.job(job)?.events.map(\.sequence) == [1, 2])
    }

    @Test func `contents are stored, kept and dropped apart from the state`() async throws {
        var first = step(0)
        first.input = .store(Redacted([1, 2, 3]))
        try await journal.commit(first)
        var second = step(1)
        second.answer = .store(Redacted([4, 5]))
        try await journal.commit(second)
        #expect(try await journal.input(of: job) == Redacted([1, 2, 3]))
        #expect(try await journal.answer(of: job) == Redacted([4, 5]))
        var third = step(2)
        third.input = .drop
        try await journal.commit(third)
        #expect(try await journal.input(of: job) == nil)
        #expect(try await journal.answer(of: job) == Redacted([4, 5]))
        #expect(try await journal.job(job)?.summary.inputBytes == 3)
        #expect(try await journal.job(job)?.summary.answerBytes == 2)
    }

    @Test func `one client key is one job`() async throws {
        let client = ClientKey(identity: [1], key: [2], contentHash: Sample.bytes32(3))
        var first = step(0)
        first.client = client
        try await journal.commit(first)
        var other = Step(job: Sample.job(2), version: 0, at: Sample.time(1), state: [])
        other.client = client
        #expect(await code { try await journal.commit(other) } == .clientKeyTaken)
        #expect(try await journal.job(other.job) == nil, "the refused job left no trace")
        let submission = try await journal.submission(identity: [1], key: [2])
        #expect(submission?.job == job)
        #expect(submission?.contentHash == Sample.bytes32(3))
        // Another identity is another client.
        other.client?.identity = [9]
        try await journal.commit(other)
        #expect(try await journal.submission(identity: [9], key: [2])?.job == other.job)
        #expect(try await journal.submission(identity: [8], key: [2]) == nil)
    }

    @Test func `a requester's job is found by every job_id it used on the wire`() async throws {
        let ids = [Sample.bytes32(70), Sample.bytes32(71)]
        try await journal.add(job, facts: ids.map { .wireID($0) })
        for id in ids {
            #expect(try await journal.job(withWireID: id, from: job.peer) == job)
            #expect(try await journal.job(withWireID: id, from: Sample.peer(2)) == nil)
        }
        try await journal.record([.wireID(ids[0])], for: job, at: Sample.time(1))
        let stolen = await code {
            try await journal.add(Sample.job(2), facts: [.wireID(ids[0])])
        }
        #expect(stolen == .invalidStep)
    }

    @Test func `finishing waits for effects and events`() async throws {
        func finish() async -> JournalError.Code? {
            await code {
                try await journal.record([.finished], for: job, at: Sample.time(150))
            }
        }
        try await journal.add(
            job,
            effects: [Sample.effect(1)],
            facts: [.event(kind: 1, body: [], limit: nil)]
        )
        #expect(await finish() == .notFinished)
        try await journal.record([.effectDone(1)], for: job, at: Sample.time(150))
        #expect(await finish() == .notFinished)
        var last = step(1)
        last.answeredEvents = 1
        last.facts = [.finished]
        try await journal.commit(last)
        #expect(try await journal.job(job)?.summary.finishedAt == Sample.time(200))
        #expect(try await journal.openJobs().isEmpty)
    }

    @Test func `an event or a step opens a finished job again`() async throws {
        try await journal.add(job, facts: [.finished])
        try await journal.record(
            [.event(kind: 1, body: [], limit: nil)],
            for: job,
            at: Sample.time(150)
        )
        #expect(try await journal.openJobs().map(\.events) == [1])
        var answered = step(1)
        answered.answeredEvents = 1
        answered.facts = [.finished]
        try await journal.commit(answered)
        #expect(try await journal.openJobs().isEmpty)
        try await journal.commit(step(2))
        #expect(try await journal.openJobs().map(\.summary.key) == [job])
    }

    @Test func `parked jobs stay visible until they are taken up again`() async throws {
        try await journal.add(job)
        try await journal.record([.parked(true)], for: job, at: Sample.time(150))
        #expect(try await journal.jobs(JobFilter(onlyParked: true)).map(\.key) == [job])
        #expect(try await journal.jobCounts() == (open: 1, parked: 1, finished: 0))
        try await journal.record([.parked(false)], for: job, at: Sample.time(150))
        #expect(try await journal.jobs(JobFilter(onlyParked: true)).isEmpty)
    }
}
