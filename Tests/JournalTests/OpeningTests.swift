import Foundation
import GRDB
import LightningTypes
import Testing

@testable import Journal

@Suite struct OpeningTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @Test(arguments: [("synchronous", "2"), ("foreign_keys", "1"), ("journal_mode", "wal")])
    func `the writer flushes every commit, checks foreign keys and uses a log`(
        pragma: String,
        value: String
    ) async throws {
        let journal = try folder.open()
        let present = try await journal.pool.writeWithoutTransaction {
            try String.fetchOne($0, sql: "PRAGMA \(pragma)")
        }
        #expect(present == value)
    }

    @Test func `deleted bytes are overwritten`() async throws {
        let journal = try folder.open()
        let present = try await journal.pool.writeWithoutTransaction {
            try Int.fetchOne($0, sql: "PRAGMA secure_delete")
        }
        #expect(present == 1)
    }

    @Test func `every file of the journal is readable by its owner alone`() async throws {
        // A file that somebody made too open before.
        let made = FileManager.default.createFile(
            atPath: folder.journalPath,
            contents: nil,
            attributes: [.posixPermissions: 0o644]
        )
        #expect(made)
        let journal = try folder.open()
        try await journal.add(Sample.job(1))
        for suffix in ["", "-wal", "-shm", ".lock"] {
            let mode = try FileManager.default
                .attributesOfItem(atPath: folder.journalPath + suffix)[.posixPermissions]
            #expect(mode as? Int == 0o600, "journal\(suffix)")
        }
    }

    @Test func `a second journal on the same file is refused and names the owner`() throws {
        let journal = try folder.open()
        let error = #expect(throws: JournalError.self) { try folder.open() }
        #expect(error?.code == .lockedByAnotherProcess)
        #expect(error?.detail.contains("process \(getpid())") == true)
        withExtendedLifetime(journal) {}
    }

    @Test func `a second journal is refused by whichever name it is opened`() throws {
        let journal = try folder.open()
        let link = folder.path + "/link"
        try FileManager.default.createSymbolicLink(
            atPath: link,
            withDestinationPath: folder.journalPath
        )
        let error = #expect(throws: JournalError.self) { try Journal(path: link) }
        #expect(error?.code == .lockedByAnotherProcess)
        withExtendedLifetime(journal) {}
    }

    @Test func `a second process is refused`() async throws {
        let journal = try folder.open()
        let path = folder.journalPath
        let owner = getpid()
        await #expect(processExitsWith: .success) {
            [path = path as String, owner = owner as Int32] in
            let error = #expect(throws: JournalError.self) { try Journal(path: path) }
            #expect(error?.code == .lockedByAnotherProcess)
            #expect(error?.detail.contains("process \(owner)") == true)
        }
        withExtendedLifetime(journal) {}
    }

    @Test func `a closed journal can be opened again and takes nothing itself`() async throws {
        let journal = try folder.open()
        try await journal.add(Sample.job(1))
        try await journal.close()
        #expect(await code { try await journal.add(Sample.job(2)) } == .closed)
        #expect(await code { try await journal.job(Sample.job(1)) } == .closed)
        let again = try folder.open()
        #expect(try await again.job(Sample.job(1))?.summary.version == 1)
        #expect(try await again.job(Sample.job(2)) == nil)
    }

    @Test func `a newer schema is refused and left as it is`() async throws {
        try await folder.open().close()
        let newer = try DatabaseQueue(path: folder.journalPath)
        try await newer.writeWithoutTransaction {
            try $0.execute(sql: "PRAGMA user_version = \(Schema.version + 1)")
        }
        try newer.close()
        let before = try Data(contentsOf: URL(filePath: folder.journalPath))
        let error = #expect(throws: JournalError.self) { try folder.open() }
        #expect(error?.code == .newerSchema)
        #expect(try Data(contentsOf: URL(filePath: folder.journalPath)) == before)
    }

    @Test func `another program's database is refused and left as it is`() async throws {
        let other = try DatabaseQueue(path: folder.journalPath)
        try await other.write { try $0.execute(sql: "CREATE TABLE theirs (a)") }
        try other.close()
        let before = try Data(contentsOf: URL(filePath: folder.journalPath))
        let error = #expect(throws: JournalError.self) { try folder.open() }
        #expect(error?.code == .notAJournal)
        #expect(try Data(contentsOf: URL(filePath: folder.journalPath)) == before)
    }

    @Test func `a file that is no database is reported as damaged`() throws {
        let text = Data(String(repeating: "not a database ", count: 400).utf8)
        try text.write(to: URL(filePath: folder.journalPath))
        let error = #expect(throws: JournalError.self) { try folder.open() }
        #expect(error?.code == .damaged)
        #expect(try Data(contentsOf: URL(filePath: folder.journalPath)) == text)
    }

    @Test func `a folder that does not exist is named`() {
        let error = #expect(throws: JournalError.self) {
            try Journal(path: folder.path + "/missing/journal")
        }
        #expect(error?.code == .pathUnusable)
        #expect(error?.detail.contains("missing") == true)
    }

    @Test(arguments: ["mainnet", "", "bitcoin", "unheard-of"])
    func `less than full durability is refused outside test networks`(network: String) {
        let error = #expect(throws: JournalError.self) {
            try Journal(
                path: folder.journalPath,
                options: .init(network: network, durability: .normal)
            )
        }
        #expect(error?.code == .durabilityRefused)
        #expect(!FileManager.default.fileExists(atPath: folder.journalPath))
    }

    @Test func `benchmarks may do with less on a test network`() async throws {
        let journal = try Journal(
            path: folder.journalPath,
            options: .init(network: "regtest", durability: .normal)
        )
        let present = try await journal.pool.writeWithoutTransaction {
            try Int.fetchOne($0, sql: "PRAGMA synchronous")
        }
        #expect(present == 1)
    }

    @Test func `every error says what to do next`() {
        for code in JournalError.Code.allCases {
            #expect(!JournalError(code, "detail").advice.isEmpty)
        }
        #expect(
            JournalError(.diskFull, "no room").description
                == "diskFull: no room. Free space on the journal's volume; nothing is paid until then"
        )
    }
}
