import Synchronization

/// What many tasks and threads leave for the one task that takes it out, in the order it came.
///
/// Holds what its writers have under way; each of them bounds that itself (credit, quotas, one
/// answer for one call).
final class Mailbox<Element: Sendable>: Sendable {
    private struct State {
        var elements: [Element] = []
        var consumer: CheckedContinuation<[Element]?, Never>?
        var isClosed = false
    }

    private let state = Mutex(State())

    /// Leaves elements; after ``close()`` they are dropped.
    func put(_ elements: some Sequence<Element>) {
        let consumer: (CheckedContinuation<[Element]?, Never>, [Element])? = state.withLock {
            state in
            guard !state.isClosed else { return nil }
            state.elements.append(contentsOf: elements)
            guard !state.elements.isEmpty, let consumer = state.consumer else { return nil }
            state.consumer = nil
            defer { state.elements = [] }
            return (consumer, state.elements)
        }
        if let (consumer, elements) = consumer { consumer.resume(returning: elements) }
    }

    /// Leaves one element.
    func put(_ element: Element) { put(CollectionOfOne(element)) }

    /// Takes all there is, or waits for it; nil when the mailbox is closed and empty.
    ///
    /// One task at a time. A cancelled call gets nil and takes nothing.
    func next() async -> [Element]? {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let answer: [Element]?? = state.withLock { state in
                    if !state.elements.isEmpty {
                        defer { state.elements = [] }
                        return .some(state.elements)
                    }
                    if state.isClosed || Task.isCancelled { return .some(nil) }
                    state.consumer = continuation
                    return nil
                }
                if let answer { continuation.resume(returning: answer) }
            }
        } onCancel: {
            take()?.resume(returning: nil)
        }
    }

    /// Ends the stream; what is there can still be taken out.
    func close() {
        state.withLock { $0.isClosed = true }
        take()?.resume(returning: nil)
    }

    private func take() -> CheckedContinuation<[Element]?, Never>? {
        state.withLock { state in
            defer { state.consumer = nil }
            return state.consumer
        }
    }
}
