import BridgeProtocol
import BusClient
import Foundation
import GRDB
import LightningTypes
import SwiftProtobuf
import Logging
import Testing

@testable import Gateway

/// The ring with its files, as requests and operators use it.
@Suite struct KeyRingTests {
    private static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    /// A directory with a file of keys, and what an operator does to it.
    private struct Desk: Sendable {
        let directory: String
        var file: KeyFile { KeyFile(path: "\(directory)/keys.jsonl") }

        static func with(_ body: (Desk) async throws -> Void) async throws {
            let directory = "/tmp/lcp-keys-\(UUID().uuidString.prefix(8))"
            try FileManager.default.createDirectory(
                atPath: directory,
                withIntermediateDirectories: true
            )
            defer { try? FileManager.default.removeItem(atPath: directory) }
            try await body(Desk(directory: directory))
        }

        func add(
            _ name: String,
            budget: KeyRecord.Budget = .init(),
            rate: UInt32? = nil
        ) throws -> (token: String, id: KeyID) {
            let token = BearerToken.random()
            let record = KeyRecord(
                name: name,
                hash: token.hash,
                created: .ofSystem,
                budget: budget,
                requestsPerMinute: rate
            )
            try file.change { keys throws(KeyRingError) in try keys.add(record) }
            return (token.reveal("a test"), record.id)
        }

        func ring() throws -> KeyRing { try KeyRing(file, logger: logger) }

        /// The files as they would be found after a power failure now.
        func snapshot() throws -> Desk {
            let copy = Desk(directory: directory + "-copy-\(UUID().uuidString.prefix(8))")
            try FileManager.default.copyItem(atPath: directory, toPath: copy.directory)
            return copy
        }
    }

    private func submission(_ number: Int) throws -> SubmissionKey {
        try #require(SubmissionKey(Array("\(number)".utf8)))
    }

    private func msat(_ msat: UInt64) -> MilliSatoshi { MilliSatoshi(msat: msat) }

    // MARK: - Who is admitted

    @Test func `a key opens the gateway as soon as it is in the file, and no longer than that`()
        async throws
    {
        try await Desk.with { desk in
            let ring = try desk.ring()
            #expect(await ring.admit(bearer: nil) == .unauthorized)
            let (token, id) = try desk.add("alice")
            #expect(await ring.admit(bearer: token) == .admitted(id))
            #expect(await ring.admit(bearer: token + "0") == .unauthorized)
            let other = BearerToken.random().reveal("a test")
            #expect(await ring.admit(bearer: other) == .unauthorized)
            try desk.file.change { keys throws(KeyRingError) in try keys.revoke(id, at: .ofSystem) }
            #expect(await ring.admit(bearer: token) == .unauthorized)
            let (second, next) = try desk.add("alice")
            #expect(await ring.admit(bearer: second) == .admitted(next))
            try FileManager.default.removeItem(atPath: desk.file.path)
            #expect(await ring.admit(bearer: second) == .unauthorized, "no file, no keys")
            await ring.close()
        }
    }

    @Test func `a file that can't be read changes nothing and is told`() async throws {
        try await Desk.with { desk in
            let (token, id) = try desk.add("alice")
            let ring = try desk.ring()
            try Data("oops\n".utf8).write(to: URL(filePath: desk.file.path), options: .atomic)
            #expect(await ring.admit(bearer: token) == .admitted(id))
            #expect(await ring.problem?.code == .notAKeyFile)
            #expect(throws: KeyRingError.self) { try desk.add("bob") }
            #expect(try String(contentsOfFile: desk.file.path, encoding: .utf8) == "oops\n")
            await ring.close()
        }
    }

    @Test func `a key beyond its rate is told how long to wait`() async throws {
        try await Desk.with { desk in
            let (token, id) = try desk.add("alice", rate: 2)
            let (other, _) = try desk.add("bob")
            let ring = try desk.ring()
            let now = ContinuousClock.now
            for _ in 0..<2 { #expect(await ring.admit(bearer: token, now: now) == .admitted(id)) }
            #expect(
                await ring.admit(bearer: token, now: now)
                    == .tooManyRequests(retryAfter: .seconds(30))
            )
            #expect(await ring.admit(bearer: other, now: now) != .unauthorized)
            #expect(await ring.admit(bearer: token, now: now + .seconds(30)) == .admitted(id))
            await ring.close()
        }
    }

    @Test func `without keys everybody is admitted and nothing is counted`() async throws {
        let ring = KeyRing.openToEverybody(logger: Self.logger)
        #expect(ring.isOpen)
        #expect(await ring.admit(bearer: nil) == .admitted(.anyone))
        try await ring.reserve(.totalSupply, by: .anyone, for: submission(1))
        await ring.settle(try submission(1), spent: .totalSupply)
        await ring.close()
    }

