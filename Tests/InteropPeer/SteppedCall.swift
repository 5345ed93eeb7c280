import GRPCCore
import GRPCNGHTTP2
import InteropControl
import Synchronization

/// A call that is driven step by step.
///
/// The steps are answered by tasks that outlive the call, since the call's own task may be
/// cancelled in the middle of one.
final class SteppedCall: Sendable {
    private let client: GRPCClient<HTTP2ClientTransport>
    private let command: Command
    private let outcome = Mutex(Outcome())

    /// What is still to be written, and the status of each write.
    private let outgoing = AsyncStream<[UInt8]>.makeStream()
    private let written = AsyncStream<Int>.makeStream()
    /// One for each message wanted, and the messages.
    private let wanted = AsyncStream<Void>.makeStream()
    private let received = AsyncStream<[UInt8]>.makeStream()
    private let headers = AsyncStream<Metadata>.makeStream()
    private let cancellation = AsyncStream<Void>.makeStream()
    /// Steps in the order they came.
    private let steps = AsyncStream<(Command, [UInt8])>.makeStream()

    init(_ client: GRPCClient<HTTP2ClientTransport>, _ command: Command) {
        self.client = client
        self.command = command
    }

    func step(_ command: Command, _ body: [UInt8]) { steps.continuation.yield((command, body)) }

    /// Makes the call; never returns before the process ends, so that late steps are answered.
    func run() async {
        let reads = AsyncStream<Command>.makeStream()
        let writes = AsyncStream<(Command, [UInt8])>.makeStream()
        let headerSteps = AsyncStream<Command>.makeStream()
        await withDiscardingTaskGroup { group in
            group.addTask { await self.makeCall() }
            group.addTask {
                for await (command, body) in self.steps.stream {
                    switch command.op {
                    case .send: writes.continuation.yield((command, body))
                    case .read: reads.continuation.yield(command)
                    case .headers: headerSteps.continuation.yield(command)
                    case .finish:
                        self.outgoing.continuation.finish()
                        Output.send(Reply(to: command))
                    default:
                        self.cancellation.continuation.yield()
                        Output.send(Reply(to: command))
                    }
                }
            }
            group.addTask { await self.answer(writes: writes.stream) }
            group.addTask { await self.answer(reads: reads.stream) }
            group.addTask { await self.answer(headers: headerSteps.stream) }
        }
    }

    // MARK: - Answers

    private func answer(writes: AsyncStream<(Command, [UInt8])>) async {
        var statuses = written.stream.makeAsyncIterator()
        for await (command, body) in writes {
            outgoing.continuation.yield(body)
            var reply = Reply(to: command)
            reply.code = await statuses.next() ?? outcome.withLock { $0.reply(to: command).code }
            Output.send(reply)
        }
    }

    private func answer(reads: AsyncStream<Command>) async {
        var messages = received.stream.makeAsyncIterator()
        for await command in reads {
            wanted.continuation.yield()
            if let message = await messages.next() {
                Output.send(Reply(to: command), [message])
            } else {
                Output.send(outcome.withLock { $0.reply(to: command) })
            }
        }
    }

    private func answer(headers steps: AsyncStream<Command>) async {
        var came = headers.stream.makeAsyncIterator()
        var metadata: Metadata?
        for await command in steps {
            if metadata == nil { metadata = await came.next() }
            var reply = Reply(to: command)
            reply.headers = metadata?.fields
            Output.send(reply)
        }
    }

    // MARK: - The call

    private func makeCall() async {
        await withDiscardingTaskGroup { group in
            let call = Task { await self.call() }
            group.addTask { for await _ in self.cancellation.stream { call.cancel() } }
            await call.value
            headers.continuation.finish()
            received.continuation.finish()
            written.continuation.finish()
            cancellation.continuation.finish()
        }
    }

    private func call() async {
        do {
            try await client.bidirectionalStreaming(
                request: StreamingClientRequest(metadata: Metadata(command.metadata ?? [])) {
                    for await message in self.outgoing.stream {
                        try await $0.write(message)
                        self.written.continuation.yield(0)
                    }
                },
                descriptor: .echo(command.method ?? ""),
                serializer: BytesSerializer(),
                deserializer: BytesDeserializer(),
                options: CallOptions(command)
            ) { try await self.receive($0) }
        } catch {
            outcome.withLock { $0.note(error) }
        }
    }

    private func receive(_ response: StreamingClientResponse<[UInt8]>) async throws {
        outcome.withLock { $0.headers = response.metadata }
        headers.continuation.yield(response.metadata)
        var parts = response.bodyParts.makeAsyncIterator()
        for await _ in wanted.stream {
            switch try await parts.next() {
            case .message(let message): received.continuation.yield(message)
            case .trailingMetadata(let metadata):
                outcome.withLock { $0.trailers = metadata }
                return
            case nil: return
            }
        }
        try Task.checkCancellation()
    }
}
