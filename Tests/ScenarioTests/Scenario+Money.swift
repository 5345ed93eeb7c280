import Bridge
import BridgeProtocol
import Foundation
import Journal
import LCPTesting
import LightningTypes

// Invoices and payments: what the desks of the bridge do with lnd.
extension Scenario {
    func createInvoice(
        _ key: JobKey,
        _ effect: UInt64,
        _ order: BusCreateInvoice,
        _ node: ScenarioNode
    ) throws {
        let amount = MilliSatoshi(msat: order.amountMsat)
        let (hash, text) = try lightning.addInvoice(
            payee: node.id,
            job: key,
            key: node.key,
            amount: amount,
            descriptionHash: try need(Bytes32(order.descriptionHash), "description hash"),
            expiresAt: UnixTime(seconds: order.expiryUnix),
            now: now,
            random: &random
        )
        trace.note("invoice", hash.description)
        let terms = InvoiceTerms(
            hash: hash,
            amount: amount,
            expiresAt: UnixTime(seconds: order.expiryUnix),
            profile: order.profile
        )
        node.pending.append(
            .input(
                .invoiceCreated(key, effect: effect, terms, paymentRequest: Redacted(text))
            )
        )
    }

    func lookUp(
        _ state: SimulatedLightning.Invoice.State?,
        _ hash: PaymentHash,
        _ key: JobKey,
        _ node: ScenarioNode
    ) {
        switch state {
        case .settled:
            let paid = lightning.invoices[hash]?.amount ?? .zero
            node.pending.append(.input(.invoiceSettled(key, hash, paid: paid)))
        case .cancelled: node.pending.append(.input(.invoiceCancelled(key, hash)))
        case .open, nil: break
        }
    }

    /// What the payments' desk does: the call is noted before it is made.
    func pay(_ hash: PaymentHash, _ key: JobKey, _ node: ScenarioNode) async throws {
        guard let known = try await node.journal.payment(hash), known.status == .unresolved else {
            return
        }
        if lightning.payments[hash] == nil {
            guard now <= known.intent.notAfter else {
                trace.note("payment too late")
                node.pending.append(.input(.paymentFailed(key, hash, .tooLate, nil)))
                return
            }
            try await node.journal.record([.paymentAttempted(hash)], for: key, at: now)
            lightning.pay(hash, payer: node.id, now: now)
            transit.append((.payment(hash), arrival()))
        }
        try await report(hash)
    }

    func withdraw(_ hash: PaymentHash, _ key: JobKey, _ node: ScenarioNode) async throws {
        guard let known = try await node.journal.payment(hash), known.status == .unresolved else {
            return
        }
        if known.attempted { return try await pay(hash, key, node) }
        trace.note("payment withdrawn")
        node.pending.append(.input(.paymentFailed(key, hash, .withdrawn, nil)))
    }

    /// Tells both sides what became of a payment: lnd's streams.
    func report(_ hash: PaymentHash) async throws {
        guard let payment = lightning.payments[hash], let invoice = lightning.invoices[hash] else {
            return
        }
        if let payer = nodes.first(where: { $0.id == payment.payer }),
            let record = try await payer.journal.payment(hash)
        {
            switch payment.state {
            case .inFlight: payer.pending.append(.input(.paymentInFlight(record.job, hash)))
            case .succeeded:
                payer.pending.append(
                    .input(
                        .paymentSucceeded(
                            record.job,
                            hash,
                            invoice.preimage,
                            fee: SimulatedLightning.fee
                        )
                    )
                )
            case .failed:
                payer.pending.append(.input(.paymentFailed(record.job, hash, .lnd, nil)))
            }
        }
        if payment.state == .succeeded, let payee = nodes.first(where: { $0.id == invoice.payee }),
            let record = try await payee.journal.invoice(hash)
        {
            lookUp(.settled, hash, record.job, payee)
        }
    }

    /// What the desks do after a start.
    func reconcile(_ node: ScenarioNode) async throws {
        node.seen = []
        for payment in try await node.journal.unresolvedPayments() {
            try await pay(payment.intent.hash, payment.job, node)
        }
        try await lookUpInvoices(node)
    }

    func lookUpInvoices(_ node: ScenarioNode) async throws {
        for invoice in try await node.journal.openInvoices() {
            lookUp(
                lightning.invoices[invoice.terms.hash]?.state,
                invoice.terms.hash,
                invoice.job,
                node
            )
        }
    }
}
