package import BusClient
import Glibc
package import LightningTypes
package import Logging

/// Who may use the gateway, how often, and for how much: what the HTTP front asks.
///
/// Every request begins with ``admit(bearer:now:)``. Before the bridge is told that it may pay for a
/// job, ``reserve(_:by:for:at:)`` or ``reserveAhead(_:by:for:at:)`` has kept what the job may cost, on
/// disk if the key has a limit; when its cost is known, ``settle(_:spent:at:)`` replaces that. What was not settled, because
/// the gateway was killed or the client's request had ended, ``follow(every:_:)`` settles by what the
/// bridge says.
///
/// The file of the keys is read again whenever it has changed. One that can't be read changes nothing
/// and is told in ``problem``.
package actor KeyRing {
    private let file: KeyFile?
    private let store: SpendingStore?
    private let logger: Logger
    private var stamp: KeyFile.Stamp?
    private var keys = KeyList()
    private var rates: [KeyID: RequestRate] = [:]
    private var book = SpendingBook()

    /// Why the file of the keys can't be read now; nil while it can.
    package private(set) var problem: KeyRingError?

    /// Whether everybody may use the gateway, which is for loopback alone.
    package nonisolated var isOpen: Bool { file == nil }

    /// A ring that admits everybody and limits nothing.
    ///
    /// - Parameter logger: Has nothing to be told.
    /// - Returns: The ring.
    package static func openToEverybody(logger: Logger) -> KeyRing { KeyRing(logger: logger) }

    private init(logger: Logger) {
        file = nil
        store = nil
        self.logger = logger
    }

    /// Takes up a file of keys and what they have spent.
    ///
    /// - Parameters:
    ///   - file: The file; without one nobody is admitted, until `keys add` makes it.
    ///   - logger: Told of changes.
    /// - Throws: ``KeyRingError``.
    package init(_ file: KeyFile, logger: Logger) throws(KeyRingError) {
        self.file = file
        self.logger = logger
        stamp = file.stamp
        keys = try file.read()
        let store = try SpendingStore(besides: file)
        book = try store.book()
        self.store = store
    }

    /// Whether a request may go on.
    ///
    /// - Parameters:
    ///   - bearer: What stands behind `Authorization: Bearer`; nil without.
    ///   - now: The time.
    /// - Returns: The key, or the refusal.
    package func admit(
        bearer: String?,
        now: ContinuousClock.Instant = .now
    ) -> Admission {
        guard let file else { return .admitted(.anyone) }
        refresh(file)
        guard let token = bearer.flatMap(BearerToken.init), let record = keys.record(for: token)
        else { return .unauthorized }
        if let limit = record.requestsPerMinute {
            let wait = rates[record.id, default: RequestRate(at: now)].take(of: limit, at: now)
            if let wait { return .tooManyRequests(retryAfter: wait) }
        }
        return .admitted(record.id)
    }

    /// Keeps what a job may cost from its key's budget; on disk when this returns, if that has a limit.
    ///
    /// Call it before anything that lets the bridge pay. Once more for the same submission, also
    /// after a restart, keeps nothing more.
    ///
    /// - Parameters:
    ///   - amount: The most the job may cost, routing fees included.
    ///   - key: Whose budget, as ``admit(bearer:now:)`` gave it.
    ///   - submission: The job's submission.
    ///   - now: The time.
    /// - Throws: ``BudgetRefusal`` (402; nothing is kept); ``KeyRingError`` (503; nothing may be
    ///   paid).
    package func reserve(
        _ amount: MilliSatoshi,
        by key: KeyID,
        for submission: SubmissionKey,
        at now: UnixTime = .ofSystem
    ) async throws {
        guard let file, let store else { return }
        // A key that was revoked since its request came buys nothing any more.
        refresh(file)
        let record = keys[key].flatMap { $0.revoked == nil ? $0 : nil }
        let budget = record?.budget ?? KeyRecord.Budget(total: .zero)
        let reservation = try book.reserve(
            amount,
            by: key,
            within: budget,
            for: submission,
            at: now
        )
        guard budget.isLimited else {
            // Nothing can be overshot, so the job need not wait for the disk.
            return store.keepLater(.reserve(reservation)) { [logger] error in
                logger.error(
                    "a reservation is not on disk; a job may be missing in what the key has spent",
                    metadata: ["gateway.key": "\(key)", "error": "\(error)"]
                )
            }
        }
        // A failure leaves it reserved here, until the bridge was asked: some later write may have
        // kept it.
        try await store.keep(.reserve(reservation))
    }

    /// Keeps what a job may cost at most before its price is known, if the budget has plenty.
    ///
    /// A price is mostly far below that, so other jobs must not miss what is kept here: less than
    /// eight times as much is not plenty.
    ///
    /// - Parameters:
    ///   - amount: The most the job may cost, routing fees included.
    ///   - key: Whose budget.
    ///   - submission: The job's submission.
    ///   - now: The time.
    /// - Returns: Whether it is kept, on disk; else nothing may be agreed to before the price is known.
    package func reserveAhead(
        _ amount: MilliSatoshi,
        by key: KeyID,
        for submission: SubmissionKey,
        at now: UnixTime = .ofSystem
    ) async -> Bool {
        let left = (keys[key]?.budget).flatMap { book.left(of: $0, to: key, at: now) }
        guard (left?.msat ?? .max) / 8 >= amount.msat else { return false }
        do {
            try await reserve(amount, by: key, for: submission, at: now)
            return true
        } catch {
            // Whoever waits for the price hears why nothing can be reserved.
            return false
        }
    }

    /// Keeps no more for a job than it may cost now that its price is known.
    ///
    /// The disk keeps what it has: after a crash it counts until the bridge was asked.
    ///
    /// - Parameters:
    ///   - submission: The job's submission.
    ///   - amount: The most the job may cost, routing fees included.
    package func lower(_ submission: SubmissionKey, to amount: MilliSatoshi) {
        book.lower(submission, to: amount)
    }

    /// Replaces what was reserved for a job by what it has cost; once more changes nothing.
    ///
    /// Does not wait for the disk: a settlement that is lost with the process is made again.
    ///
    /// - Parameters:
    ///   - submission: The job's submission.
    ///   - spent: What it has cost, as ``Reservation/cost(of:)`` says.
    ///   - now: The time.
    package func settle(
        _ submission: SubmissionKey,
        spent: MilliSatoshi,
        at now: UnixTime = .ofSystem
    ) {
        guard let store, let settlement = book.settle(submission, spent: spent, at: now) else {
            return
        }
        store.keepLater(.settle(settlement)) { [logger] error in
            logger.error(
                "a settlement is not on disk; the next start asks the bridge again",
                metadata: ["gateway.key": "\(settlement.key)", "error": "\(error)"]
            )
        }
    }

    /// Settles what nobody else has, by what the bridge says, until cancelled.
    ///
    /// - Parameters:
    ///   - interval: How often to look.
    ///   - find: Asks the bridge for a submission's job; what it throws is tried again.
    /// - Throws: `CancellationError`.
    package func follow(
        every interval: Duration = .seconds(15),
        _ find: @Sendable (SubmissionKey) async throws -> Reservation.Finding
    ) async throws {
        while true {
            await reconcile(at: .ofSystem, find)
            try await Task.sleep(for: interval)
        }
    }

    /// Looks at every reservation once.
    ///
    /// - Parameters:
    ///   - now: The time.
    ///   - find: Asks the bridge for a submission's job; after what it throws the reservation stays.
    package func reconcile(
        at now: UnixTime,
        _ find: @Sendable (SubmissionKey) async throws -> Reservation.Finding
    ) async {
        for reservation in book.reservations.values {
            guard let finding = try? await find(reservation.submission),
                let spent = reservation.outcome(finding, at: now)
            else { continue }
            settle(reservation.submission, spent: spent, at: now)
        }
    }

    /// What a key has spent and reserved.
    ///
    /// - Parameter key: The key.
    /// - Returns: Its account; an empty one for a key that has bought nothing.
    package func account(of key: KeyID) -> SpendingBook.Account {
        book.accounts[key] ?? SpendingBook.Account()
    }

    /// Waits until everything is on disk; nothing may be asked for afterwards.
    package func close() async { await store?.close() }

    private func refresh(_ file: KeyFile) {
        let stamp = file.stamp
        guard stamp != self.stamp else { return }
        self.stamp = stamp
        do throws(KeyRingError) {
            keys = try file.read()
            problem = nil
            logger.info("keys read again", metadata: ["gateway.keys": "\(keys.records.count)"])
        } catch {
            problem = error
            logger.error(
                "the keys can't be read; those read before stay",
                metadata: ["error": "\(error)"]
            )
        }
    }
}

extension UnixTime {
    /// What the system's clock says.
    package static var ofSystem: UnixTime { UnixTime(seconds: UInt64(clamping: time(nil))) }
}
