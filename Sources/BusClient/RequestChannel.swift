import BridgeProtocol
import BusAddresses
import Glibc
import SwiftProtobuf
import ZeroMQ

/// A message that carries the number of the request it belongs to.
protocol NumberedMessage: SwiftProtobuf.Message, Sendable {
    var id: UInt64 { get set }
}

/// A response, which may say that nothing was done.
protocol NumberedResponse: NumberedMessage {
    var failure: BusFailure { get }
}

extension BusControlRequest: NumberedMessage {}
extension BusControlResponse: NumberedResponse {}
extension BusQueryRequest: NumberedMessage {}
extension BusQueryResponse: NumberedResponse {}

/// Requests and responses over one DEALER socket, many under way at the same time.
///
/// The bridge makes every request harmless the second time: jobs by the client's key, all others by
/// what they say. So an unanswered request is sent again, after a pause and when a new bridge shows
/// up, until its time is over.
actor RequestChannel<Request: NumberedMessage, Response: NumberedResponse> {
    /// What becomes of the responses to one request.
    private struct Route {
        var message: ZeroMQ.Message
        var deliver: @Sendable (Response) -> Void
        /// Whether the first response is the last.
        var endsWithAnswer: Bool
    }

    private let socket: DealerSocket
    private let name: String
    /// The Unix socket; nil on another machine.
    private let path: String?
    private let settings: BusClientSettings
    private var routes: [UInt64: Route] = [:]
    private var lastID: UInt64 = 0
    private var hasBeenConnected = false

    init(
        _ endpoint: BusEndpoint,
        at location: BusLocation,
        context: Context,
        settings: BusClientSettings
    ) async throws {
        name = location.name(of: endpoint)
        path = location.remote == nil ? location.path(of: endpoint) : nil
        socket = try await context.dealer(location.connection(to: endpoint))
        self.settings = settings
    }

    /// Hands responses to those who wait for them, until cancelled or closed.
    func run() async throws {
        for try await batch in socket.batches {
            for message in batch { receive(message) }
        }
    }

    // MARK: - One request, one answer

    /// Asks and waits for the answer.
    ///
    /// - Throws: ``BusClientError``; `CancellationError`.
    func ask(_ request: Request) async throws -> Response {
        let (answers, continuation) = AsyncStream<Response>.makeStream(
            bufferingPolicy: .bufferingOldest(1)
        )
        let id = try open(request, endsWithAnswer: true) { continuation.yield($0) }
        defer { close(id) }
        return try await withThrowingTaskGroup(of: Response?.self) { group in
            group.addTask { try await self.keepSending(id) }
            group.addTask { await answers.first { _ in true } }
            defer { group.cancelAll() }
            guard let answer = try await group.next() ?? nil else { throw CancellationError() }
            return answer
        }
    }

    /// Sends a request until its time is over; returns only by throwing.
    private func keepSending(_ id: UInt64) async throws -> Never {
        let deadline = ContinuousClock.now + settings.answerTimeout
        var pause = settings.repeatInterval
        while true {
            try await deliver(id, by: deadline)
            try await Task.sleep(until: min(deadline, .now + pause))
            guard .now < deadline else {
                throw BusClientError(
                    .timedOut,
                    "the bridge on \(name) has not answered for \(settings.answerTimeout)"
                )
            }
            pause *= 2
        }
    }

    /// Waits until a bridge has taken the request.
    private func deliver(_ id: UInt64, by deadline: ContinuousClock.Instant) async throws {
        guard let message = routes[id]?.message else { return }
        try checkPermission()
        // Almost always there is a bridge, and it takes the request at once.
        if (try? await socket.send(message, whenFull: .fail)) != nil {
            hasBeenConnected = true
            return
        }
        try Task.checkCancellation()
        let limit =
            hasBeenConnected ? deadline : min(deadline, .now + settings.connectTimeout)
        let socket = socket
        let isSent = try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                try await socket.send(message)
                return true
            }
            group.addTask {
                try await Task.sleep(until: limit)
                return false
            }
            defer { group.cancelAll() }
            do {
                return try await group.next() ?? false
            } catch let error as ZeroMQError {
                throw BusClientError(error)
            }
        }
        guard isSent else { throw BusClientError(.noBridge, "nobody answers on \(name)") }
        hasBeenConnected = true
    }

    /// Says at once what no patience will change.
    private func checkPermission() throws(BusClientError) {
        guard let path, access(path, W_OK) != 0, errno == EACCES else { return }
        throw BusClientError(.notAllowed, "this user may not open \(path)")
    }

    // MARK: - Requests with many answers

    /// Registers a request; its responses go to `deliver`.
    ///
    /// - Returns: The number it was given.
    func open(
        _ request: Request,
        endsWithAnswer: Bool,
        deliver: @escaping @Sendable (Response) -> Void
    ) throws -> UInt64 {
        guard routes.count < settings.maximumRequests else {
            throw BusClientError(
                .tooManyRequests,
                "\(routes.count) requests are under way on \(name)"
            )
        }
        lastID += 1
        var request = request
        request.id = lastID
        let bytes: [UInt8] = try request.serializedBytes()
        routes[lastID] = Route(
            message: Message(Frame(bytes)),
            deliver: deliver,
            endsWithAnswer: endsWithAnswer
        )
        return lastID
    }

    /// Forgets a request; what still comes for it is dropped.
    func close(_ id: UInt64) { routes[id] = nil }

    /// Waits until a bridge has taken a registered request.
    ///
    /// - Throws: ``BusClientError``; `CancellationError`.
    func send(_ id: UInt64) async throws {
        try await deliver(id, by: .now + settings.answerTimeout)
    }

    /// Sends what nobody waits for, if a bridge is there.
    func tell(_ request: Request) async {
        guard let bytes: [UInt8] = try? request.serializedBytes() else { return }
        try? await socket.send(Message(Frame(bytes)), whenFull: .fail)
    }

    /// Sends every request that waits for its one answer again: the bridge is another.
    func repeatAll() async throws {
        for (id, route) in routes.sorted(by: { $0.key < $1.key }) where route.endsWithAnswer {
            // Answered while an earlier one was being sent.
            guard routes[id] != nil else { continue }
            try await socket.send(route.message)
        }
    }

    private func receive(_ message: ZeroMQ.Message) {
        // What can't be read answers nothing: whoever waits asks again or times out.
        guard let response = try? Response(serializedBytes: message.head.bytes),
            let route = routes[response.id]
        else { return }
        // The bridge has too much to do: a request is repeated after its pause, as if nobody had
        // answered, and a watch is refreshed.
        guard response.failure.code != "busy" else { return }
        if route.endsWithAnswer { routes[response.id] = nil }
        route.deliver(response)
    }
}
