import COpenSSL
package import LightningTypes

/// SHA-256, as every hash of Lightning and LCP.
///
/// OpenSSL does the work; this type fetches the algorithm once per process, because fetching costs
/// as much as hashing half a kilobyte.
package enum SHA256 {
    /// The hash of some bytes.
    package static func hash(_ bytes: [UInt8]) -> Bytes32 {
        bytes.withUnsafeBytes { hash($0) }
    }

    /// The hash of part of some bytes.
    package static func hash(_ bytes: ArraySlice<UInt8>) -> Bytes32 {
        bytes.withUnsafeBytes { hash($0) }
    }

    // The pointer is used only during the call.
    private static func hash(_ bytes: UnsafeRawBufferPointer) -> Bytes32 {
        let digest = [UInt8](unsafeUninitializedCapacity: 32) { buffer, count in
            let done = EVP_Digest(
                bytes.baseAddress,
                bytes.count,
                buffer.baseAddress,
                nil,
                algorithm.pointer,
                nil
            )
            // Hashing memory with a fetched algorithm fails only when memory runs out.
            precondition(done == 1, "OpenSSL could not compute SHA-256: out of memory")
            count = 32
        }
        // `count` was set to 32 above.
        guard let hash = Bytes32(digest) else { preconditionFailure("SHA-256 has 32 bytes") }
        return hash
    }

    private static let algorithm = Algorithm()

    // Sendable: the pointer is fetched once, never changed or freed, and OpenSSL documents fetched
    // algorithms as safe to share between threads.
    private struct Algorithm: @unchecked Sendable {
        let pointer: OpaquePointer

        init() {
            guard let fetched = EVP_MD_fetch(nil, "SHA256", nil) else {
                // Only a broken OpenSSL configuration gets here; nothing of ours can run without it.
                preconditionFailure("OpenSSL offers no SHA-256; check openssl.cnf")
            }
            pointer = fetched
        }
    }
}
