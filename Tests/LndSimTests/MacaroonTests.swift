import LCPTesting
import LightningCrypto
import LightningTypes
import LndSim
import Testing

@Suite struct MacaroonTests {
    private static let method = "/lnrpc.Lightning/AddInvoice"

    private func bake(
        _ test: inout TestNetwork,
        _ permissions: [(String, String)],
        rootKeyID: UInt64 = 0,
        allowExternal: Bool = false
    ) throws -> [UInt8] {
        try test.network.bakeMacaroon(
            permissions.map(MacaroonPermission.init),
            rootKeyID: rootKeyID,
            allowExternal: allowExternal,
            rootKey: Redacted(test.bytes32()),
            nonce: test.random.bytes(16),
            on: test["alice"]
        )
        .reveal("to test it")
    }

    private func authorize(
        _ test: TestNetwork,
        _ macaroon: [UInt8],
        _ method: String = method
    ) throws {
        try test.network.authorize(
            [Hex.encode(macaroon).uppercased()],
            method: method,
            now: test.network.now,
            on: test["alice"]
        )
    }

    @Test func `a macaroon has lnd's binary form`() throws {
        var test = TestNetwork(["alice"])
        let macaroon = try bake(&test, [("invoices", "write"), ("info", "read")])
        let hex = Hex.encode(macaroon)
        // Version 2, location "lnd", an identifier that begins with 3 and a 16-byte nonce.
        #expect(hex.hasPrefix("0201036c6e6402"))
        #expect(hex.dropFirst(16).hasPrefix("030a10"))
        // Storage ID "0", then the sorted permissions, no caveat, a signature of 32 bytes.
        let rest = [
            "120130", "1a0c0a04696e666f120472656164", "1a110a08696e766f6963657312057772697465",
            "0000", "0620",
        ]
        #expect(hex.contains(rest.joined()))
        #expect(macaroon.count == 99)
    }

