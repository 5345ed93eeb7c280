package import GRPCCore
import Synchronization

/// A gRPC server's transport: listens on one address and hands each call to a handler.
package final class HTTP2ServerTransport: ServerTransport {
    /// Messages are plain bytes.
    package typealias Bytes = [UInt8]

    private let address: ListenAddress
    private let security: ServerSecurity
    private let configuration: ServerConfiguration
    private let bound = OneShot<Result<ListenAddress, GRPCTransportError>>()
    private let population: Population

    /// Makes a transport; nothing happens before ``listen(streamHandler:)``.
    ///
    /// - Parameters:
    ///   - address: Where to listen.
    ///   - security: TLS, or plaintext on this machine.
    ///   - configuration: Limits and timeouts.
    package init(
        address: ListenAddress,
        security: ServerSecurity,
        configuration: ServerConfiguration = ServerConfiguration()
    ) {
        self.address = address
        self.security = security
        self.configuration = configuration
        population = Population(runsHandlersOnLoop: configuration.runsHandlersOnLoop)
    }

    /// The address the server listens on, with the port it got; waits until it does.
    package var listeningAddress: ListenAddress {
        get async throws { try await bound.value.get() }
    }

    /// Listens until the transport is shut down or the task cancelled.
    ///
    /// - Parameter streamHandler: Called in a task of its own for each call.
    /// - Throws: ``GRPCTransportError`` when the address or a file can't be used.
    package func listen(
        streamHandler:
            @escaping @Sendable (RPCStream<Inbound, Outbound>, ServerContext) async -> Void
    ) async throws {
        let door: Door
        do {
            door = try open(streamHandler)
        } catch {
            bound.fulfil(.failure(error))
            throw error
        }
        bound.fulfil(.success(door.address))
        await withTaskCancellationHandler {
            await population.stopping.value
            door.close()
            await population.gone(after: configuration.shutdownGrace)
        } onCancel: {
            population.abort()
        }
        await population.handlersReturned()
    }

    /// Refuses new calls; ``listen(streamHandler:)`` returns when those open have ended, or are
    /// cancelled because they took longer than the grace.
    package func beginGracefulShutdown() {
        population.stop()
    }

    private func open(
        _ handler: @escaping @Sendable (RPCStream<Inbound, Outbound>, ServerContext) async -> Void
    ) throws(GRPCTransportError) -> Door {
        var tls: ConnectionSettings.TLS?
        if case .tls(let certificate, let key) = security {
            tls = ConnectionSettings.TLS(
                context: try .server(certificateFile: certificate, keyFile: key)
            )
        }
        if case .ip(let text, let port) = address, tls == nil,
            SocketAddress(ip: text, port: port)?.isLocal == false
        {
            throw GRPCTransportError(.plaintextRefused, "\(text) is not a loopback address")
        }
        let settings = ConnectionSettings(
            http2: configuration.http2,
            limits: CallLimits(
                maxSent: configuration.maxResponseBytes,
                maxReceived: configuration.maxRequestBytes,
                unreadMark: configuration.unreadMark,
                unsentMark: configuration.unsentMark
            ),
            keepalive: configuration.keepalive,
            pingEnforcement: configuration.pingEnforcement,
            setupTimeout: configuration.handshakeTimeout,
            maxWaitingCalls: 0,
            sensitiveHeaders: configuration.sensitiveHeaders,
            tls: tls
        )
        let door = Door(try Listener(address), loop: try LoopPool.next())
        try door.open { [population, configuration] socket in
            population.admit(socket, settings, limit: configuration.maxConnections) { call, peers in
                Self.answer(call, peers, configuration, handler)
            }
        }
        return door
    }

    /// The work of one call.
    private static func answer(
        _ call: Call,
        _ peers: Connection.Peers,
        _ configuration: ServerConfiguration,
        _ handler: @escaping @Sendable (RPCStream<Inbound, Outbound>, ServerContext) async -> Void
    ) -> @Sendable () async -> Void {
        {
            await withServerContextRPCCancellationHandle { handle in
                call.attach(handle)
                let writer = ResponseWriter(
                    call,
                    holdsHeaders: configuration.holdsResponseHeaders(call.method)
                )
                let stream = RPCStream(
                    descriptor: call.method,
                    inbound: RPCAsyncSequence(wrapping: RequestSequence(call: call)),
                    outbound: RPCWriter.Closable(wrapping: writer)
                )
                let context = ServerContext(
                    descriptor: call.method,
                    remotePeer: peers.remote,
                    localPeer: peers.local,
                    cancellation: handle
                )
                await handler(stream, context)
            }
            call.connection.submit(.handlerReturned(call))
        }
    }
}
