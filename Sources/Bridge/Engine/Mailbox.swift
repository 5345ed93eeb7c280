import Synchronization

/// What many tasks and threads leave for the one task that takes it out, in the order it came.
///
/// Holds what its writers have under way; each of them bounds that itself (credit, quotas, one
/// answer for one call).
final class Mailbox<Element: Sendable>: Sendable {
    private struct State {
        var elements: [Element] = []
        var consumer: CheckedContinuation<Void, Never>?
        var isClosed = false
    }

    private let state = Mutex(State())

    /// Leaves elements; after ``close()`` they are dropped.
    func put(_ elements: some Sequence<Element>) {
        let consumer: CheckedContinuation<Void, Never>? = state.withLock { state in
            guard !state.isClosed else { return nil }
            state.elements.append(contentsOf: elements)
            return state.elements.isEmpty ? nil : state.consumer.take()
        }
        consumer?.resume()
    }

    /// Leaves one element.
    func put(_ element: Element) { put(CollectionOfOne(element)) }

    /// Takes all there is, or waits for it; nil when the mailbox is closed and empty.
    ///
    /// One task at a time. A cancelled call gets nil and takes nothing.
    func next() async -> [Element]? {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let mustWait = state.withLock { state in
                    guard state.elements.isEmpty, !state.isClosed, !Task.isCancelled else {
                        return false
                    }
                    state.consumer = continuation
                    return true
                }
                if !mustWait { continuation.resume() }
            }
            // Only now, so that what came since the wake-up is taken along.
            return state.withLock { state in
                guard !state.elements.isEmpty, !Task.isCancelled else { return nil }
                defer { state.elements = [] }
                return state.elements
            }
        } onCancel: {
            state.withLock { $0.consumer.take() }?.resume()
        }
    }

    /// Ends the stream; what is there can still be taken out.
    func close() {
        let consumer = state.withLock { state in
            state.isClosed = true
            return state.consumer.take()
        }
        consumer?.resume()
    }
}
