import BOLT11
import LightningCrypto
import LightningTypes
import LndSim
import Testing

@Suite struct InvoiceTests {
    @Test func `an invoice is real BOLT 11, signed by the node, in lnd's order`() throws {
        var test = TestNetwork(["alice"])
        let added = try test.invoice("alice", msat: 2_500_000) { $0.memo = "coffee" }
        let invoice = try BOLT11Invoice(decoding: added.paymentRequest, network: .regtest)
        #expect(added.paymentRequest.hasPrefix("lnbcrt25u1"))
        #expect(invoice.payee == test.id("alice"))
        #expect(invoice.payeeField == nil)
        #expect(invoice.paymentHash == added.hash)
        #expect(invoice.paymentSecret == added.secret)
        #expect(invoice.amount == MilliSatoshi(msat: 2_500_000))
        #expect(invoice.description == .text("coffee"))
        #expect(invoice.timestamp == TestNetwork.start)
        #expect(invoice.expirySeconds == 86_400)
        #expect(invoice.minFinalCLTV == 80)
        #expect(invoice.features.bits == [8, 14, 17, 25])
        #expect(invoice.draft.fields.map(\.letter) == ["p", "d", "c", "x", "s", "9"])
        #expect(!invoice.signature.hasHighS)
    }

    @Test func `a description hash takes the memo's place in the invoice`() throws {
        var test = TestNetwork(["alice"])
        let hash = test.bytes32()
        let added = try test.invoice("alice", msat: 1000) {
            $0.memo = "kept to ourselves"
            $0.descriptionHash = hash.bytes
            $0.expirySeconds = 31_536_000
            $0.timeLockDelta = 24
        }
        let invoice = try BOLT11Invoice(decoding: added.paymentRequest, network: .regtest)
        #expect(invoice.description == .hash(hash))
        #expect(invoice.expirySeconds == 31_536_000)
        #expect(invoice.minFinalCLTV == 24)
        #expect(try test.lookUp(added.hash, on: "alice").terms.memo == "kept to ourselves")
    }

    @Test func `a given preimage fixes the hash; the same one again is refused`() throws {
        var test = TestNetwork(["alice"])
        let preimage = test.bytes32().bytes
        let added = try test.invoice("alice", msat: 1000) { $0.secret = .preimage(preimage) }
        #expect(added.hash.bytes == SHA256.hash(preimage))
        #expect(added.addIndex == 1)
        expectFault(2, "invoice with payment hash already exists") {
            try test.invoice("alice", msat: 1000) { $0.secret = .preimage(preimage) }
        }
        #expect(try test.invoice("alice", msat: 1000).addIndex == 2)
    }

    static let refusals: [(String, @Sendable (inout LndSim.InvoiceDraft) -> Void)] = [
        ("sat and msat arguments are mutually exclusive", { $0.valueSat = 1 }),
        ("amount cannot be negative", { $0.valueMsat = -1 }),
        (
            "memo too large: 1025 bytes (maxsize=1024)",
            { $0.memo = String(repeating: "m", count: 1025) }
        ),
        (
            "description hash is 31 bytes, must be 32",
            { $0.descriptionHash = Array(repeating: 1, count: 31) }
        ),
        (
            "expiry of 3.1536001e+07 seconds greater than max expiry of 3.1536e+07 seconds",
            { $0.expirySeconds = 31_536_001 }
        ),
        ("CLTV delta of 23 must be greater than minimum of 24", { $0.timeLockDelta = 23 }),
        (
            "CLTV delta of 65536 is too large, max accepted is: 65535",
            { $0.timeLockDelta = 65_536 }
        ),
        ("invalid preimage length of 5, want 32", { $0.secret = .preimage([1, 2, 3, 4, 5]) }),
        ("invalid hash length of 0, want 32", { $0.secret = .hash([]) }),
        ("number of hop hint within a route must be positive", { $0.routeHints = [[]] }),
        (
            "number of routing hints must not exceed maximum of 20",
            { $0.routeHints = Array(repeating: [], count: 21) }
        ),
        (
            "invoice amount 10000000000001 sat is too large, max is 100000 BTC",
            { $0.valueMsat = 10_000_000_000_001_000 }
        ),
    ]

    @Test(arguments: refusals.indices)
    func `what lnd refuses is refused in its words`(_ index: Int) throws {
        var test = TestNetwork(["alice"])
        let (text, change) = Self.refusals[index]
        expectFault(2, text) { try test.invoice("alice", msat: 1000, change) }
        #expect(try test.network.listInvoices(PageRequest(), on: test["alice"]).isEmpty)
    }

