import BOLT11
import BridgeProtocol
import BusAddresses
import CrashPoints
import Foundation
import GRPCNGHTTP2
import Journal
import LightningTypes
import LndRPC
import Logging
import ServiceLifecycle
import ServiceNotify
import SwiftProtobuf
import ZeroMQ

// What happens outside, and where it goes.
extension RunningBridge {
    func followSession() async throws {
        var wasReady = false
        for await event in session.events {
            switch event {
            case .ready(let node):
                logger.info(
                    "lnd is ready",
                    metadata: ["lnd.node_id": "\(node.nodeID)", "lnd.network": "\(node.network)"]
                )
                nodes.continuation.yield(node.nodeID)
                for room in rooms.values { await room.announceNode() }
                loop.inputs.put(.unblocked(nil))
                await payments.resume()
                await invoices.reconcile()
                // After a start the jobs have been told already.
                if wasReady { try await askAgain(nil) }
                wasReady = true
            case .lost(let error):
                logger.warning("lnd is away", metadata: ["error": "\(error)"])
            case .message(let message): await deliver(message)
            case .messagesReopened: try await askAgain(nil)
            case .invoice(let invoice): await invoices.observe(invoice)
            case .invoicesReopened: await invoices.reconcile()
            case .peerOnline(let peer):
                loop.inputs.put(.unblocked(peer))
                try await askAgain(peer)
                await tell(peer)
            case .peerOffline(let peer): await tell(peer)
            }
        }
    }

    /// Tells a message to its job: errors go to the requester's, cancels to the provider's.
    func deliver(_ message: InboundMessage) async {
        let inbound = JobMessage(message)
        switch message.type {
        case 42_083, 42_095:
            let key = JobKey(role: .provider, peer: message.peer, id: message.jobID)
            loop.inputs.put(.message(inbound, key))
        default:
            var key = await loop.requesterJob(peer: message.peer, jobID: message.jobID)
            if key == nil {
                // A read that fails loses a message, and the peer is asked again.
                key = try? await journal.job(withWireID: message.jobID, from: message.peer)
            }
            guard let key else { return await session.countUnknownJob() }
            loop.inputs.put(.message(inbound, key))
        }
    }

    /// The requester's jobs of a peer, or of all, may have missed something.
    func askAgain(_ peer: NodeID?) async throws {
        var place: Int64?
        let stages: [BusJobStage] = [.quoting, .paying, .running, .unanswered]
        while true {
            let page = try await journal.jobs(
                JobFilter(
                    role: .requester,
                    peer: peer,
                    stages: Set(stages.map { UInt8(clamping: $0.rawValue) }),
                    onlyOpen: true
                ),
                before: place,
                limit: 1_000
            )
            loop.inputs.put(page.map { .peerReturned($0.key) })
            guard page.count == 1_000, let last = page.last else { return }
            place = last.place
        }
    }

    func publishSettlement(_ job: JobKey, _ hash: PaymentHash, _ paid: MilliSatoshi) {
        feeds.publish(
            .with { event in
                event.settlement = .with {
                    $0.job = job.bus
                    $0.paymentHash = Data(hash.bytes.bytes)
                    $0.amountMsat = paid.msat
                }
            }
        )
    }

    func tell(_ peer: NodeID) async {
        guard let known = await session.peer(peer) else { return }
        feeds.publish(.with { $0.peer = known })
    }

    func followPayments() async {
        for await outcome in payments.outcomes {
            switch outcome.result {
            case .inFlight:
                loop.inputs.put(.paymentInFlight(outcome.job, outcome.hash))
            case .succeeded(let preimage, let fee):
                CrashPoint.afterPay.reach()
                loop.inputs.put(
                    .paymentSucceeded(outcome.job, outcome.hash, preimage, fee: fee)
                )
                publish(outcome, succeeded: true, fee: fee, nil)
            case .notIntended:
                loop.inputs.put(.paymentFailed(outcome.job, outcome.hash, .withdrawn, nil))
            case .failed(let cause, let failure):
                let point = cause == .withdrawn ? CrashPoint.afterWithdrawPayment : .afterPay
                point.reach()
                loop.inputs.put(.paymentFailed(outcome.job, outcome.hash, cause, failure))
                publish(outcome, succeeded: false, fee: .zero, failure)
            }
        }
    }

    func publish(
        _ outcome: PaymentOutcome,
        succeeded: Bool,
        fee: MilliSatoshi,
        _ failure: BusFailure?
    ) {
        feeds.publish(
            .with { event in
                event.payment = .with {
                    $0.job = outcome.job.bus
                    $0.paymentHash = Data(outcome.hash.bytes.bytes)
                    $0.succeeded = succeeded
                    $0.amountMsat = outcome.amount.msat
                    $0.feeMsat = fee.msat
                    if let failure { $0.failure = failure }
                }
            }
        )
    }

    func followInvoices() async {
        for await outcome in invoices.outcomes {
            switch outcome.result {
            case .created(let added, let terms):
                guard let effect = outcome.effect else { continue }
                loop.inputs.put(
                    .invoiceCreated(
                        outcome.job,
                        effect: effect,
                        terms,
                        paymentRequest: added.paymentRequest
                    )
                )
            case .refused(let failure):
                guard let effect = outcome.effect else { continue }
                loop.inputs.put(.invoiceRefused(outcome.job, effect: effect, failure))
            case .settled(let hash, let amount):
                loop.inputs.put(.invoiceSettled(outcome.job, hash, paid: amount))
                publishSettlement(outcome.job, hash, amount)
            case .notOurs(let hash): loop.inputs.put(.invoiceForeign(outcome.job, hash))
            case .cancelled(let hash): loop.inputs.put(.invoiceCancelled(outcome.job, hash))
            }
        }
    }

    func followRoom(_ room: WorkerRoom) async {
        for await outcomes in room.outcomes {
            loop.inputs.put(
                outcomes.map { outcome in
                    switch outcome {
                    case .step(let order, let reply): .stepped(order: order, reply)
                    case .computed(let order, let reply): .computed(order: order, reply)
                    case .failed(let order, let failure): .gaveUp(order: order, failure)
                    }
                }
            )
        }
    }

    /// What live provider workers sell is what peers are told.
    func followOffers() async {
        guard let providers = rooms[.provider] else { return }
        for await offers in providers.capabilityChanges { await session.advertise(offers) }
    }
}

extension JobMessage {
    fileprivate init(_ message: InboundMessage) {
        self.init(
            peer: message.peer,
            type: message.type,
            protocolVersion: message.protocolVersion,
            jobID: message.jobID,
            messageID: message.messageID,
            expiresAt: message.effectiveExpiry,
            payload: message.payload
        )
    }
}

extension InboundMessage {
    /// The message as the session gave it, for an answer to it.
    init(_ message: JobMessage) {
        self.init(
            peer: message.peer,
            type: message.type,
            protocolVersion: message.protocolVersion,
            jobID: message.jobID,
            messageID: message.messageID,
            effectiveExpiry: message.expiresAt,
            payload: message.payload,
            replayQuota: .max
        )
    }
}

extension BusFeedMessage {
    init(_ record: FeedRecord) {
        self = .with {
            $0.peer = Data(record.peer.bytes)
            $0.outbound = record.isOutbound
            $0.type = UInt32(record.type)
            $0.payload = Data(record.payload)
        }
    }
}
