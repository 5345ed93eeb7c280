import Foundation
import LightningTypes
import LndRPC
import Testing

/// `LndNode` over our transport against a grpcio server that does what lnd should not.
@Suite(
    .enabled(
        if: Executables.python != nil,
        "LCP_PYTHON names no interpreter with Tests/requirements.txt; Tests/run makes one"
    ),
    .timeLimit(.minutes(10))
)
struct FakeLndTests {
    /// What the fake's invoices and payments are about.
    static let hash: PaymentHash = {
        var bytes = Bytes32.zero.bytes
        for index in bytes.indices { bytes[index] = 7 }
        return PaymentHash(Bytes32(bytes) ?? .zero)
    }()

    /// A call, and the code with which a scenario makes it fail; nil for none.
    struct Row: Sendable, CustomTestStringConvertible {
        typealias Call = @Sendable (LndClient) async throws -> Void

        var scenario: String
        var expected: LndError.Code?
        var call: Call
        var testDescription: String { scenario }

        init(_ scenario: String, _ expected: LndError.Code?, _ call: @escaping Call) {
            self.scenario = scenario
            self.expected = expected
            self.call = call
        }
    }

    static let lookup: Row.Call = { _ = try await $0.lookupInvoice(hash) }
    static let add: Row.Call = { _ = try await $0.addInvoice(.of(MilliSatoshi(msat: 1))) }
    static let info: Row.Call = { _ = try await $0.getInfo() }
    static let messages: Row.Call = { client in
        try await client.subscribeCustomMessages { for try await _ in $0 {} }
    }
    static let peers: Row.Call = { client in
        try await client.subscribePeerEvents { for try await _ in $0 {} }
    }
    static let invoices: Row.Call = { client in
        try await client.subscribeInvoices { for try await _ in $0 {} }
    }
    static let pay: Row.Call = { _ = try await $0.pay(.of(Redacted("lnbcrt1"))) }

    static let rows = [
        Row("short hash", .malformedAnswer, lookup),
        Row("long hash", .malformedAnswer, lookup),
        Row("no hash", .malformedAnswer, lookup),
        Row("another invoice", .malformedAnswer, lookup),
        Row("empty invoice", .malformedAnswer, lookup),
        Row("unknown invoice state", .malformedAnswer, lookup),
        Row("negative amount", .malformedAnswer, lookup),
        Row("short preimage", .malformedAnswer, lookup),
        Row("no answer", .malformedAnswer, lookup),
        Row("two answers", .malformedAnswer, lookup),
        Row("garbage", .malformedAnswer, lookup),
        Row("cut message", .malformedAnswer, lookup),
        Row("unknown fields", nil, lookup),
        Row("unnamed node", .malformedAnswer, info),
        Row("node without network", .malformedAnswer, info),
        Row("answer without invoice", .malformedAnswer, add),
        Row("answer of short hash", .malformedAnswer, add),
        Row("short peer", .malformedAnswer, messages),
        Row("no peer", .malformedAnswer, messages),
        Row("type beyond 16 bits", .malformedAnswer, messages),
        Row("shutdown", .serverExiting, messages),
        Row("peer of wrong hex", .malformedAnswer, peers),
        Row("unknown peer event", .malformedAnswer, peers),
        Row("unknown payment status", .malformedAnswer, pay),
        Row("short payment hash", .malformedAnswer, pay),
        Row("payment never ends", .unavailable, pay),
        Row("empty payment stream", .unavailable, pay),
        Row("0.17, paid", .alreadyPaid, pay),
        Row("0.17, in transition", .paymentInFlight, pay),
        // What this fake does not have at all.
        Row("short hash", .unimplemented, add),
    ]

    @Test(arguments: rows) func `what lnd should not say has its own error`(_ row: Row) async throws
    {
        try await withFakeLnd(row.scenario) { client in
            try await client.waitUntilReady { _ in }
            #expect(await code { try await row.call(client) } == row.expected)
            // The connection is as good as before.
            if row.scenario != "unnamed node", row.scenario != "node without network" {
                _ = try await client.getInfo()
            }
        }
    }

    @Test func `streams that end cleanly are over without an error`() async throws {
        try await withFakeLnd("clean end") { client in
            try await client.waitUntilReady { _ in }
            let data = try await client.subscribeCustomMessages { stream in
                var data: [[UInt8]] = []
                for try await message in stream { data.append(message.data) }
                return data
            }
            #expect(data == [Array("only".utf8)])
            #expect(await code { try await Self.peers(client) } == nil)
            #expect(await code { try await Self.invoices(client) } == nil)
        }
    }