    @Test func `lookups tell an empty database from an unknown hash`() throws {
        var test = TestNetwork(["alice"])
        let alice = test["alice"]
        let unknown = test.bytes32().bytes
        expectFault(5, "there are no existing invoices") {
            try test.network.lookUpInvoice(hash: unknown, on: alice)
        }
        let added = try test.invoice("alice", msat: 1000)
        expectFault(5, "unable to locate invoice") {
            try test.network.lookUpInvoice(hash: unknown, on: alice)
        }
        expectFault(5, "unable to locate invoice") {
            try test.network.lookUpInvoice(secret: unknown, on: alice)
        }
        expectFault(2, "payment hash must be exactly 32 bytes, is instead 3") {
            try test.network.lookUpInvoice(hash: [1, 2, 3], on: alice)
        }
        let record = try test.network.lookUpInvoice(secret: added.secret.bytes, on: alice)
        #expect(record.terms.hash == added.hash && record.progress.state == .open)
    }

    @Test func `an unpaid invoice is cancelled when it expires, not a moment before`() throws {
        var test = TestNetwork(["alice"])
        let added = try test.invoice("alice", msat: 1000) { $0.expirySeconds = 60 }
        let single = try test.network.subscribeSingleInvoice(
            hash: added.hash.bytes.bytes,
            on: test["alice"]
        )
        test.pass(milliseconds: 59_999)
        #expect(try test.lookUp(added.hash, on: "alice").progress.state == .open)
        test.pass(milliseconds: 1)
        #expect(test.invoices(single).map(\.progress.state) == [.open, .canceled])
        #expect(test.end(of: single) == .some(nil))
    }

    @Test func `a cancelled invoice stays cancelled and an unknown one is not found`() throws {
        var test = TestNetwork(["alice"])
        let alice = test["alice"]
        let hash = try test.invoice("alice", msat: 1000).hash.bytes.bytes
        try test.network.cancelInvoice(hash: hash, on: alice)
        try test.network.cancelInvoice(hash: hash, on: alice)
        expectFault(2, "unable to locate invoice") {
            try test.network.cancelInvoice(hash: Array(hash.reversed()), on: alice)
        }
        expectFault(2, "unable to locate invoice") {
            try test.network.settleInvoice(preimage: hash, on: alice)
        }
    }

    @Test func `pages go forwards and backwards and always ascend`() throws {
        var test = TestNetwork(["alice"])
        let alice = test["alice"]
        for _ in 0..<120 { try test.invoice("alice", msat: 1000) }
        let first = try test.network.lookUpInvoice(
            hash: test.network.listInvoices(PageRequest(), on: alice)[0].terms.hash.bytes.bytes,
            on: alice
        )
        try test.network.cancelInvoice(hash: first.terms.hash.bytes.bytes, on: alice)

        func list(_ pendingOnly: Bool, _ change: (inout PageRequest) -> Void) throws -> [UInt64] {
            var page = PageRequest()
            change(&page)
            return try test.network.listInvoices(page, pendingOnly: pendingOnly, on: alice)
                .map(\.addIndex)
        }
        #expect(try list(false) { _ in } == Array(1...100))
        #expect(try list(true) { _ in } == Array(2...101))
        #expect(try list(false) { $0.indexOffset = 100 } == Array(101...120))
        #expect(try list(false) { $0.isReversed = true } == Array(21...120))
        #expect(
            try list(false) {
                $0.isReversed = true
                $0.indexOffset = 21
                $0.maximum = 3
            } == [18, 19, 20]
        )
        #expect(try list(false) { $0.indexOffset = 500 }.isEmpty)
        #expect(try list(false) { $0.createdFrom = TestNetwork.start.seconds + 1 }.isEmpty)
    }
}

@Suite struct InvoiceSubscriptionTests {
    /// Invoices 1 settled second, 2 cancelled, 3 settled first, 4 accepted, 5 open.
    private func history() throws -> TestNetwork {
        var test = TestNetwork(["alice", "bob"])
        try test.open("alice", "bob")
        let one = try test.invoice("bob", msat: 1000)
        let two = try test.invoice("bob", msat: 1000)
        let three = try test.invoice("bob", msat: 1000)
        let preimage = test.bytes32().bytes
        let four = try test.invoice("bob", msat: 1000) {
            $0.secret = .hash(SHA256.hash(preimage).bytes)
        }
        try test.invoice("bob", msat: 1000)
        try test.pay(three.paymentRequest, from: "alice")
        try test.pay(one.paymentRequest, from: "alice")
        try test.pay(four.paymentRequest, from: "alice")
        try test.network.cancelInvoice(hash: two.hash.bytes.bytes, on: test["bob"])
        return test
    }

