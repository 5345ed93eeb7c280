import BridgeProtocol
package import BusClient
import Hummingbird
import HummingbirdCore
package import Logging
import NIOCore
package import ServiceLifecycle
package import ServiceNotify

/// The OpenAI-compatible HTTP front of a bridge.
package struct Gateway: Sendable {
    private let client: BusClient
    private let keys: KeyRing
    private let options: GatewayOptions
    private let notifier: ServiceNotifier
    private let logger: Logger

    /// Makes one; nothing is opened.
    ///
    /// - Parameters:
    ///   - client: The client of the bridge; the gateway runs it.
    ///   - keys: Who may use it.
    ///   - options: How it behaves.
    ///   - notifier: Told when it serves, and when it ends.
    ///   - logger: Told of what an operator should know; never of what was asked or answered.
    package init(
        client: BusClient,
        keys: KeyRing,
        options: GatewayOptions,
        notifier: ServiceNotifier,
        logger: Logger
    ) {
        self.client = client
        self.keys = keys
        self.options = options
        self.notifier = notifier
        self.logger = logger
    }

    /// The services of the gateway, in the order of their start; they end in the reverse.
    package var services: [any Service] {
        let purchases = Purchases(
            client: client,
            keys: keys,
            routes: options.routes,
            limits: options.purchases,
            logger: logger
        )
        let tally = GatewayTally()
        let connected = ConnectedClients()
        let responder = GatewayResponder(
            keys: keys,
            purchases: purchases,
            completions: CompletionEndpoint(
                purchases: purchases,
                client: client,
                limits: options.requests,
                answerTime: options.purchases.answer,
                connected: connected,
                tally: tally
            ),
            client: client,
            options: options,
            pages: PageRule(options, wantsKeys: !keys.isOpen),
            tally: tally,
            logger: logger
        )
        let (started, start) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        return [
            BusService(client: client), SettlementService(keys: keys, client: client), purchases,
            FrontService(
                application: application(responder, connected, start),
                keys: keys,
                purchases: purchases,
                started: started,
                notifier: notifier
            ),
        ]
    }

    private func application(
        _ responder: GatewayResponder,
        _ connected: ConnectedClients,
        _ start: AsyncStream<Void>.Continuation
    ) -> Application<GatewayResponder> {
        var quiet = logger
        // The library tells each step of its own at levels that are meant for ours.
        quiet.logLevel = max(logger.logLevel, .warning)
        let (head, idle) = (options.requests.headBytes, options.requests.idleTime)
        return Application(
            responder: responder,
            server: .http1(
                configuration: HTTP1Channel.Configuration(
                    additionalChannelHandlers: [
                        ClientPresence(limits: options.requests, among: connected)
                    ],
                    idleTimeout: .init(idle),
                    httpDecoderConfiguration: .init(
                        maxHeaderFieldSize: head,
                        maxHeaderListSize: head,
                        maxHeaderFieldCount: 100
                    )
                )
            ),
            configuration: ApplicationConfiguration(
                address: .hostname(options.host, port: options.port),
                availableConnectionsDelegate: MaximumAvailableConnections(
                    options.purchases.connections,
                    logger: quiet
                )
            ),
            onServerRunning: { [logger, notifier, options] channel in
                let port = channel.localAddress?.port ?? options.port
                logger.notice(
                    "listening",
                    metadata: ["gateway.address": "\(options.host):\(port)"]
                )
                notifier.tell("serving \(options.host):\(port)")
                start.yield()
            },
            logger: quiet
        )
    }
}

/// The bridge's client, for as long as anything uses it.
private struct BusService: Service {
    let client: BusClient

    func run() async throws {
        try await cancelWhenGracefulShutdown { try await client.run() }
    }
}

/// Settles reservations that nobody follows any more, by what the bridge says.
private struct SettlementService: Service {
    let keys: KeyRing
    let client: BusClient

    func run() async throws {
        try? await cancelWhenGracefulShutdown {
            try await keys.follow { submission in
                do {
                    return try await client.job(submittedAs: submission).map { .job($0) }
                        ?? .nothing
                } catch let error as BusClientError where error.failure?.code == "job-pruned" {
                    return .pruned
                }
            }
        }
        await keys.close()
    }
}

/// The HTTP server, with a word to purchases and the service manager when it is asked to end.
private struct FrontService: Service {
    let application: Application<GatewayResponder>
    let keys: KeyRing
    let purchases: Purchases
    let started: AsyncStream<Void>
    let notifier: ServiceNotifier

    /// How often the manager hears of us, unless it asks for more.
    private static let pulse = Duration.seconds(5)

    func run() async throws {
        try await withGracefulShutdownHandler {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await application.run() }
                group.addTask {
                    for await _ in started { break }
                    while !Task.isCancelled {
                        // Both must get ahead, or nothing does.
                        _ = await (keys.problem, purchases.underWay)
                        notifier.beat()
                        try? await Task.sleep(for: min(notifier.interval ?? Self.pulse, Self.pulse))
                    }
                }
                try await group.next()
                group.cancelAll()
            }
        } onGracefulShutdown: {
            notifier.stop("finishing requests under way")
            purchases.stop()
        }
    }
}
