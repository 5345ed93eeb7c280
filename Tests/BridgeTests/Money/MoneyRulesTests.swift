import BOLT11
import BridgeProtocol
import Foundation
import Journal
import LCPTesting
import LightningCrypto
import LightningTypes
import Testing

@testable import Bridge

/// An order that everything speaks for; a test spoils one thing of it.
struct SampleOrder: Sendable {
    var key = SecretKey(SampleOrder.seed(1).bytes)
    var hash = PaymentHash(SampleOrder.seed(2))
    var job = Bytes32.zero
    var peer: NodeID?
    var role = JobKey.Role.requester
    var network = Network.regtest
    var amount: MilliSatoshi? = MilliSatoshi(msat: 57_355)
    var description = InvoiceDescription.hash(.zero)
    var timestamp: UInt64 = 10_000
    var expirySeconds: UInt64 = 600
    var finalCLTV: UInt64 = 80
    var features = Features.lndInvoice
    var ceiling: MilliSatoshi? = MilliSatoshi(msat: 57_355)
    var now: UInt64 = 10_010
    var rules = MoneyRules(network: .regtest)
    var edit: @Sendable (inout BusPay) -> Void = { _ in }

    static func seed(_ seed: UInt64) -> Bytes32 {
        var random = SeededGenerator(seed: seed)
        return Bytes32(random.bytes(32)) ?? .zero
    }

    func decide() throws -> Result<PaymentDecision, BusFailure> {
        let key = try #require(key)
        var pay = BusPay()
        pay.paymentRequest = try InvoiceDraft(
            network: network,
            amount: amount,
            timestamp: UnixTime(seconds: timestamp),
            paymentHash: hash,
            paymentSecret: Self.seed(3),
            description: description,
            minFinalCLTV: finalCLTV,
            expirySeconds: expirySeconds,
            features: features
        ).signed(with: key)
        pay.amountMsat = amount?.msat ?? 57_355
        pay.paymentHash = Data(hash.bytes.bytes)
        pay.descriptionHash = Data(Bytes32.zero.bytes)
        pay.expiryUnix = 10_605
        pay.notAfterUnix = 10_500
        pay.profile = "gpt-5.2"
        edit(&pay)
        let job = JobKey(role: role, peer: peer ?? key.publicKey, id: self.job)
        return rules.decide(
            pay,
            job: job,
            ceiling: ceiling,
            now: UnixTime(seconds: now)
        )
    }

    func refusal() throws -> BusFailure? {
        if case .failure(let failure) = try decide() { return failure }
        return nil
    }
}

@Suite struct MoneyRulesTests {
    private typealias Case = SampleOrder

    @Test func `an order that agrees with its invoice and its client may be paid`() throws {
        let intent = try Case().decide().get().intent
        #expect(intent.hash == PaymentHash(SampleOrder.seed(2)))
        #expect(intent.amount.msat == 57_355 && intent.maxFee.msat == 10_000)
        #expect(intent.notAfter == UnixTime(seconds: 10_500))
        #expect(intent.profile == "gpt-5.2")
    }

    /// Each way of asking for money that a requester's worker could think of, and what it is told.
    static let spoiled: [(String, @Sendable (inout SampleOrder) -> Void)] = [
        ("not-a-requester", { $0.role = .provider }),
        ("malformed-order", { $0.edit = { $0.paymentHash.removeLast() } }),
        ("malformed-order", { $0.edit = { $0.descriptionHash = Data() } }),
        ("malformed-order", { $0.edit = { $0.amountMsat = 0 } }),
        ("malformed-order", { $0.edit = { $0.profile = String(repeating: "x", count: 257) } }),
        ("no-ceiling", { $0.ceiling = nil }),
        ("above-ceiling", { $0.ceiling = MilliSatoshi(msat: 57_354) }),
        ("above-ceiling", { $0.amount = MilliSatoshi(msat: 57_356) }),
        ("invoice-invalid", { $0.edit = { $0.paymentRequest = "" } }),
        ("invoice-invalid", { $0.edit = { $0.paymentRequest.removeLast() } }),
        ("invoice-invalid", { $0.edit = { $0.paymentRequest = "lightning:" + $0.paymentRequest } }),
        ("wrong-network", { $0.network = .mainnet }),
        ("payee-hidden", { $0.features = Features([8, 14, 17, 263]) }),
        ("payee-mismatch", { $0.peer = NodeID([2] + SampleOrder.seed(9).bytes) }),
        ("amp-required", { $0.features = Features([8, 14, 30]) }),
        ("amount-missing", { $0.amount = nil }),
        ("amount-mismatch", { $0.edit = { $0.amountMsat -= 2 } }),
        ("amount-mismatch", { $0.edit = { $0.amountMsat -= 1 } }),
        ("hash-mismatch", { $0.edit = { $0.paymentHash = Data(SampleOrder.seed(4).bytes) } }),
        ("description-not-hashed", { $0.description = .text("") }),
        ("description-mismatch", { $0.description = .hash(SampleOrder.seed(5)) }),
        (
            "description-mismatch",
            { $0.edit = { $0.descriptionHash = Data(SampleOrder.seed(5).bytes) } }
        ),
        ("invoice-expired", { $0.now = 10_600 }),
        ("expiry-mismatch", { $0.expirySeconds = 606 }),
        (
            "invoice-lives-too-long",
            {
                $0.expirySeconds = 86_411
                $0.edit = { $0.expiryUnix = .max }
            }
        ),
        ("too-late", { $0.edit = { $0.notAfterUnix = 10_010 } }),
        ("final-cltv", { $0.finalCLTV = 289 }),
        ("cltv-limit", { $0.rules.cltvLimit = 83 }),
        ("payee-not-allowed", { $0.rules.allowedPayees = [] }),
        ("per-payment-limit", { $0.rules.perPayment = MilliSatoshi(msat: 67_354) }),
        ("per-payment-limit", { $0.rules.perPayment = .zero }),
        (
            "per-payment-limit",
            { $0.rules.feeFloor = MilliSatoshi(msat: .max) }
        ),
    ]

