import BOLT11
import FoundationEssentials
import GRPCCore
import LightningTypes
import LndRPC
import SwiftProtobuf

/// `invoicesrpc.Invoices` of one node.
struct InvoicesService: Invoicesrpc_Invoices.SimpleServiceProtocol {
    private let base: NodeServices

    init(at base: NodeServices) { self.base = base }

    func cancelInvoice(
        request: Invoicesrpc_CancelInvoiceMsg,
        context: ServerContext
    ) async throws -> Invoicesrpc_CancelInvoiceResp {
        try await base.world.call { [node = base.node] network throws(LndFault) in
            try network.cancelInvoice(hash: Array(request.paymentHash), on: node)
        }
        return Invoicesrpc_CancelInvoiceResp()
    }

    func subscribeSingleInvoice(
        request: Invoicesrpc_SubscribeSingleInvoiceRequest,
        response: RPCWriter<Lnrpc_Invoice>,
        context: ServerContext
    ) async throws {
        try await base.send(to: response, of: context, Lnrpc_Invoice.init) {
            [node = base.node] network throws(LndFault) in
            try network.subscribeSingleInvoice(hash: Array(request.rHash), on: node)
        }
    }

    func lookupInvoiceV2(
        request: Invoicesrpc_LookupInvoiceMsg,
        context: ServerContext
    ) async throws -> Lnrpc_Invoice {
        let record = try await base.world.call { [node = base.node] network throws(LndFault) in
            switch request.invoiceRef {
            case .paymentHash(let hash):
                return try network.lookUpInvoice(hash: Array(hash), on: node)
            case .paymentAddr(let secret):
                return try network.lookUpInvoice(secret: Array(secret), on: node)
            case .setID: throw .notFound("unable to locate invoice")
            case nil: throw .invalidArgument("invoice ref must be set")
            }
        }
        return Lnrpc_Invoice(record)
    }

    func addHoldInvoice(
        request: Invoicesrpc_AddHoldInvoiceRequest,
        context: ServerContext
    ) async throws -> Invoicesrpc_AddHoldInvoiceResp {
        var draft = InvoiceDraft()
        draft.memo = request.memo
        draft.secret = .hash(Array(request.hash))
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
            $0.paymentRequest = added.paymentRequest
            $0.addIndex = added.addIndex
            $0.paymentAddr = Data(added.secret.bytes)
        }
    }

    func settleInvoice(
        request: Invoicesrpc_SettleInvoiceMsg,
        context: ServerContext
    ) async throws -> Invoicesrpc_SettleInvoiceResp {
        try await base.world.call { [node = base.node] network throws(LndFault) in
            try network.settleInvoice(preimage: Array(request.preimage), on: node)
        }
        return Invoicesrpc_SettleInvoiceResp()
    }
}
