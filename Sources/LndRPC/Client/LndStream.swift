import GRPCCore

/// What lnd sends on one open call, element by element.
///
/// Hands through the call's own stream: the next element is taken from the transport when it is
/// asked for, nothing is buffered here, and a slow reader slows its own stream only. Can be
/// iterated once, inside the closure it was given to.
///
/// The ways to end differ: nil when lnd ended the call with success, else a ``LndError``, of which
/// `serverExiting` is lnd's orderly end, `unavailable` a lost connection and `cancelled` the
/// reader's own cancellation.
package struct LndStream<Element: Sendable>: AsyncSequence, Sendable {
    private let base: RPCAsyncSequence<Element, any Error>
    private let rpc: String

    /// Wraps the messages of a call.
    ///
    /// - Parameters:
    ///   - messages: The call's messages.
    ///   - rpc: The RPC's name, for errors.
    ///   - convert: Checks a message and makes the element of it.
    init<Message>(
        _ messages: RPCAsyncSequence<Message, any Error>,
        rpc: String,
        convert: @escaping @Sendable (Message) throws(LndError) -> Element
    ) {
        base = RPCAsyncSequence(wrapping: messages.map { try convert($0) })
        self.rpc = rpc
    }

    /// Reads the stream; only the first iterator sees elements.
    package func makeAsyncIterator() -> Iterator {
        Iterator(base: base.makeAsyncIterator(), rpc: rpc)
    }

    /// The reader of a stream.
    package struct Iterator: AsyncIteratorProtocol {
        var base: RPCAsyncSequence<Element, any Error>.AsyncIterator
        let rpc: String

        /// The next element, or nil when lnd ended the call with success.
        package mutating func next(
            isolation actor: isolated (any Actor)? = #isolation
        ) async throws(LndError) -> Element? {
            do {
                if let element = try await base.next(isolation: actor) { return element }
                // A transport may end a cancelled call without an error.
                try Task.checkCancellation()
                return nil
            } catch {
                throw LndError(any: error, rpc: rpc)
            }
        }

        /// The next element, or nil when lnd ended the call with success.
        package mutating func next() async throws(LndError) -> Element? {
            try await next(isolation: nil)
        }
    }
}

extension LndStream<Payment> {
    /// Waits for the payment's final state.
    ///
    /// - Returns: The first state that is terminal.
    /// - Throws: ``LndError``; `unavailable` also when the stream ends before the payment does.
    ///   The payment may then still succeed: ask `trackPaymentV2`.
    package func finalState() async throws(LndError) -> Payment {
        var states = makeAsyncIterator()
        while let payment = try await states.next(isolation: nil) {
            if payment.isTerminal { return payment }
        }
        throw LndError(.unavailable, "\(rpc): the stream ended before the payment did")
    }
}

extension LndError {
    /// Reads whatever a call threw.
    init(any error: any Error, rpc: String) {
        switch error {
        case let known as LndError: self = known
        case let refused as Refused: self.init(any: refused.error, rpc: rpc)
        case _ where Task.isCancelled: self.init(.cancelled, "\(rpc): cancelled")
        case is CancellationError: self.init(.cancelled, "\(rpc): cancelled")
        case let status as RPCError where status.cause is CancellationError:
            self.init(.cancelled, "\(rpc): cancelled")
        case let status as RPCError: self.init(status, rpc: rpc)
        case let state as RuntimeError where state.code == .clientIsStopped:
            self.init(.closed, "\(rpc): this client was shut down")
        // Another type's text is not ours to judge; it may hold anything.
        default: self.init(.unavailable, "\(rpc): \(type(of: error))")
        }
    }
}
