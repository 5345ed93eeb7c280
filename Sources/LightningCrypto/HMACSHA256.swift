import COpenSSL
package import LightningTypes

/// HMAC with SHA-256 (RFC 2104), the chain link of macaroons.
package enum HMACSHA256 {
    /// The 32-byte code of a message under a key of any length.
    package static func code(_ message: [UInt8], key: [UInt8]) -> Bytes32 {
        let code = [UInt8](unsafeUninitializedCapacity: 32) { buffer, count in
            var length: UInt32 = 0
            // The pointers are used only during the call, which writes 32 bytes.
            let done = HMAC(
                EVP_sha256(),
                key,
                Int32(key.count),
                message,
                message.count,
                buffer.baseAddress,
                &length
            )
            precondition(done != nil && length == 32, "OpenSSL could not compute an HMAC")
            count = 32
        }
        // `count` was set to 32 above.
        guard let code = Bytes32(code) else { preconditionFailure("HMAC-SHA-256 has 32 bytes") }
        return code
    }
}