    // LCP v0.1 §5.3 [check-bindings-where-money-is]
    @Test(arguments: spoiled.indices)
    func `whatever disagrees is refused by its own rule`(_ index: Int) throws {
        let (code, spoil) = Self.spoiled[index]
        var order = Case()
        spoil(&order)
        let refusal = try #require(try order.refusal(), "\(code)")
        #expect(refusal.code == code)
        #expect(!refusal.detail.isEmpty && !refusal.advice.isEmpty)
        #expect(!"\(refusal.detail) \(refusal.advice)".contains("lnbcrt1"))
    }

    @Test func `the limits themselves are allowed`() throws {
        var order = Case()
        order.now = 10_499
        order.finalCLTV = 288
        order.expirySeconds = 605
        order.rules.perPayment = MilliSatoshi(msat: 67_355)
        order.rules.cltvLimit = 292
        order.rules.allowedPayees = try [#require(order.key).publicKey]
        #expect(try order.refusal() == nil)
    }

    @Test func `no call is planned after the invoice's end`() throws {
        var order = Case()
        order.edit = { $0.notAfterUnix = .max }
        #expect(try order.decide().get().intent.notAfter == UnixTime(seconds: 10_600))
    }

    @Test func `only a refusal about time is told as too late`() throws {
        var late = Case()
        late.edit = { $0.notAfterUnix = 0 }
        let tooLate = BusPaymentFailed(refusing: BusPay(), try #require(try late.refusal()))
        #expect(tooLate.cause == .tooLate)
        var poor = Case()
        poor.rules.perPayment = .zero
        let refused = BusPaymentFailed(refusing: BusPay(), try #require(try poor.refusal()))
        #expect(refused.cause == .refused && refused.failure.code == "per-payment-limit")
    }

    @Test func `a refusal names the setting to change`() throws {
        var order = Case()
        order.rules.perPayment = .zero
        #expect(try order.refusal()?.advice.contains("--per-payment-limit-sat") == true)
        order = Case()
        order.finalCLTV = 1000
        #expect(try order.refusal()?.advice.contains("--max-final-cltv") == true)
    }

    // MARK: Fees

    @Test(arguments: [
        (0, 10_000), (57_355, 10_000), (1_000_000, 10_000), (1_000_100, 10_001),
        (100_000_000, 1_000_000),
    ])
    func `a fee may be the floor or the share, whichever is more`(_ msat: UInt64, _ fee: UInt64) {
        let rules = MoneyRules(network: .regtest)
        #expect(rules.maxFee(for: MilliSatoshi(msat: msat)).msat == fee)
    }

    @Test func `no amount and no share overflows the fee`() {
        var rules = MoneyRules(network: .regtest)
        rules.feeSharePPM = .max
        let all = MilliSatoshi(msat: .max)
        #expect(rules.maxFee(for: all) == all)
    }

    @Test func `the defaults are a working installation's, not a rich one's`() {
        let rules = MoneyRules(network: .mainnet)
        #expect(rules.perPayment.msat == 10_000_000)
        #expect(rules.dailyBudget.msat == 100_000_000)
        #expect(rules.monthlyBudget.msat == 1_000_000_000)
        #expect(rules.allowedPayees == nil && !rules.isDryRun)
    }
}
