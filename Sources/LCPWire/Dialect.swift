/// A version of LCP whose messages this module can read and write.
///
/// Versions stand beside each other: each has a folder with tables of its own.
package enum Dialect: String, Sendable, CaseIterable {
    /// LCP v0.1: `protocol_version` 1.
    case v01 = "0.1"
}
