import BOLT11
import FoundationEssentials
import LightningTypes
import LndRPC
import SwiftProtobuf

extension Lnrpc_Invoice {
    init?(_ delivery: Delivery) {
        guard case .invoice(let record) = delivery else { return nil }
        self.init(record)
    }

    init(_ record: InvoiceRecord) {
        let (terms, progress) = (record.terms, record.progress)
        self.init()
        memo = terms.memo
        rPreimage = Data(
            progress.preimage?.secret.reveal("lnd shows it to whoever may read invoices").bytes
                ?? []
        )
        rHash = Data(terms.hash.bytes.bytes)
        value = Int64(terms.valueMsat / 1000)
        valueMsat = Int64(terms.valueMsat)
        creationDate = Int64(terms.created.seconds)
        settleDate = Int64(progress.settledAt?.seconds ?? 0)
        paymentRequest = terms.paymentRequest
        descriptionHash = Data(terms.descriptionHash?.bytes ?? [])
        expiry = Int64(terms.expirySeconds)
        fallbackAddr = terms.fallbackAddress
        cltvExpiry = UInt64(terms.timeLockDelta)
        routeHints = terms.routeHints.map(Lnrpc_RouteHint.init(hops:))
        `private` = !terms.routeHints.isEmpty
        addIndex = record.addIndex
        settleIndex = progress.settleIndex
        amtPaid = Int64(progress.amountPaidMsat)
        amtPaidSat = Int64(progress.amountPaidMsat / 1000)
        amtPaidMsat = Int64(progress.amountPaidMsat)
        state = InvoiceState(progress.state)
        settled = progress.state == .settled
        htlcs = progress.htlcs.map(Lnrpc_InvoiceHTLC.init)
        features = FeatureNames.invoice
        paymentAddr = Data(terms.secret.bytes)
    }
}

extension Lnrpc_Invoice.InvoiceState {
    init(_ state: LndSim.InvoiceState) {
        self =
            switch state {
            case .open: .open
            case .settled: .settled
            case .canceled: .canceled
            case .accepted: .accepted
            }
    }
}

extension Lnrpc_InvoiceHTLC {
    init(_ htlc: InvoiceHTLC) {
        self.init()
        chanID = htlc.channel
        htlcIndex = htlc.index
        amtMsat = htlc.amountMsat
        acceptHeight = Int32(htlc.acceptHeight)
        acceptTime = Int64(htlc.acceptTime.seconds)
        resolveTime = Int64(htlc.resolveTime?.seconds ?? 0)
        expiryHeight = Int32(htlc.expiryHeight)
        mppTotalAmtMsat = htlc.totalMsat
        state =
            switch htlc.state {
            case .accepted: .accepted
            case .settled: .settled
            case .canceled: .canceled
            }
    }
}

extension Lnrpc_RouteHint {
    init(hops: [RouteHop]) {
        self.init()
        hopHints = hops.map { hop in
            .with {
                $0.nodeID = hop.nodeID.hex
                $0.chanID = hop.shortChannelID.value
                $0.feeBaseMsat = hop.feeBaseMsat
                $0.feeProportionalMillionths = hop.feeProportionalMillionths
                $0.cltvExpiryDelta = UInt32(hop.cltvExpiryDelta)
            }
        }
    }
}

extension Lnrpc_PayReq {
    init(_ invoice: BOLT11Invoice) {
        self.init()
        destination = invoice.payee.hex
        paymentHash = invoice.paymentHash.hex
        numSatoshis = Int64((invoice.amount?.msat ?? 0) / 1000)
        numMsat = Int64(invoice.amount?.msat ?? 0)
        timestamp = Int64(clamping: invoice.timestamp.seconds)
        expiry = Int64(clamping: invoice.effectiveExpirySeconds)
        cltvExpiry = Int64(clamping: invoice.effectiveMinFinalCLTV)
        switch invoice.description {
        case .text(let text): description_p = text
        case .hash(let hash): descriptionHash = hash.hex
        }
        fallbackAddr = invoice.fallbacks.first?.address(on: invoice.network) ?? ""
        routeHints = invoice.routeHints.map { Lnrpc_RouteHint(hops: $0.hops) }
        paymentAddr = Data((invoice.paymentSecret ?? .zero).bytes)
        features = FeatureNames.features(invoice.features.bits)
    }
}
