import Synchronization

/// Where the reactor leaves one batch of messages for the one task that receives from a socket.
///
/// Holds at most one batch and what one more drain adds; while it is full its socket is not read,
/// and libzmq stops reading from the peers at their high-water marks.
final class Inbox: Sendable {
    private struct State {
        var batch: [Message] = []
        var bytes = 0
        var isFull = false
        var consumer: CheckedContinuation<[Message], any Error>?
        /// Set once; told to the consumer after what is in the batch.
        var failure: ZeroMQError?
        var dropped = 0
    }

    private let state = Mutex(State())
    private let thread: PollThread
    private let capacity: Int
    private let byteCapacity: Int

    init(_ thread: PollThread, _ options: SocketOptions) {
        self.thread = thread
        capacity = max(1, options.batchMessages)
        byteCapacity = max(1, options.batchBytes)
    }

    // MARK: - For the reactor

    var hasRoom: Bool { state.withLock { !$0.isFull } }

    /// Leaves messages, which the consumer gets at once if it waits.
    func put(_ messages: [Message], bytes: Int, dropped: Int) {
        let consumer: CheckedContinuation<[Message], any Error>? = state.withLock { state in
            state.dropped += dropped
            guard !messages.isEmpty else { return nil }
            if let consumer = state.consumer {
                state.consumer = nil
                return consumer
            }
            if state.batch.isEmpty {
                state.batch = messages
            } else {
                state.batch.append(contentsOf: messages)
            }
            state.bytes += bytes
            state.isFull = state.batch.count >= capacity || state.bytes >= byteCapacity
            return nil
        }
        consumer?.resume(returning: messages)
    }

    /// Ends the stream; what is in the batch is still given out.
    func close(_ failure: ZeroMQError) {
        let consumer = state.withLock { state in
            if state.failure == nil { state.failure = failure }
            defer { state.consumer = nil }
            return state.consumer
        }
        consumer?.resume(throwing: failure)
    }

    // MARK: - For the consumer

    /// Messages dropped because they had more frames than allowed.
    var dropped: Int { state.withLock { $0.dropped } }

    /// Takes all there is, or waits for the next messages.
    func take() async throws -> [Message] {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let (result, mustResume) = state.withLock { answer(&$0, continuation) }
                if mustResume { thread.post(.resume) }
                if let result { continuation.resume(with: result) }
            }
        } onCancel: {
            let consumer = state.withLock { state in
                defer { state.consumer = nil }
                return state.consumer
            }
            consumer?.resume(throwing: CancellationError())
        }
    }

    private func answer(
        _ state: inout State,
        _ continuation: CheckedContinuation<[Message], any Error>
    ) -> (Result<[Message], any Error>?, mustResume: Bool) {
        // Under the lock: a cancellation before this line is seen here, one after it by `onCancel`.
        if Task.isCancelled { return (.failure(CancellationError()), false) }
        if state.consumer != nil {
            let busy = ZeroMQError(.busy, "another task receives from this socket")
            return (.failure(busy), false)
        }
        if !state.batch.isEmpty {
            let batch = state.batch
            let wasFull = state.isFull
            state.batch = []
            state.bytes = 0
            state.isFull = false
            return (.success(batch), wasFull)
        }
        if let failure = state.failure { return (.failure(failure), false) }
        state.consumer = continuation
        return (nil, false)
    }
}
