import Glibc

/// Where an lnd listens and what proves each side to the other.
package struct LndConnection: Hashable, Sendable {
    /// The host name or IP address, without brackets.
    package var host: String
    /// The gRPC port.
    package var port: UInt16
    /// The PEM file with lnd's own certificate, usually `~/.lnd/tls.cert`; nil trusts the
    /// system's roots, for an lnd with a certificate of a public authority.
    package var certificatePath: String?
    /// The binary macaroon file; nil for an lnd that runs with `--no-macaroons`.
    package var macaroonPath: String?

    /// lnd's default gRPC port.
    package static let defaultPort: UInt16 = 10_009

    /// Takes an address and the two files; reads neither.
    ///
    /// - Parameters:
    ///   - address: `host`, `host:port` or `[IPv6]:port`; without a port, ``defaultPort``.
    ///   - certificatePath: lnd's own certificate, or nil for the system's roots.
    ///   - macaroonPath: The macaroon, or nil for none.
    /// - Throws: ``LndError`` with code `invalidRequest` for an address of another form.
    package init(
        address: String,
        certificatePath: String?,
        macaroonPath: String?
    ) throws(LndError) {
        guard let (host, port) = Self.split(address) else {
            throw LndError(
                .invalidRequest,
                "\(LndError.bounded(address)) is not an address like localhost:10009 or [::1]:10009"
            )
        }
        self.host = host
        self.port = port
        self.certificatePath = certificatePath
        self.macaroonPath = macaroonPath
    }

    /// The address as `host:port`, IPv6 in brackets.
    package var address: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

    /// Looks at both files as a connection would.
    ///
    /// - Throws: ``LndError`` with code `macaroonFile` for a macaroon that can't be used, and
    ///   `invalidRequest` for a certificate that can't be read.
    package func checkFiles() throws(LndError) {
        if let macaroonPath { _ = try MacaroonFile(path: macaroonPath).current() }
        if let certificatePath, access(certificatePath, R_OK) != 0 {
            throw LndError(.invalidRequest, "the certificate \(certificatePath) can't be read")
        }
    }

    private static func split(_ address: String) -> (host: String, port: UInt16)? {
        let host: Substring
        let rest: Substring
        if address.first == "[" {
            guard let end = address.firstIndex(of: "]") else { return nil }
            host = address[..<end].dropFirst()
            rest = address[end...].dropFirst()
            guard host.contains(":") else { return nil }
        } else {
            // More than one colon is IPv6 without brackets, whose port can't be told.
            let parts = address.split(separator: ":", omittingEmptySubsequences: false)
            guard parts.count <= 2 else { return nil }
            host = parts[0]
            rest = address.dropFirst(host.count)
        }
        guard !host.isEmpty, !host.contains(where: { $0.isWhitespace || $0 == "/" }) else {
            return nil
        }
        if rest.isEmpty { return (String(host), defaultPort) }
        // `UInt16` alone would read a sign too.
        guard rest.first == ":", rest.dropFirst().allSatisfy({ $0.isASCII && $0.isNumber }),
            let port = UInt16(rest.dropFirst()), port > 0
        else { return nil }
        return (String(host), port)
    }
}