    @Test func `a signature is the HMAC chain from the root key`() throws {
        // A root key of libmacaroons' README, checked there with the same chain.
        let key = HMACSHA256.code(
            Array("this is our super secret key; only we should know it".utf8),
            key: Array("macaroons-key-generator".utf8)
        )
        let signature = HMACSHA256.code(Array("we used our secret key".utf8), key: key.bytes)
        #expect(
            signature.hex == "e3d9e02908526c4c0039ae15114115d97fdd68bf2ba379b342aaf0f617d0552f"
        )
        let caveat = HMACSHA256.code(Array("account = 3735928559".utf8), key: signature.bytes)
        #expect(
            caveat.hex == "1efe4763f290dbce0c1d08477367e11f4eee456a64933cf662d79772dbb82128"
        )
    }

    @Test func `the admin macaroon opens every method`() throws {
        var test = TestNetwork(["alice"])
        let admin = test.network.adminMacaroon(of: test["alice"], nonce: test.random.bytes(16))
            .reveal("to test it")
        for method in [
            Self.method, "/lnrpc.Lightning/BakeMacaroon", "/routerrpc.Router/SendPaymentV2",
            "/lnrpc.Lightning/CheckMacaroonPermissions", "/verrpc.Versioner/GetVersion",
        ] {
            try authorize(test, admin, method)
        }
        expectFault(2, "/a.B/C: unknown permissions required for method") {
            try authorize(test, admin, "/a.B/C")
        }
    }

    @Test func `a uri permission opens its method alone`() throws {
        var test = TestNetwork(["alice"])
        let macaroon = try bake(&test, [("uri", Self.method)])
        try authorize(test, macaroon)
        // The same entity and action, but another method.
        expectFault(2, "permission denied") {
            try authorize(test, macaroon, "/invoicesrpc.Invoices/CancelInvoice")
        }
    }

    @Test func `an entity permission opens all its methods and no other`() throws {
        var test = TestNetwork(["alice"])
        let macaroon = try bake(&test, [("invoices", "write")])
        try authorize(test, macaroon)
        try authorize(test, macaroon, "/invoicesrpc.Invoices/CancelInvoice")
        for method in ["/lnrpc.Lightning/LookupInvoice", "/lnrpc.Lightning/GetInfo"] {
            expectFault(2, "permission denied") { try authorize(test, macaroon, method) }
        }
    }

    @Test func `exactly one macaroon is wanted, and none by the State service`() throws {
        let test = TestNetwork(["alice"])
        func authorize(_ values: [String], _ method: String) throws {
            try test.network.authorize(
                values,
                method: method,
                now: test.network.now,
                on: test["alice"]
            )
        }
        for count in [0, 2] {
            expectFault(2, "expected 1 macaroon, got \(count)") {
                try authorize(Array(repeating: "00", count: count), Self.method)
            }
        }
        try authorize([], "/lnrpc.State/GetState")
    }

    @Test func `any changed byte makes a macaroon worthless`() throws {
        var test = TestNetwork(["alice"])
        let macaroon = try bake(&test, [("invoices", "write")])
        // The location at 3...5 is a hint, which no signature covers.
        for position in macaroon.indices where !(3...5).contains(position) {
            var changed = macaroon
            changed[position] ^= 1
            #expect(throws: LndFault.self) { try authorize(test, changed) }
        }
        var changed = macaroon
        changed[changed.count - 1] ^= 1
        expectFault(2, "verification failed: signature mismatch after caveat verification") {
            try authorize(test, changed)
        }
        #expect(throws: LndFault.self) { try authorize(test, macaroon + [0]) }
    }

    @Test func `another node's root key and an unknown one are told apart`() throws {
        var test = TestNetwork(["alice", "bob"])
        let nonce = test.random.bytes(16)
        let bobs = test.network.adminMacaroon(of: test["bob"], nonce: nonce).reveal("to test it")
        expectFault(2, "verification failed: signature mismatch after caveat verification") {
            try authorize(test, bobs)
        }
        let own = try bake(&test, [("invoices", "write")], rootKeyID: 7)
        try authorize(test, own)
        let fresh = TestNetwork(["alice"])
        expectFault(2, "cannot get macaroon: root key with id 7 doesn't exist") {
            try authorize(fresh, own)
        }
    }

    @Test func `a time-before caveat ends a macaroon's life`() throws {
        var test = TestNetwork(["alice"])
        let macaroon = try bake(&test, [("invoices", "write")])
        let limited = constrained(macaroon, "time-before 2025-06-15T15:07:00.5Z")
        try authorize(test, limited)
        test.pass(seconds: 20)
        expectFault(
            2,
            "caveat \"time-before 2025-06-15T15:07:00.5Z\" not satisfied: macaroon has expired"
        ) { try authorize(test, limited) }
        expectFault(2, "caveat \"moon full\" not satisfied: caveat not recognized") {
            try authorize(test, constrained(macaroon, "moon full"))
        }
    }

    /// Adds a caveat, as anyone can without the root key.
    private func constrained(_ macaroon: [UInt8], _ caveat: String) -> [UInt8] {
        let caveat = Array(caveat.utf8)
        let signature = HMACSHA256.code(caveat, key: Array(macaroon.suffix(32)))
        var bytes = Array(macaroon.prefix(macaroon.count - 35))
        bytes += [2, UInt8(caveat.count)] + caveat
        bytes += [0, 0, 6, 32] + signature.bytes
        return bytes
    }

    @Test func `baking refuses what lnd refuses`() throws {
        var test = TestNetwork(["alice"])
        let help =
            "supported actions are [read write generate], supported entities are "
            + "[onchain offchain address message peers info invoices signer macaroon uri]"
        expectFault(
            2,
            "permission list cannot be empty. specify at least one action/entity pair. \(help)"
        ) { try bake(&test, []) }
        expectFault(2, "invalid permission entity. \(help)") {
            try bake(&test, [("moon", "read")])
        }
        expectFault(2, "invalid permission action. \(help)") {
            try bake(&test, [("info", "fly")])
        }
        expectFault(
            2,
            "invalid permission action, must be an existing URI in the format "
                + "/package.Service/MethodName"
        ) { try bake(&test, [("uri", "/a.B/C")]) }
        _ = try bake(&test, [("moon", "fly")], allowExternal: true)
    }

    @Test func `a macaroon can be checked against permissions and against a method`() throws {
        var test = TestNetwork(["alice"])
        let macaroon = try bake(&test, [("uri", Self.method), ("info", "read")])
        func check(
            _ permissions: [(String, String)],
            _ method: String,
            defaults: Bool = false
        ) throws {
            try test.network.checkMacaroon(
                macaroon,
                permissions: permissions.map(MacaroonPermission.init),
                method: method,
                usesMethodDefaults: defaults,
                on: test["alice"]
            )
        }
        try check([("info", "read")], "")
        try check([], Self.method, defaults: true)
        expectFault(3, "permission denied") { try check([("peers", "read")], "") }
        expectFault(3, "permission denied") {
            try check([], "/lnrpc.Lightning/ListPeers", defaults: true)
        }
    }
}
