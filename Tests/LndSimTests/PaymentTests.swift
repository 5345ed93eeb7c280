import BOLT11
import LightningCrypto
import LightningTypes
import LndSim
import Testing

@Suite struct PaymentTests {
    private func direct(_ capacitySat: UInt64 = 1_000_000) throws -> TestNetwork {
        var test = TestNetwork(["alice", "bob"])
        try test.open("alice", "bob", capacitySat)
        return test
    }

    /// alice → carol → bob.
    private func line(pushed: UInt64 = 0) throws -> TestNetwork {
        var test = TestNetwork(["alice", "bob", "carol"])
        try test.open("alice", "carol")
        try test.open("carol", "bob", 1_000_000, pushed: pushed)
        return test
    }

    @Test func `a payment is told as registered, as sent and as succeeded, then the stream ends`()
        throws
    {
        var test = try direct()
        let added = try test.invoice("bob", msat: 57_355)
        let id = try test.pay(added.paymentRequest, from: "alice", feeLimitMsat: 0)
        let updates = test.payments(id)
        #expect(updates.map(\.progress.status) == [.inFlight, .inFlight, .succeeded])
        #expect(updates.map(\.progress.attempts.count) == [0, 1, 1])
        #expect(updates.map { $0.progress.preimage == nil } == [true, true, false])
        #expect(test.end(of: id) == .some(nil))

        let last = try #require(updates.last)
        let preimage = try #require(last.progress.preimage).secret.reveal("to check it")
        #expect(SHA256.hash(preimage.bytes) == added.hash.bytes)
        #expect(last.feeMsat == 0 && last.terms.valueMsat == 57_355)
        #expect(try test.localMsat("bob") == 57_355)
        #expect(try test.localMsat("alice") == 1_000_000_000 - 57_355)
        let invoice = try test.lookUp(added.hash, on: "bob")
        #expect(invoice.progress.state == .settled && invoice.progress.settleIndex == 1)
        #expect(invoice.progress.htlcs.map(\.state) == [.settled])
    }

    @Test func `a second payment of one hash is refused in any state but failed`() throws {
        var test = try direct()
        let paid = try test.invoice("bob", msat: 1000).paymentRequest
        try test.pay(paid, from: "alice")
        expectFault(6, "invoice is already paid") { try test.pay(paid, from: "alice") }

        test.network.failNextPayments(.hang, of: test["alice"])
        let hung = try test.invoice("bob", msat: 1000).paymentRequest
        try test.pay(hung, from: "alice")
        expectFault(6, "payment is in transition") { try test.pay(hung, from: "alice") }

        test.network.failNextPayments(.registerOnly, of: test["alice"])
        let registered = try test.invoice("bob", msat: 1000).paymentRequest
        let early = try test.pay(registered, from: "alice")
        #expect(test.payments(early).map(\.progress.attempts.count) == [0])
        expectFault(6, "payment already exists") { try test.pay(registered, from: "alice") }
        test.network.releaseHungPayments(of: test["alice"], succeed: true)
        #expect(test.payments(early).last?.progress.status == .succeeded)
        expectFault(6, "invoice is already paid") { try test.pay(registered, from: "alice") }

        test.network.failNextPayments(.registerOnly, of: test["alice"])
        let abandoned = try test.invoice("bob", msat: 1000).paymentRequest
        let late = try test.pay(abandoned, from: "alice")
        test.network.releaseHungPayments(of: test["alice"], succeed: false)
        #expect(test.payments(late).last?.progress.failureReason == .noRoute)

        test.network.failNextPayments(.fail(.timeout), of: test["alice"])
        let failed = try test.invoice("bob", msat: 1000).paymentRequest
        let first = try test.pay(failed, from: "alice")
        #expect(test.payments(first).last?.progress.failureReason == .timeout)
        let second = try test.pay(failed, from: "alice")
        #expect(test.payments(second).last?.progress.status == .succeeded)
    }

