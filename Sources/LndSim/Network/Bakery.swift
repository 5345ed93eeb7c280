package import LightningTypes

/// What makes and checks the macaroons of one node.
struct Bakery: Sendable {
    /// Root keys by ID; deleting one would revoke its macaroons.
    private(set) var rootKeys: [UInt64: Redacted<Bytes32>] = [:]

    mutating func add(_ key: Redacted<Bytes32>, id: UInt64) { rootKeys[id] = key }

    /// Bakes a macaroon as lnd does.
    ///
    /// - Parameters:
    ///   - permissions: What it shall allow; entities and actions are not checked here.
    ///   - rootKeyID: Which root key signs; it must exist.
    ///   - nonce: 16 random bytes.
    /// - Returns: The V2 binary form; nil for an unknown root key.
    func bake(_ permissions: [MacaroonPermission], rootKeyID: UInt64, nonce: [UInt8]) -> [UInt8]? {
        guard let rootKey = rootKeys[rootKeyID] else { return nil }
        let identifier = MacaroonIdentifier(
            nonce: nonce,
            rootKeyID: rootKeyID,
            permissions: permissions
        )
        return Macaroon(location: "lnd", identifier: identifier.bytes, rootKey: rootKey).binary
    }

    func authorize(
        _ values: [String],
        method: String,
        now: NetworkTime
    ) throws(LndFault) -> Bool {
        guard !Permissions.free.contains(method) else { return true }
        guard let required = Permissions.required(by: method) else {
            throw .unknown("\(method): unknown permissions required for method")
        }
        guard values.count == 1, let value = values.first else {
            throw .unknown("expected 1 macaroon, got \(values.count)")
        }
        guard let binary = Hex.decode(value) else { throw .unknown(hexFault(value)) }
        return try check(binary, permissions: [required], method: method, now: now)
    }

    func check(
        _ binary: [UInt8],
        permissions: [MacaroonPermission],
        method: String,
        now: NetworkTime
    ) throws(LndFault) -> Bool {
        let macaroon = try Macaroon(binary: binary)
        guard let identifier = MacaroonIdentifier(macaroon.identifier) else {
            throw .unknown("cannot get macaroon: invalid macaroon id")
        }
        guard let rootKey = rootKeys[identifier.rootKeyID] else {
            throw .unknown(
                "cannot get macaroon: root key with id \(identifier.rootKeyID) doesn't exist"
            )
        }
        guard macaroon.verifies(under: rootKey) else {
            throw .unknown("verification failed: signature mismatch after caveat verification")
        }
        for caveat in macaroon.caveats { try check(caveat: caveat, now: now) }
        let allowed = Set(identifier.permissions)
        let uri = MacaroonPermission(entity: "uri", action: method)
        guard permissions.allSatisfy(allowed.contains) || allowed.contains(uri) else {
            throw .unknown("permission denied")
        }
        return macaroon.caveats.isEmpty
    }

    private func check(caveat: [UInt8], now: NetworkTime) throws(LndFault) {
        let text = String(decoding: caveat, as: UTF8.self)
        let parts = text.split(separator: " ", maxSplits: 1)
        switch (parts.first, parts.last) {
        case ("time-before", let time?):
            guard let time = GoTime.rfc3339(time) else {
                throw .unknown("caveat \"\(text)\" not satisfied: cannot parse time")
            }
            guard now < NetworkTime(time) else {
                throw .unknown("caveat \"\(text)\" not satisfied: macaroon has expired")
            }
        case ("ipaddr", let address?):
            // Every caller of a simulated node comes from this machine.
            guard ["127.0.0.1", "::1"].contains(address) else {
                throw .unknown(
                    "caveat \"\(text)\" not satisfied: macaroon locked to different IP address"
                )
            }
        default:
            throw .unknown("caveat \"\(text)\" not satisfied: caveat not recognized")
        }
    }
}

