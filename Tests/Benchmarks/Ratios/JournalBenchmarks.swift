import BenchmarkReport
import Foundation
import Glibc
import Journal
import LCPTesting
import LightningTypes

/// What a durable job step costs, next to a bare flush of the same disk.
enum JournalBenchmarks {
    /// A figure with its goal, if it has one.
    struct Figure {
        var line: String
        var isMet = true
    }

    static func run() async throws -> [Figure] {
        let folder = URL(filePath: FileManager.default.currentDirectoryPath)
            .appending(path: ".build/journal-benchmark-\(getpid())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let flush = try flushSeconds(folder)
        var figures = [
            Figure(line: String(format: "bare write and fsync of 4 KiB %31.2f ms", flush * 1e3))
        ]
        for (concurrency, goal) in [(1, 0.0), (64, 3000), (256, 0)] {
            figures.append(try await steps(concurrency, goal: goal, flush: flush, folder))
        }
        figures.append(
            Figure(
                line: String(format: "bare flush again %44.2f ms", try flushSeconds(folder) * 1e3)
            )
        )
        figures += try await start(finished: 100_000, open: 10_000, folder)
        return figures
    }

    private static func flushSeconds(_ folder: URL) throws -> Double {
        let file = folder.appending(path: "flush").path()
        let descriptor = open(file, O_RDWR | O_CREAT | O_APPEND, 0o600)
        guard descriptor >= 0 else { throw POSIXError(.EIO) }
        defer { close(descriptor) }
        let page = [UInt8](repeating: 7, count: 4096)
        var samples: [Double] = []
        for _ in 0..<200 {
            samples.append(
                ContinuousClock().measure {
                    _ = write(descriptor, page, page.count)
                    fsync(descriptor)
                } / .seconds(1)
            )
        }
        return samples.sorted()[samples.count / 2]
    }

    /// As many jobs as `concurrency`, each making steps one after the other for three seconds.
    private static func steps(
        _ concurrency: Int,
        goal: Double,
        flush: Double,
        _ folder: URL
    ) async throws -> Figure {
        let path = folder.appending(path: "steps-\(concurrency)").path()
        let journal = try Journal(path: path, options: .init(network: "regtest"))
        let clock = ContinuousClock()
        let begin = clock.now
        let end = begin.advanced(by: .seconds(3))
        let latencies = try await withThrowingTaskGroup(of: [Double].self) { group in
            for worker in 0..<concurrency {
                group.addTask {
                    var random = SeededGenerator(seed: UInt64(worker))
                    let job = try Samples.job(using: &random)
                    let state = random.bytes(500)
                    let body = random.bytes(120)
                    var latencies: [Double] = []
                    var version: UInt64 = 0
                    while clock.now < end {
                        let start = clock.now
                        // A typical step: new state, one effect done, another one wanted.
                        let facts: [Fact] = version == 0 ? [] : [.effectDone(version - 1)]
                        version = try await journal.commit(
                            Step(
                                job: job,
                                version: version,
                                at: UnixTime(seconds: version),
                                state: state,
                                effects: [Effect(id: version, kind: 1, body: body)],
                                wakeAt: UnixTime(seconds: version + 60),
                                answeredEvents: version == 0 ? 0 : version - 1,
                                facts: version == 0
                                    ? [] : [.event(kind: 1, body: body, limit: 16)] + facts
                            )
                        ).version
                        latencies.append((clock.now - start) / .seconds(1))
                    }
                    return latencies
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        let seconds = (clock.now - begin) / .seconds(1)
        try await journal.close()
        let rate = Double(latencies.count) / seconds
        let counts = journal.writeCounts
        let batch = Double(counts.committed) / Double(max(counts.transactions, 1))
        let sorted = latencies.sorted()
        RatioLine.print(
            "durable steps in the time of a bare flush, \(concurrency) at once",
            rate * flush,
            better: .higher
        )
        return Figure(
            line: String(
                format:
                    "durable steps, %3d at once %26.0f /s (goal %.0f), p50 %.2f p99 %.2f ms, %.1f a flush",
                concurrency,
                rate,
                goal,
                sorted[sorted.count / 2] * 1e3,
                sorted[sorted.count * 99 / 100] * 1e3,
                batch
            ),
            isMet: rate >= goal
        )
    }

    /// Opening a journal and reading everything a restart needs.
    private static func start(finished: Int, open: Int, _ folder: URL) async throws -> [Figure] {
        let path = folder.appending(path: "start").path()
        let options = Journal.Options(network: "regtest", durability: .normal)
        let journal = try Journal(path: path, options: options)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for worker in 0..<64 {
                group.addTask {
                    var random = SeededGenerator(seed: UInt64(1000 + worker))
                    for number in stride(from: worker, to: finished + open, by: 64) {
                        // Open jobs are spread among the finished ones, as in life.
                        let isOpen = number % ((finished + open) / open) == 0
                        let effect = Effect(id: 1, kind: 1, body: random.bytes(200))
                        try await journal.commit(
                            Step(
                                job: try Samples.job(using: &random),
                                version: 0,
                                at: UnixTime(seconds: UInt64(number)),
                                state: random.bytes(300),
                                effects: isOpen ? [effect] : [],
                                wakeAt: isOpen ? UnixTime(seconds: UInt64(number)) : nil,
                                input: .store(Redacted(random.bytes(500))),
                                facts: isOpen ? [] : [.finished]
                            )
                        )
                    }
                }
            }
            try await group.waitForAll()
        }
        try await journal.close()
        var count = 0
        let duration = try await ContinuousClock().measure {
            let journal = try Journal(path: path, options: options)
            var place: Int64?
            repeat {
                let page = try await journal.openJobs(after: place)
                count += page.count
                place = page.last?.summary.place
            } while place != nil
            _ = try await journal.unresolvedPayments()
            _ = try await journal.openInvoices()
            _ = try await journal.due(at: UnixTime(seconds: 1000))
            try await journal.close()
        }
        let seconds = duration / .seconds(1)
        return [
            Figure(
                line: String(
                    format: "start with %d finished, %d open %20.3f s (goal 2)",
                    finished,
                    count,
                    seconds
                ),
                isMet: seconds < 2
            )
        ]
    }
}

private enum Samples {
    static func job(using random: inout SeededGenerator) throws -> JobKey {
        guard let peer = NodeID([2] + random.bytes(32)), let id = Bytes32(random.bytes(32)) else {
            preconditionFailure("33 and 32 bytes")
        }
        return JobKey(role: .provider, peer: peer, id: id)
    }
}
