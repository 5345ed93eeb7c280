import COpenSSL
import Glibc
import LightningTypes

/// A certificate, for reading what an operator needs to know about it.
final class Certificate {
    // Owned: freed in `deinit`.
    let pointer: OpaquePointer

    /// Takes over a reference.
    init(taking pointer: OpaquePointer) { self.pointer = pointer }

    deinit { X509_free(pointer) }

    /// Reads the certificates of a PEM file.
    ///
    /// - Throws: `certificateUnreadable` when the file can't be read or has none.
    static func read(_ path: String) throws(GRPCTransportError) -> [Certificate] {
        let contents = try readFile(path)
        guard let source = BIO_new_mem_buf(contents, Int32(contents.count)) else {
            throw .outOfMemory
        }
        defer { BIO_free(source) }
        var certificates: [Certificate] = []
        // The buffer outlives the source: `contents` is used after the loop.
        while let pointer = PEM_read_bio_X509(source, nil, nil, nil) {
            certificates.append(Certificate(taking: pointer))
        }
        ERR_clear_error()
        guard !certificates.isEmpty else {
            throw GRPCTransportError(
                .certificateUnreadable,
                "\(path) (\(contents.count) bytes) holds no PEM certificate"
            )
        }
        return certificates
    }

    /// SHA-256 of the certificate, in hex.
    var fingerprint: String {
        var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var count: UInt32 = 0
        guard X509_digest(pointer, EVP_sha256(), &digest, &count) == 1 else { return "unknown" }
        return Hex.encode(digest.prefix(Int(count)))
    }

    /// The host names and IP addresses the certificate is made for.
    var names: [String] {
        let extensionData = X509_get_ext_d2i(pointer, NID_subject_alt_name, nil, nil)
        guard let extensionData else { return [] }
        let list = OpaquePointer(extensionData)
        defer { GENERAL_NAMES_free(list) }
        return (0..<lcp_general_name_count(list)).compactMap { index in
            guard let name = lcp_general_name_at(list, index),
                let text = lcp_general_name_string(name), let bytes = ASN1_STRING_get0_data(text)
            else { return nil }
            let value = UnsafeBufferPointer(start: bytes, count: Int(ASN1_STRING_length(text)))
            return lcp_general_name_kind(name) == GEN_IPADD
                ? SocketAddress.text(ofIP: Array(value)) : String(decoding: value, as: UTF8.self)
        }
    }

    /// The first moment of validity, as `2026-01-31 12:00:00 UTC`.
    var notBefore: String { Self.text(X509_get0_notBefore(pointer)) }

    /// The last moment of validity.
    var notAfter: String { Self.text(X509_get0_notAfter(pointer)) }

    private static func text(_ time: UnsafePointer<ASN1_TIME>?) -> String {
        var parts = tm()
        guard ASN1_TIME_to_tm(time, &parts) == 1 else { return "an unreadable date" }
        func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(parts.tm_year + 1900)-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday)) "
            + "\(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec)) UTC"
    }
}