/// The identifier inside lnd's macaroons: a version byte 3, then a small protobuf message.
///
/// `MacaroonId{nonce = 1, storageId = 2, ops = 3}`, `Op{entity = 1, actions = 2}`.
struct MacaroonIdentifier: Equatable {
    var nonce: [UInt8]
    var rootKeyID: UInt64
    var permissions: [MacaroonPermission]

    init(nonce: [UInt8], rootKeyID: UInt64, permissions: [MacaroonPermission]) {
        self.nonce = nonce
        self.rootKeyID = rootKeyID
        self.permissions = permissions
    }

    var bytes: [UInt8] {
        // The bakery sorts and groups what is allowed.
        let actions = Dictionary(grouping: Set(permissions), by: \.entity)
        var bytes: [UInt8] = [3]
        bytes += Self.field(1, nonce)
        bytes += Self.field(2, Array("\(rootKeyID)".utf8))
        for entity in actions.keys.sorted() {
            var message = Self.field(1, Array(entity.utf8))
            for action in (actions[entity] ?? []).map(\.action).sorted() {
                message += Self.field(2, Array(action.utf8))
            }
            bytes += Self.field(3, message)
        }
        return bytes
    }

    /// Reads an identifier; nil when it is not one of lnd's.
    init?(_ bytes: [UInt8]) {
        guard bytes.first == 3, let fields = Self.fields(bytes.dropFirst()) else { return nil }
        nonce = Self.last(1, of: fields)
        let storageID = Self.last(2, of: fields)
        guard let rootKeyID = UInt64(String(decoding: storageID, as: UTF8.self)) else { return nil }
        self.rootKeyID = rootKeyID
        permissions = []
        for field in fields where field.number == 3 {
            guard let parts = Self.fields(field.content[...]) else { return nil }
            let entity = Self.last(1, of: parts)
            for action in parts where action.number == 2 {
                permissions.append(
                    MacaroonPermission(
                        entity: String(decoding: entity, as: UTF8.self),
                        action: String(decoding: action.content, as: UTF8.self)
                    )
                )
            }
        }
    }

    private static func field(_ number: UInt64, _ content: [UInt8]) -> [UInt8] {
        Varint.bytes(number << 3 | 2) + Varint.bytes(UInt64(content.count)) + content
    }

    private static func last(
        _ number: UInt64,
        of fields: [(number: UInt64, content: [UInt8])]
    ) -> [UInt8] {
        fields.reversed().first { $0.number == number }?.content ?? []
    }

    // All fields of the message have a length; another wire type is not lnd's.
    private static func fields(_ bytes: ArraySlice<UInt8>) -> [(number: UInt64, content: [UInt8])]?
    {
        var rest = bytes
        var fields: [(UInt64, [UInt8])] = []
        while !rest.isEmpty {
            guard let key = Varint.read(&rest), key & 7 == 2, let count = Varint.read(&rest),
                count <= UInt64(rest.count)
            else { return nil }
            fields.append((key >> 3, Array(rest.prefix(Int(count)))))
            rest = rest.dropFirst(Int(count))
        }
        return fields
    }
}

extension SimulatedNetwork {
    /// Checks the `macaroon` metadata of a call, as lnd's interceptor does.
    ///
    /// - Parameters:
    ///   - values: All values of the metadata key: hex of either case, exactly one.
    ///   - method: The full path of the call.
    ///   - now: The current time, for caveats.
    ///   - node: The node called.
    /// - Returns: Whether the answer holds for ever, because no caveat can change it.
    /// - Throws: ``LndFault`` with status Unknown, as lnd words it.
    @discardableResult
    package func authorize(
        _ values: [String],
        method: String,
        now: NetworkTime,
        on node: NodeHandle
    ) throws(LndFault) -> Bool {
        try nodes[node.index].bakery.authorize(values, method: method, now: now)
    }

