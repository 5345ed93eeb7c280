package import LightningTypes
import LightningCrypto

/// The form of a task's params that enters the terms (LCP v0.1 §5.3).
package enum CanonicalParams {
    /// Brings a params stream into canonical form, unknown records included.
    ///
    /// A stream that decodes is canonical already, so this refuses or returns its input.
    ///
    /// - Parameter params: The raw value of the params record.
    /// - Returns: The same stream, known to be canonical.
    /// - Throws: ``WireError`` when the framing is broken.
    package static func encode(_ params: [UInt8]) throws(WireError) -> [UInt8] {
        // LCP v0.1 §5.3 [canonical-params]
        try TLVReader.checkFraming(params[...])
        return params
    }

    /// The hash of canonical params; absent params count as empty.
    ///
    /// - Parameter params: The raw value of the params record; nil when it is absent.
    /// - Returns: SHA-256 of the canonical form.
    /// - Throws: ``WireError`` when the framing is broken.
    package static func hash(_ params: [UInt8]?) throws(WireError) -> Bytes32 {
        // LCP v0.1 §5.3 [absent-params-hash]
        SHA256.hash(try encode(params ?? []))
    }
}
