package import LightningTypes

/// What a macaroon says of itself, read without its key: what it allows, and on which conditions.
///
/// Whether its signature is good only lnd can tell. The identifier is lnd's: a version byte 3, then
/// a protobuf `MacaroonId{nonce = 1, storageId = 2, ops = 3}` with `Op{entity = 1, actions = 2}`.
package struct MacaroonContents: Equatable, Sendable {
    /// What it allows.
    package private(set) var permissions: Set<MacaroonPermission> = []
    /// The conditions that were added to it, as in `time-before 2027-01-01T00:00:00Z`.
    package private(set) var caveats: [String] = []

    /// Reads a macaroon in libmacaroons' V2 binary form, as lnd writes it.
    ///
    /// - Parameter macaroon: The bytes of the file.
    /// - Throws: ``LndError`` `macaroonFile` for anything else.
    package init(_ macaroon: Redacted<[UInt8]>) throws(LndError) {
        var reader = Reader(rest: macaroon.reveal("what it allows is no secret")[...])
        guard reader.byte() == 2, var field = reader.packet() else { throw Self.unreadable }
        if field.type == Field.location, let next = reader.packet() { field = next }
        guard field.type == Field.identifier, reader.packet()?.type == Field.end,
            let permissions = Self.permissions(in: field.content)
        else { throw Self.unreadable }
        self.permissions = permissions
        while let field = reader.packet(), field.type != Field.end {
            if field.type == Field.identifier {
                caveats.append(String(decoding: field.content, as: UTF8.self))
            }
            // What else a caveat has belongs to third parties, which lnd does not know.
            while let next = reader.packet(), next.type != Field.end {
                if next.type == Field.identifier {
                    caveats.append(String(decoding: next.content, as: UTF8.self))
                }
            }
        }
    }

    /// Reads a macaroon file.
    ///
    /// - Parameter path: Where it is.
    /// - Throws: ``LndError`` `macaroonFile`: it is missing, closed to this user, or no macaroon.
    package init(file path: String) throws(LndError) {
        let hex = try MacaroonFile(path: path).current()
        let bytes = Hex.decode(hex.reveal("what it allows is no secret")) ?? []
        try self.init(Redacted(bytes))
    }

    /// Whether it allows a call, if its caveats let it; they are not looked at.
    package func allows(_ call: LndCall) -> Bool {
        guard let permission = call.permission else { return true }
        return permissions.contains(permission)
            || permissions.contains(MacaroonPermission(calling: call.method))
    }

    private static var unreadable: LndError {
        LndError(.macaroonFile, "the file is not a macaroon that lnd made")
    }

    private enum Field {
        static let end: UInt64 = 0
        static let location: UInt64 = 1
        static let identifier: UInt64 = 2
    }

    private static func permissions(in identifier: [UInt8]) -> Set<MacaroonPermission>? {
        var reader = Reader(rest: identifier[...])
        guard reader.byte() == 3 else { return nil }
        var permissions: Set<MacaroonPermission> = []
        while !reader.rest.isEmpty {
            guard let field = reader.field() else { return nil }
            guard field.number == 3 else { continue }
            var operation = Reader(rest: field.content[...])
            var entity = ""
            var actions: [String] = []
            while !operation.rest.isEmpty {
                guard let part = operation.field() else { return nil }
                let text = String(decoding: part.content, as: UTF8.self)
                if part.number == 1 { entity = text }
                if part.number == 2 { actions.append(text) }
            }
            for action in actions {
                permissions.insert(MacaroonPermission(entity: entity, action: action))
            }
        }
        return permissions
    }

    /// Reads lengths and what follows them.
    private struct Reader {
        var rest: ArraySlice<UInt8>

        mutating func byte() -> UInt8? { rest.popFirst() }

        /// A base-128 number of at most 63 bits, which both formats use.
        mutating func number() -> UInt64? {
            var value: UInt64 = 0
            for shift in stride(from: UInt64(0), through: 56, by: 7) {
                guard let byte = byte() else { return nil }
                value |= UInt64(byte & 0x7f) << shift
                if byte < 0x80 { return value }
            }
            return nil
        }

        /// A packet of the V2 form; the end has no length.
        mutating func packet() -> (type: UInt64, content: [UInt8])? {
            guard let type = number() else { return nil }
            return type == Field.end ? (type, []) : content().map { (type, $0) }
        }

        /// A field of a protobuf message, all of whose fields have a length.
        mutating func field() -> (number: UInt64, content: [UInt8])? {
            guard let key = number(), key & 7 == 2 else { return nil }
            return content().map { (key >> 3, $0) }
        }

        private mutating func content() -> [UInt8]? {
            guard let count = number(), count <= UInt64(rest.count) else { return nil }
            defer { rest = rest.dropFirst(Int(count)) }
            return Array(rest.prefix(Int(count)))
        }
    }
}
