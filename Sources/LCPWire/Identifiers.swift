package import LightningTypes

/// Names one job; chosen by the requester, unpredictable (LCP v0.1 §2, TLV 2).
package struct JobID: Identifier32 {
    /// The 32 bytes of the identifier.
    package let bytes: Bytes32

    /// Gives 32 bytes this meaning.
    package init(_ bytes: Bytes32) { self.bytes = bytes }
}

/// Names one sending of a message, unique per sender and job (LCP v0.1 §4.1, TLV 3).
package struct MessageID: Identifier32 {
    /// The 32 bytes of the identifier.
    package let bytes: Bytes32

    /// Gives 32 bytes this meaning.
    package init(_ bytes: Bytes32) { self.bytes = bytes }
}

/// Binds an invoice to a job: SHA-256 of the job's terms (LCP v0.1 §5.3).
package struct TermsHash: Identifier32 {
    /// The 32 bytes of the hash.
    package let bytes: Bytes32

    /// Gives 32 bytes this meaning.
    package init(_ bytes: Bytes32) { self.bytes = bytes }
}
