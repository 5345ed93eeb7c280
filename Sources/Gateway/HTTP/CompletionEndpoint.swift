import BridgeProtocol
import BusClient
import FoundationEssentials
import HTTPTypes
import Hummingbird
import LightningTypes
import NIOCore
import OpenAIChat

/// `POST /v1/chat/completions`: one job for one request, or for one and its repetitions.
struct CompletionEndpoint: Sendable {
    let purchases: Purchases
    let client: BusClient
    let limits: RequestLimits
    let answerTime: Duration
    let connected: ConnectedClients
    let tally: GatewayTally

    /// Answers a request.
    ///
    /// - Throws: ``Refusal``.
    func respond(
        to request: Request,
        of account: KeyID,
        bearer: String?,
        over connection: Connection
    ) async throws -> Response {
        let body = try await limits.body(of: request)
        let order: ChatOrder
        do throws(ChatError) {
            order = try ChatOrder(ChatJSON.decode(ChatRequest.self, from: Data(body)))
        } catch {
            throw Refusal.invalid(error)
        }
        let ticket = try await purchases.open(
            PurchaseRequest(
                identity: try identity(request, bearer, body),
                order: order,
                account: account
            )
        )
        guard let presence = connected.presence(on: connection.channel) else {
            ticket.leave()
            throw Refusal.stopping
        }
        presence.whenGone { ticket.leave() }
        var answer = CompletionAnswer(order: order, ticket: ticket, client: client)
        answer.deadline = .now + answerTime
        do {
            return order.isStream
                ? try await answer.stream(presence, tally) : try await answer.whole(presence)
        } catch {
            presence.whenGone(nil)
            ticket.leave()
            throw error
        }
    }

    private func identity(
        _ request: Request,
        _ bearer: String?,
        _ body: [UInt8]
    ) throws -> RetryIdentity {
        let name = request.headers[.idempotencyKey]
        guard (name?.utf8.count ?? 1) > 0, (name?.utf8.count ?? 0) <= 255 else {
            throw Refusal.invalid(
                ChatError(.invalidRequest, "an Idempotency-Key has 1 to 255 bytes")
            )
        }
        return RetryIdentity(
            bearer: Redacted(Array((bearer ?? "").utf8)),
            idempotencyKey: name,
            retryCount: request.headers[.retryCount].flatMap { Int($0) } ?? 0,
            body: body
        )
    }
}

extension HTTPField.Name {
    // Both are valid tokens (RFC 9110 §5.1), so that neither is ever the replacement.
    fileprivate static let idempotencyKey = Self("Idempotency-Key") ?? .ifMatch
    fileprivate static let retryCount = Self("x-stainless-retry-count") ?? .ifMatch
}
