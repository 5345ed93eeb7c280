import BOLT11
import Journal
import LCPTesting
import LightningCrypto
import LightningTypes

/// Invoices and payments of all nodes, as lnd would keep them: it never crashes here.
struct SimulatedLightning {
    struct Invoice {
        enum State { case open, settled, cancelled }

        var payee: NodeID
        /// The payee's job.
        var job: JobKey
        var amount: MilliSatoshi
        var expiresAt: UnixTime
        var preimage: Preimage
        var text: String
        var state = State.open
    }

    struct Payment: Equatable {
        enum State: Equatable { case inFlight, succeeded, failed }

        var payer: NodeID
        var state: State
    }

    private(set) var invoices: [PaymentHash: Invoice] = [:]
    private(set) var payments: [PaymentHash: Payment] = [:]
    /// Received minus sent, in millisatoshis.
    private(set) var balances: [NodeID: Int64] = [:]

    static let fee = MilliSatoshi(msat: 1_000)

    mutating func addInvoice(
        payee: NodeID,
        job: JobKey,
        key: SecretKey,
        amount: MilliSatoshi,
        descriptionHash: Bytes32,
        expiresAt: UnixTime,
        now: UnixTime,
        random: inout SeededGenerator
    ) throws -> (hash: PaymentHash, text: String) {
        let preimage = try need(Bytes32(random.bytes(32)), "32 bytes")
        let hash = PaymentHash(SHA256.hash(preimage.bytes))
        let seconds = expiresAt > now ? expiresAt.seconds - now.seconds : 1
        let draft = try InvoiceDraft(
            network: .regtest,
            amount: amount,
            timestamp: now,
            paymentHash: hash,
            paymentSecret: try need(Bytes32(random.bytes(32)), "32 bytes"),
            description: .hash(descriptionHash),
            minFinalCLTV: 80,
            expirySeconds: seconds
        )
        let text = try draft.signed(with: key)
        invoices[hash] = Invoice(
            payee: payee,
            job: job,
            amount: amount,
            expiresAt: now.advanced(bySeconds: seconds),
            preimage: Preimage(preimage),
            text: text
        )
        return (hash, text)
    }

    /// Cancels an open invoice.
    ///
    /// - Returns: What the invoice is now.
    mutating func cancel(_ hash: PaymentHash) -> Invoice.State? {
        if invoices[hash]?.state == .open { invoices[hash]?.state = .cancelled }
        return invoices[hash]?.state
    }

    /// Takes a payment in: in flight, or failed at once when the invoice is not payable.
    mutating func pay(_ hash: PaymentHash, payer: NodeID, now: UnixTime) {
        guard payments[hash] == nil else { return }
        let isPayable = invoices[hash].map { $0.state == .open && now <= $0.expiresAt } ?? false
        payments[hash] = Payment(payer: payer, state: isPayable ? .inFlight : .failed)
    }

    /// Lets a payment in flight arrive, or fail: on its way, or when its invoice can't take it.
    mutating func arrive(_ hash: PaymentHash, now: UnixTime, fails: Bool) {
        guard let payment = payments[hash], payment.state == .inFlight,
            let invoice = invoices[hash]
        else { return }
        guard !fails, invoice.state == .open, now <= invoice.expiresAt else {
            payments[hash]?.state = .failed
            return
        }
        invoices[hash]?.state = .settled
        payments[hash]?.state = .succeeded
        balances[invoice.payee, default: 0] += Int64(invoice.amount.msat)
        balances[payment.payer, default: 0] -= Int64(invoice.amount.msat + Self.fee.msat)
    }
}
