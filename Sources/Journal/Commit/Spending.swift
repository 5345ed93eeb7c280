import GRDB
package import LightningTypes

/// What has been spent and what is reserved, as the transaction that is under way sees it.
///
/// Lives as long as the ``PaymentCheck`` it is given to.
package struct Spending {
    /// The width of a span of the `spending` table, in seconds.
    static let spanSeconds: UInt64 = 600

    let database: Database
    /// The highest price a client has agreed to for the job, routing fees apart.
    ///
    /// Nil without such a word, or when it was taken back.
    package let ceiling: MilliSatoshi?

    init(database: Database, ceiling: MilliSatoshi? = nil) {
        self.database = database
        self.ceiling = ceiling
    }

    /// The span that a time falls into.
    static func span(of time: UnixTime) -> Int64 { Int64(clamping: time.seconds / spanSeconds) }

    /// Spent since a time, fees included, and everything that is reserved now.
    ///
    /// Money counts as spent from when its payment was seen to succeed. The sum begins with the
    /// span of 600 seconds that the time falls into: a rolling budget is at most ten minutes
    /// stricter than it says, never looser.
    ///
    /// - Parameter time: The begin of the budget's window.
    /// - Returns: The sum in msat.
    /// - Throws: ``JournalError``.
    package func committed(since time: UnixTime) throws(JournalError) -> MilliSatoshi {
        let reserved = try reserved()
        let spent = try sum(
            "SELECT coalesce(sum(msat), 0) FROM spending WHERE span >= ?",
            .number(Self.span(of: time))
        )
        guard let sum = reserved.adding(spent) else {
            throw JournalError(.damaged, "the sum of all payments exceeds all bitcoin")
        }
        return sum
    }

    /// Amounts and highest fees of all unresolved payments.
    ///
    /// - Returns: The sum in msat.
    /// - Throws: ``JournalError``.
    package func reserved() throws(JournalError) -> MilliSatoshi {
        try sum("SELECT coalesce(sum(amount + max_fee), 0) FROM payment WHERE status = 0")
    }

    private func sum(
        _ sql: String,
        _ arguments: DatabaseValue...
    ) throws(JournalError) -> MilliSatoshi {
        do {
            let statement = try database.cachedStatement(sql: sql)
            let rows = try Row.fetchCursor(statement, arguments: Database.bindings(arguments))
            return try rows.next()?.amount(0) ?? .zero
        } catch {
            throw .from(error, on: database, path: "journal")
        }
    }
}