    /// Makes a node's `admin.macaroon`, which allows everything.
    ///
    /// - Parameters:
    ///   - node: The node.
    ///   - nonce: 16 random bytes.
    /// - Returns: The V2 binary form.
    package func adminMacaroon(of node: NodeHandle, nonce: [UInt8]) -> Redacted<[UInt8]> {
        let bakery = nodes[node.index].bakery
        // `addNode` gives it within the call that makes the node, so both stand in one batch of the
        // log, and keys are never removed.
        guard let macaroon = bakery.bake(Permissions.admin, rootKeyID: 0, nonce: nonce) else {
            preconditionFailure("a node has root key 0 from its first moment")
        }
        return Redacted(macaroon)
    }

    /// BakeMacaroon: a macaroon with the given permissions.
    ///
    /// - Parameters:
    ///   - permissions: At least one.
    ///   - rootKeyID: Which root key signs; an unknown one is made.
    ///   - allowExternal: Whether entities and actions go unchecked.
    ///   - rootKey: 32 random bytes, used when the ID is new.
    ///   - nonce: 16 random bytes.
    ///   - node: The node whose keys sign.
    /// - Returns: The V2 binary form.
    /// - Throws: ``LndFault`` as lnd words it.
    package mutating func bakeMacaroon(
        _ permissions: [MacaroonPermission],
        rootKeyID: UInt64,
        allowExternal: Bool,
        rootKey: Redacted<Bytes32>,
        nonce: [UInt8],
        on node: NodeHandle
    ) throws(LndFault) -> Redacted<[UInt8]> {
        try checkServing(node)
        let help =
            "supported actions are [\(Permissions.actions.joined(separator: " "))], "
            + "supported entities are [\(Permissions.entities.joined(separator: " "))]"
        guard !permissions.isEmpty else {
            throw .unknown(
                "permission list cannot be empty. specify at least one action/entity pair. \(help)"
            )
        }
        for permission in permissions where !allowExternal {
            guard Permissions.entities.contains(permission.entity) else {
                throw .unknown("invalid permission entity. \(help)")
            }
            if permission.entity == "uri" {
                guard Permissions.required(by: permission.action) != nil else {
                    throw .unknown(
                        "invalid permission action, must be an existing URI in the format "
                            + "/package.Service/MethodName"
                    )
                }
            } else if !Permissions.actions.contains(permission.action) {
                throw .unknown("invalid permission action. \(help)")
            }
        }
        if nodes[node.index].bakery.rootKeys[rootKeyID] == nil {
            commit(.rootKey(node: node, id: rootKeyID, key: rootKey))
        }
        let bakery = nodes[node.index].bakery
        // It was there, or `commit` has just put it there.
        guard let macaroon = bakery.bake(permissions, rootKeyID: rootKeyID, nonce: nonce) else {
            preconditionFailure("the root key was added above")
        }
        return Redacted(macaroon)
    }

    /// CheckMacaroonPermissions: whether a macaroon allows something.
    ///
    /// - Parameters:
    ///   - macaroon: The V2 binary form.
    ///   - permissions: What it must allow.
    ///   - method: A method whose `uri:` permission is as good; empty for none.
    ///   - usesMethodDefaults: Check what the method itself requires; then no permissions are given.
    ///   - node: The node whose keys signed.
    /// - Throws: ``LndFault`` with status InvalidArgument when it does not.
    package func checkMacaroon(
        _ macaroon: [UInt8],
        permissions: [MacaroonPermission],
        method: String,
        usesMethodDefaults: Bool,
        on node: NodeHandle
    ) throws(LndFault) {
        try checkServing(node)
        var permissions = permissions
        if usesMethodDefaults {
            guard permissions.isEmpty else {
                throw .invalidArgument(
                    "cannot check default permissions from full method and provided permissions"
                )
            }
            guard let required = Permissions.required(by: method) else {
                throw .invalidArgument("no permissions found for method \(method)")
            }
            permissions = [required]
        }
        do {
            _ = try nodes[node.index].bakery.check(
                macaroon,
                permissions: permissions,
                method: method,
                now: now
            )
        } catch {
            throw .invalidArgument(error.text)
        }
    }
}
