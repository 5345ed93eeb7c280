import Synchronization

/// A value that arrives once, for any number of tasks that wait for it.
///
/// The first value counts; later ones are dropped. Waiting is not cancellable: whoever cancels
/// fulfils with a value that says so.
final class OneShot<Value: Sendable>: Sendable {
    private enum State {
        case waiting([@Sendable (Value) -> Void])
        case fulfilled(Value)
    }

    private let state = Mutex(State.waiting([]))

    /// The value, once it is there.
    var value: Value {
        get async {
            await withCheckedContinuation { continuation in
                whenFulfilled { continuation.resume(returning: $0) }
            }
        }
    }

    /// The value, if it is there.
    var current: Value? {
        state.withLock { state in
            if case .fulfilled(let value) = state { value } else { nil }
        }
    }

    /// Calls back once with the value: now, or where it is fulfilled.
    func whenFulfilled(_ action: @escaping @Sendable (Value) -> Void) {
        let value = state.withLock { state -> Value? in
            switch state {
            case .fulfilled(let value): return value
            case .waiting(let actions):
                state = .waiting(actions + [action])
                return nil
            }
        }
        if let value { action(value) }
    }

    /// Gives the value to all who wait and will wait.
    func fulfil(_ value: Value) {
        let actions = state.withLock { state -> [@Sendable (Value) -> Void] in
            guard case .waiting(let actions) = state else { return [] }
            state = .fulfilled(value)
            return actions
        }
        for action in actions { action(value) }
    }
}
