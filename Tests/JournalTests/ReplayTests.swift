import Journal
import LightningTypes
import Testing

@Suite struct ReplayTests {
    let folder: TemporaryFolder
    let journal: Journal

    init() throws {
        folder = try TemporaryFolder()
        journal = try folder.open()
    }

    private func receive(
        _ message: Int,
        from peer: Int = 1,
        at time: UInt64 = 100,
        expiresAt: UInt64 = 200,
        quota: Int = 3
    ) async throws {
        let entry = ReplayEntry(
            peer: Sample.peer(peer),
            jobID: Sample.bytes32(50),
            messageID: Sample.bytes32(message),
            expiresAt: Sample.time(expiresAt)
        )
        try await journal.record([.received(entry, quota: quota)], for: nil, at: Sample.time(time))
    }

    @Test func `a message is taken once`() async throws {
        try await receive(1)
        #expect(await code { try await receive(1) } == .replayed)
        try await receive(1, from: 2)
        try await receive(2)
    }

    @Test func `a message is remembered across a restart`() async throws {
        try await receive(1)
        try await journal.close()
        let again = try folder.open()
        let entry = ReplayEntry(
            peer: Sample.peer(1),
            jobID: Sample.bytes32(50),
            messageID: Sample.bytes32(1),
            expiresAt: Sample.time(200)
        )
        let replayed = await code {
            try await again.record(
                [.received(entry, quota: 3)],
                for: nil,
                at: Sample.time(100)
            )
        }
        #expect(replayed == .replayed)
    }

    @Test func `a peer's flood costs no other peer its protection`() async throws {
        try await receive(1, from: 2)
        for message in 1...3 { try await receive(message) }
        #expect(await code { try await receive(4) } == .quotaExceeded)
        #expect(await code { try await receive(1) } == .replayed, "nothing was evicted")
        #expect(await code { try await receive(1, from: 2) } == .replayed)
        try await receive(2, from: 2)
    }

    @Test func `expired entries make room`() async throws {
        for message in 1...3 { try await receive(message) }
        #expect(await code { try await receive(4, at: 199) } == .quotaExceeded)
        try await receive(4, at: 200, expiresAt: 300)
    }

    @Test func `a message of a refused step may come again`() async throws {
        let entry = ReplayEntry(
            peer: Sample.peer(1),
            jobID: Sample.bytes32(50),
            messageID: Sample.bytes32(1),
            expiresAt: Sample.time(200)
        )
        try await journal.add(Sample.job(1))
        let refused = await code {
            try await journal.add(Sample.job(1), facts: [.received(entry, quota: 3)])
        }
        #expect(refused == .staleVersion)
        try await receive(1)
    }

    @Test func `what must not be taken twice is read page by page`() async throws {
        for peer in 1...2 {
            for message in 1...3 { try await receive(message, from: peer) }
        }
        try await receive(4, from: 2, expiresAt: 150, quota: 4)
        let time = Sample.time(150)
        var pages: [[ReplayEntry]] = []
        repeat {
            pages.append(
                try await journal.replayEntries(at: time, after: pages.last?.last, limit: 4)
            )
        } while pages.last?.count == 4
        #expect(pages.map(\.count) == [4, 2], "what has expired is left out")
        let read = Set(pages.joined())
        let expected = (1...2).flatMap { peer in
            (1...3).map { message in
                ReplayEntry(
                    peer: Sample.peer(peer),
                    jobID: Sample.bytes32(50),
                    messageID: Sample.bytes32(message),
                    expiresAt: Sample.time(200)
                )
            }
        }
        #expect(read == Set(expected))
    }

    @Test func `a manifest can be given up`() async throws {
        for peer in 1...2 {
            try await journal.keep(
                PeerManifest(
                    peer: Sample.peer(peer),
                    receivedAt: Sample.time(100),
                    answeredAt: nil,
                    bytes: [1]
                )
            )
        }
        try await journal.forgetManifest(of: Sample.peer(1))
        try await journal.forgetManifest(of: Sample.peer(3))
        #expect(try await journal.manifests().map(\.peer) == [Sample.peer(2)])
    }
}