    @Test func `a failure reason from the future is still a failure`() async throws {
        let payment = try await withFakeLnd("unknown failure reason") { client in
            try await client.waitUntilReady { _ in }
            return try await client.pay(.of(Redacted("lnbcrt1")))
        }
        #expect(payment.status == .failed(.unrecognized(99)))
    }

    @Test func `a preimage that does not fit its hash proves nothing`() async throws {
        let payment = try await withFakeLnd("wrong preimage") { client in
            try await client.waitUntilReady { _ in }
            return try await client.pay(.of(Redacted("lnbcrt1")))
        }
        #expect(payment.status == .succeeded(nil))
    }

    @Test func `a payment may be initiated before it is in flight`() async throws {
        let states = try await withFakeLnd("initiated first") { client in
            try await client.waitUntilReady { _ in }
            return try await client.sendPaymentV2(.of(Redacted("lnbcrt1"))) { stream in
                var states: [Payment.Status] = []
                for try await payment in stream { states.append(payment.status) }
                return states
            }
        }
        #expect(states == [.initiated, .inFlight, .failed(.noRoute)])
    }

    @Test func `empty answers of an old lnd are answers`() async throws {
        try await withFakeLnd("empty statuses") { client in
            try await client.waitUntilReady { _ in }
            let key = "02eec7245d6b7d2ccb30380bfbe2a3648cd7a942653f5aa340edcea1f283686619"
            let peer = try #require(NodeID(hex: key))
            try await client.sendCustomMessage(PeerMessage(peer: peer, type: 42_081, data: []))
            #expect(try await client.connectPeer(peer, address: "localhost") == .begun)
            try await client.disconnectPeer(peer)
        }
    }

    @Test func `an lnd without State service is asked until it answers`() async throws {
        try await withFakeLnd("no State service") { client in
            try await client.waitUntilReady { _ in }
            #expect(try await client.getInfo().network == "regtest")
        }
    }

    @Test func `a state from the future is no readiness, and calls work meanwhile`() async throws {
        try await withFakeLnd("unknown state") { client in
            let (phases, tell) = AsyncStream<LndStartup.Phase>.makeStream()
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await client.waitUntilReady { tell.yield($0) } }
                for await phase in phases {
                    guard case .noAnswer(let error) = phase else { continue }
                    if error.code == .malformedAnswer { break }
                }
                _ = try await client.getInfo()
                group.cancelAll()
            }
        }
    }

    @Test(arguments: ["early headers", "no headers"])
    func `a subscription stays open whatever its headers do`(_ scenario: String) async throws {
        try await withFakeLnd(scenario) { client in
            try await client.waitUntilReady { _ in }
            let (opened, tell) = AsyncStream<Void>.makeStream()
            try await withThrowingTaskGroup(of: LndError.Code?.self) { group in
                group.addTask {
                    await code {
                        try await client.subscribeCustomMessages {
                            tell.yield()
                        } _: {
                            for try await _ in $0 {}
                        }
                    }
                }
                for await _ in opened { break }
                for _ in 0..<10 { _ = try await client.getInfo() }
                group.cancelAll()
                // It was still open: what ended it is this cancellation.
                #expect(try await group.next() == .some(.cancelled))
            }
        }
    }

    @Test func `a call without an answer ends at its deadline, with its outcome open`()
        async throws
    {
        try await withFakeLnd("hanging call", timeout: .milliseconds(300)) { client in
            // Ready takes a moment, and its own calls have this deadline too.
            try await client.waitUntilReady { _ in }
            let error = await #expect(throws: LndError.self) {
                try await client.lookupInvoice(Self.hash)
            }
            #expect(error?.code == .deadlineExceeded && error?.outcomeIsUnknown == true)
        }
    }

    @Test func `GOAWAY ends no open stream, and new calls use a new connection`() async throws {
        try await withFakeLnd("goaway") { client in
            try await client.waitUntilReady { _ in }
            let found = try await client.subscribeCustomMessages { stream in
                var found: [[UInt8]] = []
                for try await message in stream {
                    found.append(message.data)
                    // The fake sends GOAWAY on this call, then lets the stream go on and end.
                    if found.count == 1 { _ = try await client.getVersion() }
                }
                return found
            }
            #expect(found == [Array("first".utf8), Array("first".utf8)])
            for _ in 0..<20 { _ = try await client.lookupInvoice(Self.hash) }
        }
    }
}
