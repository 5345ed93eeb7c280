import CSecp256k1
import COpenSSL
package import LightningTypes

/// The curve of Bitcoin, by libsecp256k1: one context for the whole process.
enum Curve {
    /// The library's context, made and blinded at first use and kept until the process ends.
    static var context: OpaquePointer { shared.pointer }

    private static let shared = Context()

    // Sendable: the header promises that a constructed context may be used from several threads at
    // once, except by calls that take it as non-const: destroy and randomize. Destroy is never
    // called; randomize is called once, inside the initializer of a `static let`, which Swift runs
    // exactly once and before any other thread can see the value.
    private struct Context: @unchecked Sendable {
        let pointer: OpaquePointer

        init() {
            guard let context = secp256k1_context_create(UInt32(SECP256K1_CONTEXT_NONE)) else {
                // Documented to fail for no other reason, and nothing of ours can run without it.
                preconditionFailure("libsecp256k1 could not create its context: out of memory")
            }
            // Blinds computations with secret keys against measurements of time and power.
            var seed = [UInt8](repeating: 0, count: 32)
            precondition(RAND_priv_bytes(&seed, 32) == 1, "OpenSSL has no random numbers")
            let blinded = secp256k1_context_randomize(context, seed)
            OPENSSL_cleanse(&seed, seed.count)
            precondition(blinded == 1, "libsecp256k1 could not blind its context")
            pointer = context
        }
    }

    /// Parses a compressed key; nil when it is no point of the curve.
    static func point(_ key: NodeID) -> secp256k1_pubkey? {
        var point = secp256k1_pubkey()
        return secp256k1_ec_pubkey_parse(context, &point, key.bytes, 33) == 1 ? point : nil
    }

    /// The compressed form of a point.
    static func nodeID(of point: secp256k1_pubkey) -> NodeID {
        var point = point
        var count = 33
        var bytes = [UInt8](repeating: 0, count: count)
        let flags = UInt32(SECP256K1_EC_COMPRESSED)
        secp256k1_ec_pubkey_serialize(context, &bytes, &count, &point, flags)
        // What the library writes for a compressed point of a key that it has parsed or made.
        guard let key = NodeID(bytes) else {
            preconditionFailure("a compressed point has 33 bytes and begins with 2 or 3")
        }
        return key
    }
}

extension NodeID {
    /// Whether the key is a point of the curve, so that signatures by it can exist.
    package var isOnCurve: Bool { Curve.point(self) != nil }
}
