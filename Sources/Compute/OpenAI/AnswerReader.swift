import BridgeProtocol
import Foundation
import OpenAIChat
import WorkerKit

/// Gathers an answer from the bytes of a response, and says when it needs no more of them.
///
/// Pure. Keeps the text up to what the result can hold, and of the rest only counts.
struct AnswerReader {
    /// How the server answers: in chunks as it was asked to, or at once as some do all the same.
    enum Format: Sendable {
        case events
        case json
    }

    /// The longest line and event of a stream, in bytes.
    private static let lineLimit = 1 << 20

    private let format: Format
    private let responseLimit: Int
    private let tokenLimit: Int?
    private var events = ServerSentEventReader(lineLimit: lineLimit, eventLimit: lineLimit)
    private var body = Data()
    private var bytesRead = 0
    private var pieces = 0
    private var output: ResultOutput
    private var isCapped = false

    /// What the server counted; nil until it says.
    private(set) var usage: TokenUsage?
    /// Why the answer ended; nil while it goes on.
    private(set) var finishReason: FinishReason?
    /// Whether no more bytes are wanted.
    private(set) var isDone = false

    /// Begins with nothing.
    ///
    /// - Parameters:
    ///   - format: How the server answers.
    ///   - item: The computation, for its limits.
    ///   - responseLimit: How many bytes are read at most.
    init(_ format: Format, for item: BusComputeItem, responseLimit: Int) {
        self.format = format
        self.responseLimit = responseLimit
        let limits = item.limits
        tokenLimit = limits.maxOutputTokens == 0 ? nil : Int(limits.maxOutputTokens)
        output = ResultOutput(
            limit: limits.maxResultBytes == 0 ? responseLimit : Int(limits.maxResultBytes),
            contentType: ResultOutput.textType
        )
    }

    /// Takes the next bytes.
    ///
    /// - Throws: ``CallFailure`` when they are too many, or what they say is no answer.
    mutating func take(_ bytes: some Collection<UInt8>) throws(CallFailure) {
        bytesRead += bytes.count
        guard bytesRead <= responseLimit else {
            throw CallFailure(.tooLong, "the response has more than \(responseLimit) bytes")
        }
        switch format {
        case .json: body.append(contentsOf: bytes)
        case .events:
            let complete: [ServerSentEvent]
            do {
                complete = try events.append(bytes)
            } catch {
                throw CallFailure(.tooLong, "an event has more than \(Self.lineLimit) bytes")
            }
            for event in complete where !isDone { try take(event) }
        }
    }

    /// Takes the end of the response.
    ///
    /// - Throws: ``CallFailure`` when the answer was not at its end.
    mutating func end() throws(CallFailure) {
        if format == .json { try takeBody() }
        guard finishReason != nil || isDone else {
            throw CallFailure(.failed, "the stream ended before the answer did")
        }
        isDone = true
    }

    /// The result for the peer.
    ///
    /// - Throws: ``WorkFailure`` `empty-output` when there is no text.
    func result() throws(WorkFailure) -> BusComputeResult {
        var result = try output.result()
        // The cap on tokens cut it as much as one on bytes does.
        result.truncated = result.truncated || isCapped || finishReason == .length
        result.inputTokens = UInt64(max(0, usage?.promptTokens ?? 0))
        result.outputTokens = UInt64(max(0, usage?.completionTokens ?? 0))
        return result
    }

    // MARK: - Pieces

    private mutating func take(_ event: ServerSentEvent) throws(CallFailure) {
        let item: ChatStreamItem
        do {
            item = try ChatStreamItem(event)
        } catch {
            throw CallFailure(.failed, "an event of the stream is no chunk: \(error.message)")
        }
        switch item {
        case .done: isDone = true
        case .error(let error):
            var failure = CallFailure(.failed, "the server failed in the middle of the answer")
            failure.label(error)
            throw failure
        case .chunk(let chunk):
            if let usage = chunk.usage { self.usage = usage }
            for choice in chunk.choices where choice.index == 0 {
                add(choice.delta.content ?? choice.delta.refusal ?? "")
                if let reason = choice.finishReason { finishReason = reason }
            }
        }
    }

    private mutating func add(_ text: String) {
        guard !text.isEmpty else { return }
        output.append(text.utf8)
        pieces += 1
        // More would be cut away, so nobody need be paid for it.
        if output.total > output.limit { isDone = true }
        // A server that ignores the cap. A piece is a token at least, and four bytes are one by the
        // estimate that prices are made with; only both together are sure to be too many.
        if let tokenLimit, pieces > tokenLimit, output.total / 4 > tokenLimit {
            isCapped = true
            isDone = true
        }
    }

    private mutating func takeBody() throws(CallFailure) {
        let completion: ChatCompletion
        do {
            completion = try ChatJSON.decode(ChatCompletion.self, from: body)
        } catch {
            throw CallFailure(.failed, "the response is no completion: \(error.message)")
        }
        guard let choice = completion.choices.first else {
            throw CallFailure(.failed, "the completion has no choices")
        }
        usage = completion.usage
        output.append((choice.message.content?.text ?? "").utf8)
        finishReason = choice.finishReason ?? .stop
    }
}

extension CallFailure {
    /// Takes over what the server calls its error, but nothing that is more than a label: the text
    /// of an error may quote the key or the prompt.
    mutating func label(_ error: ChatError) {
        type = Self.label(error.kind.rawValue)
        code = Self.label(error.code)
    }

    /// A foreign text as part of a log line; nil for one that is no label.
    static func label(_ text: String?) -> String? {
        guard let text, !text.isEmpty, text.utf8.count <= 64 else { return nil }
        let isLabel = text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"),
                UInt8(ascii: "."), UInt8(ascii: ":"):
                true
            default: false
            }
        }
        return isLabel ? text : nil
    }
}
