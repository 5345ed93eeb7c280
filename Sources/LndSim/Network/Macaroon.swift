import LightningCrypto
import LightningTypes

/// A macaroon in libmacaroons' V2 binary format, as lnd writes its `*.macaroon` files.
///
/// The signature is a chain of HMACs from the root key over the identifier and every caveat, so
/// anyone can add a caveat and nobody can take one away.
struct Macaroon: Equatable, Sendable {
    let location: [UInt8]
    let identifier: [UInt8]
    let caveats: [[UInt8]]
    let signature: Bytes32

    /// Makes a macaroon without caveats.
    init(location: String, identifier: [UInt8], rootKey: Redacted<Bytes32>) {
        self.location = Array(location.utf8)
        self.identifier = identifier
        caveats = []
        signature = Self.signature(of: identifier, caveats: [], rootKey: rootKey)
    }

    /// Whether the signature is that of the root key.
    func verifies(under rootKey: Redacted<Bytes32>) -> Bool {
        // Both sides are HMACs under a secret key, so comparing them in variable time helps nobody.
        signature == Self.signature(of: identifier, caveats: caveats, rootKey: rootKey)
    }

    private static func signature(
        of identifier: [UInt8],
        caveats: [[UInt8]],
        rootKey: Redacted<Bytes32>
    ) -> Bytes32 {
        let rootKey = rootKey.reveal("to sign or verify a macaroon").bytes
        let key = HMACSHA256.code(rootKey, key: Array("macaroons-key-generator".utf8))
        return caveats.reduce(HMACSHA256.code(identifier, key: key.bytes)) { signature, caveat in
            HMACSHA256.code(caveat, key: signature.bytes)
        }
    }

    // MARK: - V2 binary form

    private static let version: UInt8 = 2

    private enum Field {
        static let end: UInt64 = 0
        static let location: UInt64 = 1
        static let identifier: UInt64 = 2
        static let verificationID: UInt64 = 4
        static let signature: UInt64 = 6
    }

    /// The V2 binary form.
    var binary: [UInt8] {
        var bytes = [Self.version]
        func field(_ type: UInt64, _ content: [UInt8]) {
            bytes += Varint.bytes(type) + Varint.bytes(UInt64(content.count)) + content
        }
        if !location.isEmpty { field(Field.location, location) }
        field(Field.identifier, identifier)
        bytes.append(0)
        for caveat in caveats {
            field(Field.identifier, caveat)
            bytes.append(0)
        }
        bytes.append(0)
        field(Field.signature, signature.bytes)
        return bytes
    }

    /// Reads the V2 binary form.
    ///
    /// A third-party caveat can't be satisfied in lnd; it becomes a caveat nobody knows.
    init(binary: [UInt8]) throws(LndFault) {
        guard let version = binary.first else {
            throw .unknown("empty macaroon data")
        }
        guard version == Self.version else {
            throw .unknown("cannot determine data format of binary-encoded macaroon")
        }
        var rest = binary.dropFirst()
        func next() throws(LndFault) -> (type: UInt64, content: [UInt8]) {
            guard let type = Varint.read(&rest) else {
                throw .unknown("unmarshal v2: field data extends past end of buffer")
            }
            if type == Field.end { return (type, []) }
            guard let count = Varint.read(&rest), count <= UInt64(rest.count) else {
                throw .unknown("unmarshal v2: field data extends past end of buffer")
            }
            defer { rest = rest.dropFirst(Int(count)) }
            return (type, Array(rest.prefix(Int(count))))
        }
        var field = try next()
        var location: [UInt8] = []
        if field.type == Field.location {
            location = field.content
            field = try next()
        }
        guard field.type == Field.identifier else {
            throw .unknown("invalid macaroon header")
        }
        identifier = field.content
        self.location = location
        guard try next().type == Field.end else { throw .unknown("invalid macaroon header") }

        var caveats: [[UInt8]] = []
        while true {
            field = try next()
            if field.type == Field.end { break }
            if field.type == Field.location { field = try next() }
            guard field.type == Field.identifier else {
                throw .unknown("no Identifier in caveat")
            }
            var caveat = field.content
            field = try next()
            if field.type == Field.verificationID {
                caveat = Array("third party ".utf8) + caveat
                field = try next()
            }
            guard field.type == Field.end else {
                throw .unknown("extra fields found in caveat")
            }
            caveats.append(caveat)
        }
        self.caveats = caveats
        field = try next()
        guard field.type == Field.signature, let signature = Bytes32(field.content) else {
            throw .unknown("no signature found in macaroon")
        }
        guard rest.isEmpty else { throw .unknown("trailing data after macaroon") }
        self.signature = signature
    }
}

/// Base-128 numbers, least significant group first, as macaroons and protobuf write them.
enum Varint {
    static func bytes(_ number: UInt64) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = number
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        return bytes + [UInt8(rest)]
    }

    /// Takes a number from the front; nil when there is none or it does not fit 64 bits.
    static func read(_ bytes: inout ArraySlice<UInt8>) -> UInt64? {
        var number: UInt64 = 0
        for (position, byte) in bytes.prefix(10).enumerated() {
            guard position < 9 || byte <= 1 else { return nil }
            number |= UInt64(byte & 0x7f) << UInt64(7 * position)
            if byte < 0x80 {
                bytes = bytes.dropFirst(position + 1)
                return number
            }
        }
        return nil
    }
}
