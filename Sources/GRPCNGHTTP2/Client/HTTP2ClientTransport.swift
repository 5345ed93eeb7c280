package import GRPCCore
import NGHTTP2
import Synchronization

/// A gRPC client's transport: one connection at a time, kept up for as long as `connect()` runs.
///
/// A connection that breaks or is told to go away is replaced at once, or after a wait when it did
/// not hold. Calls made meanwhile wait while an attempt is under way, and fail with `unavailable`
/// between attempts, unless their options say `waitForReady`.
package final class HTTP2ClientTransport: ClientTransport {
    /// Messages are plain bytes.
    package typealias Bytes = [UInt8]

    /// Follows the service configuration; nil without one.
    package let retryThrottle: RetryThrottle?

    private let connector: Connector
    private let destination: RequestHead.Destination
    private let methods: [MethodConfig.Name: MethodConfig]
    private let interruption = Interruption()
    private let pool = ReadyPool()

    /// Makes a transport; nothing happens before ``connect()``.
    ///
    /// - Parameters:
    ///   - target: The server.
    ///   - security: TLS, or plaintext on this machine.
    ///   - configuration: Limits, timeouts, and who is told of changes.
    ///   - serviceConfig: Defaults of methods and retry throttling.
    package init(
        target: Target,
        security: ClientSecurity,
        configuration: ClientConfiguration = ClientConfiguration(),
        serviceConfig: ServiceConfig = ServiceConfig()
    ) {
        connector = Connector(target: target, security: security, configuration: configuration)
        destination = RequestHead.Destination(
            scheme: security == .plaintext ? "http" : "https",
            authority: target.authority,
            userAgent: configuration.userAgent
        )
        retryThrottle = serviceConfig.retryThrottling.map { RetryThrottle(policy: $0) }
        var methods: [MethodConfig.Name: MethodConfig] = [:]
        for method in serviceConfig.methodConfig {
            for name in method.names { methods[name] = method }
        }
        self.methods = methods
    }

    /// The method's own configuration, its service's, or the one for all.
    package func config(forMethod descriptor: MethodDescriptor) -> MethodConfig? {
        let service = descriptor.service.fullyQualifiedService
        return methods[MethodConfig.Name(service: service, method: descriptor.method)]
            ?? methods[MethodConfig.Name(service: service, method: "")]
            ?? methods[MethodConfig.Name(service: "", method: "")]
    }

    // MARK: - Connecting

    /// Keeps a connection up until the transport is shut down or the task cancelled.
    ///
    /// After ``beginGracefulShutdown()`` it returns once the open calls have ended; cancelled, it
    /// ends them with `unavailable`.
    package func connect() async throws {
        guard pool.begin() else {
            throw RPCError(
                code: .failedPrecondition,
                message: "the transport is or was connected already, or has been shut down"
            )
        }
        await withTaskCancellationHandler {
            await keepConnected()
            await pool.drained.value
            await pool.closeAll()
        } onCancel: {
            let reason = GRPCTransportError(.shutDown, "the transport was cancelled")
            pool.stop()
            interruption.interrupt(reason)
            pool.abort(reason)
        }
        connector.configuration.onStateChange(.shutDown)
    }

    /// Refuses new calls; ``connect()`` returns when those open have ended.
    package func beginGracefulShutdown() {
        pool.stop()
        interruption.interrupt(GRPCTransportError(.shutDown, "the transport was shut down"))
    }

    private func keepConnected() async {
        let notify = connector.configuration.onStateChange
        var backoff = Backoff(connector.configuration.backoff)
        var mayHurry = true
        while interruption.reason == nil {
            notify(.connecting)
            pool.connecting()
            let failure: GRPCTransportError
            var mustWait = true
            do throws(GRPCTransportError) {
                let connection = try await connector.connect(interruption)
                let began = ContinuousClock.now
                let remote = "\(connection.address)"
                notify(.ready(remote: remote))
                pool.ready(connection, await peers(of: connection))
                failure = await untilUnusable(connection)
                // The first loss is made good at once. A connection that did not hold may do so
                // again, and again: after the next short one there is a wait.
                let held = began.duration(to: .now) >= connector.configuration.backoff.initial
                if held { backoff.reset() }
                mustWait = !held && !mayHurry
                mayHurry = held
            } catch {
                failure = error
            }
            guard interruption.reason == nil else { return }
            guard mustWait else { continue }
            let delay = backoff.next()
            pool.failed(failure)
            notify(.backoff(delay: delay, reason: failure))
            await sleep(delay)
        }
    }

    private func peers(of connection: Connection) async -> Connection.Peers {
        (try? await connection.ready.value.get())
            ?? Connection.Peers(local: "unknown", remote: "\(connection.address)")
    }

    private func untilUnusable(_ connection: Connection) async -> GRPCTransportError {
        let unusable = OneShot<GRPCTransportError>()
        interruption.set { unusable.fulfil($0) }
        defer { interruption.clear() }
        connection.unusable.whenFulfilled { unusable.fulfil($0) }
        return await unusable.value
    }

    private func sleep(_ delay: Duration) async {
        let over = OneShot<Void>()
        guard let loop = try? LoopPool.next() else { return }
        let timer = loop.schedule(after: delay) { over.fulfil(()) }
        interruption.set { _ in over.fulfil(()) }
        await over.value
        interruption.clear()
        loop.cancel(timer)
    }

    // MARK: - Calls

    @TaskLocal private static var deadline: ContinuousClock.Instant?

    /// Makes calls that fail with `deadlineExceeded` when they take longer.
    ///
    /// Does the same as the timeout of `CallOptions`, for less than half of a call's cost: GRPCCore
    /// keeps that one with two tasks and a timer of the system for each call, the transport with
    /// an entry in its loop's heap.
    ///
    /// - Parameters:
    ///   - timeout: From now on, waiting for a connection included.
    ///   - operation: Makes the calls, on transports of this kind.
    /// - Returns: What the closure returns.
    /// - Throws: What the closure throws.
    package static func withTimeout<Result>(
        _ timeout: Duration,
        operation: () async throws -> Result
    ) async rethrows -> Result {
        try await $deadline.withValue(.now.advanced(by: timeout), operation: operation)
    }

    /// Where the transport's connections live, for tasks that mostly make calls.
    ///
    /// A task that prefers it makes calls without any change of thread. It must neither block nor
    /// compute for long: every connection of that thread waits meanwhile.
    ///
    /// - Throws: ``GRPCTransportError`` when the system gives no thread.
    package var taskExecutor: any TaskExecutor {
        get throws { try connector.loop.get() }
    }

    /// Opens a stream for a call and ends it when the closure returns.
    ///
    /// - Parameters:
    ///   - descriptor: The method.
    ///   - options: Timeout, message limits and `waitForReady` are followed.
    ///   - closure: Makes the call.
    /// - Returns: What the closure returns.
    /// - Throws: What the closure throws; `failedPrecondition` after shutdown; `unavailable` with
    ///   a ``GRPCTransportError`` as its cause when there is no connection.
    package func withStream<T: Sendable>(
        descriptor: MethodDescriptor,
        options: CallOptions,
        _ closure: (RPCStream<Inbound, Outbound>, ClientContext) async throws -> T
    ) async throws -> T {
        let deadline = Self.deadline
        let (connection, peers) = try await pool.connection(
            waitForReady: options.waitForReady ?? false,
            limit: connector.configuration.maxWaitingCalls,
            deadline: try deadline.map { (instant: $0, loop: try connector.loop.get()) }
        )
        defer { pool.callEnded() }
        var limits = connection.settings.limits
        limits.maxSent = options.maxRequestMessageBytes ?? limits.maxSent
        limits.maxReceived = options.maxResponseMessageBytes ?? limits.maxReceived
        let call = Call(descriptor, limits: limits, connection: connection, deadline: deadline)
        let left = deadline.map { ContinuousClock.now.duration(to: $0) }
        let writer = RequestWriter(
            call: call,
            destination: destination,
            timeout: left ?? options.timeout
        )
        let stream = RPCStream(
            descriptor: descriptor,
            inbound: RPCAsyncSequence(wrapping: ResponseSequence(call: call)),
            outbound: RPCWriter.Closable(wrapping: writer)
        )
        let context = ClientContext(
            descriptor: descriptor,
            remotePeer: peers.remote,
            localPeer: peers.local
        )
        defer {
            // Whoever still writes learns that nobody listens; a finished call is not touched.
            call.end(.cancelled)
            if !call.isOver { connection.submit(.cancel(call, .cancel)) }
        }
        guard connector.configuration.runsCallsOnLoop(descriptor) else {
            return try await closure(stream, context)
        }
        return try await withTaskExecutorPreference(connection.loop) {
            try await closure(stream, context)
        }
    }
}
