import CrashPoints
import LCPWire
import LightningTypes
import LndRPC
import Logging

extension LndSession {
    /// Takes a message from lnd's stream; never waits.
    func received(_ message: PeerMessage) {
        lively.insert(.messages)
        feed(
            FeedRecord(
                peer: message.peer,
                isOutbound: false,
                type: message.type,
                payload: message.data
            )
        )
        if let news = directory.heard(message.peer) {
            took([news])
            // The message may have been on its way when the peer went.
            happened(.doubted, of: link.life)
        }
        let questions = MessageGate.Questions(
            isPaid: isPaid,
            hasRoom: { [queue] in queue.hasRoom(for: $0, isPaid: $1) }
        )
        switch gate.judge(message, at: now(), instant: .now, questions) {
        case .take(let inbound, let isPaid): hand(inbound, isPaid: isPaid)
        case .manifest: receivedManifest(message.data, from: message.peer)
        case .drop(let counter): counts.count(counter)
        case .refuse(let counter, let inbound):
            counts.count(counter)
            begin(.sendRefusal(inbound))
        case .disconnect:
            counts.count(.unknownEven)
            begin(.disconnect(message.peer))
        }
    }

    /// Takes an invoice from lnd's stream; never waits.
    func received(_ invoice: Invoice) {
        lively.insert(.invoices)
        // An open one is no news to whoever ordered it.
        guard invoice.state != .open else { return }
        if !queue.post(.invoice(invoice)) { counts.count(.invoiceOverflow) }
    }

    private func hand(_ message: InboundMessage, isPaid: Bool) {
        guard queue.offer(message, isPaid: isPaid) else {
            // Only at the end of the session: the gate has asked for room.
            gate.replay.forget(message.replayEntry)
            counts.count(.queueFull)
            return
        }
        counts.count(.received)
    }

    /// Begins work of the session's own, unless too much is under way.
    func begin(_ work: Work) {
        guard ownWork < settings.ownSends else {
            counts.count(.ownSendDropped)
            if case .sendManifest(let peer) = work { desk.notSent(to: peer) }
            return
        }
        ownWork += 1
        works.yield(work)
    }

    // MARK: Sending

    /// Sends a message once; returns when lnd has written it to the peer's socket.
    ///
    /// Whether anybody read it stays unknown. Messages of one peer and job go out in the order of
    /// the calls; others may overtake.
    ///
    /// - Parameter message: The message with its envelope.
    /// - Throws: ``SendError``.
    package func send(_ message: OutboundMessage) async throws(SendError) {
        do {
            try await transmit(message)
            counts.count(.sent)
        } catch {
            counts.count(.sendFailed)
            throw error
        }
    }

    private func transmit(_ message: OutboundMessage) async throws(SendError) {
        try check(message)
        switch lanes.enter(message.peer, message.jobID) {
        case .go: break
        case .wait(let ticket):
            // Ends in any case: each call before has a deadline.
            await withCheckedContinuation { turns[ticket] = $0 }
        case .full:
            throw .lnd(LndError(.notReached, "SendCustomMessage: too much waits for this peer"))
        }
        defer {
            for turn in lanes.leave(message.peer, message.jobID) {
                turns.removeValue(forKey: turn)?.resume()
            }
        }
        if Task.isCancelled { throw .lnd(LndError(.cancelled, "SendCustomMessage: cancelled")) }
        // Things may have changed while it waited.
        try check(message)
        if message.type == V01.MessageType.quoteRequest.rawValue, desk.willBuy(from: message.peer) {
            do throws(SendError) {
                try await write(manifest(for: message.peer))
            } catch {
                desk.willNotBuy(from: message.peer)
                throw error
            }
            counts.count(.sent)
            counts.count(.manifestSent)
        }
        try await write(message)
    }

    private func write(_ message: OutboundMessage) async throws(SendError) {
        do throws(LndError) {
            try await lnd.sendCustomMessage(
                PeerMessage(peer: message.peer, type: message.type, data: message.payload)
            )
        } catch {
            switch error.code {
            case .peerNotConnected:
                happened(.doubted, of: link.life)
                throw .peerNotConnected
            case .peerDisconnected:
                happened(.doubted, of: link.life)
                throw .lnd(error)
            default: throw .lnd(error)
            }
        }
        feed(
            FeedRecord(
                peer: message.peer,
                isOutbound: true,
                type: message.type,
                payload: message.payload
            )
        )
    }

    private func check(_ message: OutboundMessage) throws(SendError) {
        guard link.isReady else {
            throw .lnd(LndError(.notReached, "SendCustomMessage: \(link.status.name)"))
        }
        guard directory.isConnected(message.peer) else { throw .peerNotConnected }
        // One byte above 65533 and lnd drops the peer.
        // LCP v0.1 §5.1 [payload-limit]
        let said = desk.maxPayloadBytes(of: message.peer).map { Int($0) }
        let limit = min(said ?? .max, PeerMessage.maximumDataLength)
        guard message.payload.count <= limit else { throw .tooLarge(limit: limit) }
    }

    // MARK: Refusing

    /// Tells a peer that its quote request is above a limit: `lcp_error` rate_limited.
    ///
    /// Once a second for each peer at most; otherwise nothing is said. For limits of the engine's
    /// own; the session's are answered already. The message may come again.
    ///
    /// - Parameter message: The quote request.
    package func refuse(_ message: InboundMessage) {
        gate.replay.forget(message.replayEntry)
        guard gate.maySayRefused(to: message.peer, at: .now) else { return }
        begin(.sendRefusal(message))
    }

    /// Forgets that a message came, since nothing was committed for it; it may come again.
    ///
    /// - Parameter message: The message.
    package func forget(_ message: InboundMessage) {
        gate.replay.forget(message.replayEntry)
    }

    func sendRefusal(of message: InboundMessage) async {
        let envelope = V01.Envelope(
            jobID: JobID(message.jobID),
            messageID: MessageID(.random()),
            expiry: message.effectiveExpiry
        )
        let failure = V01.Failure(code: .rateLimited, message: nil)
        guard let payload = try? V01.Message.error(envelope, failure).encoded() else { return }
        let refusal = OutboundMessage(
            peer: message.peer,
            type: V01.MessageType.error.rawValue,
            jobID: message.jobID,
            payload: payload
        )
        // What is lost here, the peer finds out by its own deadline.
        CrashPoint.beforeRefuse.reach()
        if (try? await send(refusal)) != nil { counts.count(.refused) }
        CrashPoint.afterRefuse.reach()
    }

    func disconnectUnknown(_ peer: NodeID) async {
        do throws(LndError) {
            try await lnd.disconnectPeer(peer)
            counts.count(.disconnected)
            logger.notice(
                "peer disconnected for a message of an unknown even type",
                metadata: ["peer.node_id": "\(peer)"]
            )
        } catch {
            // lnd keeps peers with channels; it has been counted as unknown_even.
            logger.debug("peer not disconnected", metadata: ["lnd.error": "\(error)"])
        }
    }
}

extension Bytes32 {
    /// 32 bytes from the system's random source.
    static func random() -> Bytes32 {
        var generator = SystemRandomNumberGenerator()
        // By words, since the system is asked for each; exactly 32 bytes are made.
        let words = (0..<4).map { _ in generator.next() as UInt64 }
        return Bytes32(words.withUnsafeBytes { Array($0) }) ?? .zero
    }
}
