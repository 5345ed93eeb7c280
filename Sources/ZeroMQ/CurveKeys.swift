import CZeroMQ
import Glibc

/// The public key of a CURVE connection: 32 bytes, written as 40 characters of Z85.
package struct CurvePublicKey: Hashable, Sendable, CustomStringConvertible {
    /// The key as 40 characters of Z85.
    package let description: String

    /// Reads 40 characters of Z85; nil for anything else.
    package init?(_ text: String) {
        var key = [UInt8](repeating: 0, count: 32)
        guard text.utf8.count == 40, zmq_z85_decode(&key, text) != nil else { return nil }
        // libzmq's decoder takes characters that its encoder never writes.
        self.init(bytes: key)
        guard description == text else { return nil }
    }

    /// Takes the 32 bytes; nil for another count.
    package init?(bytes: [UInt8]) {
        guard bytes.count == 32 else { return nil }
        var text = [CChar](repeating: 0, count: 41)
        guard zmq_z85_encode(&text, bytes, 32) != nil else { return nil }
        description = String(decoding: text.prefix(40).map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}

/// A CURVE key pair, whose secret half lives in one place in memory and is wiped at the end.
///
/// The secret can't be printed or compared. libzmq keeps a copy of its own in every socket that
/// uses it, and does not wipe that one.
package final class CurveKeyPair: @unchecked Sendable {
    // Sendable: written before the initializer returns and wiped in `deinit`; in between it is
    // only read.
    private let secret: UnsafeMutablePointer<CChar>

    /// The public half.
    package let publicKey: CurvePublicKey

    /// Makes a new pair from libzmq's generator.
    ///
    /// - Throws: ``ZeroMQError`` `curveUnusable` when this libzmq has no CURVE.
    package convenience init() throws(ZeroMQError) {
        let secret = Self.allocate()
        var text = [CChar](repeating: 0, count: 41)
        guard zmq_curve_keypair(&text, secret) == 0 else {
            Self.discard(secret)
            throw ZeroMQError(.curveUnusable, "libzmq made no key pair")
        }
        try self.init(owning: secret)
    }

    /// Reads a secret key, 40 characters of Z85, for instance from a file.
    ///
    /// The caller's own copy is the caller's to wipe.
    ///
    /// - Parameter text: The secret key.
    /// - Throws: ``ZeroMQError`` `curveUnusable` when the text is not a key.
    package convenience init(secretKey text: some Collection<UInt8>) throws(ZeroMQError) {
        guard text.count == 40 else {
            throw ZeroMQError(.curveUnusable, "a secret key has \(text.count) characters, not 40")
        }
        let secret = Self.allocate()
        for (index, byte) in text.enumerated() { secret[index] = CChar(bitPattern: byte) }
        try self.init(owning: secret)
    }

    private init(owning secret: UnsafeMutablePointer<CChar>) throws(ZeroMQError) {
        var text = [CChar](repeating: 0, count: 41)
        guard
            zmq_curve_public(&text, secret) == 0,
            let key = CurvePublicKey(
                String(decoding: text.prefix(40).map(UInt8.init(bitPattern:)), as: UTF8.self)
            )
        else {
            Self.discard(secret)
            throw ZeroMQError(.curveUnusable, "a secret key is not Z85")
        }
        self.secret = secret
        publicKey = key
    }

    /// Gives the secret out, as 40 characters of Z85 and a zero byte.
    ///
    /// - Parameters:
    ///   - why: The reason, for the reader of the code; it goes nowhere at run time.
    ///   - body: Uses the text, which is valid only during the call.
    /// - Returns: What `body` returns.
    package func revealSecret<Result>(
        _ why: StaticString,
        _ body: (UnsafePointer<CChar>) -> Result
    ) -> Result {
        defer { extendLifetime(self) }
        return body(secret)
    }

    deinit { Self.discard(secret) }

    private static func allocate() -> UnsafeMutablePointer<CChar> {
        let secret = UnsafeMutablePointer<CChar>.allocate(capacity: 41)
        secret.initialize(repeating: 0, count: 41)
        return secret
    }

    // `explicit_bzero` because a compiler may drop a plain overwrite before `deallocate`.
    private static func discard(_ secret: UnsafeMutablePointer<CChar>) {
        explicit_bzero(secret, 41)
        secret.deallocate()
    }
}

extension CurveKeyPair: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The public half only.
    package var description: String { "(key pair of \(publicKey))" }

    /// The public half only.
    package var debugDescription: String { description }

    /// Shows no child, not even the address of the secret.
    package var customMirror: Mirror { Mirror(self, children: [], displayStyle: .class) }
}

/// The bound side of a CURVE connection: who we are, and whom we let in.
package struct CurveServer: Sendable {
    /// Our own keys; clients must know the public half.
    package var keys: CurveKeyPair
    /// Decides about each connection by the client's key.
    ///
    /// Runs on the reactor's thread, at every handshake: it must not block.
    package var admits: @Sendable (CurvePublicKey) -> Bool

    /// Makes the bound side.
    package init(keys: CurveKeyPair, admits: @escaping @Sendable (CurvePublicKey) -> Bool) {
        self.keys = keys
        self.admits = admits
    }
}

/// The connecting side of a CURVE connection: who we are, and whom we expect.
package struct CurveClient: Sendable {
    /// Our own keys; the bound side decides by the public half.
    package var keys: CurveKeyPair
    /// The key that the bound side must have.
    package var serverKey: CurvePublicKey

    /// Makes the connecting side.
    package init(keys: CurveKeyPair, serverKey: CurvePublicKey) {
        self.keys = keys
        self.serverKey = serverKey
    }
}
