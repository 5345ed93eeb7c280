import Foundation
import GRPCCore
import GRPCNGHTTP2
import InteropControl
import Synchronization

/// Does what the frames on standard input say and answers each with one frame.
final class Client: Sendable {
    private struct State {
        var calls: [Int: SteppedCall] = [:]
        var loads: [Int: LoadCounts] = [:]
    }

    private let client: GRPCClient<HTTP2ClientTransport>
    private let state = Mutex(State())

    init(_ options: Options) throws {
        client = GRPCClient(transport: try .forTests(options))
    }

    func run() async throws {
        try await withThrowingDiscardingTaskGroup { group in
            group.addTask { try await self.client.runConnections() }
            var buffer = FrameBuffer()
            for await input in standardInput() {
                buffer.append(input)
                while let (command, bodies) = try buffer.next(Command.self) {
                    switch command.op {
                    case .open:
                        let call = open(command)
                        group.addTask { await call.run() }
                        Output.send(Reply(to: command))
                    case .load:
                        let load = begin(command)
                        group.addTask { await self.run(load, command, bodies[0]) }
                        Output.send(Reply(to: command))
                    case .send, .finish, .read, .headers, .cancel:
                        let call = state.withLock { $0.calls[command.call ?? 0] }
                        call?.step(command, bodies.first ?? [])
                    default:
                        group.addTask { await self.perform(command, bodies) }
                    }
                }
            }
        }
    }

    private func open(_ command: Command) -> SteppedCall {
        let call = SteppedCall(client, command)
        state.withLock { $0.calls[command.call ?? 0] = call }
        return call
    }

    private func perform(_ command: Command, _ bodies: [[UInt8]]) async {
        let number = command.call ?? 0
        switch command.op {
        case .open, .send, .finish, .read, .headers, .cancel, .load: break
        case .exchange: await exchange(command, bodies)
        case .repeat: await `repeat`(command, bodies[0])
        case .progress:
            let load = state.withLock { $0.loads[number] }
            var reply = Reply(to: command)
            reply.numbers = await load?.until(command.count ?? 0)
            Output.send(reply)
        case .stop:
            let load = state.withLock { $0.loads[number] }
            var reply = Reply(to: command)
            reply.numbers = await load?.stop()
            Output.send(reply)
        }
    }

    // MARK: - Whole calls

    private final class Collected: Sendable {
        let value = Mutex(Outcome())
    }

    private func exchange(_ command: Command, _ bodies: [[UInt8]]) async {
        let outcome = Collected()
        let metadata = Metadata(command.metadata ?? [])
        let method = MethodDescriptor.echo(command.method ?? "")
        let options = CallOptions(command)
        do {
            switch command.kind ?? .unary {
            case .unary:
                try await client.unary(
                    request: ClientRequest(message: bodies[0], metadata: metadata),
                    descriptor: method,
                    serializer: BytesSerializer(),
                    deserializer: BytesDeserializer(),
                    options: options
                ) { response in outcome.value.withLock { $0.note(response) } }
            case .clientStream:
                try await client.clientStreaming(
                    request: StreamingClientRequest(metadata: metadata) { writer in
                        for body in bodies { try await writer.write(body) }
                    },
                    descriptor: method,
                    serializer: BytesSerializer(),
                    deserializer: BytesDeserializer(),
                    options: options
                ) { response in outcome.value.withLock { $0.note(response) } }
            case .serverStream:
                try await client.serverStreaming(
                    request: ClientRequest(message: bodies[0], metadata: metadata),
                    descriptor: method,
                    serializer: BytesSerializer(),
                    deserializer: BytesDeserializer(),
                    options: options
                ) { response in try await Self.collect(response, outcome) }
            case .bidi:
                try await client.bidirectionalStreaming(
                    request: StreamingClientRequest(metadata: metadata) { writer in
                        for body in bodies { try await writer.write(body) }
                    },
                    descriptor: method,
                    serializer: BytesSerializer(),
                    deserializer: BytesDeserializer(),
                    options: options
                ) { response in try await Self.collect(response, outcome) }
            }
        } catch {
            outcome.value.withLock { $0.note(error) }
        }
        let done = outcome.value.withLock { $0 }
        Output.send(done.reply(to: command), done.messages)
    }

    private static func collect(
        _ response: StreamingClientResponse<[UInt8]>,
        _ outcome: Collected
    ) async throws {
        outcome.value.withLock { $0.headers = response.metadata }
        for try await part in response.bodyParts {
            switch part {
            case .message(let message): outcome.value.withLock { $0.messages.append(message) }
            case .trailingMetadata(let metadata): outcome.value.withLock { $0.trailers = metadata }
            }
        }
    }

    // MARK: - Many calls

    private func unary(_ body: [UInt8], _ options: CallOptions) async throws {
        _ = try await client.unary(
            request: ClientRequest(message: body),
            descriptor: .echo("Unary"),
            serializer: BytesSerializer(),
            deserializer: BytesDeserializer(),
            options: options
        ) { try $0.message }
    }

    private func `repeat`(_ command: Command, _ body: [UInt8]) async {
        var reply = Reply(to: command)
        var options = CallOptions.defaults
        options.waitForReady = true
        let count = command.count ?? 0
        do {
            for _ in 0..<count / 10 { try await unary(body, options) }
            let before = try Usage.now().rss
            for _ in 0..<count { try await unary(body, options) }
            reply.numbers = ["before": before, "after": try Usage.now().rss]
        } catch {
            reply.broken = "\(error)"
        }
        Output.send(reply)
    }

    private func begin(_ command: Command) -> LoadCounts {
        let load = LoadCounts()
        state.withLock { $0.loads[command.call ?? 0] = load }
        return load
    }

    private func run(_ load: LoadCounts, _ command: Command, _ body: [UInt8]) async {
        await withDiscardingTaskGroup { group in
            for _ in 0..<(command.count ?? 1) {
                group.addTask {
                    var options = CallOptions.defaults
                    options.waitForReady = true
                    while await !load.isStopped {
                        do {
                            try await self.unary(body, options)
                            await load.note(0)
                        } catch {
                            await load.note((error as? RPCError)?.code.rawValue ?? -1)
                        }
                    }
                }
            }
        }
        await load.ended()
    }
}

extension HTTP2ClientTransport {
    /// A transport that reconnects quickly, as the Python peer does.
    static func forTests(_ options: Options) throws -> HTTP2ClientTransport {
        var configuration = ClientConfiguration()
        configuration.backoff = BackoffConfiguration(
            initial: .milliseconds(100),
            maximum: .milliseconds(500)
        )
        let runsCallsOnLoop = options["callers"] == "pool"
        configuration.runsCallsOnLoop = { _ in runsCallsOnLoop }
        return HTTP2ClientTransport(
            target: try options.target,
            security: options.clientSecurity,
            configuration: configuration
        )
    }
}

extension CallOptions {
    init(_ command: Command) {
        self = .defaults
        timeout = command.timeoutMilliseconds.map { .milliseconds($0) }
        waitForReady = command.waitForReady
    }
}

/// Standard output, one frame at a time.
enum Output {
    private static let lock = Mutex(())

    static func send(_ reply: Reply, _ bodies: [[UInt8]] = []) {
        var reply = reply
        var bytes: [UInt8] = []
        do {
            bytes = try reply.framed(with: bodies)
        } catch {
            reply.broken = "\(error)"
        }
        lock.withLock { _ in FileHandle.standardOutput.write(Data(bytes)) }
    }
}
