import Synchronization

/// Makes one connection to a target: looks the name up, tries each address, does TLS and waits
/// for the server's settings, all within one timeout.
struct Connector: Sendable {
    let target: Target
    let security: ClientSecurity
    let configuration: ClientConfiguration
    let loop = ChosenLoop()

    /// Connects.
    ///
    /// - Parameter interruption: Ends the attempt when fulfilled.
    /// - Returns: A connection that is ready.
    /// - Throws: The first address's failure when all failed, since it is the preferred one.
    func connect(
        _ interruption: Interruption
    ) async throws(GRPCTransportError) -> Connection {
        let loop = try loop.get()
        let deadline = ContinuousClock.now.advanced(by: configuration.connectTimeout)
        // Read for every attempt: a renewed certificate counts at once.
        let tls = try tlsSettings()
        let addresses = try await resolve(loop, interruption)
        var firstFailure: GRPCTransportError?
        for (index, address) in addresses.enumerated() {
            // Each address gets an equal part of what is left, so that a silent one does not use
            // up the time of the others.
            let left = ContinuousClock.now.duration(to: deadline)
            let share = left / (addresses.count - index)
            guard left > .zero, interruption.reason == nil else { break }
            do {
                return try await connect(to: address, tls, share, loop, interruption)
            } catch {
                firstFailure = firstFailure ?? error
            }
        }
        throw interruption.reason ?? firstFailure
            ?? GRPCTransportError(
                .timedOut,
                "connecting to \(target) took longer than \(configuration.connectTimeout)"
            )
    }

    private func connect(
        to address: SocketAddress,
        _ tls: ConnectionSettings.TLS?,
        _ timeout: Duration,
        _ loop: EventLoop,
        _ interruption: Interruption
    ) async throws(GRPCTransportError) -> Connection {
        guard tls != nil || address.isLocal else {
            throw GRPCTransportError(
                .plaintextRefused,
                "\(address) is neither a unix socket nor a loopback address"
            )
        }
        let connection = try Connection(
            Socket(for: address),
            address,
            settings: settings(tls, timeout),
            loop: loop
        )
        connection.submit(.start)
        interruption.set { connection.submit(.close($0)) }
        defer { interruption.clear() }
        _ = try await connection.ready.value.get()
        return connection
    }

    private func resolve(
        _ loop: EventLoop,
        _ interruption: Interruption
    ) async throws(GRPCTransportError) -> [SocketAddress] {
        switch target {
        case .unix(let path): return [.unix(path)]
        case .dns(let host, let port):
            if let address = SocketAddress(ip: host, port: port) { return [address] }
            let found = OneShot<Result<[SocketAddress], GRPCTransportError>>()
            let timeout = configuration.connectTimeout
            let timer = loop.schedule(after: timeout) {
                let error = GRPCTransportError(
                    .timedOut,
                    "looking up \(host) took longer than \(timeout)"
                )
                found.fulfil(.failure(error))
            }
            interruption.set { found.fulfil(.failure($0)) }
            Resolver.lookUp(host, port) { found.fulfil($0) }
            let addresses = await found.value
            loop.cancel(timer)
            interruption.clear()
            return try addresses.get()
        }
    }

    private func tlsSettings() throws(GRPCTransportError) -> ConnectionSettings.TLS? {
        guard case .tls(let trust, let name) = security else { return nil }
        return ConnectionSettings.TLS(
            context: try .client(trust),
            serverName: name ?? target.serverName
        )
    }

    private func settings(
        _ tls: ConnectionSettings.TLS?,
        _ timeout: Duration
    ) -> ConnectionSettings {
        ConnectionSettings(
            http2: configuration.http2,
            limits: CallLimits(
                maxSent: configuration.maxRequestBytes,
                maxReceived: configuration.maxResponseBytes,
                unreadMark: configuration.unreadMark,
                unsentMark: configuration.unsentMark
            ),
            keepalive: configuration.keepalive,
            setupTimeout: timeout,
            maxWaitingCalls: configuration.maxWaitingCalls,
            sensitiveHeaders: configuration.sensitiveHeaders,
            tls: tls
        )
    }
}

/// Ends whatever a task waits for at the moment, for one reason, once.
final class Interruption: Sendable {
    private struct State {
        var reason: GRPCTransportError?
        var action: (@Sendable (GRPCTransportError) -> Void)?
    }

    private let state = Mutex(State())

    /// Why it was interrupted, if it was.
    var reason: GRPCTransportError? { state.withLock { $0.reason } }

    /// What an interruption must do now; done at once when it has come already.
    func set(_ action: @escaping @Sendable (GRPCTransportError) -> Void) {
        let reason = state.withLock { state in
            state.action = action
            return state.reason
        }
        if let reason { action(reason) }
    }

    /// Nothing needs ending any more.
    func clear() { state.withLock { $0.action = nil } }

    /// Interrupts; the first reason counts.
    func interrupt(_ reason: GRPCTransportError) {
        let action = state.withLock { state in
            guard state.reason == nil else { return (@Sendable (GRPCTransportError) -> Void)?.none }
            state.reason = reason
            return state.action
        }
        action?(reason)
    }
}