    private func backlog(_ add: UInt64, _ settle: UInt64) throws -> [[UInt64]] {
        var test = try history()
        let id = try test.network.subscribeInvoices(
            addIndex: add,
            settleIndex: settle,
            on: test["bob"]
        )
        return test.invoices(id).map { [$0.addIndex, $0.progress.settleIndex] }
    }

    @Test func `zero asks for no backlog of its kind`() throws {
        #expect(try backlog(0, 0).isEmpty)
        #expect(try backlog(0, 1) == [[1, 2]])
    }

    @Test func `adds come before settles, as they are now, without cancelled and accepted`() throws
    {
        #expect(try backlog(1, 0) == [[3, 1], [5, 0]])
        #expect(try backlog(2, 1) == [[3, 1], [5, 0], [1, 2]])
        #expect(try backlog(9, 9).isEmpty)
    }

    @Test func `live news are additions and settlements, each once`() throws {
        var test = TestNetwork(["alice", "bob"])
        try test.open("alice", "bob")
        let id = try test.network.subscribeInvoices(on: test["bob"])
        let paid = try test.invoice("bob", msat: 1000)
        let cancelled = try test.invoice("bob", msat: 1000)
        try test.invoice("bob", msat: 1000) { $0.expirySeconds = 1 }
        try test.pay(paid.paymentRequest, from: "alice")
        try test.network.cancelInvoice(hash: cancelled.hash.bytes.bytes, on: test["bob"])
        test.pass(seconds: 10)
        let news = test.invoices(id)
        #expect(news.map(\.addIndex) == [1, 2, 3, 1])
        #expect(news.map(\.progress.state) == [.open, .open, .open, .settled])
        #expect(news.last?.progress.amountPaidMsat == 1000)
    }

    @Test func `an index from the future silences live settlements`() throws {
        var test = TestNetwork(["alice", "bob"])
        try test.open("alice", "bob")
        let id = try test.network.subscribeInvoices(addIndex: 50, settleIndex: 2, on: test["bob"])
        for _ in 1...3 {
            try test.pay(try test.invoice("bob", msat: 1000).paymentRequest, from: "alice")
        }
        #expect(test.invoices(id).map(\.progress.settleIndex) == [3])
    }

    @Test func `a settle index may jump and goes on from there`() throws {
        var test = TestNetwork(["alice", "bob"])
        try test.open("alice", "bob")
        let id = try test.network.subscribeInvoices(on: test["bob"])
        try test.pay(try test.invoice("bob", msat: 1000).paymentRequest, from: "alice")
        test.network.jumpSettleIndex(by: 1000, of: test["bob"])
        try test.pay(try test.invoice("bob", msat: 1000).paymentRequest, from: "alice")
        let settled = test.invoices(id).filter { $0.progress.state == .settled }
        #expect(settled.map(\.progress.settleIndex) == [1, 1002])
    }

    @Test func `a single subscription waits for its invoice and ends when that is final`() throws {
        var test = TestNetwork(["alice", "bob"])
        try test.open("alice", "bob")
        let preimage = test.bytes32().bytes
        let hash = SHA256.hash(preimage).bytes
        let id = try test.network.subscribeSingleInvoice(hash: hash, on: test["bob"])
        #expect(test.invoices(id).isEmpty)
        let added = try test.invoice("bob", msat: 5000) { $0.secret = .hash(hash) }
        expectFault(2, "invoice still open") {
            try test.network.settleInvoice(preimage: preimage, on: test["bob"])
        }
        try test.pay(added.paymentRequest, from: "alice")
        try test.network.settleInvoice(preimage: preimage, on: test["bob"])
        try test.network.settleInvoice(preimage: preimage, on: test["bob"])
        #expect(test.invoices(id).map(\.progress.state) == [.open, .accepted, .settled])
        #expect(test.end(of: id) == .some(nil))
        expectFault(2, "invoice already settled") {
            try test.network.cancelInvoice(hash: hash, on: test["bob"])
        }
    }
}
