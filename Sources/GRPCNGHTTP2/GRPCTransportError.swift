package import GRPCCore

/// Why a connection or a stream could not be had, or was lost.
///
/// Travels as the `cause` of the ``GRPCCore/RPCError`` a call throws, and as the reason of
/// ``ConnectionState/backoff(delay:reason:)``.
package struct GRPCTransportError: Error, Hashable, Sendable {
    /// What to branch on.
    package enum Code: String, Sendable, CaseIterable {
        /// The server's certificate is not, and is not signed by, a trusted one.
        case wrongCertificate
        /// The certificate is trusted but made for other names.
        case hostNameMismatch
        /// The certificate's last day is over.
        case certificateExpired
        /// The certificate's first day is yet to come.
        case certificateNotYetValid
        /// The certificate has another defect, named in the detail.
        case certificateRefused
        /// A certificate or key file is missing, unreadable or has no such thing in it.
        case certificateUnreadable
        /// The peer answers, but not with TLS.
        case notTLS
        /// The peer answers, but not with HTTP/2.
        case notHTTP2
        /// The peer does TLS but will not speak HTTP/2 over it.
        case alpnRefused
        /// The TLS handshake failed for another reason, named in the detail.
        case handshakeFailed
        /// Nothing listens at the address.
        case connectionRefused
        /// The address can't be reached.
        case unreachable
        /// The host name has no address.
        case nameNotResolved
        /// Nothing was heard for too long.
        case timedOut
        /// An established connection broke.
        case connectionLost
        /// The peer closed the connection in an orderly way, or told us to go away.
        case connectionClosed
        /// The peer did not answer a ping.
        case keepaliveTimedOut
        /// The peer broke HTTP/2.
        case protocolViolation
        /// The peer did not process the request.
        case notProcessed
        /// Plaintext was asked for on an address that others can listen to.
        case plaintextRefused
        /// The listening address can't be used.
        case addressUnavailable
        /// Too many calls wait for a stream, or the system gave us no descriptor.
        case resourcesExhausted
        /// The transport was shut down.
        case shutDown
    }

    /// What kind of failure it is.
    package var code: Code

    /// What happened, naming the address or file; never metadata or messages.
    package var detail: String

    /// Makes an error.
    package init(_ code: Code, _ detail: String) {
        self.code = code
        self.detail = detail
    }
}

extension GRPCTransportError: CustomStringConvertible {
    /// Code, detail and advice in one line.
    package var description: String { "\(code.rawValue): \(detail). \(advice)" }

    /// The next step for the person reading the log.
    package var advice: String {
        switch code {
        case .wrongCertificate:
            "Give the certificate the server uses now; lnd writes a new tls.cert when it renews it."
        case .hostNameMismatch:
            "Connect by one of those names, or have the server's certificate made for this one "
                + "(lnd: tlsextradomain, tlsextraip, then delete tls.cert and tls.key and restart)."
        case .certificateExpired:
            "Have the server renew it (lnd does so at its next restart) and give us the new file."
        case .certificateNotYetValid: "Check the clocks of both machines."
        case .certificateRefused, .handshakeFailed:
            "Compare both sides' TLS settings; we need TLS 1.2 or 1.3."
        case .certificateUnreadable:
            "Check the path, the permissions, and that the file holds PEM text."
        case .notTLS: "Check the port; a gRPC port with TLS is needed (lnd: 10009)."
        case .notHTTP2: "Check the port, and whether the server expects TLS."
        case .alpnRefused: "Check the port; this one serves something else (lnd: 10009 is gRPC)."
        case .connectionRefused: "Start the server, or correct the address."
        case .unreachable: "Check the network and the address."
        case .nameNotResolved: "Correct the host name, or check this machine's DNS."
        case .timedOut: "Check the address, firewalls, and whether the server hangs."
        case .connectionLost, .connectionClosed, .keepaliveTimedOut:
            "A new connection is being tried; if this repeats, read the server's log."
        case .protocolViolation: "Report this with both versions; reconnecting may help."
        case .notProcessed: "Repeating the call is safe."
        case .plaintextRefused: "Use TLS, a unix socket or a loopback address."
        case .addressUnavailable: "Choose another address, or stop who uses this one."
        case .resourcesExhausted: "Make fewer calls at once, or raise the limit."
        case .shutDown: "Nothing to do."
        }
    }

    /// The error as a call sees it.
    ///
    /// - Parameter status: The gRPC code; `unavailable` fits most failures of a connection.
    /// - Returns: An error whose cause is this one.
    package func rpcError(_ status: RPCError.Code = .unavailable) -> RPCError {
        RPCError(code: status, message: description, cause: self)
    }
}
