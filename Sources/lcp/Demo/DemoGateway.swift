import BridgeProtocol
import BusClient
import FoundationEssentials
import LCPInspector
import LightningTypes
import LocalNetwork
import SwiftProtobuf

/// What a demonstration does with a gateway: one request over HTTP, or those of somebody else.
struct DemoGateway: Sendable {
    /// Where it listens: `127.0.0.1:40123`.
    var address: String
    var prompt: String

    /// The page of chat completions.
    private var url: String { "http://\(address)/v1/chat/completions" }

    /// The request as OpenAI's clients make it.
    private var body: JSONText {
        [
            "model": .string("demo"),
            "messages": .array([["role": .string("user"), "content": .string(prompt)]]),
        ]
    }

    /// A line for a shell that makes the request, whatever the prompt is.
    var commandLine: String {
        let quoted = "\(body)".replacing("'", with: #"'\''"#)
        return "curl -si \(url) -H 'content-type: application/json' -d '\(quoted)'"
    }

    /// Makes the request.
    ///
    /// - Returns: What the gateway answered.
    /// - Throws: ``CommandError`` when there was no answer.
    func ask() async throws -> DemoResponse {
        do {
            return DemoResponse(
                try await Web.answer(of: url, to: Array("\(body)".utf8), within: 120)
            )
        } catch let error where !(error is CancellationError) {
            throw CommandError(
                code: "no-answer",
                detail: """
                    the gateway at \(address) did not answer (\(error)); lcp demo --gateway --keep \
                    keeps its log
                    """,
                status: ExitStatus.unavailable
            )
        }
    }
}

/// What a gateway answered to a chat completion.
struct DemoResponse: Sendable {
    /// What is needed of OpenAI's `chat.completion`.
    private struct Completion: Decodable {
        struct Choice: Decodable {
            struct Message: Decodable {
                var content: String?
            }
            var message: Message
        }
        var choices: [Choice]
    }

    /// The HTTP status.
    let status: Int
    /// The headers that tell of the job, by their names, in their order.
    let headers: [(name: String, value: String)]
    /// The answer's text; nil when there is none.
    let content: String?

    init(_ answer: Web.Answer) {
        status = answer.status
        headers = answer.headers.filter { $0.key.hasPrefix("x-") }
            .sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
        let completion = try? JSONDecoder().decode(Completion.self, from: Data(answer.body))
        content = completion?.choices.first?.message.content
    }

    /// The job that was bought for it; nil when the headers name none.
    var job: BusJobKey? {
        func bytes(_ name: String) -> [UInt8]? {
            headers.first { $0.name == name }.flatMap { Hex.decode($0.value) }
        }
        guard let id = bytes("x-lcp-job-id"), let peer = bytes("x-lcp-peer-id") else { return nil }
        return .with {
            $0.role = .requester
            $0.peer = Data(peer)
            $0.jobID = Data(id)
        }
    }

    /// One object for machines.
    var json: JSONText {
        [
            "status": .number(UInt64(status)),
            "headers": .object(headers.map { .init(name: $0.name, value: .string($0.value)) }),
            "content": .text(content),
        ]
    }
}
