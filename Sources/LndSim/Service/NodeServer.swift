import GRPCCore
import GRPCNGHTTP2
import NGHTTP2

/// Serves one node on its port while the node's process is to run.
struct NodeServer: Sendable {
    let services: NodeServices
    let files: NodeFiles
    /// The port to listen on; 0 takes a free one at first and then keeps it.
    let port: UInt16
    /// Whether the node serves a temporary certificate until its wallet is unlocked.
    let encryptsKey: Bool

    /// Serves until the task is cancelled.
    ///
    /// - Parameter listening: Called once with the port.
    /// - Throws: ``SimnetError`` when the port can't be had.
    func run(listening: @Sendable (UInt16) async -> Void) async throws {
        var port = port
        var isFirst = true
        var serving: Serving?
        defer { serving?.task.cancel() }
        for await phase in await services.world.phases(of: services.node) {
            switch phase {
            case .running(let state):
                let isTemporary = encryptsKey && state.isBeforeUnlock
                guard serving?.isTemporary != isTemporary else { continue }
                // lnd goes on with the connections that it has. Whoever trusts the node's own
                // certificate has none of them.
                await serving?.stop()
                let transport = makeTransport(port, isTemporary: isTemporary)
                serving = Serving(
                    task: Task { try await serve(transport) },
                    transport: transport,
                    isTemporary: isTemporary
                )
                port = try await Self.port(of: transport)
                if isFirst {
                    await listening(port)
                    isFirst = false
                }
            case .stopped(let orderly):
                await serving?.stop(orderly: orderly)
                serving = nil
            }
        }
        await serving?.stop()
    }

    private struct Serving {
        let task: Task<Void, any Error>
        let transport: HTTP2ServerTransport
        let isTemporary: Bool

        /// Connections break as when the process dies; in order, last words go out first.
        func stop(orderly: Bool = false) async {
            if orderly {
                transport.beginGracefulShutdown()
            } else {
                task.cancel()
            }
            _ = await task.result
        }
    }

    private func serve(_ transport: HTTP2ServerTransport) async throws {
        let all = services.all
        try await GRPCServer(
            transport: UnknownMethods(transport, services: all),
            services: all,
            interceptors: [Guard(world: services.world, node: services.node)]
        )
        .serve()
    }

    private func makeTransport(_ port: UInt16, isTemporary: Bool) -> HTTP2ServerTransport {
        var configuration = ServerConfiguration()
        // The services compute little and wait for the world, not for the disk.
        configuration.runsHandlersOnLoop = true
        // What lnd and grpc-go do, and what they do not limit.
        configuration.holdsResponseHeaders = { _ in true }
        configuration.maxRequestBytes = 200 << 20
        configuration.maxResponseBytes = .max
        configuration.pingEnforcement = PingEnforcement(minimumInterval: .seconds(5))
        configuration.keepalive = .server()
        configuration.http2.maxConcurrentStreams = 1 << 20
        configuration.http2.resetBurst = 1 << 20
        configuration.http2.resetsPerSecond = 1 << 20
        // For an orderly end: the model has ended every call by then.
        configuration.shutdownGrace = .seconds(5)
        return HTTP2ServerTransport(
            address: .ip("127.0.0.1", port: port),
            security: isTemporary
                ? .tls(
                    certificateFile: files.temporaryCertificate,
                    keyFile: files.temporaryKey
                ) : .tls(certificateFile: files.certificate, keyFile: files.key),
            configuration: configuration
        )
    }

    private static func port(of transport: HTTP2ServerTransport) async throws -> UInt16 {
        do {
            guard case .ip(_, let port) = try await transport.listeningAddress else { return 0 }
            return port
        } catch {
            throw SimnetError(.addressRefused, "\(error)")
        }
    }
}
