import AsyncHTTPClient
import NIOCore
import NIOHTTP1

/// Requests to HTTP servers near by, such as lcp-gateway.
enum Web {
    /// What a server answered.
    struct Answer: Sendable {
        var status: Int
        /// By their names in lower case; of several of a name the last.
        var headers: [String: String]
        var body: [UInt8]
    }

    /// Asks for a page, or posts JSON to one.
    ///
    /// - Parameters:
    ///   - url: The page.
    ///   - json: What to post; nil asks.
    ///   - seconds: How long it may take.
    /// - Returns: The answer, whatever its status, with at most 1 MiB.
    /// - Throws: What the connection failed with; `CancellationError`.
    static func answer(
        of url: String,
        to json: [UInt8]? = nil,
        within seconds: Int64
    ) async throws -> Answer {
        var request = HTTPClientRequest(url: url)
        if let json {
            request.method = .POST
            request.headers.add(name: "content-type", value: "application/json")
            request.body = .bytes(json)
        }
        var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
        // Where nobody listens, that is the answer.
        configuration.connectionPool.retryConnectionEstablishment = false
        let client = HTTPClient(
            eventLoopGroupProvider: .singleton,
            configuration: configuration
        )
        do {
            let answer = try await Self.answer(of: client, to: request, within: seconds)
            try await client.shutdown()
            return answer
        } catch {
            try? await client.shutdown()
            throw error
        }
    }

    private static func answer(
        of client: HTTPClient,
        to request: HTTPClientRequest,
        within seconds: Int64
    ) async throws -> Answer {
        let response = try await client.execute(request, timeout: .seconds(seconds))
        let body = try await response.body.collect(upTo: 1 << 20)
        var headers: [String: String] = [:]
        for header in response.headers { headers[header.name.lowercased()] = header.value }
        return Answer(
            status: Int(response.status.code),
            headers: headers,
            body: Array(body.readableBytesView)
        )
    }
}
