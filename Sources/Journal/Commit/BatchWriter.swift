import GRDB
import Glibc
import Synchronization

/// Group commit: what waits while the disk flushes shares the next transaction and its flush.
///
/// A request that is refused leaves no trace and disturbs no other. Nobody hears of success before
/// the transaction is on disk.
final class BatchWriter: Sendable {
    /// One caller's writes.
    struct Request: Sendable {
        /// Roughly what it holds in memory, in bytes.
        var size: Int
        /// Writes, and gives what to call once that is committed; may run again from the start.
        var apply: @Sendable (Database) throws -> @Sendable () -> Void
        /// What to call when it was not committed.
        var fail: @Sendable (JournalError) -> Void
    }

    /// What may wait and what one transaction takes.
    enum Bounds {
        static let waitingRequests = 8192
        static let waitingBytes = 64 << 20
        static let batchRequests = 256
        static let batchBytes = 8 << 20
    }

    private struct Queue {
        var waiting: [Request] = []
        var bytes = 0
        var isDraining = false
        var end: JournalError?
        var counts = WriteCounts()
    }

    private let pool: any DatabaseWriter
    private let path: String
    private let copier: LogCopier?
    private let queue = Mutex(Queue())

    /// Takes the database, and what copies its log if it has one.
    init(pool: any DatabaseWriter, path: String, copier: LogCopier?) {
        self.pool = pool
        self.path = path
        self.copier = copier
    }

    /// What was written so far and what waits.
    var counts: WriteCounts {
        queue.withLock { queue in
            var counts = queue.counts
            counts.waiting = queue.waiting.count
            return counts
        }
    }

    /// Writes as part of the next transaction; returns once that is on disk.
    ///
    /// Not cancellable once it waits: what was asked for is committed or fails, and the caller
    /// hears which.
    func write<Value: Sendable>(
        size: Int,
        _ body: @escaping @Sendable (Database) throws -> Value
    ) async throws(JournalError) -> Value {
        let result: Result<Value, JournalError> = await withCheckedContinuation { continuation in
            write(size: size, body) { continuation.resume(returning: $0) }
        }
        return try result.get()
    }

    /// Writes as part of the next transaction, in the order of the calls.
    ///
    /// `done` is called once, on the writer's thread or the caller's: it must not block.
    func write<Value: Sendable>(
        size: Int,
        _ body: @escaping @Sendable (Database) throws -> Value,
        done: @escaping @Sendable (Result<Value, JournalError>) -> Void
    ) {
        enqueue(
            Request(
                size: size,
                apply: { database in
                    let value = try body(database)
                    return { done(.success(value)) }
                },
                fail: { done(.failure($0)) }
            )
        )
    }

    /// Takes nothing more; what waits already is still committed.
    func close() {
        queue.withLock { $0.end = $0.end ?? JournalError(.closed, "\(path) was closed") }
    }

    private func enqueue(_ request: Request) {
        enum Answer {
            case start, wait
            case refuse(JournalError)
        }
        let answer: Answer = queue.withLock { queue in
            if let end = queue.end { return .refuse(end) }
            guard
                queue.waiting.count < Bounds.waitingRequests,
                queue.bytes + request.size <= Bounds.waitingBytes || queue.waiting.isEmpty
            else {
                return .refuse(
                    JournalError(.overloaded, "\(queue.waiting.count) writes wait for \(path)")
                )
            }
            queue.waiting.append(request)
            queue.bytes += request.size
            if queue.isDraining { return .wait }
            queue.isDraining = true
            return .start
        }
        switch answer {
        case .wait: break
        case .refuse(let error): request.fail(error)
        case .start:
            // On the database library's own queue: nothing of ours blocks.
            pool.asyncWriteWithoutTransaction { self.drain($0) }
        }
    }

    private func drain(_ database: Database) {
        let clock = ContinuousClock()
        var last = (count: 1, duration: Duration.zero)
        while true {
            // Those who were just told are about to come back. Their steps would miss a batch that
            // began at once and wait for two flushes, so it begins when they are there, or after
            // a quarter of what the last one took, 2 ms at most. A lone caller never waits.
            let limit = clock.now.advanced(by: min(last.duration / 4, .milliseconds(2)))
            while last.count > 1, counts.waiting < last.count, clock.now < limit {
                // On the database library's thread, which would flush now instead.
                usleep(50)
            }
            copier?.advance(database)
            guard let batch = nextBatch() else { return }
            last = (batch.count, clock.measure { commit(batch, on: database) })
        }
    }

