import AsyncHTTPClient
import BridgeProtocol
import Foundation
import LightningTypes
import NIOCore
import NIOHTTP1
import OpenAIChat

/// One HTTP request to the server, and its response.
struct OpenAICall: Sendable {
    let client: HTTPClient
    let settings: OpenAISettings

    /// No error is as long, in bytes.
    private static let errorBodyLimit = 65_536
    /// No list of models is as long, in bytes.
    private static let listLimit = 4 << 20

    /// Asks for an answer.
    ///
    /// - Parameters:
    ///   - body: The request's body.
    ///   - item: The computation, for its limits.
    /// - Returns: The answer, at its end or as long as it may be; the connection is closed then.
    /// - Throws: ``CallFailure``; `CancellationError` when the task was cancelled. Either way the
    ///   connection is closed.
    func answer(to body: Data, for item: BusComputeItem) async throws -> AnswerReader {
        var request = try request(.POST, "chat/completions")
        request.headers.add(name: "content-type", value: "application/json")
        request.headers.add(name: "accept", value: "text/event-stream")
        let record = CallBody.Record()
        request.body = .stream(
            CallBody(bytes: ByteBuffer(bytes: body), record: record),
            length: .known(Int64(body.count))
        )
        let response = try await head(of: request) { record.isSent }
        let type = response.headers.first(name: "content-type")?.lowercased() ?? ""
        var reader = AnswerReader(
            type.hasPrefix("application/json") ? .json : .events,
            for: item,
            responseLimit: settings.responseLimit
        )
        do {
            for try await bytes in response.body {
                try reader.take(bytes.readableBytesView)
                // Leaving the loop closes the connection, and the server stops.
                if reader.isDone { return reader }
            }
            try reader.end()
        } catch let failure as CallFailure {
            throw failure.of(response)
        } catch {
            // What follows a finished answer is only its count of tokens.
            if reader.finishReason != nil, !Task.isCancelled { return reader }
            throw try Self.failure(error, isSent: true).of(response)
        }
        return reader
    }

    /// Asks which models there are.
    ///
    /// - Throws: ``CallFailure``; `CancellationError` when the task was cancelled.
    func models() async throws -> ModelList {
        let response = try await head(of: try request(.GET, "models")) { false }
        do {
            let body = try await response.body.collect(upTo: Self.listLimit)
            return try ChatJSON.decode(ModelList.self, from: Data(body.readableBytesView))
        } catch let error as ChatError {
            throw CallFailure(.failed, "no list of models: \(error.message)").of(response)
        } catch {
            throw try Self.failure(error, isSent: true).of(response)
        }
    }

    // MARK: - Request and response

    private func request(_ method: HTTPMethod, _ path: String) throws(CallFailure)
        -> HTTPClientRequest
    {
        var request = HTTPClientRequest(url: settings.endpoint.url(path))
        request.method = method
        request.headers.add(name: "user-agent", value: "lcp-compute")
        guard let file = settings.keyFile else { return request }
        let key: Redacted<String>
        do {
            key = try KeyFile.read(file)
        } catch {
            let what = error == .unreadable ? "can't be read" : "holds no key"
            throw CallFailure(.misconfigured, "\(file) \(what)")
        }
        let header = "Bearer \(key.reveal("to show it to the server it is for"))"
        request.headers.add(name: "authorization", value: header)
        return request
    }

    /// Sends a request and waits for a response that is none but 200.
    private func head(
        of request: HTTPClientRequest,
        isSent: () -> Bool
    ) async throws -> HTTPClientResponse {
        let response: HTTPClientResponse
        do {
            response = try await client.execute(request, timeout: settings.timeLimit.amount)
        } catch {
            throw try Self.failure(error, isSent: isSent())
        }
        guard response.status != .ok else { return response }
        var failure = CallFailure(status: response.status.code, response.retryAfter)
        if let body = try? await response.body.collect(upTo: Self.errorBodyLimit),
            let error = try? ChatJSON.decode(ChatError.self, from: Data(body.readableBytesView))
        {
            failure.label(error)
        }
        // Not a matter of time: nothing is left to spend, and no wait brings it back.
        if failure.type == "insufficient_quota" || failure.code == "insufficient_quota" {
            failure.kind = .misconfigured
        }
        throw failure.of(response)
    }

    private static func failure(_ error: any Error, isSent: Bool) throws -> CallFailure {
        if error is CancellationError || Task.isCancelled { throw CancellationError() }
        let text = LogText.escaped(Array("\(error)".utf8.prefix(300)))
        guard isSent else { return CallFailure(.unreachable, text) }
        let timeouts: [HTTPClientError] = [.readTimeout, .deadlineExceeded]
        let isTimeout = (error as? HTTPClientError).map(timeouts.contains) ?? false
        return CallFailure(isTimeout ? .timeout : .failed, text)
    }
}

extension OpenAICall {
    /// Gives a closure a client with the limits of some settings, and shuts it down.
    static func withClient<Value: Sendable>(
        _ settings: OpenAISettings,
        _ body: (HTTPClient) async throws -> Value
    ) async throws -> Value {
        var configuration = HTTPClient.Configuration(
            // The key is for this server and no other.
            redirectConfiguration: .disallow,
            timeout: .init(
                connect: settings.connectLimit.amount,
                read: settings.silenceLimit.amount
            )
        )
        configuration.httpVersion = .http1Only
        // How often a connection is tried is decided here.
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit =
            settings.concurrency
        // A connection that the server closes while a request goes out on it leaves open whether it
        // was billed. A new one for each costs little beside what is computed.
        configuration.maximumUsesPerConnection = 1
        return try await HTTPClient.withHTTPClient(configuration: configuration, body)
    }
}

extension CallFailure {
    /// What a status code other than 200 means.
    init(status: UInt, _ retryAfter: Duration?) {
        let kind: Kind =
            switch status {
            case 429: .busy
            case 503 where retryAfter != nil: .busy
            // Payment, rights, addresses and redirects are for the operator.
            case 300..<400, 401, 402, 403, 404, 405: .misconfigured
            case 408: .failed
            case 400..<500: .rejected
            default: .failed
            }
        self.init(kind, "the server answered \(status)")
        self.status = status
        self.retryAfter = retryAfter
    }

    fileprivate func of(_ response: HTTPClientResponse) -> CallFailure {
        var failure = self
        failure.status = response.status.code
        let headers = response.headers
        failure.requestID = Self.label(
            headers.first(name: "x-request-id") ?? headers.first(name: "request-id")
        )
        return failure
    }
}

extension HTTPClientResponse {
    /// `retry-after` in seconds; a date is as good as nothing, since clocks differ.
    fileprivate var retryAfter: Duration? {
        headers.first(name: "retry-after").flatMap { UInt32($0) }.map { .seconds($0) }
    }
}

extension Duration {
    /// The same for NIO, to the nanosecond; the limits of settings fit.
    fileprivate var amount: TimeAmount {
        .nanoseconds(components.seconds * 1_000_000_000 + components.attoseconds / 1_000_000_000)
    }
}
