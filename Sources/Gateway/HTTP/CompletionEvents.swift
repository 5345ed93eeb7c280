import BridgeProtocol
import FoundationEssentials
import NIOCore
import OpenAIChat

/// The events of one answer.
struct CompletionEvents: Sendable {
    let id: String
    let order: ChatOrder
    /// The job when the stream was opened.
    let job: BusJob

    /// A sign of life: a comment, which no client takes for an event.
    static let ping = ByteBuffer(bytes: ServerSentEvent.comment("ping"))

    /// The first chunk: who speaks.
    var beginning: ByteBuffer {
        Self.bytes([.chunk(chunk([.init(delta: .init(role: "assistant", content: ""))]))])
    }

    /// The answer, why it ended, the usage when it was asked for, and the end.
    func rest(of job: BusJob, _ text: String, _ usage: TokenUsage) -> ByteBuffer {
        var items: [ChatStreamItem] = [
            .chunk(chunk([.init(delta: .init(content: text))])),
            .chunk(
                chunk([.init(delta: .init(), finishReason: job.view.truncated ? .length : .stop)])
            ),
        ]
        if order.wantsUsage { items.append(.chunk(chunk([], usage))) }
        items.append(.done)
        // The fee was not known when the headers went.
        let fee = ServerSentEvent.comment("x-lcp-fee-msat: \(job.view.feeMsat)")
        var buffer = ByteBuffer(bytes: fee)
        buffer.writeImmutableBuffer(Self.bytes(items))
        return buffer
    }

    /// Why there is no rest.
    func failure(_ refusal: Refusal) -> ByteBuffer { Self.bytes([.error(refusal.error)]) }

    private func chunk(
        _ choices: [ChatCompletionChunk.Choice],
        _ usage: TokenUsage? = nil
    ) -> ChatCompletionChunk {
        ChatCompletionChunk(
            id: id,
            created: Int(clamping: job.createdUnix),
            model: order.model,
            choices: choices,
            usage: usage
        )
    }

    private static func bytes(_ items: [ChatStreamItem]) -> ByteBuffer {
        var buffer = ByteBuffer()
        // A chunk holds no number that JSON does not have.
        for item in items { if let event = try? item.event() { buffer.writeBytes(event.encoded) } }
        return buffer
    }
}
