import FoundationEssentials
import LightningTypes
import LndRPC
import SwiftProtobuf

extension Lnrpc_Payment {
    init?(_ delivery: Delivery) {
        guard case .payment(let record) = delivery else { return nil }
        self.init(record)
    }

    init(_ record: PaymentRecord) {
        let (terms, progress) = (record.terms, record.progress)
        self.init()
        paymentHash = terms.hash.hex
        value = Int64(terms.valueMsat / 1000)
        valueSat = value
        valueMsat = Int64(terms.valueMsat)
        feeMsat = Int64(record.feeMsat)
        feeSat = feeMsat / 1000
        fee = feeSat
        creationDate = Int64(record.created.unix.seconds)
        creationTimeNs = Int64(clamping: record.created.nanoseconds)
        // 64 zeros until an HTLC is settled.
        let preimage = progress.preimage?.secret.reveal("lnd shows it to whoever paid") ?? .zero
        paymentPreimage = preimage.hex
        paymentRequest = terms.paymentRequest
        paymentIndex = record.index
        status = PaymentStatus(rawValue: Int(progress.status.rawValue)) ?? .unknown
        failureReason =
            Lnrpc_PaymentFailureReason(rawValue: Int(progress.failureReason.rawValue))
            ?? .failureReasonError
        htlcs = progress.attempts.map { Lnrpc_HTLCAttempt($0, of: record) }
    }
}

extension Lnrpc_HTLCAttempt {
    init(_ attempt: HTLCAttempt, of record: PaymentRecord) {
        self.init()
        attemptID = attempt.id
        attemptTimeNs = Int64(clamping: attempt.started.nanoseconds)
        resolveTimeNs = Int64(clamping: attempt.resolved?.nanoseconds ?? 0)
        route = Lnrpc_Route(attempt.route, of: record)
        switch attempt.status {
        case .inFlight: status = .inFlight
        case .succeeded:
            status = .succeeded
            preimage = Data(
                record.progress.preimage?.secret.reveal("lnd shows it to whoever paid").bytes ?? []
            )
        case .failed(let code, let sourceIndex, let height):
            status = .failed
            failure = .with {
                $0.code = .init(rawValue: Int(code.rawValue)) ?? .unknownFailure
                $0.failureSourceIndex = sourceIndex
                $0.height = height
            }
        }
    }
}

extension Lnrpc_Route {
    init(_ route: Route, of record: PaymentRecord) {
        self.init()
        totalTimeLock = route.totalTimeLock
        totalFeesMsat = Int64(route.feesMsat)
        totalFees = totalFeesMsat / 1000
        totalAmtMsat = Int64(route.amountMsat + route.feesMsat)
        totalAmt = totalAmtMsat / 1000
        firstHopAmountMsat = totalAmtMsat
        hops = route.hops.map { hop in
            .with {
                $0.chanID = hop.channel
                $0.amtToForwardMsat = Int64(hop.forwardMsat)
                $0.amtToForward = Int64(hop.forwardMsat / 1000)
                $0.feeMsat = Int64(hop.feeMsat)
                $0.fee = Int64(hop.feeMsat / 1000)
                $0.expiry = hop.expiry
                $0.pubKey = hop.node.hex
                $0.tlvPayload = true
            }
        }
        if let secret = record.terms.secret, !hops.isEmpty {
            hops[hops.count - 1].mppRecord = .with {
                $0.totalAmtMsat = Int64(record.terms.valueMsat)
                $0.paymentAddr = Data(secret.bytes)
            }
        }
    }
}
