import LightningTypes

/// Which part of a list a caller of ListInvoices or ListPayments wants.
package struct PageRequest: Sendable {
    /// The list goes on after this index, or before it when reversed; 0 for the list's end.
    package var indexOffset: UInt64 = 0
    /// At most so many; 0 for lnd's 100.
    package var maximum: UInt64 = 0
    /// Whether to read from the newest backwards.
    package var isReversed = false
    /// Only what was made at this second or later; 0 for no limit.
    package var createdFrom: UInt64 = 0
    /// Only what was made at this second or before; 0 for no limit.
    package var createdTo: UInt64 = 0

    /// Asks for the first 100.
    package init() {}

    func contains(_ created: UnixTime) -> Bool {
        created.seconds >= createdFrom && (createdTo == 0 || created.seconds <= createdTo)
    }

    /// Selects from records whose index is their place, counted from 1; ascending in any case.
    func select<Record>(
        from records: [Record],
        where matches: (Record) -> Bool
    ) -> [Record] {
        let limit = Int(clamping: maximum == 0 ? 100 : maximum)
        var page: [Record] = []
        if isReversed {
            let end =
                indexOffset == 0
                ? records.count : min(records.count, Int(clamping: indexOffset) - 1)
            for record in records[..<end].reversed() {
                guard page.count < limit else { break }
                if matches(record) { page.append(record) }
            }
            page.reverse()
        } else {
            for record in records[min(records.count, Int(clamping: indexOffset))...] {
                guard page.count < limit else { break }
                if matches(record) { page.append(record) }
            }
        }
        return page
    }
}
