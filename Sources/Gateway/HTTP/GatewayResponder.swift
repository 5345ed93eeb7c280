import BridgeProtocol
import BusClient
import Foundation
import HTTPTypes
import Hummingbird
import Logging
import OpenAIChat

/// Every path of the gateway.
struct GatewayResponder: HTTPResponder {
    typealias Context = Connection

    let keys: KeyRing
    let purchases: Purchases
    let completions: CompletionEndpoint
    let client: BusClient
    let options: GatewayOptions
    let pages: PageRule
    let tally: GatewayTally
    let logger: Logger

    private static let completions = "/v1/chat/completions"

    func respond(to request: Request, context: Connection) async throws -> Response {
        tally.begin()
        var response: Response
        do {
            response = try await answer(request, context)
        } catch let refusal as Refusal {
            response = Reply.refusal(refusal)
        } catch is CompletionAnswer.ClientGone {
            // Nobody reads it; the connection is over.
            response = Reply.refusal(.stopping)
        } catch {
            logger.error("a request failed", metadata: ["error": "\(type(of: error))"])
            response = Reply.refusal(.defect)
        }
        // What is left of a request that was not read would be taken for the next one.
        if response.status == .contentTooLarge || response.status == .requestTimeout {
            response.headers[.connection] = "close"
        }
        // RFC 9110 §15.5.6
        if response.status == .methodNotAllowed {
            response.headers[.allow] =
                request.uri.path == Self.completions ? "POST" : "GET, HEAD"
        }
        response.headers[.requestID] = RequestName.random()
        allowOrigin(of: request, in: &response)
        tally.end(status: response.status.code)
        return request.method == .head ? response.createHeadResponse() : response
    }

    private func answer(_ request: Request, _ connection: Connection) async throws -> Response {
        let path = request.uri.path
        // These tell no page more than that there is a gateway, and monitors call it what they like.
        if path != "/health", path != "/metrics" {
            try pages.check(origin: request.headers[.origin], host: request.head.authority)
        }
        if request.method == .options, !options.origins.isEmpty { return preflight(request) }
        switch path {
        case "/health":
            try require(.get, request)
            return await health()
        case "/metrics" where options.hasMetrics:
            try require(.get, request)
            return Reply.text(tally.text, type: "text/plain; version=0.0.4; charset=utf-8")
        case Self.completions:
            try require(.post, request)
            let (account, bearer) = try await admit(request)
            return try await completions.respond(
                to: request,
                of: account,
                bearer: bearer,
                over: connection
            )
        case "/v1/models":
            try require(.get, request)
            _ = try await admit(request)
            return Reply.json(ModelList(try await purchases.models()))
        case _ where path.hasPrefix("/v1/models/"):
            try require(.get, request)
            _ = try await admit(request)
            let name = String(path.dropFirst("/v1/models/".count)).removingPercentEncoding ?? ""
            guard let model = try await purchases.models().first(where: { $0.id == name }) else {
                throw Refusal.unknownModel(name)
            }
            return Reply.json(model)
        default: throw Refusal.notFound
        }
    }

    private func require(_ method: HTTPRequest.Method, _ request: Request) throws {
        guard request.method == method || (method == .get && request.method == .head) else {
            throw Refusal.method(method.rawValue)
        }
    }

    // MARK: - Who asks

    private func admit(_ request: Request) async throws -> (KeyID, String?) {
        let header = request.headers[.authorization]
        let bearer = header.flatMap { value -> String? in
            let parts = value.split(separator: " ", maxSplits: 1)
            guard parts.count == 2, parts[0].lowercased() == "bearer" else { return nil }
            return String(parts[1])
        }
        switch await keys.admit(bearer: bearer) {
        case .admitted(let account): return (account, bearer)
        case .unauthorized: throw Refusal.unauthorized
        case .tooManyRequests(let wait):
            // Rounded up: a second too early would be refused again.
            throw Refusal.tooManyRequests(after: max(1, Int(clamping: wait.components.seconds) + 1))
        }
    }

    // MARK: - Whether it is well

    /// 200 while jobs can be bought: the bridge answers and has its lnd.
    private func health() async -> Response {
        let status = try? await within(.seconds(3)) { try await client.status() }
        let lnd = (status ?? nil).map(\.lndState) ?? "unknown"
        let isWell = lnd == "ready"
        return Reply.json(
            ["status": isWell ? "ok" : "unavailable", "lnd": lnd],
            status: isWell ? 200 : 503
        )
    }

    // MARK: - Browsers

    /// Every header is welcome: OpenAI's SDK has a dozen of its own, and none lets anybody in but a key.
    private func preflight(_ request: Request) -> Response {
        var response = Response(status: .noContent)
        response.headers[.accessControlAllowMethods] = "GET, POST, OPTIONS"
        response.headers[.accessControlAllowHeaders] =
            request.headers[.accessControlRequestHeaders] ?? "authorization, content-type"
        response.headers[.accessControlMaxAge] = "600"
        return response
    }

    private func allowOrigin(of request: Request, in response: inout Response) {
        guard !options.origins.isEmpty else { return }
        response.headers[.vary] = "origin"
        guard let origin = request.headers[.origin] else { return }
        guard pages.admits(origin) else { return }
        response.headers[.accessControlAllowOrigin] = origin
        response.headers[.accessControlExposeHeaders] = AnswerHeaders.names.joined(separator: ", ")
    }
}

extension HTTPField.Name {
    // A valid token (RFC 9110 §5.1), so that it is never the replacement.
    fileprivate static let requestID = Self(RequestName.header) ?? .via
}
