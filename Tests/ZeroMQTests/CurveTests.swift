import CZeroMQ
import Synchronization
import Testing
import ZeroMQ

@Suite(.timeLimit(.minutes(10))) struct CurveTests {
    /// The port of a bound tcp endpoint.
    private func port(_ endpoint: String) throws -> UInt16 {
        try #require(endpoint.split(separator: ":").last.flatMap { UInt16($0) })
    }

    @Test func `an admitted key gets in, and every message tells whose it is`() async throws {
        let context = try Context()
        let server = try CurveKeyPair()
        let alice = try CurveKeyPair()
        let bob = try CurveKeyPair()
        let admitted: Set = [alice.publicKey, bob.publicKey]
        let pull = try await context.pull(
            .tcp(
                host: "127.0.0.1",
                port: 0,
                CurveServer(keys: server, admits: admitted.contains)
            )
        )
        let port = try port(pull.endpoint)
        for keys in [alice, bob] {
            let client = CurveClient(keys: keys, serverKey: server.publicKey)
            let push = try await context.push(.tcp(host: "127.0.0.1", port: port, client))
            try await push.send([Message(Frame("1")), Message(Frame("2"), Frame("3"))])
            let messages = try await collect(2, from: pull)
            #expect(messages.map(\.sender) == [keys.publicKey, keys.publicKey])
            await push.close()
        }
        await context.shutDown()
    }

    @Test func `a key that is not admitted, a wrong server key and no key do not get in`()
        async throws
    {
        let context = try Context()
        let server = try CurveKeyPair()
        let stranger = try CurveKeyPair()
        let friend = try CurveKeyPair()
        let asked = Mutex<Set<CurvePublicKey>>([])
        let friendKey = friend.publicKey
        let pull = try await context.pull(
            .tcp(
                host: "127.0.0.1",
                port: 0,
                CurveServer(keys: server) { key in
                    asked.withLock { _ = $0.insert(key) }
                    return key == friendKey
                }
            )
        )
        let port = try port(pull.endpoint)
        let denied = try await context.push(
            .tcp(host: "127.0.0.1", port: port, .init(keys: stranger, serverKey: server.publicKey))
        )
        let misled = try await context.push(
            .tcp(host: "127.0.0.1", port: port, .init(keys: friend, serverKey: stranger.publicKey))
        )
        let naked = try RawPeer(ZMQ_DEALER, connectingTo: "tcp://127.0.0.1:\(port)")
        naked.send(Array("no key".utf8))
        let sends = [denied, misled].map { push in
            Task { try await push.send(Message(Frame("not let in"))) }
        }
        while !asked.withLock({ $0.contains(stranger.publicKey) }) { await Task.yield() }

        let push = try await context.push(
            .tcp(host: "127.0.0.1", port: port, .init(keys: friend, serverKey: server.publicKey))
        )
        try await push.send(Message(Frame("let in")))
        #expect(try await pull.receive().map(\.head.text) == ["let in"])
        for send in sends {
            send.cancel()
            await #expect(throws: CancellationError.self) { try await send.value }
        }
        #expect(asked.withLock { $0 } == [stranger.publicKey, friend.publicKey])
        await context.shutDown()
    }

    @Test func `a key admitted to one endpoint is not admitted to another`() async throws {
        let context = try Context()
        let server = try CurveKeyPair()
        let client = try CurveKeyPair()
        let refusals = Mutex(0)
        let open = try await context.pull(
            .tcp(host: "127.0.0.1", port: 0, CurveServer(keys: server) { _ in true })
        )
        let shut = try await context.pull(
            .tcp(
                host: "127.0.0.1",
                port: 0,
                CurveServer(keys: server) { _ in
                    refusals.withLock { $0 += 1 }
                    return false
                }
            )
        )
        let curve = CurveClient(keys: client, serverKey: server.publicKey)
        let refused = try await context.push(
            .tcp(host: "127.0.0.1", port: try port(shut.endpoint), curve)
        )
        let admitted = try await context.push(
            .tcp(host: "127.0.0.1", port: try port(open.endpoint), curve)
        )
        try await admitted.send(Message(Frame("x")))
        #expect(try await open.receive().count == 1)
        while refusals.withLock({ $0 }) == 0 { await Task.yield() }
        #expect(
            await code { try await refused.send(Message(Frame("x")), whenFull: .fail) } == .full
        )
        await context.shutDown()
    }

    @Test func `one socket serves this machine without keys and others with theirs alone`()
        async throws
    {
        let directory = try BusDirectory()
        defer { directory.remove() }
        let context = try Context()
        let (server, friend, stranger) = (
            try CurveKeyPair(), try CurveKeyPair(), try CurveKeyPair()
        )
        let friendKey = friend.publicKey
        let asked = Mutex<Set<CurvePublicKey>>([])
        let curve = CurveServer(keys: server) { key in
            asked.withLock { _ = $0.insert(key) }
            return key == friendKey
        }
        let pull = try await context.pull(
            .ipcAndTCP(path: directory.file("a"), host: "127.0.0.1", port: 0, curve)
        )
        let xpub = try await context.xpub(
            .ipcAndTCP(path: directory.file("b"), host: "127.0.0.1", port: 0, curve)
        ) { _ in true }
        let port = try port(pull.endpoint)
        let local = try await context.push(.ipc(path: directory.file("a")))
        let remote = try await context.push(
            .tcp(host: "127.0.0.1", port: port, .init(keys: friend, serverKey: server.publicKey))
        )
        let denied = try await context.push(
            .tcp(host: "127.0.0.1", port: port, .init(keys: stranger, serverKey: server.publicKey))
        )
        let naked = try RawPeer(ZMQ_PUSH, connectingTo: "tcp://127.0.0.1:\(port)")
        naked.send(Array("no key".utf8))
        try await local.send(Message(Frame("local")))
        try await remote.send(Message(Frame("remote")))
        while !asked.withLock({ $0.contains(stranger.publicKey) }) { await Task.yield() }
        let messages = try await collect(2, from: pull)
        #expect(
            Set(messages.map { "\($0.head.text ?? "") \($0.sender?.description ?? "nobody")" })
                == ["local nobody", "remote \(friendKey)"]
        )
        #expect(
            await code { try await denied.send(Message(Frame("x")), whenFull: .fail) } == .full
        )

        let near = try await context.sub(.ipc(path: directory.file("b")), topics: [[1]])
        #expect(try await nextStart(xpub).sender == nil)
        let far = try await context.sub(
            .tcp(
                host: "127.0.0.1",
                port: try self.port(xpub.endpoint),
                .init(keys: friend, serverKey: server.publicKey)
            ),
            topics: [[2]]
        )
        let subscription = try await nextStart(xpub)
        #expect(subscription.sender == friendKey)
        try await xpub.send([Frame("work")], to: subscription)
        #expect(try await far.receive().map(\.tail[0].text) == ["work"])
        await near.close()
        await context.shutDown()
    }

    @Test func `a subscription over CURVE tells whose it is`() async throws {
        let context = try Context()
        let server = try CurveKeyPair()
        let worker = try CurveKeyPair()
        let workerKey = worker.publicKey
        let xpub = try await context.xpub(
            .tcp(host: "127.0.0.1", port: 0, CurveServer(keys: server) { $0 == workerKey })
        ) { $0.sender == workerKey }
        let sub = try await context.sub(
            .tcp(
                host: "127.0.0.1",
                port: try port(xpub.endpoint),
                CurveClient(keys: worker, serverKey: server.publicKey)
            ),
            topics: [[7]]
        )
        let subscription = try await nextStart(xpub)
        #expect(subscription.sender == workerKey)
        try await xpub.send([Frame("work")], to: subscription)
        #expect(try await sub.receive().map(\.tail[0].text) == ["work"])
        await context.shutDown()
    }

    @Test func `a key pair survives its text form, and its secret is never printed`() throws {
        let pair = try CurveKeyPair()
        let text = pair.revealSecret("the test writes it to a file") { secret in
            (0..<40).map { UInt8(bitPattern: secret[$0]) }
        }
        #expect(try CurveKeyPair(secretKey: text).publicKey == pair.publicKey)
        #expect(CurvePublicKey(pair.publicKey.description) == pair.publicKey)
        let secret = String(decoding: text, as: UTF8.self)
        var dumped = "\(pair) \(String(reflecting: pair))"
        dump(CurveServer(keys: pair) { _ in true }, to: &dumped)
        #expect(!dumped.contains(secret))
        #expect(dumped.contains(pair.publicKey.description))
    }

    @Test func `what is not a key is refused`() {
        #expect(CurvePublicKey("short") == nil)
        #expect(CurvePublicKey(String(repeating: "~", count: 40)) == nil)
        #expect(CurvePublicKey(bytes: [1, 2, 3]) == nil)
        #expect(throws: ZeroMQError.self) { try CurveKeyPair(secretKey: "short".utf8) }
        #expect(throws: ZeroMQError.self) {
            try CurveKeyPair(secretKey: Array(repeating: UInt8(ascii: "~"), count: 40))
        }
    }

    @Test(arguments: ["", "a b", "a;b", "a/b", "ä"])
    func `a host that is none is refused`(host: String) async throws {
        let context = try Context()
        let curve = CurveClient(keys: try CurveKeyPair(), serverKey: try CurveKeyPair().publicKey)
        let failure = await code { _ = try await context.push(.tcp(host: host, port: 1, curve)) }
        #expect(failure == .addressInvalid)
        await context.shutDown()
    }
}
