/// Whether a request may go on, before anything about it is looked at.
package enum Admission: Equatable, Sendable {
    /// It may, on this key's account.
    case admitted(KeyID)
    /// 401: no key, none of ours, or one that was revoked; which of them is nobody's business.
    case unauthorized
    /// 429: the key's requests of this minute are used up; so long to wait.
    case tooManyRequests(retryAfter: Duration)
}

/// Why a key may not pay for a job: 402.
package struct BudgetRefusal: Error, Equatable, Sendable {
    /// Which limit stands in the way.
    package enum Limit: Equatable, Sendable {
        /// That of any 24 hours.
        case day
        /// That of all time.
        case total
    }

    /// Which limit stands in the way.
    package var limit: Limit
    /// What it leaves, in msat; what is reserved for running jobs is not left.
    package var leftMsat: UInt64
}

extension BudgetRefusal: CustomStringConvertible {
    /// The refusal as the client reads it.
    package var description: String {
        let budget =
            switch limit {
            case .day: "daily budget"
            case .total: "budget"
            }
        return "the key's \(budget) leaves \(leftMsat) msat, less than this may cost"
    }
}
