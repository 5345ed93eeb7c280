import BridgeProtocol
import LightningTypes
package import ZeroMQ

extension WorkerRoom {
    /// Binds both sockets, which ``run()`` does otherwise.
    ///
    /// Safe to repeat.
    ///
    /// - Throws: ``ZeroMQError``, when an endpoint can't be bound.
    package func open() async throws(ZeroMQError) {
        guard sockets == nil else { return }
        var options = SocketOptions()
        // A worker's queue holds its items, a Revoke for each, and some Welcomes: with these
        // marks libzmq never drops one.
        options.sendHighWaterMark = Int32(clamping: 4 * settings.maximumCapacity)
        let perWorker = settings.maximumConnectionsPerWorker
        let events = try await context.xpub(
            binding.events,
            options: options,
            maximumSubscriptions: settings.maximumConnections
        ) { request in
            // Anything but a whole topic would receive other workers' prompts.
            WorkTopic(subscription: request.topic) != nil && request.accepted < perWorker
        }
        options = SocketOptions()
        // What is a little too large is still read, so that its worker learns of it.
        options.maximumFrameBytes = Int64(2 * settings.maximumReplyBytes)
        options.maximumFrames = 1
        let replies = try await context.pull(binding.replies, options: options)
        sockets = Sockets(events: events, replies: replies)
    }

    /// Serves the workers until it is cancelled or a socket fails.
    ///
    /// Orders that have no outcome then are the engine's to give again in its next life. To be
    /// called once.
    ///
    /// - Throws: ``ZeroMQError``; `CancellationError`.
    package func run() async throws {
        do {
            try await open()
            guard let sockets else { return }
            try await withThrowingTaskGroup { group in
                group.addTask { try await self.followSubscriptions(of: sockets.events) }
                group.addTask { try await self.readReplies(from: sockets.replies) }
                group.addTask { try await self.emptyOutbox(into: sockets.events) }
                // Each of them ends only with an error or the room's end.
                try await group.next()
                group.cancelAll()
            }
        } catch {
            await close()
            throw error
        }
        await close()
    }

    private func close() async {
        await finish()
        await sockets?.events.close()
        await sockets?.replies.close()
    }

    // MARK: - Who is there

    private func followSubscriptions(of socket: XPubSocket) async throws {
        while true {
            for event in try await socket.events() { handle(event) }
            settle()
        }
    }

    private func handle(_ event: SubscriptionEvent) {
        switch event {
        case .started(let subscription):
            guard let topic = WorkTopic(subscription: subscription.topic) else { return }
            subscriptions[subscription.id] = subscription
            handle(.connected(subscription.id, topic.worker, key: subscription.sender))
        case .ended(let subscription):
            subscriptions[subscription.id] = nil
            handle(.disconnected(subscription.id))
        case .unclear(let known):
            guard let topic = known.first.flatMap({ WorkTopic(subscription: $0.topic) }) else {
                return
            }
            handle(.unclear(topic.worker))
        }
    }

    // MARK: - What they say

    private func readReplies(from socket: PullSocket) async throws {
        for try await batch in socket.batches {
            for message in batch { read(message) }
            settle()
        }
    }

    // MARK: - What they are told

    private func emptyOutbox(into socket: XPubSocket) async throws {
        for await _ in outboxFilled {
            while !outbox.isEmpty {
                var deliveries = try deliveries(of: outbox)[...]
                outbox = []
                while !deliveries.isEmpty {
                    let done = try await socket.send(deliveries)
                    deliveries = deliveries.dropFirst(done)
                    // A flood of subscriptions is being read first.
                    if !deliveries.isEmpty { await Task.yield() }
                }
            }
        }
    }

    /// What has lost its subscription is left out: the end of that one hands on what it held.
    private func deliveries(of outbox: [Outgoing]) throws -> [Delivery] {
        try outbox.compactMap { outgoing in
            guard let subscription = subscriptions[outgoing.connection] else { return nil }
            return Delivery([try frame(of: outgoing.content)], to: subscription)
        }
    }
}
