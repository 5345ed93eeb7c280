import GRPCCore
import LightningTypes
import LndRPC

/// `routerrpc.Router` of one node.
struct RouterService: Routerrpc_Router.SimpleServiceProtocol {
    private let base: NodeServices

    init(at base: NodeServices) { self.base = base }

    func sendPaymentV2(
        request: Routerrpc_SendPaymentRequest,
        response: RPCWriter<Lnrpc_Payment>,
        context: ServerContext
    ) async throws {
        guard !request.amp else {
            throw LndFault(code: 12, text: "the simulation has no AMP payments")
        }
        var draft = PaymentDraft()
        draft.paymentRequest = request.paymentRequest
        draft.destination = Array(request.dest)
        draft.hash = Array(request.paymentHash)
        draft.secret = Array(request.paymentAddr)
        draft.finalTimeLockDelta = request.finalCltvDelta
        draft.amountSat = request.amt
        draft.amountMsat = request.amtMsat
        draft.feeLimitSat = request.feeLimitSat
        draft.feeLimitMsat = request.feeLimitMsat
        draft.timeoutSeconds = request.timeoutSeconds
        draft.timeLockLimit = request.cltvLimit
        draft.outgoingChannels = request.outgoingChanIds
        draft.lastHop = Array(request.lastHopPubkey)
        draft.maximumParts = request.maxParts
        draft.maximumShardMsat = request.maxShardSizeMsat
        draft.allowsSelfPayment = request.allowSelfPayment
        draft.destinationFeatures = request.destFeatures.map { UInt32($0.rawValue) }
        draft.isCancelable = request.cancelable

        // Reading the invoice costs a signature check, which needs no network.
        let (record, time) = await (base.world.record(of: base.node), base.world.time)
        let terms = try draft.terms(payer: record, now: time)
        try await base.send(to: response, of: context, Lnrpc_Payment.init) {
            [node = base.node] network throws(LndFault) in
            try network.sendPayment(terms, terminalOnly: request.noInflightUpdates, on: node)
        }
    }

    func trackPaymentV2(
        request: Routerrpc_TrackPaymentRequest,
        response: RPCWriter<Lnrpc_Payment>,
        context: ServerContext
    ) async throws {
        try await base.send(to: response, of: context, Lnrpc_Payment.init) {
            [node = base.node] network throws(LndFault) in
            try network.trackPayment(
                hash: Array(request.paymentHash),
                terminalOnly: request.noInflightUpdates,
                on: node
            )
        }
    }
}
