import BenchmarkReport
import Foundation
import LocalNetwork

/// How much memory a gateway needs for a thousand clients whose jobs take long.
enum IdleStreams {
    private static let streams = 1_000
    private static let goal = 150.0
    /// How many ask for their quote at the same time.
    private static let opening = 64

    static func run() async throws {
        let (before, after) = try await GatewayMarket.run(delay: 3_600_000) { network, chat in
            guard let gateway = await network.process(ProcessName("alice", .gateway)) else {
                throw Unmeasurable(why: "there is no gateway")
            }
            let before = try memory(of: gateway.pid)
            return (before, try await open(at: chat) { try memory(of: gateway.pid) })
        }
        print(
            String(
                format: "%d idle streams: the gateway has %.1f MiB, %.1f without, goal %.0f: %@",
                streams,
                after,
                before,
                goal,
                after < goal ? "met" : "MISSED"
            )
        )
        RatioLine.print(
            "memory of a gateway with 1000 idle streams / 150 MiB",
            after / goal,
            better: .lower
        )
    }

    /// Opens all streams, and measures when each has had a sign of life.
    private static func open(
        at chat: ChatClient,
        _ measure: () throws -> Double
    ) async throws -> Double {
        try await withThrowingTaskGroup(of: Void.self) { group in
            let (opened, open) = AsyncStream.makeStream(of: Void.self)
            let (living, live) = AsyncStream.makeStream(of: Void.self)
            var (begun, alive) = (opened.makeAsyncIterator(), living.makeAsyncIterator())
            for number in 0..<streams {
                if number >= opening { _ = await begun.next() }
                group.addTask {
                    // One that ends early ends all that is waited for.
                    defer {
                        open.finish()
                        live.finish()
                    }
                    try await chat.stay("Say hello in one word. (\(number))") {
                        open.yield()
                    } isAlive: {
                        live.yield()
                    }
                }
            }
            var count = 0
            while count < streams, await alive.next() != nil { count += 1 }
            if count < streams { try await group.next() }
            defer { group.cancelAll() }
            return try measure()
        }
    }

    /// The MiB that a process has in memory.
    private static func memory(of pid: Int32) throws -> Double {
        let status = try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
        let words = line?.split(whereSeparator: \.isWhitespace) ?? []
        guard words.count > 1, let kibibytes = Double(words[1]) else {
            throw Unmeasurable(why: "/proc does not say how much memory \(pid) has")
        }
        return kibibytes / 1_024
    }

    /// There is nothing to measure.
    struct Unmeasurable: Error {
        var why: String
    }
}