    private func nextBatch() -> ArraySlice<Request>? {
        queue.withLock { queue in
            guard !queue.waiting.isEmpty else {
                queue.isDraining = false
                return nil
            }
            var (count, bytes) = (0, 0)
            for request in queue.waiting.prefix(Bounds.batchRequests) {
                if count > 0 && bytes + request.size > Bounds.batchBytes { break }
                count += 1
                bytes += request.size
            }
            let batch = queue.waiting.prefix(count)
            queue.waiting.removeFirst(count)
            queue.bytes -= bytes
            return batch
        }
    }

    private func commit(_ batch: ArraySlice<Request>, on database: Database) {
        if let end = queue.withLock({ $0.end }), end.code.isFinal, end.code != .closed {
            for request in batch { request.fail(end) }
            return
        }
        let outcome: Outcome
        do {
            outcome = try attempt(batch, on: database)
        } catch {
            let error = JournalError.from(error, on: database, path: path)
            if database.isInsideTransaction { try? database.rollback() }
            if error.code.isFinal { queue.withLock { $0.end = $0.end ?? error } }
            queue.withLock { $0.counts.failedTransactions += 1 }
            for request in batch { request.fail(error) }
            return
        }
        queue.withLock { queue in
            queue.counts.refused += UInt64(outcome.refused.count)
            queue.counts.committed += UInt64(outcome.tellings.count)
            if !outcome.tellings.isEmpty { queue.counts.transactions += 1 }
        }
        for (request, why) in outcome.refused { request.fail(why) }
        for tell in outcome.tellings { tell() }
    }

    /// What became of a batch whose transaction is on disk.
    private struct Outcome {
        var tellings: [@Sendable () -> Void] = []
        var refused: [(request: Request, why: JournalError)] = []
    }

    /// Writes a batch in one transaction.
    ///
    /// Almost always every request is good, so all of them are written without a savepoint each,
    /// for which SQLite would keep a copy of every page that is touched. Only a batch with a refused
    /// one is rolled back and written again with them.
    private func attempt(_ batch: ArraySlice<Request>, on database: Database) throws -> Outcome {
        do {
            return try write(batch, on: database) { try $0.apply(database) }
        } catch {
            // A full disk or a failing one has ended the whole transaction already.
            guard JournalError.from(error, on: database, path: path).code.isOfOneStep else {
                throw error
            }
            try database.execute(cached: "ROLLBACK")
        }
        return try write(batch, on: database) { request in
            try database.execute(cached: "SAVEPOINT request")
            do {
                let tell = try request.apply(database)
                try database.execute(cached: "RELEASE request")
                return tell
            } catch {
                let error = JournalError.from(error, on: database, path: path)
                guard error.code.isOfOneStep else { throw error }
                try database.execute(cached: "ROLLBACK TO request")
                try database.execute(cached: "RELEASE request")
                throw Refusal(why: error)
            }
        }
    }

    /// A request that has left no trace in its batch.
    private struct Refusal: Error {
        var why: JournalError
    }

    private func write(
        _ batch: ArraySlice<Request>,
        on database: Database,
        _ apply: (Request) throws -> @Sendable () -> Void
    ) throws -> Outcome {
        var outcome = Outcome()
        try database.execute(cached: "BEGIN IMMEDIATE")
        for request in batch {
            do {
                outcome.tellings.append(try apply(request))
            } catch let refusal as Refusal {
                outcome.refused.append((request, refusal.why))
            }
        }
        try database.execute(cached: outcome.tellings.isEmpty ? "ROLLBACK" : "COMMIT")
        return outcome
    }
}

/// How the journal's writer has fared since it was opened, for status and benchmarks.
package struct WriteCounts: Hashable, Sendable {
    /// Transactions on disk; one flush each.
    package var transactions: UInt64 = 0
    /// Writes in them.
    package var committed: UInt64 = 0
    /// Writes refused for reasons of their own.
    package var refused: UInt64 = 0
    /// Transactions that failed with all their writes.
    package var failedTransactions: UInt64 = 0
    /// Writes that wait now.
    package var waiting: Int = 0
}

extension Journal {
    /// How the writer has fared since the journal was opened.
    package var writeCounts: WriteCounts { writer.counts }
}
