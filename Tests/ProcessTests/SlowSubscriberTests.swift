import Foundation
import Glibc
import LCPWire
import LightningTypes
import LocalNetwork
import BusClient
import BridgeProtocol
import Testing

/// An observer of the feeds that stopped reading.
@Suite(.timeLimit(.minutes(10))) struct SlowSubscriberTests {
    @Test func `an observer that reads nothing holds nobody up and costs bounded memory`()
        async throws
    {
        let directory = "/tmp/lcp-slow-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(
            atPath: directory,
            withIntermediateDirectories: true
        )
        defer { try? FileManager.default.removeItem(atPath: directory) }
        var plan = LocalNetworkPlan.market()
        let programs = LocalNetworkPlan.directory(of: CommandLine.arguments[0])
        plan.programs = programs
        plan.patience = .seconds(300)
        try await LocalNetwork.run(plan, in: directory) { network in
            let buyer = try await network.client(of: "alice")
            let seller = try await network.node("bob").id
            let bridge = try #require(await network.process(ProcessName("alice", .bridge)))
            var observers: [ChildProcess] = []
            let bus = try await network.node("alice").busDirectory
            for feed in ["feed/messages", "feed/events"] {
                // An empty topic is every topic.
                let observer = try await ChildProcess(
                    "\(programs)/bus-peer",
                    ["\(bus)/\(feed)", ""],
                    log: "\(directory)/observer.log"
                )
                observers.append(observer)
            }
            func buy(_ number: Int) async throws {
                let order = JobSubmission(
                    to: seller,
                    taskKind: V01.llmChat,
                    input: Redacted([UInt8](repeating: 0x61, count: 12_000)),
                    params: try V01.LLMChatParams(profile: "demo").encoded(),
                    ceiling: MilliSatoshi(msat: 1_000_000)
                )
                let key = try await buyer.submit(order).key
                let ended = try await buyer.watch([key]) { states in
                    try await states.first { $0.view.stage == .done || $0.view.stage == .failed }
                }
                #expect(ended?.view.stage == .done, "job \(number)")
            }
            try await buy(0)
            for observer in observers { observer.signal(SIGSTOP) }
            let before = try residentBytes(of: bridge.pid)
            for number in 1...60 { try await buy(number) }
            // More than a megabyte was published; what waits for an observer has a bound.
            #expect(try residentBytes(of: bridge.pid) < before + (64 << 20))
            #expect(try await buyer.status().lndState == "ready")
            for observer in observers {
                #expect(observer.ending == nil)
                observer.signal(SIGKILL)
            }
            try await buy(61)
        }
    }

    private func residentBytes(of pid: Int32) throws -> Int {
        let text = try String(contentsOfFile: "/proc/\(pid)/statm", encoding: .utf8)
        let pages = text.split(separator: " ").dropFirst().first.flatMap { Int($0) }
        return try #require(pages) * sysconf(Int32(_SC_PAGESIZE))
    }
}
