import BridgeProtocol
import BusClient
import FoundationEssentials
import Glibc
import LightningTypes
import ScriptedBridge
import SwiftProtobuf
import Testing

@Suite(.timeLimit(.minutes(10))) struct RequestTests {
    @Test func `a job is submitted, accepted and its result fetched`() async throws {
        try await withBridge { _, client in
            let job = try await client.submit(try submission(.echo))
            #expect(job.view.stage == .quoting)
            let quoted = try await client.job(job.key)
            #expect(quoted.view.priceMsat == Market.price)
            let bought = try await client.accept(job.key, upTo: MilliSatoshi(msat: Market.price))
            #expect(bought.view.stage == .done)
            let result = try await client.result(of: job.key)
            #expect(result.output?.reveal("the test reads it") == Array("a prompt".utf8))
            #expect(result.preimage != nil)
        }
    }

    @Test func `a lost submission is sent again and buys one job`() async throws {
        try await withBridge { bridge, client in
            await bridge.ignore(2, "submit")
            let submission = try submission(.echo, ceiling: MilliSatoshi(msat: 100_000))
            let first = try await client.submit(submission)
            let second = try await client.submit(submission)
            #expect(first.key == second.key)
            #expect(await bridge.count("submit") >= 4)
            #expect(await bridge.market.jobs.count == 1)
        }
    }

    @Test func `two submissions have two keys`() throws {
        #expect(try submission(.echo).key != submission(.echo).key)
        #expect(SubmissionKey([]) == nil)
        #expect(SubmissionKey(Array(repeating: 1, count: 65)) == nil)
    }

    @Test func `a submission does not show its input`() throws {
        let submission = JobSubmission(
            to: try #require(NodeID(Market.peer)),
            taskKind: "llm.chat",
            input: Redacted([97, 98]),
            params: [],
            key: try #require(SubmissionKey([1]))
        )
        var text = "\(submission)"
        dump(submission, to: &text)
        #expect(text.contains("(redacted)"))
        #expect(!text.contains("97"), "the bytes of the prompt are shown")
    }

    @Test func `many requests are under way at the same time`() async throws {
        try await withBridge { bridge, client in
            let jobs = try await withThrowingTaskGroup(of: BusJob.self) { group in
                for _ in 0..<100 {
                    group.addTask { try await client.submit(try submission(.echo)) }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(Set(jobs.map(\.key)).count == 100)
            #expect(await bridge.market.jobs.count == 100)
        }
    }

    @Test func `a refusal carries the bridge's words`() async throws {
        try await withBridge { _, client in
            let error = await failure {
                _ = try await client.job(.with { $0.jobID = Data(repeating: 9, count: 32) })
            }
            #expect(error?.code == .refused)
            #expect(error?.label == "unknown-job")
            #expect(error?.advice == "List them with lcp jobs.")
        }
    }

    @Test func `jobs come in pages`() async throws {
        try await withBridge { _, client in
            for _ in 0..<5 { _ = try await client.submit(try submission(.echo)) }
            var filter = BusListJobs.with { $0.limit = 2 }
            var ids: [Data] = []
            repeat {
                let page = try await client.jobs(filter)
                ids += page.jobs.map(\.key.jobID)
                filter.page = page.next
            } while !filter.page.isEmpty
            #expect(ids == (1...5).map { Data(repeating: $0, count: 32) })
        }
    }

    @Test func `peers, workers, ledger and status are read`() async throws {
        try await withBridge { _, client in
            _ = try await client.submit(try submission(.echo, ceiling: .totalSupply))
            #expect(try await client.peers().first?.offers.count == Plot.allCases.count)
            #expect(try await client.peers().map(\.id) == [Market.peer, Market.awayPeer])
            #expect(try await client.workers().map(\.role) == [.requester])
            #expect(try await client.ledger().spentMsat == Market.price)
            #expect(try await client.status().lndState == "ready")
            let peer = try #require(NodeID(Market.peer))
            #expect(try await client.connect(to: peer, at: "10.0.0.1:9735").connected)
        }
    }

    @Test func `a directory without a bridge gives advice in time`() async throws {
        try await withBusDirectory { directory in
            var settings = BusClientSettings()
            settings.connectTimeout = .milliseconds(50)
            let error = await failure {
                try await BusClient.connected(to: directory, settings: settings) { client in
                    _ = try await client.status()
                }
            }
            #expect(error?.code == .noBridge)
            #expect(error?.description.contains("Start lcp-bridge") == true)
            let missing = await failure { _ = try await BusClient(directory: "\(directory)/no") }
            #expect(missing?.code == .noBridge)
        }
    }

    @Test func `a bridge that never answers is told from one that is not there`() async throws {
        var settings = BusClientSettings.quick
        settings.answerTimeout = .milliseconds(300)
        try await withBridge(settings: settings) { bridge, client in
            await bridge.ignore(1_000, "getStatus")
            let error = await failure { _ = try await client.status() }
            #expect(error?.code == .timedOut)
        }
    }

    @Test func `a cancelled call ends at once and leaves others alone`() async throws {
        try await withBridge { bridge, client in
            await bridge.ignore(1_000, "getStatus")
            let call = Task { try await client.status() }
            call.cancel()
            await #expect(throws: CancellationError.self) { _ = try await call.value }
            let workers = try await client.workers()
            #expect(workers.count == 1)
        }
    }

    @Test func `requests beyond the bound are refused`() async throws {
        var settings = BusClientSettings.quick
        settings.maximumRequests = 0
        try await withBridge(settings: settings) { _, client in
            #expect(await failure { _ = try await client.status() }?.code == .tooManyRequests)
        }
    }

    @Test func `a request outlives a restart of the bridge`() async throws {
        try await withBusDirectory { directory in
            let first = try await ScriptedBridge(in: directory)
            var settings = BusClientSettings.quick
            // The request must come again because of the new bridge, not of the timer.
            settings.repeatInterval = .seconds(30)
            settings.answerTimeout = .seconds(40)
            try await BusClient.connected(to: directory, settings: settings) { client in
                let market = try await running(first) {
                    _ = try await client.status()
                    try await client.hear(1)
                    return await first.market
                }
                let second = try await ScriptedBridge(in: directory, market: market, epoch: 2)
                let job = Task { try await client.submit(try submission(.echo)) }
                let stage = try await running(second) { try await job.value.view.stage }
                #expect(stage == .quoting)
            }
        }
    }
}

extension BusClient {
    /// Waits for the heartbeat of an epoch.
    func hear(_ epoch: UInt8) async throws {
        while link != .alive(epoch: Array(repeating: epoch, count: 16)) {
            try await Task.sleep(for: .milliseconds(5))
        }
    }
}
