import BOLT11
import FoundationEssentials
import GRPCCore
import LightningTypes
import LndRPC
import SwiftProtobuf

extension NodeServices {
    /// Signs a draft outside the world and stores it.
    func add(_ draft: InvoiceDraft) async throws -> AddedInvoice {
        var draft = draft
        if draft.isPrivate {
            let room = max(0, SimulatedNetwork.maximumHopHints - draft.routeHints.count)
            // A bad amount is refused below.
            let amount = (try? amountMsat(sat: draft.valueSat, msat: draft.valueMsat)) ?? 0
            draft.routeHints += await world.hopHints(to: node, amountMsat: amount).prefix(room)
        }
        let (record, time, entropy) = await world.ingredients(for: node)
        let signed = try draft.signed(by: record, created: time.unix, entropy: entropy)
        return try await world.call { [node] network throws(LndFault) in
            try network.addInvoice(signed, on: node)
        }
    }
}

extension World {
    /// Ways to a node over its private channels.
    func hopHints(to node: NodeHandle, amountMsat: UInt64) -> [[RouteHop]] {
        callFreely { $0.hopHints(to: node, amountMsat: amountMsat) }
    }

    /// What an invoice of a node is made from.
    func ingredients(for node: NodeHandle) -> (NodeRecord, NetworkTime, InvoiceEntropy) {
        (record(of: node), time, entropy())
    }
}

extension LightningService {
    func addInvoice(
        request: Lnrpc_Invoice,
        context: ServerContext
    ) async throws -> Lnrpc_AddInvoiceResponse {
        guard !request.isAmp, !request.isBlinded else {
            throw LndFault(code: 12, text: "the simulation has no AMP and no blinded invoices")
        }
        var draft = InvoiceDraft()
        draft.memo = request.memo
        draft.secret = .preimage(Array(request.rPreimage))
        draft.valueSat = request.value
        draft.valueMsat = request.valueMsat
        draft.descriptionHash = Array(request.descriptionHash)
        draft.expirySeconds = request.expiry
        draft.fallbackAddress = request.fallbackAddr
        draft.timeLockDelta = request.cltvExpiry
        draft.routeHints = try request.routeHints.map { try $0.hopHints.map(RouteHop.init(hint:)) }
        draft.isPrivate = request.private
        let added = try await base.add(draft)
        return .with {
            $0.rHash = Data(added.hash.bytes.bytes)
            $0.paymentRequest = added.paymentRequest
            $0.addIndex = added.addIndex
            $0.paymentAddr = Data(added.secret.bytes)
        }
    }

    func lookupInvoice(
        request: Lnrpc_PaymentHash,
        context: ServerContext
    ) async throws -> Lnrpc_Invoice {
        let record = try await world.call { [node] network throws(LndFault) in
            var hash = Array(request.rHash)
            if !request.rHashStr.isEmpty {
                guard let bytes = Hex.decode(request.rHashStr) else {
                    throw .unknown(hexFault(request.rHashStr))
                }
                hash = bytes
            }
            return try network.lookUpInvoice(hash: hash, on: node)
        }
        return Lnrpc_Invoice(record)
    }

    func listInvoices(
        request: Lnrpc_ListInvoiceRequest,
        context: ServerContext
    ) async throws -> Lnrpc_ListInvoiceResponse {
        var page = PageRequest()
        page.indexOffset = request.indexOffset
        page.maximum = request.numMaxInvoices
        page.isReversed = request.reversed
        page.createdFrom = request.creationDateStart
        page.createdTo = request.creationDateEnd
        let records = try await world.call { [node, page] network throws(LndFault) in
            try network.listInvoices(page, pendingOnly: request.pendingOnly, on: node)
        }
        return .with {
            $0.invoices = records.map(Lnrpc_Invoice.init)
            $0.firstIndexOffset = records.first?.addIndex ?? 0
            $0.lastIndexOffset = records.last?.addIndex ?? 0
        }
    }

    func subscribeInvoices(
        request: Lnrpc_InvoiceSubscription,
        response: RPCWriter<Lnrpc_Invoice>,
        context: ServerContext
    ) async throws {
        try await base.send(to: response, of: context, Lnrpc_Invoice.init) {
            [node] network throws(LndFault) in
            try network.subscribeInvoices(
                addIndex: request.addIndex,
                settleIndex: request.settleIndex,
                on: node
            )
        }
    }
}

extension RouteHop {
    init(hint: Lnrpc_HopHint) throws(LndFault) {
        guard let node = NodeID(hex: hint.nodeID) else {
            throw .unknown("malformed public key: invalid length: \(hint.nodeID.utf8.count / 2)")
        }
        self.init(
            nodeID: node,
            shortChannelID: ShortChannelID(hint.chanID),
            feeBaseMsat: hint.feeBaseMsat,
            feeProportionalMillionths: hint.feeProportionalMillionths,
            cltvExpiryDelta: UInt16(clamping: hint.cltvExpiryDelta)
        )
    }
}
