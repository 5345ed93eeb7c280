import GRPCCore
package import GRPCNGHTTP2

extension LndNode where Transport == HTTP2ClientTransport {
    /// An lnd at an address, over TLS; nothing is opened before ``run()``.
    ///
    /// The certificate file is read at every connection and the macaroon file again after a
    /// refusal, so that both may be renewed while this runs.
    ///
    /// - Parameters:
    ///   - connection: The address and the files.
    ///   - timeout: How long a call may take that is no subscription and no payment.
    ///   - onStateChange: Told whenever the connection is made or lost, with the reason; must
    ///     return at once.
    package init(
        _ connection: LndConnection,
        timeout: Duration = .seconds(30),
        onStateChange: @escaping @Sendable (ConnectionState) -> Void = { _ in }
    ) {
        var configuration = ClientConfiguration()
        configuration.userAgent = "lcp"
        configuration.onStateChange = onStateChange
        // What runs there converts one message. Streams are read by others, at their own pace.
        configuration.runsCallsOnLoop = { $0.type == .unary }
        let trust: TLSTrust =
            connection.certificatePath.map { .certificateFile($0) } ?? .systemRoots
        self.init(
            transport: HTTP2ClientTransport(
                target: .dns(host: connection.host, port: connection.port),
                security: .tls(trust: trust),
                configuration: configuration
            ),
            macaroonPath: connection.macaroonPath,
            timeout: timeout
        )
    }
}
