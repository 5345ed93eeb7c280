import COpenSSL

/// One TLS connection without its socket: ciphertext in and out, plaintext out and in.
///
/// Not `Sendable`: the connection's actor owns it.
final class TLSEngine {
    // Owned: freed in `deinit`, with both BIOs.
    private let ssl: OpaquePointer
    private let input: OpaquePointer
    private let output: OpaquePointer
    private let context: TLSContext
    // A TLS record has at most 16 KiB of plaintext.
    private var record = [UInt8](repeating: 0, count: 16_384)
    private var hasEnded = false

    /// What a read found.
    enum ReadResult {
        /// All plaintext so far was taken; more ciphertext is needed.
        case needsInput
        /// The peer said it sends nothing more.
        case ended
    }

    /// One end of a connection; with a server name a client, without one a server.
    ///
    /// - Parameter serverName: A host name or IP address, which the certificate must name.
    init(_ context: TLSContext, serverName: String?) throws(GRPCTransportError) {
        guard let ssl = SSL_new(context.pointer) else { throw .outOfMemory }
        guard let input = BIO_new(BIO_s_mem()), let output = BIO_new(BIO_s_mem()) else {
            SSL_free(ssl)
            throw .outOfMemory
        }
        // Takes over both BIOs.
        SSL_set_bio(ssl, input, output)
        self.ssl = ssl
        self.input = input
        self.output = output
        self.context = context
        if let serverName {
            SSL_set_connect_state(ssl)
            try require(serverName)
        } else {
            SSL_set_accept_state(ssl)
        }
    }

    deinit { SSL_free(ssl) }

    private func require(_ name: String) throws(GRPCTransportError) {
        let parameters = SSL_get0_param(ssl)
        // A host name in the subject's common name does not count, as in Go and browsers.
        X509_VERIFY_PARAM_set_hostflags(
            parameters,
            UInt32(X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS)
        )
        if SocketAddress.isIP(name) {
            guard X509_VERIFY_PARAM_set1_ip_asc(parameters, name) == 1 else { throw .outOfMemory }
        } else {
            guard X509_VERIFY_PARAM_set1_host(parameters, name, name.utf8.count) == 1,
                lcp_ssl_set_server_name(ssl, name) == 1
            else { throw .outOfMemory }
        }
    }

    /// Takes ciphertext that arrived.
    func receive(_ bytes: UnsafeRawBufferPointer) throws(GRPCTransportError) {
        // A memory BIO takes all of it or has no memory.
        guard BIO_write(input, bytes.baseAddress, Int32(bytes.count)) == Int32(bytes.count) else {
            throw .outOfMemory
        }
    }

    /// Goes on with the handshake.
    ///
    /// - Returns: True once it is complete and HTTP/2 is agreed.
    /// - Throws: What is wrong, for the operator.
    func handshake() throws(GRPCTransportError) -> Bool {
        ERR_clear_error()
        let status = SSL_do_handshake(ssl)
        guard status != 1 else {
            guard selectedProtocol == "h2" else {
                throw GRPCTransportError(
                    .alpnRefused,
                    "the peer did not agree to HTTP/2 (ALPN h2)"
                )
            }
            return true
        }
        let reason = SSL_get_error(ssl, status)
        if reason == SSL_ERROR_WANT_READ { return false }
        throw context.verification?.failure ?? handshakeFailure()
    }

    /// The protocol both sides agreed to.
    private var selectedProtocol: String {
        var bytes: UnsafePointer<UInt8>?
        var count: UInt32 = 0
        SSL_get0_alpn_selected(ssl, &bytes, &count)
        return String(decoding: UnsafeBufferPointer(start: bytes, count: Int(count)), as: UTF8.self)
    }

    /// Appends the plaintext that is complete.
    ///
    /// - Throws: `connectionLost` when the ciphertext was tampered with or the peer failed.
    func read(into plaintext: inout [UInt8]) throws(GRPCTransportError) -> ReadResult {
        ERR_clear_error()
        while true {
            let count = record.withUnsafeMutableBytes {
                SSL_read(ssl, $0.baseAddress, Int32($0.count))
            }
            if count > 0 {
                record.withUnsafeBytes {
                    plaintext.append(
                        contentsOf: UnsafeRawBufferPointer(rebasing: $0[..<Int(count)])
                    )
                }
            }
            guard count <= 0 else { continue }
            switch SSL_get_error(ssl, count) {
            case SSL_ERROR_WANT_READ: return .needsInput
            case SSL_ERROR_ZERO_RETURN: return .ended
            default:
                hasEnded = true
                throw GRPCTransportError(.connectionLost, "TLS failed: \(openSSLErrorText())")
            }
        }
    }

    /// Encrypts; the ciphertext is in ``takeOutput(into:)``.
    func write(_ plaintext: UnsafeRawBufferPointer) throws(GRPCTransportError) {
        var sent = 0
        while sent < plaintext.count {
            ERR_clear_error()
            let count = SSL_write(
                ssl,
                plaintext.baseAddress?.advanced(by: sent),
                Int32(clamping: plaintext.count - sent)
            )
            guard count > 0 else {
                hasEnded = true
                throw GRPCTransportError(.connectionLost, "TLS failed: \(openSSLErrorText())")
            }
            sent += Int(count)
        }
    }

    /// Appends the ciphertext to send.
    func takeOutput(into ciphertext: inout [UInt8]) {
        while lcp_bio_pending(output) > 0 {
            let count = record.withUnsafeMutableBytes {
                BIO_read(output, $0.baseAddress, Int32($0.count))
            }
            guard count > 0 else { return }
            record.withUnsafeBytes {
                ciphertext.append(contentsOf: UnsafeRawBufferPointer(rebasing: $0[..<Int(count)]))
            }
        }
    }

    /// Says that nothing more will be sent.
    func end() {
        guard !hasEnded, SSL_is_init_finished(ssl) == 1 else { return }
        hasEnded = true
        ERR_clear_error()
        _ = SSL_shutdown(ssl)
    }

    private func handshakeFailure() -> GRPCTransportError {
        hasEnded = true
        let number = ERR_peek_error()
        let reason = lcp_err_is_ssl(number) != 0 ? lcp_err_reason(number) : 0
        let words = openSSLErrorText()
        switch reason {
        case SSL_R_WRONG_VERSION_NUMBER, SSL_R_HTTP_REQUEST, SSL_R_PACKET_LENGTH_TOO_LONG,
            SSL_R_UNEXPECTED_MESSAGE, SSL_R_RECORD_LENGTH_MISMATCH, SSL_R_BAD_RECORD_TYPE:
            return GRPCTransportError(.notTLS, "the peer's first bytes are not TLS (\(words))")
        case SSL_R_TLSV1_ALERT_NO_APPLICATION_PROTOCOL:
            return GRPCTransportError(.alpnRefused, "the peer refuses HTTP/2 (ALPN h2)")
        default:
            return GRPCTransportError(.handshakeFailed, "the TLS handshake failed: \(words)")
        }
    }
}
