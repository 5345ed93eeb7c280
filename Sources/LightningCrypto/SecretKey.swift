import COpenSSL
import CSecp256k1
package import LightningTypes

/// A secret key of the curve, which signs for one ``/LightningTypes/NodeID``.
///
/// The 32 bytes live in one place in memory, are overwritten when the last reference goes, and
/// can't be read back, printed or compared.
package final class SecretKey: @unchecked Sendable {
    // Sendable: the bytes are written before the initializer returns and wiped in `deinit`, when
    // no other reference exists; in between they are only read.
    private let scalar: UnsafeMutablePointer<UInt8>

    /// The public key that belongs to the secret.
    package let publicKey: NodeID

    /// Takes 32 bytes; nil for another count, zero, or a number not below the curve's order.
    ///
    /// The caller's own copy is the caller's to wipe.
    package convenience init?(_ bytes: some Sequence<UInt8>) {
        let scalar = Self.allocate()
        var count = 0
        for byte in bytes {
            if count < 32 { scalar[count] = byte }
            count += 1
        }
        guard count == 32 else {
            Self.discard(scalar)
            return nil
        }
        self.init(owning: scalar)
    }

    /// Makes a new key from OpenSSL's generator for secrets.
    package static func random() -> SecretKey {
        while true {
            let scalar = allocate()
            // Without random numbers no key may be made; OpenSSL seeds itself from the kernel.
            precondition(RAND_priv_bytes(scalar, 32) == 1, "OpenSSL has no random numbers")
            // One in 2^128 draws is no valid key.
            if let key = SecretKey(owning: scalar) { return key }
        }
    }

    /// Signs a 32-byte hash: deterministic (RFC 6979 with SHA-256, no extra entropy), low S.
    package func sign(_ hash: Bytes32) -> RecoverableSignature {
        var signature = secp256k1_ecdsa_recoverable_signature()
        let done = secp256k1_ecdsa_sign_recoverable(
            Curve.context,
            &signature,
            hash.bytes,
            scalar,
            nil,  // the library's default: RFC 6979
            nil
        )
        // BOLT #11 [signature-low-s]
        // Fails only for an invalid key, which no initializer lets through.
        precondition(done == 1, "a valid key signs every hash")
        return RecoverableSignature(signature)
    }

    /// Takes over 32 allocated bytes; when they are no valid key, wipes them and gives nil.
    private init?(owning scalar: UnsafeMutablePointer<UInt8>) {
        var point = secp256k1_pubkey()
        guard secp256k1_ec_pubkey_create(Curve.context, &point, scalar) == 1 else {
            Self.discard(scalar)
            return nil
        }
        self.scalar = scalar
        publicKey = Curve.nodeID(of: point)
    }

    deinit { Self.discard(scalar) }

    private static func allocate() -> UnsafeMutablePointer<UInt8> {
        let scalar = UnsafeMutablePointer<UInt8>.allocate(capacity: 32)
        scalar.initialize(repeating: 0, count: 32)
        return scalar
    }

    // `OPENSSL_cleanse` because a compiler may drop a plain overwrite before `deallocate`.
    private static func discard(_ scalar: UnsafeMutablePointer<UInt8>) {
        OPENSSL_cleanse(scalar, 32)
        scalar.deallocate()
    }
}

extension SecretKey: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Always `(secret key)`.
    package var description: String { "(secret key)" }

    /// Always `(secret key)`.
    package var debugDescription: String { "(secret key)" }

    /// Shows no child, not even the address of the bytes.
    package var customMirror: Mirror { Mirror(self, children: [], displayStyle: .class) }
}
