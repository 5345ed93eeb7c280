import COpenSSL

/// Comparisons that take as long for equal bytes as for others.
package enum ConstantTime {
    /// Whether two secrets are the same; only their lengths can be told from the time it takes.
    package static func areEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        left.count == right.count && CRYPTO_memcmp(left, right, left.count) == 0
    }
}
