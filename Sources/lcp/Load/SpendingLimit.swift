import LightningTypes
import Synchronization

/// What a load may spend in total: what each job may cost is set aside before the job is submitted.
final class SpendingLimit: Sendable {
    private struct State {
        var spent = MilliSatoshi.zero
        var reserved = MilliSatoshi.zero
    }

    private let limit: MilliSatoshi?
    private let state = Mutex(State())

    /// Sets the limit; nil for none.
    init(_ limit: MilliSatoshi?) { self.limit = limit }

    /// What jobs that have ended cost, routing fees included.
    var spent: MilliSatoshi { state.withLock { $0.spent } }

    /// What jobs may still cost whose end is not known.
    var reserved: MilliSatoshi { state.withLock { $0.reserved } }

    /// Sets an amount aside; false when that would exceed the limit.
    func reserve(_ amount: MilliSatoshi) -> Bool {
        state.withLock { state in
            guard let reserved = state.reserved.adding(amount),
                let total = state.spent.adding(reserved)
            else { return false }
            if let limit, total > limit { return false }
            state.reserved = reserved
            return true
        }
    }

    /// Ends a reservation with what was really spent.
    func settle(_ amount: MilliSatoshi, spent: MilliSatoshi) {
        state.withLock { state in
            state.reserved = state.reserved.subtracting(amount) ?? .zero
            state.spent = state.spent.adding(spent) ?? state.spent
        }
    }
}
