import LightningTypes
import LndRPC
import Testing

/// The one list of calls, and what macaroons say of themselves.
@Suite struct LndCallTests {
    @Test func `a provider's macaroon can't pay and a requester's makes no invoice`() {
        let provider = LndCall.needed(by: .provider)
        let requester = LndCall.needed(by: .requester)
        #expect(provider.contains(.addInvoice) && provider.contains(.cancelInvoice))
        #expect(!provider.contains(.sendPaymentV2) && !provider.contains(.trackPaymentV2))
        #expect(requester.contains(.sendPaymentV2))
        #expect(!requester.contains(.addInvoice) && !requester.contains(.cancelInvoice))
        #expect(Set(LndCall.needed(by: .both)) == Set(provider).union(requester))
        for role in BridgeRole.allCases {
            #expect(!LndCall.needed(by: role).contains(.bakeMacaroon), "\(role)")
            #expect(!LndCall.needed(by: role).contains { $0.permission == nil }, "\(role)")
        }
    }

    @Test func `every call has a path of its own`() {
        #expect(Set(LndCall.allCases.map(\.path)).count == LndCall.allCases.count)
        #expect(LndCall.sendPaymentV2.path == "/routerrpc.Router/SendPaymentV2")
        #expect(LndCall.getInfo.name == "GetInfo")
    }

    // As lnd 0.20 bakes it for `info:read uri:/lnrpc.Lightning/AddInvoice`, root key 0.
    private func macaroon(caveats: [String] = []) -> [UInt8] {
        func field(_ number: UInt8, _ content: [UInt8]) -> [UInt8] {
            [number << 3 | 2, UInt8(content.count)] + content
        }
        func operation(_ entity: String, _ action: String) -> [UInt8] {
            field(3, field(1, Array(entity.utf8)) + field(2, Array(action.utf8)))
        }
        let identifier =
            [3] + field(1, Array(repeating: 7, count: 16)) + field(2, Array("0".utf8))
            + operation("info", "read") + operation("uri", "/lnrpc.Lightning/AddInvoice")
        var bytes: [UInt8] = [2, 1, 3] + Array("lnd".utf8)
        bytes += [2, UInt8(identifier.count)] + identifier + [0]
        for caveat in caveats { bytes += [2, UInt8(caveat.utf8.count)] + Array(caveat.utf8) + [0] }
        return bytes + [0, 6, 32] + Array(repeating: 9, count: 32)
    }

    @Test func `a macaroon allows what it names, by entity or by call`() throws {
        let contents = try MacaroonContents(Redacted(macaroon()))
        #expect(contents.permissions.count == 2)
        #expect(contents.allows(.getInfo) && contents.allows(.getVersion))
        #expect(contents.allows(.addInvoice) && contents.allows(.getState))
        // The same entity and action as AddInvoice's, and yet another call.
        #expect(!contents.allows(.cancelInvoice) && !contents.allows(.listPeers))
        #expect(contents.caveats.isEmpty)
    }

    @Test func `caveats are told as they are written`() throws {
        let written = ["time-before 2027-01-01T00:00:00Z", "ipaddr 127.0.0.1"]
        let contents = try MacaroonContents(Redacted(macaroon(caveats: written)))
        #expect(contents.caveats == written)
        #expect(contents.allows(.addInvoice))
    }

    @Test func `what is cut off or no macaroon is refused`() throws {
        let whole = macaroon()
        for count in 0..<90 where count < whole.count - 35 {
            #expect(throws: LndError.self, "\(count) bytes") {
                try MacaroonContents(Redacted(Array(whole.prefix(count))))
            }
        }
        #expect(throws: LndError.self) { try MacaroonContents(Redacted(Array("0201".utf8))) }
    }
}
