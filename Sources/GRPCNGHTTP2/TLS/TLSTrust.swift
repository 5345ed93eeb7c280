/// Whom a client believes to be the server.
package enum TLSTrust: Hashable, Sendable {
    /// The PEM certificates in this file and what they signed, nothing else.
    ///
    /// The file is read again for every connection, so that a renewed certificate counts.
    case certificateFile(String)

    /// The certificate authorities the system trusts.
    case systemRoots
}
