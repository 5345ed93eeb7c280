import GRPCCore
import GRPCNGHTTP2
import LightningTypes
import Testing

@Suite struct TLSTests {
    /// The reason why a client can't make a call on this port.
    private func reason(
        _ target: Target,
        _ security: ClientSecurity,
        _ configuration: ClientConfiguration = ClientConfiguration()
    ) async throws -> GRPCTransportError {
        let transport = HTTP2ClientTransport(
            target: target,
            security: security,
            configuration: configuration
        )
        let error = try await withGRPCClient(transport: transport) { client in
            await rpcError { _ = try await client.call("echo", [1]).message }
        }
        #expect(error?.code == .unavailable)
        return try #require(error?.transportError)
    }

    /// The same against a server of ours.
    private func reason(
        server: TestCertificate,
        _ security: ClientSecurity
    ) async throws -> GRPCTransportError {
        let transport = HTTP2ServerTransport(
            address: .ip("127.0.0.1", port: 0),
            security: server.server
        )
        return try await withGRPCServer(
            transport: transport,
            services: [TestService(handlers: ["echo": TestService.echo])]
        ) { _ in
            try await reason(transport.listeningAddress.target, security)
        }
    }

    @Test func `another certificate than the trusted one is refused, and both are named`()
        async throws
    {
        let server = try TestCertificate()
        let other = try TestCertificate()
        let error = try await reason(server: server, other.client)
        #expect(error.code == .wrongCertificate)
        #expect(error.detail.contains(other.certificateFile))
    }

    @Test func `a server signed by nobody we know is refused by the system's roots`() async throws {
        let server = try TestCertificate()
        let error = try await reason(server: server, .tls(trust: .systemRoots))
        #expect(error.code == .wrongCertificate)
    }

    @Test func `a host name that is not in the certificate is refused with those that are`()
        async throws
    {
        let server = try TestCertificate(
            names: ["node.example", "tower"],
            addresses: ["10.1.2.3", "fd00::7"]
        )
        let byAddress = try await reason(server: server, server.client)
        #expect(byAddress.code == .hostNameMismatch)
        #expect(byAddress.detail.contains("node.example, tower, 10.1.2.3, fd00::7"))

        let trust = TLSTrust.certificateFile(server.certificateFile)
        let byName = try await reason(server: server, .tls(trust: trust, serverName: "other"))
        #expect(byName.code == .hostNameMismatch)
    }

    @Test func `a comma in a name does not become another name`() async throws {
        let server = try TestCertificate(names: ["a,DNS:localhost"], addresses: [])
        let trust = TLSTrust.certificateFile(server.certificateFile)
        let error = try await reason(server: server, .tls(trust: trust, serverName: "localhost"))
        #expect(error.code == .hostNameMismatch)
    }

    @Test func `the common name does not count`() async throws {
        let server = try TestCertificate(names: [], addresses: [])
        let trust = TLSTrust.certificateFile(server.certificateFile)
        let error = try await reason(server: server, .tls(trust: trust, serverName: "localhost"))
        #expect(error.code == .hostNameMismatch)
        #expect(error.detail.contains("no name at all"))
    }

    @Test func `a server name of one's own replaces the target's`() async throws {
        let certificate = try TestCertificate(names: ["node.example"], addresses: [])
        let trust = TLSTrust.certificateFile(certificate.certificateFile)
        try await withBench(
            server: certificate.server,
            client: .tls(trust: trust, serverName: "node.example")
        ) { client in
            let response = try await client.call("echo", [1])
            #expect(try response.message == [1])
        }
    }

    @Test func `an expired certificate is told from a wrong one`() async throws {
        let server = try TestCertificate(validFromNow: -200_000 ... -100_000)
        let error = try await reason(server: server, server.client)
        #expect(error.code == .certificateExpired)
        #expect(error.detail.contains("UTC"))
    }

    @Test func `a certificate of the future is refused`() async throws {
        let server = try TestCertificate(validFromNow: 100_000...200_000)
        let error = try await reason(server: server, server.client)
        #expect(error.code == .certificateNotYetValid)
    }

    @Test func `a certificate file that is missing or empty is named`() async throws {
        let directory = try TemporaryDirectory()
        let target = Target.dns(host: "127.0.0.1", port: 1)
        let missing = "\(directory.path)/cert.pem"
        let absent = try await reason(target, .tls(trust: .certificateFile(missing)))
        #expect(absent.code == .certificateUnreadable)
        #expect(absent.detail.contains("\(missing): No such file"))

        try directory.write("no certificate", to: "other.pem")
        let empty = "\(directory.path)/other.pem"
        let useless = try await reason(target, .tls(trust: .certificateFile(empty)))
        #expect(useless.code == .certificateUnreadable)
        #expect(useless.detail.contains(empty))
    }

