import COpenSSL
import Synchronization

/// Why OpenSSL refused a server's certificate, in words for its operator.
///
/// OpenSSL drops the certificate when the handshake fails, so it is read while it is checked.
final class CertificateVerification: Sendable {
    private struct State {
        var trustedFile: String?
        var trustedFingerprints: [String] = []
        var failure: GRPCTransportError?
    }

    private let state = Mutex(State())

    /// What the check found, once it has failed.
    var failure: GRPCTransportError? { state.withLock { $0.failure } }

    /// Remembers what is trusted, for the error text.
    func trusted(_ file: String, _ fingerprints: [String]) {
        state.withLock {
            $0.trustedFile = file
            $0.trustedFingerprints = fingerprints
        }
    }

    /// Takes over the check of certificates in a context.
    func install(on context: OpaquePointer) {
        // Unretained: the context's owner also owns this object and frees the context first.
        let this = Unmanaged.passUnretained(self).toOpaque()
        SSL_CTX_set_cert_verify_callback(
            context,
            { store, this in
                guard let store, let this else { return 0 }
                let result = X509_verify_cert(store)
                if result != 1 {
                    Unmanaged<CertificateVerification>.fromOpaque(this).takeUnretainedValue()
                        .explain(store)
                }
                return result == 1 ? 1 : 0
            },
            this
        )
    }

    private func explain(_ store: OpaquePointer) {
        let code = X509_STORE_CTX_get_error(store)
        let leaf = X509_STORE_CTX_get0_cert(store).map { pointer in
            X509_up_ref(pointer)
            return Certificate(taking: pointer)
        }
        state.withLock { state in
            state.failure = Self.failure(
                code,
                leaf: leaf,
                file: state.trustedFile,
                fingerprints: state.trustedFingerprints
            )
        }
    }

    private static func failure(
        _ code: Int32,
        leaf: Certificate?,
        file: String?,
        fingerprints: [String]
    ) -> GRPCTransportError {
        guard let leaf else {
            return GRPCTransportError(.certificateRefused, "the server showed no certificate")
        }
        switch code {
        case X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH:
            let names = leaf.names.isEmpty ? "no name at all" : leaf.names.joined(separator: ", ")
            return GRPCTransportError(
                .hostNameMismatch,
                "the server's certificate is trusted but made for: \(names)"
            )
        case X509_V_ERR_CERT_HAS_EXPIRED:
            return GRPCTransportError(
                .certificateExpired,
                "the server's certificate was valid until \(leaf.notAfter)"
            )
        case X509_V_ERR_CERT_NOT_YET_VALID:
            return GRPCTransportError(
                .certificateNotYetValid,
                "the server's certificate is valid from \(leaf.notBefore)"
            )
        case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN,
            X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
            X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, X509_V_ERR_CERT_SIGNATURE_FAILURE,
            X509_V_ERR_CERT_UNTRUSTED:
            let trusted = file.map { "\($0) holds \(fingerprints.joined(separator: ", "))" }
            return GRPCTransportError(
                .wrongCertificate,
                "the server shows certificate \(leaf.fingerprint) (SHA-256), but "
                    + (trusted ?? "no authority the system trusts has signed it")
            )
        default:
            let words = X509_verify_cert_error_string(Int(code)).map { String(cString: $0) }
            return GRPCTransportError(
                .certificateRefused,
                "the server's certificate was refused: \(words ?? "error \(code)")"
            )
        }
    }
}
