package import BridgeProtocol
package import FoundationEssentials
import SwiftProtobuf
import ZeroMQ

/// The client side of a bridge, played from a script: control, query and the heartbeat.
///
/// Jobs live in memory and follow the ``Plot`` that their profile names, each stage a new version.
/// A second bridge on the same directory with the first one's ``market`` is a restart.
package actor ScriptedBridge {
    /// Jobs and everything else that outlives a restart.
    package var market: Market
    /// 16 bytes of this start.
    package let epoch: [UInt8]
    /// What clients asked for, in order, the ignored requests too: `submit`, `watchJobs`.
    package private(set) var received: [String] = []
    /// What clients ordered, without the numbers of their requests, by kind.
    private var orders: [String: Set<BusControlRequest>] = [:]

    private let context: Context
    private let control: RouterSocket
    private let query: RouterSocket
    private let feed: PubSocket
    private var watchers: [Watcher] = []
    private var ignored: [String: Int] = [:]
    private var refused: [String: Int] = [:]
    private var sequence: UInt64 = 0

    private struct Watcher {
        var client: Frame
        var request: UInt64
        var jobs: [Data]
    }

    /// Binds the endpoints below a directory, which must exist.
    package init(in directory: String, market: Market = Market(), epoch: UInt8 = 1) async throws {
        for folder in ["control", "query", "feed/messages", "feed/events"] {
            try FileManager.default.createDirectory(
                atPath: "\(directory)/\(folder)",
                withIntermediateDirectories: true
            )
        }
        context = try Context()
        control = try await context.router(Self.binding(.control, in: directory))
        query = try await context.router(Self.binding(.query, in: directory))
        feed = try await context.pub(Self.binding(.feedEvents, in: directory))
        self.market = market
        self.epoch = Array(repeating: epoch, count: 16)
    }

    private static func binding(_ endpoint: BusEndpoint, in directory: String) -> Binding {
        .ipc(path: "\(directory)/\(endpoint.path)")
    }

    /// Serves, and beats as often as told, until cancelled or stopped.
    package func run(heartbeat: Duration = .milliseconds(50)) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                for try await batch in self.control.batches {
                    for message in batch { try await self.answerControl(message) }
                }
            }
            group.addTask {
                for try await batch in self.query.batches {
                    for message in batch { try await self.answerQuery(message) }
                }
            }
            group.addTask {
                while true {
                    try await self.beat()
                    try await Task.sleep(for: heartbeat)
                }
            }
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    /// Dies: the sockets close, whatever was under way.
    package func stop() async { await context.shutDown() }

    /// Does not answer the next requests of a kind, and does not do what they ask.
    package func ignore(_ count: Int = 1, _ kind: String) { ignored[kind, default: 0] += count }

    /// Answers the next requests of a kind that they may be repeated, and does not do what they ask.
    package func refuse(_ count: Int = 1, _ kind: String) { refused[kind, default: 0] += count }

    /// Lets a job go on, as the world would.
    package func change(_ job: Data, _ body: (inout BusJob) -> Void) async throws {
        try await publish(market.change(job, body))
    }

    /// Lets another market have been there all the time.
    package func arrange(_ body: @Sendable (inout Market) -> Void) { body(&market) }

    /// Sends bytes to whoever watches, in place of a response.
    package func sendToWatchers(_ bytes: [UInt8]) async throws {
        for watcher in watchers { try await query.send([Frame(bytes)], to: watcher.client) }
    }

    /// How many requests of a kind came.
    package func count(_ kind: String) -> Int { received.count { $0 == kind } }

    /// How many orders of a kind came, each once however often a client sent it: it does so again
    /// when the answer is late.
    package func orders(_ kind: String) -> Int { orders[kind, default: []].count }

    // MARK: - Answering

    private func isIgnored(_ kind: String) -> Bool {
        received.append(kind)
        guard let left = ignored[kind], left > 0 else { return false }
        ignored[kind] = left - 1
        return true
    }

    private func refusal(of kind: String) -> BusFailure? {
        guard let left = refused[kind], left > 0 else { return nil }
        refused[kind] = left - 1
        return .with {
            $0.code = "journal-overloaded"
            $0.detail = "the script has no time now"
            $0.retryable = true
        }
    }

    private func answerControl(_ message: ZeroMQ.Message) async throws {
        guard let body = message.frame(1),
            let request = try? BusControlRequest(serializedBytes: body.bytes),
            !isIgnored(request.kind)
        else { return }
        var order = request
        order.id = 0
        orders[request.kind, default: []].insert(order)
        let changed = market.changed
        var response = BusControlResponse()
        response.id = request.id
        response.body = refusal(of: request.kind).map { .failure($0) } ?? market.answer(request)
        let bytes: [UInt8] = try response.serializedBytes()
        // A client that has gone needs no answer.
        try? await control.send([Frame(bytes)], to: message.head)
        for job in market.changed.dropFirst(changed.count) { try await publish([job]) }
    }

    private func answerQuery(_ message: ZeroMQ.Message) async throws {
        guard let body = message.frame(1),
            let request = try? BusQueryRequest(serializedBytes: body.bytes),
            !isIgnored(request.kind)
        else { return }
        if let failure = refusal(of: request.kind) {
            return try await reply(.failure(failure), to: request.id, message.head)
        }
        switch request.body {
        case .watchJobs(let watch):
            let jobs = watch.jobs.map(\.jobID)
            watchers.append(Watcher(client: message.head, request: request.id, jobs: jobs))
            // Where named jobs stand now; every change follows.
            for key in watch.jobs {
                let get = BusQueryRequest.with { $0.getJob = .with { $0.job = key } }
                try await reply(market.answer(get), to: request.id, message.head)
            }
        case .unwatch(let unwatch):
            watchers.removeAll { $0.client == message.head && $0.request == unwatch.watch }
        default:
            try await reply(market.answer(request), to: request.id, message.head)
        }
    }

    private func reply(
        _ body: BusQueryResponse.OneOf_Body,
        to request: UInt64,
        _ client: Frame
    ) async throws {
        var response = BusQueryResponse()
        response.id = request
        response.body = body
        let bytes: [UInt8] = try response.serializedBytes()
        // A client that has gone needs no answer.
        try? await query.send([Frame(bytes)], to: client)
    }

    private func publish(_ jobs: [BusJob]) async throws {
        for job in jobs {
            for watcher in watchers
            where watcher.jobs.isEmpty || watcher.jobs.contains(job.key.jobID) {
                let response = BusQueryResponse.with {
                    $0.id = watcher.request
                    $0.job = job
                }
                let bytes: [UInt8] = try response.serializedBytes()
                try? await query.send([Frame(bytes)], to: watcher.client)
            }
        }
    }

    private func beat() async throws {
        sequence += 1
        let event = BusFeedEvent.with {
            $0.position.epoch = Data(epoch)
            $0.position.sequence = sequence
            $0.heartbeat = .init()
        }
        let bytes: [UInt8] = try event.serializedBytes()
        try await feed.send(ZeroMQ.Message(Frame("heartbeat"), Frame(bytes)))
    }
}

extension BusControlRequest {
    /// The request's name in the schema.
    var kind: String {
        switch body {
        case .submit: "submit"
        case .accept: "accept"
        case .cancel: "cancel"
        case .retry: "retry"
        case .connect: "connect"
        case .disconnect: "disconnect"
        case .getResult: "getResult"
        case .findJob: "findJob"
        case nil: "nothing"
        }
    }
}

extension BusQueryRequest {
    /// The request's name in the schema.
    var kind: String {
        switch body {
        case .getJob: "getJob"
        case .listJobs: "listJobs"
        case .watchJobs: "watchJobs"
        case .unwatch: "unwatch"
        case .listPeers: "listPeers"
        case .listWorkers: "listWorkers"
        case .getLedger: "getLedger"
        case .getStatus: "getStatus"
        case nil: "nothing"
        }
    }
}
