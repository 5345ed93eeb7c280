import COpenSSL
import Glibc

/// The settings of one end of TLS, read from files: what to trust, or what to show.
///
/// A client makes one for every connection, so that a renewed certificate file counts at once.
// Sendable: the pointer is owned, and the context does not change after `init`. OpenSSL documents
// making connections from one context on several threads as safe.
final class TLSContext: @unchecked Sendable {
    let pointer: OpaquePointer

    /// What the last failed verification found; nil on a server.
    let verification: CertificateVerification?

    private init(_ pointer: OpaquePointer, _ verification: CertificateVerification?) {
        self.pointer = pointer
        self.verification = verification
        lcp_ssl_ctx_harden(pointer)
    }

    deinit { SSL_CTX_free(pointer) }

    /// A client's context.
    ///
    /// - Throws: `certificateUnreadable`.
    static func client(_ trust: TLSTrust) throws(GRPCTransportError) -> TLSContext {
        let context = TLSContext(try make(TLS_client_method()), CertificateVerification())
        guard lcp_ssl_ctx_offer_h2(context.pointer) == 1 else { throw .outOfMemory }
        SSL_CTX_set_verify(context.pointer, SSL_VERIFY_PEER, nil)
        context.verification?.install(on: context.pointer)
        switch trust {
        case .systemRoots:
            guard SSL_CTX_set_default_verify_paths(context.pointer) == 1 else {
                throw GRPCTransportError(
                    .certificateUnreadable,
                    "the system's certificates can't be loaded"
                )
            }
        case .certificateFile(let path):
            let certificates = try Certificate.read(path)
            let store = SSL_CTX_get_cert_store(context.pointer)
            for certificate in certificates {
                guard X509_STORE_add_cert(store, certificate.pointer) == 1 else {
                    throw .outOfMemory
                }
            }
            context.verification?.trusted(path, certificates.map(\.fingerprint))
            // The file's certificate is the root of trust, whether or not it signed itself.
            X509_STORE_set_flags(store, UInt(X509_V_FLAG_PARTIAL_CHAIN))
        }
        return context
    }

    /// A server's context.
    ///
    /// - Throws: `certificateUnreadable`.
    static func server(
        certificateFile: String,
        keyFile: String
    ) throws(GRPCTransportError) -> TLSContext {
        let context = TLSContext(try make(TLS_server_method()), nil)
        lcp_ssl_ctx_require_h2(context.pointer)
        // TLS 1.2 with forward secrecy and nothing older in it; for an ECDSA key exactly lnd's four.
        guard SSL_CTX_set_cipher_list(context.pointer, Self.cipherSuites) == 1 else {
            throw .outOfMemory
        }
        // Reading both first gives the system's words when a file is missing.
        _ = try Certificate.read(certificateFile)
        _ = try readFile(keyFile)
        ERR_clear_error()
        guard SSL_CTX_use_certificate_chain_file(context.pointer, certificateFile) == 1 else {
            throw GRPCTransportError(
                .certificateUnreadable,
                "\(certificateFile) holds no usable certificate (\(openSSLErrorText()))"
            )
        }
        guard SSL_CTX_use_PrivateKey_file(context.pointer, keyFile, SSL_FILETYPE_PEM) == 1 else {
            throw GRPCTransportError(
                .certificateUnreadable,
                "\(keyFile) holds no private key that fits \(certificateFile) (\(openSSLErrorText()))"
            )
        }
        return context
    }

    private static let cipherSuites = [
        "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384",
        "ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-ECDSA-AES128-SHA256",
        "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES256-GCM-SHA384",
        "ECDHE-RSA-CHACHA20-POLY1305",
    ].joined(separator: ":")

    private static func make(_ method: OpaquePointer?) throws(GRPCTransportError) -> OpaquePointer {
        guard let pointer = SSL_CTX_new(method) else { throw .outOfMemory }
        return pointer
    }
}

extension GRPCTransportError {
    static var outOfMemory: GRPCTransportError {
        GRPCTransportError(.resourcesExhausted, "OpenSSL ran out of memory")
    }
}

/// The oldest words in OpenSSL's error queue, which is emptied.
func openSSLErrorText() -> String {
    let number = ERR_get_error()
    ERR_clear_error()
    guard number != 0, let reason = ERR_reason_error_string(number) else {
        return "no reason given"
    }
    return String(cString: reason)
}

/// Reads a small file whole.
///
/// - Throws: `certificateUnreadable` with the system's words.
func readFile(_ path: String) throws(GRPCTransportError) -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .system(.certificateUnreadable, "can't open \(path)") }
    defer { close(descriptor) }
    var contents: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 16_384)
    while contents.count <= 1 << 20 {
        let count = read(descriptor, &buffer, buffer.count)
        guard count >= 0 else { throw .system(.certificateUnreadable, "can't read \(path)") }
        if count == 0 { return contents }
        contents += buffer[..<count]
    }
    throw GRPCTransportError(.certificateUnreadable, "\(path) is larger than 1 MiB")
}