    @Test func `what is checked before a payment is registered has lnd's texts`() throws {
        var test = try direct()
        let invoice = try test.invoice("bob", msat: 1000).paymentRequest
        let open = try test.invoice("bob", msat: 0).paymentRequest
        let own = try test.invoice("alice", msat: 1000).paymentRequest
        let short = try test.invoice("bob", msat: 1000) { $0.expirySeconds = 5 }.paymentRequest
        func refuses(
            _ request: String,
            _ text: String,
            _ change: (inout PaymentDraft) -> Void = { _ in }
        ) {
            expectFault(2, text) { try test.pay(request, from: "alice", change) }
        }
        refuses(invoice, "amount must not be specified when paying a non-zero amount invoice") {
            $0.amountSat = 1
        }
        refuses(open, "amount must be specified when paying a zero amount invoice")
        refuses(own, "self-payments not allowed")
        refuses(invoice, "dest and payment_request cannot appear together") {
            $0.destination = [1]
        }
        refuses(invoice, "payment_hash and payment_request cannot appear together") {
            $0.hash = [1]
        }
        refuses(invoice, "final_cltv_delta and payment_request cannot appear together") {
            $0.finalTimeLockDelta = 1
        }
        refuses(invoice, "sat and msat arguments are mutually exclusive") {
            $0.feeLimitMsat = 1
            $0.feeLimitSat = 1
        }
        refuses(invoice, "amount cannot be negative") { $0.feeLimitMsat = -1 }
        refuses(invoice, "total time lock of 2017 exceeds max allowed 2016") {
            $0.timeLockLimit = 2017
        }
        refuses(invoice, "cltv limit 83 should be greater than 83") { $0.timeLockLimit = 83 }
        refuses(invoice, "invalid vertex length of 3, want 33") { $0.lastHop = [1, 2, 3] }
        refuses("lnbc1", "invalid bech32 string length 5")
        test.pass(seconds: 6)
        expectFault(2, "invoice expired. Valid until 2025-06-15 15:06:45 +0000 UTC") {
            try test.pay(short, from: "alice")
        }
        #expect(
            try test.network.listPayments(PageRequest(), includeIncomplete: true, on: test["alice"])
                .isEmpty
        )
    }

    @Test func `tracking tells the state at once, and every change after it`() throws {
        var test = try direct()
        let alice = test["alice"]
        expectFault(5, "payment isn't initiated") {
            try test.network.trackPayment(hash: test.bytes32().bytes, on: alice)
        }
        test.network.failNextPayments(.delay(2000), of: alice)
        let added = try test.invoice("bob", msat: 1000)
        let sender = try test.pay(added.paymentRequest, from: "alice") { $0.terminalOnly = true }
        test.network.close(sender)
        let hash = added.hash.bytes.bytes
        let tracker = try test.network.trackPayment(hash: hash, on: alice)
        #expect(test.payments(tracker).map(\.progress.status) == [.inFlight])
        test.pass(seconds: 2)
        #expect(test.payments(tracker).map(\.progress.status) == [.succeeded])
        #expect(test.end(of: tracker) == .some(nil))
        #expect(test.payments(sender).isEmpty)

        let late = try test.network.trackPayment(hash: hash, terminalOnly: true, on: alice)
        #expect(test.payments(late).map(\.progress.status) == [.succeeded])
        #expect(test.end(of: late) == .some(nil))
    }

    @Test func `a hold invoice keeps the payment in flight until it is settled or cancelled`()
        throws
    {
        var test = try direct()
        let before = test.totalMsat
        for settles in [true, false] {
            let preimage = test.bytes32().bytes
            let hash = SHA256.hash(preimage).bytes
            let added = try test.invoice("bob", msat: 5000) { $0.secret = .hash(hash) }
            let bobs = try test.localMsat("bob")
            let id = try test.pay(added.paymentRequest, from: "alice")
            #expect(test.payments(id).last?.progress.status == .inFlight)
            #expect(try test.lookUp(added.hash, on: "bob").progress.state == .accepted)
            #expect(
                try test.network.channelBalance(of: test["alice"]).pendingLocalMsat == 5000
            )
            #expect(test.totalMsat == before)
            if settles {
                try test.network.settleInvoice(preimage: preimage, on: test["bob"])
                #expect(test.payments(id).last?.progress.status == .succeeded)
                #expect(try test.localMsat("bob") == bobs + 5000)
            } else {
                try test.network.cancelInvoice(hash: hash, on: test["bob"])
                let last = try #require(test.payments(id).last)
                #expect(last.progress.failureReason == .incorrectPaymentDetails)
                #expect(try test.localMsat("bob") == bobs)
                expectFault(2, "invoice already canceled") {
                    try test.network.settleInvoice(preimage: preimage, on: test["bob"])
                }
            }
        }
    }

    @Test func `a held payment is given back before its time lock runs out`() throws {
        var test = try direct()
        let added = try test.invoice("bob", msat: 5000) {
            $0.secret = .hash(Array(repeating: 1, count: 32))
        }
        let id = try test.pay(added.paymentRequest, from: "alice")
        // 80 + 3 blocks of time lock less lnd's margin of 12.
        test.pass(seconds: 71 * 600 - 1)
        #expect(test.payments(id).last?.progress.status == .inFlight)
        test.pass(seconds: 1)
        #expect(test.payments(id).last?.progress.status == .failed)
        #expect(try test.lookUp(added.hash, on: "bob").progress.state == .canceled)
    }

    @Test func `nodes on the way earn lnd's default fee, within the fee limit`() throws {
        var test = try line()
        // 1000 msat and 1 ppm of 5,000,000 msat.
        let added = try test.invoice("bob", msat: 5_000_000)
        let cheap = try test.pay(added.paymentRequest, from: "alice", feeLimitMsat: 1004)
        #expect(test.payments(cheap).last?.progress.failureReason == .noRoute)
        let id = try test.pay(added.paymentRequest, from: "alice", feeLimitMsat: 1005)
        let payment = try #require(test.payments(id).last)
        #expect(payment.progress.status == .succeeded && payment.feeMsat == 1005)
        #expect(try test.localMsat("alice") == 1_000_000_000 - 5_001_005)
        #expect(try test.localMsat("carol") == 1_000_000_000 + 1005)
        #expect(try test.localMsat("bob") == 5_000_000)
        let route = try #require(payment.progress.attempts.first).route
        #expect(route.hops.map(\.node) == [test.id("carol"), test.id("bob")])
        #expect(route.hops.map(\.forwardMsat) == [5_000_000, 5_000_000])
        #expect(route.hops.map(\.feeMsat) == [1005, 0])
        #expect(route.hops.map(\.expiry) == [1083, 1083])
        #expect(route.totalTimeLock == 1163)
    }

    @Test func `no fee limit means no fee: only a direct channel will do`() throws {
        var test = try line()
        let first = try test.pay(
            test.invoice("bob", msat: 2000).paymentRequest,
            from: "alice",
            feeLimitMsat: 0
        )
        #expect(test.payments(first).last?.progress.failureReason == .noRoute)
        let second = try test.pay(
            test.invoice("carol", msat: 2000).paymentRequest,
            from: "alice",
            feeLimitMsat: 0
        )
        #expect(test.payments(second).last?.progress.status == .succeeded)
    }

    @Test func `the reserve can't be spent, and less than 1000 msat can't be sent`() throws {
        var test = try direct(100_000)
        func reason(_ msat: Int64) throws -> PaymentFailureReason? {
            let request = try test.invoice("bob", msat: msat).paymentRequest
            return test.payments(try test.pay(request, from: "alice")).last?.progress.failureReason
        }
        #expect(try reason(99_000_001) == .insufficientBalance)
        #expect(try reason(999) == .noRoute)
        #expect(try reason(99_000_000) == PaymentFailureReason.none)
        #expect(try reason(1000) == .insufficientBalance)
    }

    @Test func `time locks and named channels limit the route`() throws {
        var test = try line()
        try test.open("alice", "carol")
        let channels = test.network.channels(of: test["alice"]).map(\.id)
        func pay(_ change: (inout PaymentDraft) -> Void) throws -> PaymentRecord {
            let request = try test.invoice("bob", msat: 2000).paymentRequest
            return try #require(test.payments(test.pay(request, from: "alice", change)).last)
        }
        #expect(try pay { $0.timeLockLimit = 162 }.progress.failureReason == .noRoute)
        #expect(try pay { $0.timeLockLimit = 163 }.progress.status == .succeeded)
        for channel in channels {
            let payment = try pay { $0.outgoingChannels = [channel] }
            #expect(payment.progress.attempts.first?.route.hops.first?.channel == channel)
        }
        #expect(
            try pay { $0.outgoingChannels = [1] }.progress.failureReason == .insufficientBalance
        )
        let (carol, alice) = (test.id("carol").bytes, test.id("alice").bytes)
        #expect(try pay { $0.lastHop = carol }.progress.status == .succeeded)
        #expect(try pay { $0.lastHop = alice }.progress.failureReason == .noRoute)
    }

    @Test func `a channel on the way that is empty is tried once and then avoided`() throws {
        var test = TestNetwork(["alice", "bob", "carol", "dave"])
        try test.open("alice", "carol")
        // All money is on bob's side, which alice can't know.
        try test.open("carol", "bob", 1_000_000, pushed: 1_000_000)
        try test.open("alice", "dave")
        try test.open("dave", "bob")
        let id = try test.pay(test.invoice("bob", msat: 50_000).paymentRequest, from: "alice")
        let payment = try #require(test.payments(id).last)
        #expect(payment.progress.status == .succeeded)
        #expect(
            payment.progress.attempts.map(\.status) == [
                .failed(.temporaryChannelFailure, sourceIndex: 1, height: 0), .succeeded,
            ]
        )
    }

    @Test func `an amount no channel can carry alone is split`() throws {
        var test = TestNetwork(["alice", "bob"])
        for _ in 0..<3 { try test.open("alice", "bob", 100_000) }
        let before = test.totalMsat
        let added = try test.invoice("bob", msat: 250_000_000)
        let whole = try test.pay(added.paymentRequest, from: "alice") { $0.maximumParts = 1 }
        #expect(test.payments(whole).last?.progress.failureReason == .noRoute)
        let id = try test.pay(added.paymentRequest, from: "alice")
        let payment = try #require(test.payments(id).last)
        #expect(payment.progress.status == .succeeded)
        #expect(payment.progress.attempts.count > 2)
        #expect(payment.progress.attempts.reduce(0) { $0 + $1.route.amountMsat } == 250_000_000)
        #expect(try test.localMsat("bob") == 250_000_000)
        #expect(test.totalMsat == before)
        let invoice = try test.lookUp(added.hash, on: "bob")
        #expect(invoice.progress.htlcs.count == payment.progress.attempts.count)
        #expect(invoice.progress.amountPaidMsat == 250_000_000)
    }

    @Test func `parts whose rest finds no way are given back after two minutes`() throws {
        var test = TestNetwork(["alice", "bob", "carol"])
        try test.open("alice", "bob", 100_000)
        try test.open("alice", "carol", 100_000)
        let id = try test.pay(
            test.invoice("bob", msat: 150_000_000).paymentRequest,
            from: "alice"
        )
        let waiting = try #require(test.payments(id).last)
        #expect(waiting.progress.status == .inFlight)
        #expect(waiting.progress.failureReason == .noRoute)
        test.pass(seconds: 119)
        #expect(test.payments(id).isEmpty)
        test.pass(seconds: 1)
        #expect(test.payments(id).last?.progress.status == .failed)
        #expect(try test.localMsat("alice") == 200_000_000)
    }

    @Test func `the payee refuses cancelled, foreign and underpaid invoices`() throws {
        var test = try direct()
        let cancelled = try test.invoice("bob", msat: 2000)
        try test.network.cancelInvoice(hash: cancelled.hash.bytes.bytes, on: test["bob"])
        let open = try test.invoice("bob", msat: 2000)
        let bob = test.id("bob").bytes
        func reason(_ change: (inout PaymentDraft) -> Void) throws -> PaymentFailureReason? {
            test.payments(try test.pay("", from: "alice", change)).last?.progress.failureReason
        }
        let first = try test.pay(cancelled.paymentRequest, from: "alice")
        #expect(test.payments(first).last?.progress.failureReason == .incorrectPaymentDetails)
        #expect(
            try reason {
                $0.destination = bob
                $0.hash = open.hash.bytes.bytes
                $0.secret = open.secret.bytes
                $0.amountMsat = 1999
            } == .incorrectPaymentDetails
        )
        #expect(
            try reason {
                $0.destination = bob
                $0.hash = open.hash.bytes.bytes
                $0.secret = Array(repeating: 0, count: 32)
                $0.amountMsat = 2000
            } == .incorrectPaymentDetails
        )
        #expect(
            try reason {
                $0.destination = bob
                $0.hash = open.hash.bytes.bytes
                $0.secret = open.secret.bytes
                $0.amountMsat = 2000
            } == PaymentFailureReason.none
        )
    }

    @Test(arguments: PaymentFailureReason.allCases.filter { $0 != .none })
    func `a payment fails for each reason on demand`(_ reason: PaymentFailureReason) throws {
        var test = try direct()
        test.network.failNextPayments(.fail(reason), of: test["alice"])
        let added = try test.invoice("bob", msat: 2000)
        let id = try test.pay(added.paymentRequest, from: "alice")
        #expect(test.payments(id).map(\.progress.failureReason) == [.none, reason])
        #expect(test.end(of: id) == .some(nil))
        #expect(try test.lookUp(added.hash, on: "bob").progress.state == .open)
    }

    @Test func `a broken stream does not stop the payment`() throws {
        var test = try direct()
        test.network.failNextPayments(.breakStream(afterUpdates: 1), of: test["alice"])
        let added = try test.invoice("bob", msat: 2000)
        let id = try test.pay(added.paymentRequest, from: "alice")
        #expect(test.payments(id).map(\.progress.status) == [.inFlight])
        #expect(test.end(of: id) == .some(.unavailable))
        #expect(try test.lookUp(added.hash, on: "bob").progress.state == .settled)
    }

    @Test func `a hung payment goes on, or fails over to nothing, when it is released`() throws {
        var test = try direct()
        let alice = test["alice"]
        for succeeds in [true, false] {
            test.network.failNextPayments(.hang, of: alice)
            let id = try test.pay(test.invoice("bob", msat: 2000).paymentRequest, from: "alice")
            test.pass(seconds: 600)
            #expect(test.payments(id).last?.progress.status == .inFlight)
            test.network.releaseHungPayments(of: alice, succeed: succeeds)
            #expect(
                test.payments(id).last?.progress.status == (succeeds ? .succeeded : .failed)
            )
        }
    }

    @Test func `an HTLC that arrives too many blocks late is refused`() throws {
        var test = try direct()
        test.network.failNextPayments(.hang, of: test["alice"])
        let id = try test.pay(test.invoice("bob", msat: 2000).paymentRequest, from: "alice")
        // A payer adds three blocks to the payee's time lock; the fourth is one too many.
        test.pass(seconds: 4 * 600)
        test.network.releaseHungPayments(of: test["alice"], succeed: true)
        #expect(test.payments(id).last?.progress.failureReason == .incorrectPaymentDetails)
    }

    @Test func `closing the stream stops a cancelable payment's further attempts`() throws {
        var test = try direct()
        test.network.failNextPayments(.hang, of: test["alice"])
        let added = try test.invoice("bob", msat: 2000)
        let id = try test.pay(added.paymentRequest, from: "alice") { $0.isCancelable = true }
        test.network.close(id)
        test.network.releaseHungPayments(of: test["alice"], succeed: false)
        let tracker = try test.network.trackPayment(
            hash: added.hash.bytes.bytes,
            on: test["alice"]
        )
        #expect(test.payments(tracker).last?.progress.failureReason == .canceled)
    }

    @Test func `a payment that arrives before a slow expiry watcher acts is taken`() throws {
        var test = try direct()
        test.network.delayExpiryWatcher(byMilliseconds: 60_000, of: test["bob"])
        test.network.failNextPayments(.delay(30_000), of: test["alice"])
        let added = try test.invoice("bob", msat: 2000) { $0.expirySeconds = 10 }
        let id = try test.pay(added.paymentRequest, from: "alice")
        test.pass(seconds: 40)
        #expect(test.payments(id).last?.progress.status == .succeeded)
        let settled = try #require(try test.lookUp(added.hash, on: "bob").progress.settledAt)
        #expect(settled > TestNetwork.start.advanced(bySeconds: 10))
    }

    @Test func `only succeeded payments are listed unless asked otherwise`() throws {
        var test = try direct()
        for fails in [false, true, false] {
            if fails { test.network.failNextPayments(.fail(.error), of: test["alice"]) }
            try test.pay(test.invoice("bob", msat: 2000).paymentRequest, from: "alice")
        }
        let alice = test["alice"]
        #expect(try test.network.listPayments(PageRequest(), on: alice).map(\.index) == [1, 3])
        #expect(
            try test.network.listPayments(PageRequest(), includeIncomplete: true, on: alice)
                .map(\.index) == [1, 2, 3]
        )
    }
}
