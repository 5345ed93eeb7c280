import Foundation
import InteropControl

/// How a call ended, with all it brought.
struct CallEnd: Sendable {
    var code: Int
    var message: String
    var headers: [Field]
    var trailers: [Field]
    var messages: [[UInt8]]

    init(_ answer: RemoteClient.Answer) throws {
        guard let code = answer.reply.code else { throw PeerFailure("no status in the answer") }
        self.code = code
        message = answer.reply.message ?? ""
        headers = answer.reply.headers ?? []
        trailers = answer.reply.trailers ?? []
        messages = answer.bodies
    }
}

/// The gRPC statuses the scenarios speak of.
enum GRPCCode {
    static let ok = 0
    static let cancelled = 1
    static let deadlineExceeded = 4
    static let notFound = 5
    static let unimplemented = 12
    static let unavailable = 14
}

/// A call that is driven step by step.
struct OpenCall: Sendable {
    let client: RemoteClient
    let number: Int

    private func command(_ op: Command.Operation) -> Command {
        var command = Command(op)
        command.call = number
        return command
    }

    /// Returns once the transport has taken the message; its status if the call has ended.
    @discardableResult
    func send(_ message: [UInt8]) async throws -> Int? {
        try await client.ask(command(.send), [message]).reply.code
    }

    func finish() async throws { try await client.ask(command(.finish)) }

    func cancel() async throws { try await client.ask(command(.cancel)) }

    func headers() async throws -> [Field] {
        try await client.ask(command(.headers)).reply.headers ?? []
    }

    /// A message, or nil when the call has ended.
    func read() async throws -> [UInt8]? {
        try await client.ask(command(.read)).bodies.first
    }

    /// How the call ends; messages still to come are a failure.
    func end() async throws -> CallEnd { try CallEnd(await client.ask(command(.read))) }
}

extension RemoteClient {
    /// Makes a whole call.
    func call(
        _ method: String,
        _ kind: Command.Kind = .unary,
        _ messages: [[UInt8]] = [[]],
        metadata: [Field] = [],
        timeout: Int? = nil,
        waitForReady: Bool? = nil
    ) async throws -> CallEnd {
        var command = Command(.exchange)
        command.method = method
        command.kind = kind
        command.metadata = metadata
        command.timeoutMilliseconds = timeout
        command.waitForReady = waitForReady
        return try CallEnd(await ask(command, messages))
    }

    /// Opens a call to drive step by step.
    func open(
        _ method: String,
        metadata: [Field] = [],
        timeout: Int? = nil
    ) async throws -> OpenCall {
        var command = Command(.open)
        command.call = newNumber()
        command.method = method
        command.metadata = metadata
        command.timeoutMilliseconds = timeout
        command.waitForReady = true
        try await ask(command)
        return OpenCall(client: self, number: command.call ?? 0)
    }

    /// Asks the server for its numbers.
    func probe(_ key: String = "") async throws -> [String: Int] {
        let end = try await call("Probe", .unary, [Array(key.utf8)])
        guard let answer = end.messages.first else { throw PeerFailure("no answer: \(end)") }
        return try JSONDecoder().decode([String: Int].self, from: Data(answer))
    }

    /// Waits until a call with this key has begun at the server.
    func waitUntilOpened(_ key: String) async throws -> CallEnd {
        try await call("AwaitOpened", .unary, [Array(key.utf8)])
    }

    /// Waits until the server has seen that a call with this key was cancelled.
    func waitUntilCancelled(_ key: String) async throws -> CallEnd {
        try await call("AwaitCancelled", .unary, [Array(key.utf8)])
    }
}
