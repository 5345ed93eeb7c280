import BOLT11
import BridgeProtocol
import FoundationEssentials
import Journal
import LightningTypes
import LndRPC

/// A worker's order for an invoice, checked.
///
/// Pure: makes the request to lnd, and holds what lnd made against it.
struct InvoiceOrder: Equatable, Sendable {
    let amount: MilliSatoshi
    let descriptionHash: Bytes32
    /// When the invoice must have ended.
    let expiresAt: UnixTime
    let profile: String

    /// The longest an invoice may be payable, in seconds: a day.
    ///
    /// Until it ends its job stays open and is looked up again and again.
    static let longest: UInt64 = 86_400

    /// Checks an order.
    init(_ order: BusCreateInvoice, job: JobKey, now: UnixTime) throws(BusFailure) {
        guard job.role == .provider else {
            throw BusFailure(
                "not-a-provider",
                "\(job) asks for an invoice",
                "Fix the worker: only a provider's job has invoices."
            )
        }
        let amount = MilliSatoshi(msat: order.amountMsat)
        guard let hash = Bytes32(order.descriptionHash), amount > .zero,
            amount <= .totalSupply, order.profile.utf8.count <= 256
        else {
            throw BusFailure(
                "malformed-order",
                "amount, hash or profile of the order are malformed",
                "Fix the worker that asked for the invoice."
            )
        }
        guard order.expiryUnix <= now.advanced(bySeconds: Self.longest).seconds else {
            throw BusFailure(
                "invoice-lives-too-long",
                "the invoice would be good for more than \(Self.longest) s",
                "Let the provider's quotes end sooner."
            )
        }
        self.amount = amount
        descriptionHash = hash
        expiresAt = UnixTime(seconds: order.expiryUnix)
        profile = order.profile
    }

    /// The request to lnd; nil when no second is left.
    ///
    /// - Parameters:
    ///   - now: The bridge's clock, whose times the order is in.
    ///   - lead: How many seconds later than that lnd's clock will be when it makes the invoice.
    ///   - hints: Whether to name private channels.
    /// - Returns: The request.
    func request(now: UnixTime, lead: UInt64, hints: Bool) -> NewInvoice? {
        let start = now.advanced(bySeconds: lead)
        guard start < expiresAt,
            let seconds = UInt32(exactly: expiresAt.seconds - start.seconds)
        else { return nil }
        return NewInvoice(
            amount: amount,
            description: .hash(descriptionHash),
            expirySeconds: seconds,
            includesPrivateChannels: hints
        )
    }

    /// What lnd made of the order, read from the invoice itself.
    struct Made: Equatable, Sendable {
        var terms: InvoiceTerms
        /// When lnd made it, by its own clock.
        var timestamp: UnixTime
    }

    /// Reads the invoice that lnd made; nil when it is not what was ordered.
    func made(_ added: AddedInvoice) -> Made? {
        let text = added.paymentRequest.reveal("to read what lnd made")
        guard let invoice = try? BOLT11Invoice(decoding: text),
            invoice.paymentHash == added.paymentHash, invoice.amount == amount,
            invoice.description == .hash(descriptionHash), !invoice.hidesPayee
        else { return nil }
        return Made(
            terms: InvoiceTerms(
                hash: invoice.paymentHash,
                amount: amount,
                expiresAt: invoice.expiresAt,
                profile: profile
            ),
            timestamp: invoice.timestamp
        )
    }
}
