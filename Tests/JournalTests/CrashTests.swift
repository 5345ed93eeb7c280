import Foundation
import Journal
import LCPTesting
import LightningTypes
import Synchronization
import Testing

/// What is left after SIGKILL at any moment: everything acknowledged, and nothing by halves.
@Suite struct CrashTests {
    private static let jobs = 16

    @Test(arguments: UInt64(1)...6)
    func `a kill loses no acknowledged step and leaves none half done`(seed: UInt64) async throws {
        let folder = try TemporaryFolder()
        let path = folder.path
        await #expect(processExitsWith: .signal(SIGKILL)) {
            [path = path as String, seed = seed as UInt64] in
            try await Self.writeUntilKilled(path, seed)
        }

        var acknowledged = [UInt64](repeating: 0, count: Self.jobs)
        let acknowledgements = try [UInt8](Data(contentsOf: URL(filePath: path + "/acks")))
        for offset in stride(from: 0, to: acknowledgements.count - 1, by: 2) {
            let job = Int(acknowledgements[offset])
            acknowledged[job] += 1
            #expect(UInt8(truncatingIfNeeded: acknowledged[job]) == acknowledgements[offset + 1])
        }
        #expect(acknowledgements.count > 100, "killed before anything was proven")

        let journal = try folder.open()
        #expect(try await journal.check().isEmpty)
        for number in 0..<Self.jobs {
            let key = Self.key(number)
            let record = try await journal.job(key)
            let version = record?.summary.version ?? 0
            // The step under way when the process died may be there, unacknowledged.
            #expect(
                version == acknowledged[number] || version == acknowledged[number] + 1,
                "\(key)"
            )
            guard let record else { continue }
            #expect(record.state == Self.state(version))
            #expect(record.outstanding.map(\.effect.id) == [version])
            #expect(record.events.map(\.sequence) == [version])
            #expect(try await journal.answer(of: key) == Redacted(Self.answer(version)))
            #expect(try await journal.invoice(Self.hash(number, version)) != nil)
            #expect(try await journal.invoice(Self.hash(number, version + 1)) == nil)
            // And it goes on from there.
            try await journal.commit(Self.step(number, version))
        }
    }

    // MARK: In the child

    private final class Counter: Sendable { let value = Atomic(0) }

    private static func writeUntilKilled(_ path: String, _ seed: UInt64) async throws {
        let folder = try Journal(path: path + "/journal", options: .init(network: "regtest"))
        // What write(2) took survives the process, as an acknowledgement to a peer would.
        let acks = open(path + "/acks", O_WRONLY | O_CREAT | O_APPEND, 0o600)
        let count = Counter()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for job in 0..<jobs {
                group.addTask {
                    var version: UInt64 = 0
                    while true {
                        version = try await folder.commit(step(job, version)).version
                        let line = [UInt8(job), UInt8(truncatingIfNeeded: version)]
                        guard write(acks, line, 2) == 2 else { throw POSIXError(.EIO) }
                        count.value.wrappingAdd(1, ordering: .relaxed)
                    }
                }
            }
            group.addTask {
                var random = SeededGenerator(seed: seed)
                let enough = Int.random(in: 60..<400, using: &random)
                while count.value.load(ordering: .relaxed) < enough { await Task.yield() }
                // Anywhere within the next transactions.
                for _ in 0..<Int.random(in: 0..<20_000, using: &random) { sched_yield() }
                kill(getpid(), SIGKILL)
            }
            try await group.waitForAll()
        }
    }

    // MARK: What each version holds

    private static func key(_ job: Int) -> JobKey { Sample.job(job, role: .provider) }

    private static func hash(_ job: Int, _ version: UInt64) -> PaymentHash {
        Sample.hash(job * 1_000_000 + Int(version))
    }

    private static func state(_ version: UInt64) -> [UInt8] {
        Array("state \(version)".utf8) + [UInt8](repeating: UInt8(version % 251), count: 600)
    }

    private static func answer(_ version: UInt64) -> [UInt8] {
        [UInt8](repeating: UInt8(version % 251), count: 9000)
    }

    private static func step(_ job: Int, _ version: UInt64) -> Step {
        let next = version + 1
        return Step(
            job: key(job),
            version: version,
            at: Sample.time(next),
            state: state(next),
            effects: [Sample.effect(next)],
            answeredEvents: version,
            answer: .store(Redacted(answer(next))),
            facts: [
                .event(kind: 1, body: [], limit: nil),
                .invoiceOpened(
                    InvoiceTerms(
                        hash: hash(job, next),
                        amount: MilliSatoshi(msat: 1),
                        expiresAt: Sample.time(10_000),
                        profile: "p"
                    )
                ),
            ]
        )
    }
}
