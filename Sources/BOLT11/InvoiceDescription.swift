package import LightningTypes

/// What an invoice says it is for; exactly one of the two forms stands in an invoice.
package enum InvoiceDescription: Hashable, Sendable {
    /// The text itself (BOLT #11 tag `d`); may be empty.
    case text(String)
    /// SHA-256 of a text (tag `h`); in LCP, the hash of the job's terms.
    case hash(Bytes32)
}
