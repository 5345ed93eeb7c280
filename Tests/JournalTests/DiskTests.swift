import Foundation
import LightningTypes
import Testing

@testable import Journal

/// Full and damaged disks.
@Suite struct DiskTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @Test func `a full disk refuses whole batches, keeps what was there, and recovers`()
        async throws
    {
        let path = folder.journalPath
        // In a process of its own: the limit holds for every file the process writes.
        await #expect(processExitsWith: .success) { [path = path as String] in
            signal(SIGXFSZ, SIG_IGN)
            let journal = try Journal(path: path, options: .init(network: "regtest"))
            try await journal.add(Sample.job(0))
            var limit = rlimit()
            getrlimit(__rlimit_resource_t(1), &limit)
            let before = limit.rlim_cur
            limit.rlim_cur = 400_000
            setrlimit(__rlimit_resource_t(1), &limit)

            let large = Redacted([UInt8](repeating: 7, count: 100_000))
            var kept: [JobKey] = []
            var refusals = 0
            for number in 1...20 {
                let step = Step(
                    job: Sample.job(number),
                    version: 0,
                    at: Sample.time(1),
                    state: [],
                    input: .store(large),
                    facts: [.paymentIntended(Sample.intent(number), check: Sample.noLimit)]
                )
                do throws(JournalError) {
                    try await journal.commit(step)
                    kept.append(step.job)
                } catch {
                    #expect(error.code == .diskFull, "\(error)")
                    refusals += 1
                }
            }
            #expect(refusals > 10)
            #expect(try await journal.jobCounts().open == kept.count + 1)
            #expect(try await journal.unresolvedPayments().map(\.job).count == kept.count)

            limit.rlim_cur = before
            setrlimit(__rlimit_resource_t(1), &limit)
            try await journal.add(Sample.job(100))
            for job in kept { #expect(try await journal.input(of: job) == large) }
            #expect(try await journal.check().isEmpty)
            try await journal.close()
        }
        let journal = try folder.open()
        #expect(try await journal.job(Sample.job(100)) != nil)
    }

    @Test func `a log torn by a power failure gives back every whole transaction`() async throws {
        let path = folder.journalPath
        let copy = folder.path + "/copy"
        let journal = try folder.open()
        for number in 0..<20 { try await journal.add(Sample.job(number)) }
        // The files as they are while the journal is in use, with the last page cut in half.
        try FileManager.default.copyItem(atPath: path, toPath: copy)
        try FileManager.default.copyItem(atPath: path + "-wal", toPath: copy + "-wal")
        let log = try FileHandle(forWritingTo: URL(filePath: copy + "-wal"))
        try log.truncate(atOffset: try log.seekToEnd() - 2048)
        try log.close()

        let recovered = try Journal(path: copy, options: .init(network: "regtest"))
        #expect(try await recovered.check().isEmpty)
        #expect(try await recovered.jobCounts().open == 19)
        try await recovered.add(Sample.job(19))
    }

    @Test func `damaged pages are found and named`() async throws {
        let journal = try folder.open()
        for number in 0..<200 { try await journal.add(Sample.job(number)) }
        #expect(try await journal.check().isEmpty)
        try await journal.close()
        let file = try FileHandle(forUpdating: URL(filePath: folder.journalPath))
        let size = try file.seekToEnd()
        // Every page but the first, which holds the schema's root.
        for page in stride(from: UInt64(4096 * 30), to: size, by: 4096) {
            try file.seek(toOffset: page)
            try file.write(contentsOf: Data(repeating: 0xee, count: 512))
        }
        try file.close()

        var findings: [String] = []
        do throws(JournalError) {
            let damaged = try Journal(path: folder.journalPath)
            findings = try await damaged.check()
        } catch {
            #expect(error.code == .damaged, "\(error)")
            #expect(error.advice.contains("restore"))
            findings = [error.detail]
        }
        #expect(!findings.isEmpty)
    }

    @Test func `after damage was met nothing more is written`() async throws {
        let journal = try folder.open()
        let damage = await code {
            try await journal.writer.write(size: 1) { _ in
                throw JournalError(.damaged, "page 7")
            }
        }
        #expect(damage == .damaged)
        #expect(await code { try await journal.add(Sample.job(1)) } == .damaged)
        #expect(try await journal.job(Sample.job(1)) == nil)
    }
}

extension DiskTests {
    @Test func `a backup holds everything acknowledged before it and nothing half done`()
        async throws
    {
        let journal = try folder.open()
        for number in 0..<50 { try await journal.add(Sample.job(number)) }
        let backup = folder.path + "/backup"
        async let copied: Void = journal.backUp(to: backup, now: Sample.time(500))
        for number in 50..<100 { try await journal.add(Sample.job(number)) }
        try await copied
        let mode = try FileManager.default.attributesOfItem(atPath: backup)[.posixPermissions]
        #expect(mode as? Int == 0o600)
        let restored = try Journal(path: backup, options: .init(network: "regtest"))
        #expect(try await restored.check().isEmpty)
        let open = try await restored.openJobs().map(\.summary.key)
        #expect(open.count >= 50)
        #expect(open == (0..<open.count).map { Sample.job($0) })
        #expect(!journal.isRestored)
    }

    @Test func `a backup replaces no file`() async throws {
        let journal = try folder.open()
        let refused = await code {
            try await journal.backUp(to: journal.path, now: Sample.time(500))
        }
        #expect(refused == .pathUnusable)
        #expect(try await journal.check(.quick).isEmpty)
    }

    @Test func `a restored journal pays nothing until its payments are reconciled`() async throws {
        let journal = try folder.open()
        try await journal.add(Sample.job(1))
        let backup = folder.path + "/backup"
        try await journal.backUp(to: backup, now: Sample.time(500))

        let restored = try Journal(path: backup, options: .init(network: "regtest"))
        func pay() async throws {
            try await restored.record(
                [.paymentIntended(Sample.intent(1), check: Sample.noLimit)],
                for: Sample.job(1),
                at: Sample.time(600)
            )
        }
        #expect(restored.isRestored)
        #expect(await code { try await pay() } == .notReconciled)
        try await restored.reconciled()
        try await pay()
        try await restored.close()
        #expect(try !Journal(path: backup, options: .init(network: "regtest")).isRestored)
    }
}
