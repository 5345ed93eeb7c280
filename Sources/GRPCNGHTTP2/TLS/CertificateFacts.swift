import COpenSSL

/// What a certificate file says, for people who look after it.
package struct CertificateFacts: Sendable {
    /// The host names and IP addresses that it is made for.
    package let names: [String]
    /// The first moment of its validity, as `2026-01-31 12:00:00 UTC`.
    package let notBefore: String
    /// The last moment of its validity.
    package let notAfter: String
    /// The seconds from now to the first moment; above 0 before it is valid.
    package let secondsUntilValid: Int
    /// The seconds from now to the last moment; below 0 once it is over.
    package let secondsLeft: Int

    /// Reads the first certificate of a PEM file.
    ///
    /// - Parameter path: Where it is.
    /// - Throws: ``GRPCTransportError`` `certificateUnreadable`.
    package init(file path: String) throws(GRPCTransportError) {
        guard let certificate = try Certificate.read(path).first else {
            throw GRPCTransportError(.certificateUnreadable, "\(path) holds no certificate")
        }
        names = certificate.names
        notBefore = certificate.notBefore
        notAfter = certificate.notAfter
        secondsUntilValid = Self.seconds(until: X509_get0_notBefore(certificate.pointer))
        secondsLeft = Self.seconds(until: X509_get0_notAfter(certificate.pointer))
    }

    private static func seconds(until time: UnsafePointer<ASN1_TIME>?) -> Int {
        var (days, seconds) = (CInt(0), CInt(0))
        // Without a start the difference is to the present; an unreadable date counts as now.
        guard let time, ASN1_TIME_diff(&days, &seconds, nil, time) == 1 else { return 0 }
        return Int(days) * 86_400 + Int(seconds)
    }
}