    @Test func `a server with a key that does not fit does not start`() async throws {
        let one = try TestCertificate()
        let other = try TestCertificate()
        let transport = HTTP2ServerTransport(
            address: .ip("127.0.0.1", port: 0),
            security: .tls(certificateFile: one.certificateFile, keyFile: other.keyFile)
        )
        let error = await #expect(throws: GRPCTransportError.self) {
            try await transport.listen { _, _ in }
        }
        #expect(error?.code == .certificateUnreadable)
        await #expect(throws: GRPCTransportError.self) { try await transport.listeningAddress }
    }

    @Test func `a peer that answers in plaintext is not TLS`() async throws {
        let certificate = try TestCertificate()
        let server = try RawServer { peer, _ in
            _ = peer.read()
            peer.write(Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8))
            _ = peer.read()
        }
        let error = try await reason(server.target, certificate.client)
        #expect(error.code == .notTLS)
    }

    @Test func `a peer that hangs up during the handshake is told from one that lies`() async throws
    {
        let certificate = try TestCertificate()
        let server = try RawServer { peer, _ in _ = peer.read() }
        let error = try await reason(server.target, certificate.client)
        #expect(error.code == .handshakeFailed)
    }

    @Test func `a peer that speaks something else in plaintext is not HTTP2`() async throws {
        let server = try RawServer { peer, _ in
            _ = peer.read()
            peer.write(Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8))
            _ = peer.read()
        }
        let error = try await reason(server.target, .plaintext)
        #expect(error.code == .notHTTP2)
    }

    @Test func `a port where nobody listens refuses the connection`() async throws {
        let error = try await reason(.dns(host: "127.0.0.1", port: 1), .plaintext)
        #expect(error.code == .connectionRefused)
        #expect(error.detail.contains("ipv4:127.0.0.1:1"))
    }

    @Test func `a unix socket that is not there refuses the connection`() async throws {
        let directory = try TemporaryDirectory()
        let error = try await reason(.unix(path: "\(directory.path)/socket"), .plaintext)
        #expect(error.code == .connectionRefused)
    }

    @Test func `a host name nobody has is not resolved`() async throws {
        let error = try await reason(.dns(host: "nothing.invalid", port: 1), .plaintext)
        #expect(error.code == .nameNotResolved)
        #expect(error.detail.contains("nothing.invalid"))
    }

    @Test func `a server that says nothing times out`() async throws {
        let server = try RawServer { peer, _ in while !peer.read().isEmpty {} }
        var configuration = ClientConfiguration()
        configuration.connectTimeout = .milliseconds(100)
        let plain = try await reason(server.target, .plaintext, configuration)
        #expect(plain.code == .timedOut)
        let certificate = try TestCertificate()
        let secure = try await reason(server.target, certificate.client, configuration)
        #expect(secure.code == .timedOut)
        #expect(secure.detail.contains("TLS handshake"))
    }

    @Test func `plaintext leaves this machine for nobody`() async throws {
        let away = try await reason(.dns(host: "192.0.2.1", port: 1), .plaintext)
        #expect(away.code == .plaintextRefused)
        let transport = HTTP2ServerTransport(
            address: .ip("0.0.0.0", port: 0),
            security: .plaintext
        )
        let open = await #expect(throws: GRPCTransportError.self) {
            try await transport.listen { _, _ in }
        }
        #expect(open?.code == .plaintextRefused)
    }

    @Test func `a renewed certificate is read again for the next connection`() async throws {
        let directory = try TemporaryDirectory()
        let old = try TestCertificate(in: directory)
        let (states, state) = AsyncStream<ConnectionState>.makeStream()
        var configuration = ClientConfiguration()
        configuration.backoff = BackoffConfiguration(initial: .milliseconds(10))
        configuration.onStateChange = { state.yield($0) }

        let first = HTTP2ServerTransport(address: .ip("127.0.0.1", port: 0), security: old.server)
        let running = Task { try await first.listen { _, _ in } }
        let address = try await first.listeningAddress
        let transport = HTTP2ClientTransport(
            target: address.target,
            security: old.client,
            configuration: configuration
        )
        let client = Task { try await transport.connect() }
        for await state in states { if case .ready = state { break } }
        running.cancel()
        try await running.value

        // The same file, another certificate; the server comes back with it.
        let renewed = try TestCertificate(in: directory)
        let second = HTTP2ServerTransport(address: address, security: renewed.server)
        let again = Task { try await second.listen { _, _ in } }
        for await state in states { if case .ready = state { break } }

        transport.beginGracefulShutdown()
        try await client.value
        second.beginGracefulShutdown()
        try await again.value
    }

    @Test func `two certificates are never equal, and the key's text is not shown`() throws {
        func make() throws -> SelfSignedCertificate {
            try SelfSignedCertificate.generate(
                organization: "lnd autogenerated cert",
                commonName: "host",
                dnsNames: ["host"],
                ipAddresses: ["127.0.0.1"],
                notBefore: UnixTime(seconds: 1),
                notAfter: UnixTime(seconds: 2_500_000_000)
            )
        }
        let one = try make()
        #expect(one.certificatePEM != (try make()).certificatePEM)
        #expect(one.certificatePEM.hasPrefix("-----BEGIN CERTIFICATE-----\n"))
        #expect(one.privateKeyPEM.reveal("test").hasPrefix("-----BEGIN EC PRIVATE KEY-----\n"))
        #expect(!"\(one)".contains("EC PRIVATE KEY"))
    }

    @Test(arguments: ["not an address", "", "1.2.3"])
    func `an address that is none can't go into a certificate`(_ address: String) {
        let error = #expect(throws: GRPCTransportError.self) {
            try SelfSignedCertificate.generate(
                organization: "o",
                commonName: "c",
                dnsNames: [],
                ipAddresses: [address],
                notBefore: UnixTime(seconds: 1),
                notAfter: UnixTime(seconds: 2)
            )
        }
        #expect(error?.code == .certificateRefused)
    }
}

extension RawServer {
    var target: Target { .dns(host: "127.0.0.1", port: port) }
}
