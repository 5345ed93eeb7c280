import BridgeProtocol
import BusClient
import FoundationEssentials
import LightningTypes
import ScriptedBridge
import SwiftProtobuf
import Testing

@Suite(.timeLimit(.minutes(10))) struct WatchTests {
    @Test func `a watch gives the present state and every later one`() async throws {
        try await withBridge { bridge, client in
            let job = try await client.submit(try submission(.endless))
            try await client.watch([job.key]) { states in
                #expect(try await states.next()?.view.stage == .quoted)
                _ = try await client.accept(job.key, upTo: .totalSupply)
                #expect(try await states.first { $0.view.stage == .running } != nil)
                try await bridge.change(job.key.jobID) { $0.view.stage = .done }
                #expect(try await states.next()?.view.stage == .done)
            }
            // The unwatch was sent before this request, on the same connection.
            _ = try await client.status()
            #expect(await bridge.count("unwatch") >= 1)
        }
    }

    @Test func `a watch without jobs hears of all of them`() async throws {
        try await withBridge { _, client in
            let before = try await client.submit(try submission(.echo))
            try await client.watch([]) { states in
                #expect(try await states.next()?.key == before.key)
                let later = try await client.submit(try submission(.echo))
                #expect(try await states.first { $0.key == later.key } != nil)
            }
        }
    }

    @Test func `an unread state is replaced by a newer one`() async throws {
        try await withBridge { bridge, client in
            let job = try await client.submit(try submission(.endless))
            try await client.watch([job.key]) { states in
                _ = try await states.next()
                for fee in 1...50 as ClosedRange<UInt64> {
                    try await bridge.change(job.key.jobID) { $0.view.feeMsat = fee }
                }
                // Answered after the changes were sent on the same connection.
                _ = try await client.status()
                #expect(try await states.next()?.view.feeMsat == 50)
            }
        }
    }

    @Test func `a watch of an unknown job fails with the bridge's words`() async throws {
        try await withBridge { _, client in
            let unknown = BusJobKey.with { $0.jobID = Data(repeating: 9, count: 32) }
            let error = await failure {
                try await client.watch([unknown]) { _ = try await $0.next() }
            }
            #expect(error?.label == "unknown-job")
        }
    }

    @Test func `a watch is armed again by a new bridge`() async throws {
        try await withBusDirectory { directory in
            let first = try await ScriptedBridge(in: directory)
            var settings = BusClientSettings.quick
            settings.refreshInterval = .seconds(60)
            try await BusClient.connected(to: directory, settings: settings) { client in
                let (keys, key) = AsyncStream<BusJobKey>.makeStream()
                let stages = Task { try await watchToTheEnd(client, keys) }
                let market = try await running(first) {
                    try await client.hear(1)
                    key.yield(try await client.submit(try submission(.endless)).key)
                    while await first.count("watchJobs") == 0 { await Task.yield() }
                    return await first.market
                }
                var changed = market
                let job = try #require(market.jobs.first?.key.jobID)
                // What happened while no bridge was there is told by the new one.
                _ = changed.change(job) { $0.view.stage = .running }
                let second = try await ScriptedBridge(in: directory, market: changed, epoch: 2)
                try await running(second) {
                    while await second.count("watchJobs") == 0 { await Task.yield() }
                    try await second.change(job) { $0.view.stage = .done }
                    // Before the bridge stops, which may keep back what it was about to answer.
                    #expect(try await stages.value.last == .done)
                }
            }
        }
    }

    @Test func `a bridge that falls silent and beats again arms watches anew`() async throws {
        try await withBusDirectory { directory in
            var settings = BusClientSettings.quick
            settings.heartbeatTimeout = .milliseconds(100)
            settings.refreshInterval = .seconds(60)
            let bridge = try await ScriptedBridge(in: directory)
            try await BusClient.connected(to: directory, settings: settings) { client in
                let serving = Task { try await bridge.run(heartbeat: .milliseconds(10)) }
                let job = try await client.submit(try submission(.endless))
                try await client.watch([job.key]) { states in
                    _ = try await states.next()
                    try await client.hear(1)
                    serving.cancel()
                    _ = await serving.result
                    while client.link != .silent { try await Task.sleep(for: .milliseconds(5)) }
                    // A machine that stalls arms it more than once before this.
                    let armed = await bridge.count("watchJobs")
                    // Nobody was there to tell watchers of this.
                    try await bridge.change(job.key.jobID) { $0.view.stage = .unanswered }
                    try await running(bridge) {
                        while await bridge.count("watchJobs") == armed { await Task.yield() }
                        // As above.
                        let told = try await states.first { $0.view.stage == .unanswered }
                        #expect(told != nil)
                    }
                }
            }
        }
    }

    @Test func `bytes that are no response are skipped`() async throws {
        try await withBridge { bridge, client in
            let job = try await client.submit(try submission(.endless))
            try await client.watch([job.key]) { states in
                _ = try await states.next()
                try await bridge.sendToWatchers([0xff, 0xff, 0xff])
                try await bridge.sendToWatchers([])
                try await bridge.change(job.key.jobID) { $0.view.stage = .done }
                #expect(try await states.next()?.view.stage == .done)
            }
        }
    }
}

/// The stages a job passes as a watch tells, up to its end.
private func watchToTheEnd(
    _ client: BusClient,
    _ keys: AsyncStream<BusJobKey>
) async throws -> [BusJobStage] {
    guard let key = await keys.first(where: { _ in true }) else { return [] }
    return try await client.watch([key]) { states in
        var stages: [BusJobStage] = []
        while stages.last != .done, let job = try await states.next() {
            stages.append(job.view.stage)
        }
        return stages
    }
}
