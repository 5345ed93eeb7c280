import AsyncHTTPClient
import NIOCore
import NIOHTTP1

/// Asks a gateway for completions, each over a connection that stays open.
struct ChatClient: Sendable {
    private let client: HTTPClient
    private let address: String
    private let url: String
    private let token: String

    /// The gateway did not answer 200, or its answer ended early.
    struct Refused: Error {
        var status: Int
        var body: String
    }

    init(address: String, token: String) {
        var configuration = HTTPClient.Configuration()
        // One for each that waits, never one shared by turns.
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 4_096
        client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        self.address = address
        url = "http://\(address)/v1/chat/completions"
        self.token = token
    }

    func end() async throws { try await client.shutdown() }

    /// Opens a connection that stays open.
    func connect() throws -> ChatConnection {
        try ChatConnection(address: address, token: token)
    }

    /// Opens a stream and stays, until cancelled.
    ///
    /// - Parameters:
    ///   - prompt: What to ask.
    ///   - opened: Called when the stream has begun.
    ///   - isAlive: Called at its first sign of life afterwards.
    /// - Throws: ``Refused``, also when the stream ends.
    func stay(_ prompt: String, opened: () -> Void, isAlive: () -> Void) async throws -> Never {
        let response = try await ask(prompt, isStream: true)
        opened()
        var text = ""
        for try await piece in response.body where !text.contains(": ping") {
            text += String(buffer: piece)
            if text.contains(": ping") { isAlive() }
        }
        throw Refused(status: 200, body: text)
    }

    private func ask(_ prompt: String, isStream: Bool) async throws -> HTTPClientResponse {
        var request = HTTPClientRequest(url: url)
        request.method = .POST
        request.headers.add(name: "content-type", value: "application/json")
        request.headers.add(name: "authorization", value: "Bearer \(token)")
        request.body = .bytes(ByteBuffer(string: ChatConnection.body(prompt, isStream: isStream)))
        let response = try await client.execute(request, timeout: .minutes(5))
        guard response.status == .ok else {
            let body = try await response.body.collect(upTo: 1 << 20)
            throw Refused(status: Int(response.status.code), body: String(buffer: body))
        }
        return response
    }
}
