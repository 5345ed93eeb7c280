import Journal
import LightningTypes
import LndRPC
import Logging

extension LndSession {
    /// What one child task does.
    enum Work: Sendable {
        /// Something happened to the connection; no task, but in order with the others.
        case happened(LndLink.Event, life: UInt64)
        /// What the connection wants done.
        case link(LndLink.Effect, life: UInt64)
        /// Send our manifest.
        case sendManifest(NodeID)
        /// Tell a peer that its request was refused.
        case sendRefusal(InboundMessage)
        /// Ask lnd to disconnect a peer.
        case disconnect(NodeID)
        /// Wait for provider workers to name their tasks, but not for ever.
        case awaitOffers
    }

    /// Does one piece of work, in a task of its own.
    func perform(_ work: Work) async throws {
        switch work {
        case .happened: break
        case .link(let effect, let life): try await perform(effect, of: life)
        case .awaitOffers:
            try? await Task.sleep(for: settings.offersPatience)
            for peer in desk.stopHolding() { begin(.sendManifest(peer)) }
        case .sendManifest(let peer):
            await sendManifest(to: peer)
            ownWork -= 1
        case .sendRefusal(let message):
            await sendRefusal(of: message)
            ownWork -= 1
        case .disconnect(let peer):
            await disconnectUnknown(peer)
            ownWork -= 1
        }
    }

    /// Tells the connection what happened and sets its effects going.
    func happened(_ event: LndLink.Event, of life: UInt64) {
        let before = link.status
        if case .ended = event { counts.count(.streamEnded) }
        let effects = link.handle(event, of: life, jitter: .random(in: 0..<1))
        // A wait's reason too: it is what the operator has to act on.
        if link.status != before {
            logger.info(
                "lnd link",
                metadata: [
                    "lnd.state": "\(link.status.name)", "lnd.detail": "\(link.status.detail)",
                ]
            )
        }
        for effect in effects {
            if case .tell(let news) = effect {
                tell(news)
            } else {
                works.yield(.link(effect, life: link.life))
            }
        }
    }

    private func tell(_ news: LndLink.News) {
        switch news {
        case .ready(let node): queue.post(.ready(node))
        case .lost(let error):
            counts.count(.lost)
            queue.post(.lost(error))
        case .messagesReopened: queue.post(.messagesReopened)
        case .invoicesReopened: queue.post(.invoicesReopened)
        }
    }

    private func perform(_ effect: LndLink.Effect, of life: UInt64) async throws {
        switch effect {
        case .tell: break
        case .await(let pause): try await awaitLnd(after: pause, life)
        case .introduce: try await introduce(life)
        case .open(let stream): await follow(stream, life)
        case .rest(let stream, let pause):
            try await Task.sleep(for: pause)
            happened(.rested(stream), of: life)
        case .look(let pause):
            try await Task.sleep(for: pause)
            guard life == link.life else { return }
            do throws(LndError) {
                try await look()
                happened(.looked, of: life)
            } catch {
                happened(.notLooked(error), of: life)
            }
        }
    }

    private func awaitLnd(after pause: Duration, _ life: UInt64) async throws {
        try await Task.sleep(for: pause)
        try await lnd.waitUntilReady { [works] phase in
            works.yield(.happened(.phase(phase), life: life))
        }
        works.yield(.happened(.answering, life: life))
    }

    private func introduce(_ life: UInt64) async throws {
        let node: NodeInfo
        do throws(LndError) {
            node = try await lnd.getInfo()
        } catch {
            happened(.notIntroduced(error), of: life)
            return
        }
        try await confirm(node)
        happened(.introduced(node), of: life)
    }

    /// Reads one subscription to its end.
    private func follow(_ stream: LndLink.Stream, _ life: UInt64) async {
        lively.remove(stream)
        let begin = ContinuousClock.now
        let opened: @Sendable () -> Void = { [works] in
            works.yield(.happened(.opened(stream), life: life))
        }
        var failure: LndError?
        do {
            switch stream {
            case .messages:
                try await lnd.subscribeCustomMessages(opened: opened) { messages in
                    for try await message in messages { await self.received(message) }
                }
            case .peers:
                try await lnd.subscribePeerEvents(opened: opened) { events in
                    for try await event in events { await self.received(event) }
                }
            case .invoices:
                try await lnd.subscribeInvoices(opened: opened) { invoices in
                    for try await invoice in invoices { await self.received(invoice) }
                }
            }
        } catch {
            failure =
                error as? LndError ?? LndError(.cancelled, "\(stream.rawValue): cancelled")
        }
        let lasted = begin.duration(to: .now) >= settings.steadyAfter
        let wasGood = lasted || lively.contains(stream)
        // Behind `opened`, which comes by the same way.
        works.yield(.happened(.ended(stream, failure, wasGood: wasGood), life: life))
    }

    /// Takes a look although nothing seems to have changed: nobody tells of new channels.
    func lookNowAndThen() async throws {
        while true {
            try await Task.sleep(for: settings.lookInterval)
            happened(.doubted, of: link.life)
        }
    }
}
