import GRPCCore
import Synchronization

/// One part of what a peer sends in a call.
enum InboundPart: Sendable {
    case metadata(Metadata)
    case message([UInt8])
    case status(Status, Metadata)
}

/// Received parts on their way from a connection's loop to the task that reads them.
///
/// Holds at most the mark plus what the stream's window lets through: above the mark the
/// connection gives the peer no more credit for this stream, until the reader has caught up.
final class InboundChannel: Sendable {
    private struct State {
        var parts: [InboundPart] = []
        var head = 0
        var bufferedBytes = 0
        var isStalled = false
        var reader: CheckedContinuation<InboundPart?, any Error>?
        var ending: Ending?
    }

    private enum Ending {
        case finished
        case failed(RPCError)
    }

    private let mark: Int
    private let state = Mutex(State())

    /// - Parameter mark: Bytes of unread messages from which on the stream stalls.
    init(mark: Int) { self.mark = mark }

    // MARK: - The connection's side

    /// Adds a part.
    ///
    /// - Returns: False when the reader is behind: credit must wait until it has caught up.
    func push(_ part: InboundPart) -> Bool {
        let (reader, mayCredit) = state.withLock { state in
            guard state.ending == nil else {
                return (CheckedContinuation<InboundPart?, any Error>?.none, true)
            }
            if let reader = state.reader {
                state.reader = nil
                return (reader, true)
            }
            state.parts.append(part)
            state.bufferedBytes += part.size
            if state.bufferedBytes >= mark { state.isStalled = true }
            return (nil, !state.isStalled)
        }
        reader?.resume(returning: part)
        return mayCredit
    }

    /// Ends the sequence after what was pushed.
    func finish() { end(.finished, discarding: false) }

    /// Ends the sequence with an error, after what was pushed: it was received and is valid.
    func fail(_ error: RPCError) { end(.failed(error), discarding: false) }

    /// Ends the sequence with an error at once; unread parts are dropped.
    func abort(_ error: RPCError) { end(.failed(error), discarding: true) }

    private func end(_ ending: Ending, discarding: Bool) {
        let reader = state.withLock { state -> CheckedContinuation<InboundPart?, any Error>? in
            if discarding {
                state.parts = []
                state.head = 0
                state.bufferedBytes = 0
            }
            switch state.ending {
            case nil: state.ending = ending
            // A sequence that had ended well is cut short by an abort only.
            case .finished: if discarding { state.ending = ending }
            // The first error is the cause of the others.
            case .failed: break
            }
            defer { state.reader = nil }
            return state.reader
        }
        switch ending {
        case .finished: reader?.resume(returning: nil)
        case .failed(let error): reader?.resume(throwing: error)
        }
    }

    // MARK: - The reader's side

    /// The next part; nil at the end.
    ///
    /// - Parameters:
    ///   - isolation: The caller's.
    ///   - onCaughtUp: Called when the reader was behind and no longer is.
    /// - Returns: The part.
    /// - Throws: The error the sequence ends with, or `cancelled` when the task was cancelled.
    func next(
        isolation: isolated (any Actor)?,
        onCaughtUp: () -> Void
    ) async throws -> InboundPart? {
        if let taken = state.withLock({ Self.takeReady(&$0, mark) }) {
            if taken.caughtUp { onCaughtUp() }
            return try taken.result.get()
        }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                // Whatever arrived since `take` is seen under the lock. A cancellation that came
                // before is visible in the task; one that comes later finds the reader.
                let taken = state.withLock { state -> Taken? in
                    if let taken = Self.takeReady(&state, mark) { return taken }
                    if Task.isCancelled {
                        return Taken(result: .failure(RPCError.cancelled), caughtUp: false)
                    }
                    state.reader = continuation
                    return nil
                }
                if let taken {
                    if taken.caughtUp { onCaughtUp() }
                    continuation.resume(with: taken.result)
                }
            }
        } onCancel: {
            let reader = state.withLock { state in
                defer { state.reader = nil }
                return state.reader
            }
            reader?.resume(throwing: RPCError.cancelled)
        }
    }

    private struct Taken {
        var result: Result<InboundPart?, any Error>
        var caughtUp: Bool
    }

    private static func takeReady(_ state: inout State, _ mark: Int) -> Taken? {
        if state.head < state.parts.count {
            let part = state.parts[state.head]
            state.head += 1
            if state.head == state.parts.count {
                state.parts.removeAll(keepingCapacity: state.parts.capacity <= 64)
                state.head = 0
            } else if state.head >= 64 {
                state.parts.removeFirst(state.head)
                state.head = 0
            }
            state.bufferedBytes -= part.size
            let caughtUp = state.isStalled && state.bufferedBytes < mark
            if caughtUp { state.isStalled = false }
            return Taken(result: .success(part), caughtUp: caughtUp)
        }
        switch state.ending {
        case nil: return nil
        case .finished: return Taken(result: .success(nil), caughtUp: false)
        case .failed(let error): return Taken(result: .failure(error), caughtUp: false)
        }
    }
}

extension InboundPart {
    // Counts a little for each message, so that empty ones can't pile up without bound.
    fileprivate var size: Int {
        if case .message(let bytes) = self { bytes.count + 64 } else { 0 }
    }
}

extension RPCError {
    /// The error of a call whose task was cancelled.
    static var cancelled: RPCError {
        RPCError(code: .cancelled, message: "the call was cancelled")
    }

    /// The error of a call that took too long.
    static var deadlineExceeded: RPCError {
        RPCError(code: .deadlineExceeded, message: "the deadline has passed")
    }
}
