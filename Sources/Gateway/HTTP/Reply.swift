import BridgeProtocol
import FoundationEssentials
import HTTPTypes
import Hummingbird
import NIOCore
import OpenAIChat

/// Answers as they go over HTTP.
enum Reply {
    /// A value as JSON.
    static func json(
        _ value: some Encodable,
        status: Int = 200,
        _ headers: [(name: String, value: String)] = []
    ) -> Response {
        let body = (try? ChatJSON.encode(value)) ?? Data("{}".utf8)
        return Response(
            status: .init(code: status),
            headers: fields([("content-type", "application/json")] + headers),
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: body))
        )
    }

    /// Text for people and scrapers.
    static func text(_ text: String, type: String = "text/plain; charset=utf-8") -> Response {
        Response(
            status: .ok,
            headers: fields([("content-type", type)]),
            body: ResponseBody(byteBuffer: ByteBuffer(string: text))
        )
    }

    /// A refusal in OpenAI's shape, with what is known of the job.
    static func refusal(_ refusal: Refusal, _ job: BusJob? = nil) -> Response {
        var headers = AnswerHeaders.headers(of: refusal.retry)
        if let job { headers += AnswerHeaders.headers(of: job) }
        return json(refusal.error, status: refusal.status, headers)
    }

    /// Headers by their names.
    static func fields(_ headers: [(name: String, value: String)]) -> HTTPFields {
        var fields = HTTPFields()
        for (name, value) in headers {
            if let name = HTTPField.Name(name) { fields[name] = value }
        }
        return fields
    }
}
