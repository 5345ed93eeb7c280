import CZeroMQ
import Glibc
import Synchronization
import Testing
import ZeroMQ

@Suite(.timeLimit(.minutes(10))) struct SubscriptionTests {
    private static let work = Array("work/".utf8)

    /// Exact topics of one letter behind the prefix.
    private static func isExact(_ request: SubscriptionRequest) -> Bool {
        request.topic.count == 6 && request.topic.starts(with: work)
    }

    private static func topic(_ letter: String) -> [UInt8] { Array("work/\(letter)".utf8) }

    @Test func `prefix and empty subscriptions are seen, can be refused, and receive nothing`()
        async throws
    {
        let directory = try BusDirectory()
        defer { directory.remove() }
        let path = directory.file("a")
        let context = try Context()
        let seen = Mutex<[[UInt8]]>([])
        let xpub = try await context.xpub(.ipc(path: path)) { request in
            seen.withLock { $0.append(request.topic) }
            return Self.isExact(request)
        }
        let greedy = try RawPeer(ZMQ_XSUB, connectingTo: xpub.endpoint)
        greedy.send([1])
        greedy.send([1] + Self.work)
        greedy.send([1] + Array("work/aa".utf8))
        // Behind the others on one connection: when it starts, they have been decided on.
        greedy.send([1] + Self.topic("z"))
        let own = try await nextStart(xpub)
        #expect(seen.withLock { $0 } == [[], Self.work, Array("work/aa".utf8), Self.topic("z")])
        #expect(await xpub.counts.refused == 3)

        let worker = try await context.sub(.ipc(path: path), topics: [Self.topic("a")])
        let subscription = try await nextStart(xpub)
        try await xpub.send([Frame("prompt")], to: subscription)
        let received = try await worker.receive()
        #expect(received.map(\.head.bytes) == [subscription.deliveryTopic])
        #expect(received[0].tail.map(\.text) == ["prompt"])
        // What the greedy one gets next is its own, so the prompt did not come to it.
        try await xpub.send([], to: own)
        var first: [UInt8]?
        while first == nil {
            first = greedy.poll()
            await Task.yield()
        }
        #expect(first == own.deliveryTopic)
        await context.shutDown()
    }

    @Test func `two peers on one topic are two subscriptions, each with its own messages`()
        async throws
    {
        let directory = try BusDirectory()
        defer { directory.remove() }
        let path = directory.file("a")
        let context = try Context()
        let xpub = try await context.xpub(.ipc(path: path)) { Self.isExact($0) }
        let first = try await context.sub(.ipc(path: path), topics: [Self.topic("a")])
        let one = try await nextStart(xpub)
        let second = try await context.sub(.ipc(path: path), topics: [Self.topic("a")])
        let two = try await nextStart(xpub)
        #expect(one.topic == two.topic)
        #expect(one.id < two.id)
        try await xpub.send([Frame("2")], to: two)
        try await xpub.send([Frame("1")], to: one)
        #expect(try await first.receive().map(\.tail[0].text) == ["1"])
        #expect(try await second.receive().map(\.tail[0].text) == ["2"])
        // One of them goes: libzmq does not say which.
        await first.close()
        #expect(try await nextEvent(xpub) == .unclear([one, two]))
        try await xpub.send([Frame("who is there?")], to: two)
        #expect(try await second.receive().map(\.tail[0].text) == ["who is there?"])
        await second.close()
        #expect(Set(try await xpub.events().map(\.ended)) == [one, two])
        await context.shutDown()
    }

    @Test func `a policy can allow one subscription a topic`() async throws {
        let directory = try BusDirectory()
        defer { directory.remove() }
        let path = directory.file("a")
        let context = try Context()
        let xpub = try await context.xpub(.ipc(path: path)) { $0.accepted == 0 }
        let first = try await context.sub(.ipc(path: path), topics: [Self.topic("a")])
        let one = try await nextStart(xpub)
        let second = try await context.sub(
            .ipc(path: path),
            topics: [Self.topic("a"), Self.topic("b")]
        )
        #expect(try await nextStart(xpub).topic == Self.topic("b"))
        #expect(await xpub.counts.refused == 1)
        try await xpub.send([Frame("only the first")], to: one)
        #expect(try await first.receive().map(\.tail[0].text) == ["only the first"])
        #expect(second.endpoint == first.endpoint)
        await context.shutDown()
    }

    @Test func `unsubscribing ends the subscription, and nothing can be sent to it`() async throws {
        let directory = try BusDirectory()
        defer { directory.remove() }
        let path = directory.file("a")
        let context = try Context()
        let xpub = try await context.xpub(.ipc(path: path)) { Self.isExact($0) }
        let worker = try await context.sub(.ipc(path: path), topics: [Self.topic("a")])
        let first = try await nextStart(xpub)
        try await worker.unsubscribe(Self.topic("a"))
        #expect(try await nextEvent(xpub) == .ended(first))
        #expect(await code { try await xpub.send([], to: first) } == .unknownPeer)
        try await worker.subscribe(Self.topic("a"))
        let second = try await nextStart(xpub)
        #expect(second.id != first.id)
        try await xpub.send([Frame("again")], to: second)
        #expect(try await worker.receive().map(\.tail[0].text) == ["again"])
        await context.shutDown()
    }

    @Test func `a batch goes to each of its subscriptions and leaves out those that ended`()
        async throws
    {
        let directory = try BusDirectory()
        defer { directory.remove() }
        let path = directory.file("a")
        let context = try Context()
        let xpub = try await context.xpub(.ipc(path: path)) { Self.isExact($0) }
        let gone = try await context.sub(.ipc(path: path), topics: [Self.topic("a")])
        let ended = try await nextStart(xpub)
        let worker = try await context.sub(.ipc(path: path), topics: [Self.topic("b")])
        let live = try await nextStart(xpub)
        await gone.close()
        #expect(try await nextEvent(xpub) == .ended(ended))
        let batch = [
            Delivery([Frame("1")], to: live), Delivery([Frame("-")], to: ended),
            Delivery([Frame("2")], to: live),
        ]
        #expect(try await xpub.send(batch[...]) == 3)
        #expect(try await collect(2, from: worker).map(\.tail[0].text) == ["1", "2"])
        await context.shutDown()
    }

    @Test func `a subscription tells the process it came from`() async throws {
        let directory = try BusDirectory()
        defer { directory.remove() }
        let path = directory.file("a")
        let context = try Context()
        let xpub = try await context.xpub(.ipc(path: path)) { _ in true }
        let sub = try await context.sub(.ipc(path: path), topics: [[7]])
        let subscription = try await nextStart(xpub)
        #expect(subscription.peerAddress == "localhost:\(getuid()):\(getgid()):\(getpid())")
        #expect(subscription.sender == nil)
        await sub.close()
        await context.shutDown()
    }

    @Test func `a message from a subscriber is counted and misdirects nobody's work`() async throws
    {
        let directory = try BusDirectory()
        defer { directory.remove() }
        let path = directory.file("a")
        let context = try Context()
        let xpub = try await context.xpub(.ipc(path: path)) { _ in true }
        let talker = try RawPeer(ZMQ_XSUB, connectingTo: xpub.endpoint)
        talker.send([2, 3])
        talker.send([])
        talker.send([9], more: true)
        talker.send([9])
        while await xpub.counts.strayMessages < 4 { await Task.yield() }
        // The queue was read dry since: requests are attributed again.
        let worker = try await context.sub(.ipc(path: path), topics: [Self.topic("a")])
        let subscription = try await nextStart(xpub)
        try await xpub.send([Frame("mine")], to: subscription)
        #expect(try await worker.receive().map(\.tail[0].text) == ["mine"])
        #expect(talker.poll() == nil)
        await context.shutDown()
    }

    @Test func `a cancelled wait for events loses none`() async throws {
        let directory = try BusDirectory()
        defer { directory.remove() }
        let path = directory.file("a")
        let context = try Context()
        let xpub = try await context.xpub(.ipc(path: path)) { _ in true }
        let task = Task { try await xpub.events() }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        let sub = try await context.sub(.ipc(path: path), topics: [[7]])
        #expect(try await nextStart(xpub).topic == [7])
        await sub.close()
        await context.shutDown()
    }

    @Test func `no more subscriptions than the limit are accepted`() async throws {
        let directory = try BusDirectory()
        defer { directory.remove() }
        let path = directory.file("a")
        let context = try Context()
        let xpub = try await context.xpub(.ipc(path: path), maximumSubscriptions: 2) { _ in true }
        let sub = try await context.sub(.ipc(path: path), topics: [[1], [2], [3]])
        var started = 0
        while await xpub.counts.refused < 1 { await Task.yield() }
        while started < 2 { started += try await xpub.events().count }
        #expect(started == 2)
        await sub.close()
        await context.shutDown()
    }
}

extension SubscriptionEvent {
    /// The subscription that ended, if one did.
    fileprivate var ended: Subscription? {
        if case .ended(let subscription) = self { subscription } else { nil }
    }
}
