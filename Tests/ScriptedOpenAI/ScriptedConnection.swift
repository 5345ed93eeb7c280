import Foundation
import NIOCore
package import OpenAIChat

/// The server's side of a connection whose request was read.
package struct ScriptedConnection: Sendable {
    private let outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
    private let channel: any Channel

    init(_ outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>, _ channel: any Channel) {
        self.outbound = outbound
        self.channel = channel
    }

    /// Sends bytes as they are.
    package func send(_ text: String) async throws {
        try await outbound.write(ByteBuffer(string: text))
    }

    /// Sends a whole response.
    package func respond(
        _ status: Int,
        _ body: String = "",
        type: String = "application/json",
        headers: [String: String] = [:]
    ) async throws {
        let more = headers.map { "\($0.key): \($0.value)\r\n" }.sorted().joined()
        try await send(
            "HTTP/1.1 \(status) Scripted\r\ncontent-type: \(type)\r\n"
                + "content-length: \(body.utf8.count)\r\n\(more)\r\n\(body)"
        )
    }

    /// Begins a stream of chunks, which ends with the connection.
    package func stream() async throws {
        try await send(
            "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"
        )
    }

    /// Sends pieces of the answer, an event for each.
    package func say(_ pieces: String...) async throws {
        for piece in pieces { try await send(Self.choice(.init(delta: .init(content: piece)))) }
    }

    /// Ends the answer, tells what it took, and says that nothing more comes.
    package func finish(
        _ reason: FinishReason = .stop,
        _ usage: TokenUsage? = nil
    ) async throws {
        try await send(Self.choice(.init(delta: .init(), finishReason: reason)))
        if let usage {
            try await send(
                ChatCompletionChunk(id: "c", created: 1, model: "m", choices: [], usage: usage)
            )
        }
        try await send(Self.text(.done))
    }

    /// Closes the connection after what was sent.
    func close() async {
        // Either fails only when the client was quicker.
        try? await channel.writeAndFlush(ByteBuffer()).get()
        try? await channel.close().get()
    }

    /// Returns once the client has closed the connection.
    package func closed() async throws {
        let channel = channel
        try await withTaskCancellationHandler {
            try await channel.closeFuture.get()
        } onCancel: {
            channel.close(promise: nil)
        }
    }

    private func send(_ chunk: ChatCompletionChunk) async throws {
        try await send(Self.text(.chunk(chunk)))
    }

    private static func choice(_ choice: ChatCompletionChunk.Choice) -> ChatCompletionChunk {
        ChatCompletionChunk(id: "c", created: 1, model: "m", choices: [choice])
    }

    private static func text(_ item: ChatStreamItem) throws -> String {
        String(decoding: try item.event().encoded, as: UTF8.self)
    }
}