    // MARK: - The file

    @Test func `the file is its owner's alone, and changes at a time lose none`() async throws {
        try await Desk.with { desk in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<16 { group.addTask { _ = try desk.add("client \(number)") } }
                try await group.waitForAll()
            }
            #expect(try desk.file.read().records.count == 16)
            let names = try FileManager.default.contentsOfDirectory(atPath: desk.directory)
            #expect(names == ["keys.jsonl"], "nothing is left beside it")
            let attributes = try FileManager.default.attributesOfItem(atPath: desk.file.path)
            #expect(attributes[.posixPermissions] as? Int == 0o600)
            try FileManager.default.setAttributes(
                [.posixPermissions: 0o620],
                ofItemAtPath: desk.file.path
            )
            let error = #expect(throws: KeyRingError.self) { try desk.ring() }
            #expect(error?.code == .openToOthers)
        }
    }

    @Test func `two gateways can't count the spending of the same keys`() async throws {
        try await Desk.with { desk in
            let ring = try desk.ring()
            let error = #expect(throws: KeyRingError.self) { try desk.ring() }
            #expect(error?.code == .lockedByAnotherProcess)
            await ring.close()
            await (try desk.ring()).close()
        }
    }

    // MARK: - Budgets

    @Test func `reservations at a time never overshoot, and outlive the process`() async throws {
        try await Desk.with { desk in
            let (_, id) = try desk.add("alice", budget: .init(day: msat(1_000)))
            let ring = try desk.ring()
            let granted = try await withThrowingTaskGroup(of: Bool.self) { group in
                for number in 0..<64 {
                    let submission = try self.submission(number)
                    group.addTask {
                        do {
                            try await ring.reserve(msat(30), by: id, for: submission)
                            return true
                        } catch is BudgetRefusal {
                            return false
                        }
                    }
                }
                return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            #expect(granted == 33)

            // The process dies here: what was granted is on disk, without any closing.
            let copy = try desk.snapshot()
            defer { try? FileManager.default.removeItem(atPath: copy.directory) }
            let next = try copy.ring()
            #expect(await next.account(of: id).reserved == msat(990))
            await #expect(throws: BudgetRefusal(limit: .day, leftMsat: 10)) {
                try await next.reserve(msat(30), by: id, for: submission(100))
            }
            await next.close()
            await ring.close()
        }
    }

    @Test func `what was settled is known to the next process, and to keys list meanwhile`()
        async throws
    {
        try await Desk.with { desk in
            let (_, id) = try desk.add("alice", budget: .init(total: msat(1_000)))
            let ring = try desk.ring()
            for number in 0..<10 {
                try await ring.reserve(msat(100), by: id, for: submission(number))
                await ring.settle(try submission(number), spent: msat(UInt64(number)))
            }
            try await ring.reserve(msat(100), by: id, for: submission(10))
            let seen = try SpendingBook(besides: desk.file).accounts[id]
            #expect(seen?.total == msat(45) && seen?.reserved == msat(100))
            await ring.close()
            let next = try desk.ring()
            let account = await next.account(of: id)
            #expect(account.total == msat(45) && account.reserved == msat(100))
            #expect(account.day(at: .ofSystem) == msat(45))
            await next.close()
        }
    }

    @Test func `spending older than a day is kept as a sum`() async throws {
        try await Desk.with { desk in
            let (_, id) = try desk.add("alice")
            let ring = try desk.ring()
            let start: UInt64 = 1_790_000_000
            for day in UInt64(0)..<5 {
                let now = UnixTime(seconds: start + day * 86_500)
                try await ring.reserve(msat(10), by: id, for: submission(Int(day)), at: now)
                await ring.settle(try submission(Int(day)), spent: msat(10), at: now)
            }
            await ring.close()
            let book = try SpendingBook(besides: desk.file)
            let now = UnixTime(seconds: start + 4 * 86_500)
            #expect(book.accounts[id]?.total == msat(50))
            #expect(book.accounts[id]?.day(at: now) == msat(10))
        }
    }

    @Test func `a reservation nobody settled is settled by what the bridge says`() async throws {
        try await Desk.with { desk in
            let (_, id) = try desk.add("alice", budget: .init(total: msat(1_000)))
            let first = try desk.ring()
            for number in 0..<3 {
                try await first.reserve(msat(300), by: id, for: submission(number))
            }
            await first.close()

            let ring = try desk.ring()
            let paid = try submission(0)
            let (unpaid, running) = (try submission(1), try submission(2))
            await ring.reconcile(at: .ofSystem) { submission in
                switch submission {
                case paid:
                    .job(
                        .with {
                            $0.view.priceMsat = 200
                            $0.view.feeMsat = 1
                            $0.view.paidUnix = 5
                        }
                    )
                case unpaid: .job(.with { $0.finishedUnix = 5 })
                case running: .job(BusJob())
                default: .nothing
                }
            }
            let account = await ring.account(of: id)
            #expect(account.total == msat(201) && account.reserved == msat(300))
            await ring.close()
        }
    }

    @Test func `a key that was revoked meanwhile reserves nothing`() async throws {
        try await Desk.with { desk in
            let (token, id) = try desk.add("alice")
            let ring = try desk.ring()
            try await ring.reserve(msat(5), by: id, for: submission(1))
            try desk.file.change { keys throws(KeyRingError) in try keys.revoke(id, at: .ofSystem) }
            #expect(await ring.admit(bearer: token) == .unauthorized)
            await #expect(throws: BudgetRefusal.self) {
                try await ring.reserve(msat(5), by: id, for: submission(2))
            }
            await ring.close()
        }
    }

    @Test func `a key without a limit waits for no disk, and one with a limit does`() async throws {
        try await Desk.with { desk in
            let (_, limited) = try desk.add("alice", budget: .init(day: nil, total: msat(1_000)))
            let (_, free) = try desk.add("bob")
            let ring = try desk.ring()
            // Nothing can be written while somebody else does.
            var configuration = Configuration()
            configuration.allowsUnsafeTransactions = true
            let other = try DatabaseQueue(
                path: desk.file.path + ".spending",
                configuration: configuration
            )
            try await other.writeWithoutTransaction { try $0.beginTransaction(.immediate) }
            try await ring.reserve(msat(10), by: free, for: submission(1))
            await #expect(throws: KeyRingError.self) {
                try await ring.reserve(msat(10), by: limited, for: submission(2))
            }
            try await other.writeWithoutTransaction { try $0.rollback() }
            // It comes to the disk in its turn.
            try await ring.reserve(msat(10), by: free, for: submission(3))
            await ring.close()
            let found = try SpendingBook(besides: desk.file)
            #expect(try found.reservations[submission(3)]?.amount == msat(10))
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `what nobody waits for comes to the disk by itself`() async throws {
        try await Desk.with { desk in
            let (_, free) = try desk.add("bob")
            let ring = try desk.ring()
            for number in 1...50 {
                try await ring.reserve(msat(10), by: free, for: submission(number))
            }
            // A file tells nobody when it changes.
            while try SpendingBook(besides: desk.file).reservations.count < 50 {
                await Task.yield()
            }
            await ring.close()
        }
    }

    // MARK: - Before the price is known

    @Test func `what a job may cost at most is kept beforehand while the budget has plenty`()
        async throws
    {
        try await Desk.with { desk in
            let (_, id) = try desk.add("alice", budget: .init(day: nil, total: msat(10_000)))
            let (_, free) = try desk.add("bob")
            let ring = try desk.ring()
            #expect(try await ring.reserveAhead(msat(1_250), by: id, for: submission(1)))
            #expect(
                try await !ring.reserveAhead(msat(1_250), by: id, for: submission(2)),
                "8,750 are left, which is less than eight times as much"
            )
            #expect(try await ring.reserveAhead(msat(1_000), by: id, for: submission(3)))
            #expect(await ring.account(of: id).reserved == msat(2_250))
            #expect(try await ring.reserveAhead(msat(9_000_000), by: free, for: submission(4)))

            // It stands on disk before the bridge hears of it.
            let after = try desk.snapshot()
            defer { try? FileManager.default.removeItem(atPath: after.directory) }
            let found = try SpendingBook(besides: after.file)
            #expect(try found.reservations[submission(1)]?.amount == msat(1_250))
            #expect(try found.reservations[submission(2)] == nil)

            // The price is known; what the disk keeps for it is more until the end.
            await ring.lower(try submission(1), to: msat(100))
            #expect(await ring.account(of: id).reserved == msat(1_100))
            await ring.settle(try submission(1), spent: msat(90))
            #expect(await ring.account(of: id).reserved == msat(1_000))
            #expect(await ring.account(of: id).total == msat(90))
            await ring.close()
            let end = try SpendingBook(besides: desk.file)
            #expect(end.accounts[id]?.total == msat(90))
            #expect(end.accounts[id]?.reserved == msat(1_000))
        }
    }

    @Test func `nothing is kept beforehand for a key that was revoked meanwhile`() async throws {
        try await Desk.with { desk in
            let (token, id) = try desk.add("alice")
            let ring = try desk.ring()
            #expect(await ring.admit(bearer: token) == .admitted(id))
            try desk.file.change { keys throws(KeyRingError) in try keys.revoke(id, at: .ofSystem) }
            #expect(try await !ring.reserveAhead(msat(1), by: id, for: submission(1)))
            #expect(await ring.account(of: id).reserved == .zero)
            await ring.close()
        }
    }
}
