package import BusClient
package import LightningTypes

/// What each key has spent and what is reserved for its running jobs; pure.
///
/// At any moment, what a key has spent in the last 24 hours and what is reserved are together at most
/// its daily budget, and all it ever spent and what is reserved at most its budget: a reservation
/// that does not fit is refused, and a settlement replaces it by what was spent, no more (whoever
/// reserves includes the fees).
package struct SpendingBook: Equatable, Sendable {
    /// One key's account.
    package struct Account: Equatable, Sendable {
        /// What was ever spent.
        package var total: MilliSatoshi = .zero
        /// What is reserved now.
        package var reserved: MilliSatoshi = .zero
        /// What was spent, by the minute it was settled in; none older than a day and a minute.
        fileprivate var minutes: [UInt64: MilliSatoshi] = [:]

        /// The account of a key that has bought nothing.
        package init() {}

        /// What was spent in the last 24 hours, to the minute: rather more than less.
        package func day(at now: UnixTime) -> MilliSatoshi {
            // A clock that was set back leaves minutes in the future, which count.
            minutes.reduce(.zero) { sum, entry in
                Self.isOfDay(entry.key, now) ? sum.saturating(entry.value) : sum
            }
        }

        fileprivate mutating func spend(_ amount: MilliSatoshi, at minute: UInt64) {
            total = total.saturating(amount)
            minutes[minute] = minutes[minute, default: .zero].saturating(amount)
        }

        fileprivate mutating func forget(before now: UnixTime) {
            minutes = minutes.filter { Self.isOfDay($0.key, now) }
        }

        private static func isOfDay(_ minute: UInt64, _ now: UnixTime) -> Bool {
            minute + SpendingBook.minutesPerDay >= SpendingBook.minute(of: now)
        }
    }

    /// The accounts of keys that have bought something.
    package private(set) var accounts: [KeyID: Account] = [:]
    /// What is reserved, by submission.
    package private(set) var reservations: [SubmissionKey: Reservation] = [:]

    /// An empty book.
    package init() {}

    /// Keeps what a job may cost from its key's budget.
    ///
    /// - Parameters:
    ///   - amount: The most it may cost, fees included.
    ///   - key: Whose budget.
    ///   - budget: What it allows.
    ///   - submission: The job's submission. One that has a reservation keeps it, and only what is
    ///     more is reserved anew: the same job is paid once.
    ///   - now: The time.
    /// - Returns: The reservation.
    /// - Throws: ``BudgetRefusal``; the book is as it was.
    package mutating func reserve(
        _ amount: MilliSatoshi,
        by key: KeyID,
        within budget: KeyRecord.Budget,
        for submission: SubmissionKey,
        at now: UnixTime
    ) throws(BudgetRefusal) -> Reservation {
        var reservation =
            reservations[submission]
            ?? Reservation(key: key, submission: submission, amount: .zero, since: now)
        let more = amount.subtracting(reservation.amount) ?? .zero
        var account = accounts[reservation.key] ?? Account()
        try Self.check(more, account.day(at: now), account.reserved, budget.day, .day)
        try Self.check(more, account.total, account.reserved, budget.total, .total)
        reservation.amount = reservation.amount.saturating(more)
        account.reserved = account.reserved.saturating(more)
        accounts[reservation.key] = account
        reservations[submission] = reservation
        return reservation
    }

    private static func check(
        _ more: MilliSatoshi,
        _ spent: MilliSatoshi,
        _ reserved: MilliSatoshi,
        _ budget: MilliSatoshi?,
        _ limit: BudgetRefusal.Limit
    ) throws(BudgetRefusal) {
        guard let budget, more > .zero else { return }
        let left = left(budget, spent, reserved)
        guard more <= left else { throw BudgetRefusal(limit: limit, leftMsat: left.msat) }
    }

    /// What a budget leaves; nil without a limit.
    package func left(
        of budget: KeyRecord.Budget,
        to key: KeyID,
        at now: UnixTime
    ) -> MilliSatoshi? {
        let account = accounts[key] ?? Account()
        let day = budget.day.map { Self.left($0, account.day(at: now), account.reserved) }
        let total = budget.total.map { Self.left($0, account.total, account.reserved) }
        return [day, total].compactMap { $0 }.min()
    }

    private static func left(
        _ budget: MilliSatoshi,
        _ spent: MilliSatoshi,
        _ reserved: MilliSatoshi
    ) -> MilliSatoshi {
        budget.subtracting(spent.saturating(reserved)) ?? .zero
    }

    /// Keeps less for a job that turned out to cost less; more than is kept changes nothing.
    ///
    /// - Parameters:
    ///   - submission: The job's submission.
    ///   - amount: The most it may cost, fees included.
    package mutating func lower(_ submission: SubmissionKey, to amount: MilliSatoshi) {
        guard let reservation = reservations[submission],
            let less = reservation.amount.subtracting(amount)
        else { return }
        var account = accounts[reservation.key] ?? Account()
        account.reserved = account.reserved.subtracting(less) ?? .zero
        accounts[reservation.key] = account
        reservations[submission]?.amount = amount
    }

    /// Replaces a reservation by what was spent.
    ///
    /// - Parameters:
    ///   - submission: The job's submission.
    ///   - spent: What it has cost, fees included; zero when nothing was paid.
    ///   - now: The time.
    /// - Returns: What to keep on disk; nil when there is no such reservation (any more).
    package mutating func settle(
        _ submission: SubmissionKey,
        spent: MilliSatoshi,
        at now: UnixTime
    ) -> Settlement? {
        guard let reservation = reservations.removeValue(forKey: submission) else { return nil }
        var account = accounts[reservation.key] ?? Account()
        account.reserved = account.reserved.subtracting(reservation.amount) ?? .zero
        account.forget(before: now)
        let minute = Self.minute(of: now)
        if spent > .zero { account.spend(spent, at: minute) }
        accounts[reservation.key] = account
        return Settlement(
            key: reservation.key,
            submission: submission,
            spent: spent,
            minute: minute
        )
    }

    /// Takes up what an earlier process left on disk.
    mutating func restore(_ reservation: Reservation) {
        reservations[reservation.submission] = reservation
        accounts[reservation.key, default: Account()].reserved =
            (accounts[reservation.key]?.reserved ?? .zero).saturating(reservation.amount)
    }

    /// Takes up what a key has spent in a minute.
    mutating func restore(_ spent: MilliSatoshi, of key: KeyID, in minute: UInt64) {
        accounts[key, default: Account()].spend(spent, at: minute)
    }

    static let minutesPerDay: UInt64 = 1_440

    static func minute(of time: UnixTime) -> UInt64 { time.seconds / 60 }
}

/// What a reservation came to.
package struct Settlement: Equatable, Sendable {
    /// Whose account.
    package var key: KeyID
    /// The job's submission.
    package var submission: SubmissionKey
    /// What it has cost.
    package var spent: MilliSatoshi
    /// The minute it counts in, since 1970.
    package var minute: UInt64
}

extension MilliSatoshi {
    /// The sum, or as much as 64 bits hold.
    fileprivate func saturating(_ other: MilliSatoshi) -> MilliSatoshi {
        adding(other) ?? MilliSatoshi(msat: .max)
    }
}
