import Glibc
import Testing

@testable import ZeroMQ

@Suite(.timeLimit(.minutes(10))) struct MessagingTests {
    @Test func `PUSH to PULL keeps order and loses nothing`() async throws {
        let directory = try BusDirectory()
        defer { directory.remove() }
        let path = directory.file("a")
        let context = try Context()
        let pull = try await context.pull(.ipc(path: path))
        let push = try await context.push(.ipc(path: path))
        let total = 20_000
        async let received = collect(total, from: pull)
        for start in stride(from: 0, to: total, by: 500) {
            try await push.send((start..<start + 500).map { Message(Frame("\($0)")) })
        }
        let messages = try await received
        #expect(messages.compactMap(\.head.text) == (0..<total).map(String.init))
        await context.shutDown()
    }

    @Test func `DEALER and ROUTER exchange multipart messages`() async throws {
        let directory = try BusDirectory()
        defer { directory.remove() }
        let path = directory.file("a")
        let context = try Context()
        let router = try await context.router(.ipc(path: path))
        let dealer = try await context.dealer(.ipc(path: path))
        try await dealer.send(Message(Frame("one"), Frame([]), Frame("three")))
        let asked = try #require(try await router.receive().first)
        #expect(asked.tail.map(\.text) == ["one", "", "three"])
        try await router.send([Frame("answer")], to: asked.head)
        #expect(try await dealer.receive().map(\.head.text) == ["answer"])
        await context.shutDown()
    }

    @Test func `a ROUTER refuses a routing ID that nobody has`() async throws {
        let directory = try BusDirectory()
        defer { directory.remove() }
        let context = try Context()
        let router = try await context.router(.ipc(path: directory.file("a")))
        let failure = await code { try await router.send([Frame("x")], to: Frame("nobody")) }
        #expect(failure == .unknownPeer)
        await context.shutDown()
    }

    @Test func `a stopped peer of a ROUTER is full and the others are not`() async throws {
        let directory = try BusDirectory()
        defer { directory.remove() }
        let path = directory.file("a")
        let context = try Context()
        var options = SocketOptions()
        options.sendHighWaterMark = 4
        options.receiveHighWaterMark = 4
        options.batchMessages = 4
        let router = try await context.router(.ipc(path: path), options: options)
        let stopped = try await context.dealer(.ipc(path: path), options: options)
        let alive = try await context.dealer(.ipc(path: path), options: options)
        try await stopped.send(Message(Frame("stopped")))
        let stoppedID = try await collect(1, from: router)[0].head
        try await alive.send(Message(Frame("alive")))
        let aliveID = try await collect(1, from: router)[0].head

        let large = Frame([UInt8](repeating: 1, count: 100_000))
        var failure: ZeroMQError.Code?
        var sent = 0
        while failure == nil, sent < 10_000 {
            failure = await code { try await router.send([large], to: stoppedID) }
            sent += 1
        }
        #expect(failure == .full)
        try await router.send([Frame("still here")], to: aliveID)
        #expect(try await alive.receive().map(\.head.text) == ["still here"])
        await context.shutDown()
    }

    @Test func `a SUB socket receives its topics and no others`() async throws {
        let directory = try BusDirectory()
        defer { directory.remove() }
        let path = directory.file("a")
        let context = try Context()
        let pub = try await context.pub(.ipc(path: path))
        let sub = try await context.sub(.ipc(path: path), topics: [Array("peer".utf8)])
        // Nobody can tell a PUB's sender when a subscription has arrived: repeat until it has.
        async let first = sub.receive()
        let publishing = Task {
            while !Task.isCancelled {
                try await pub.send(Message(Frame("job"), Frame("no")))
                try await pub.send(Message(Frame("peer/1"), Frame("yes")))
            }
        }
        let messages = try await first
        publishing.cancel()
        _ = await publishing.result
        #expect(messages.allSatisfy { $0.head.text == "peer/1" && $0.tail[0].text == "yes" })
        await context.shutDown()
    }

    @Test(arguments: [0, 1, 33, 34, 4_095, 4_096, 8_192, 1 << 20])
    func `frames of any size arrive unchanged`(size: Int) async throws {
        let directory = try BusDirectory()
        defer { directory.remove() }
        let path = directory.file("a")
        let context = try Context()
        let pull = try await context.pull(.ipc(path: path))
        let push = try await context.push(.ipc(path: path))
        let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let owned = Frame(byteCount: size) { $0.copyBytes(from: bytes) }
        try await push.send(Message(Frame(bytes), owned))
        let message = try await collect(1, from: pull)[0]
        #expect(message.frames.map(\.bytes) == [bytes, bytes])
        // What was received can be sent on, without a copy when it is large.
        try await push.send(message)
        #expect(try await collect(1, from: pull)[0].frames.map(\.bytes) == [bytes, bytes])
        await context.shutDown()
    }

    @Test func `libzmq gives a large buffer back after sending it`() async throws {
        let directory = try BusDirectory()
        defer { directory.remove() }
        let path = directory.file("a")
        let context = try Context()
        let pull = try await context.pull(.ipc(path: path))
        let push = try await context.push(.ipc(path: path))
        weak var block: OwnedBlock?
        do {
            let made = OwnedBlock.make(Frame.noCopyThreshold)
            block = made
            try await push.send(Message(Frame(owned: made)))
            #expect(block != nil)
        }
        #expect(try await collect(1, from: pull)[0].byteCount == Frame.noCopyThreshold)
        await context.shutDown()
        #expect(block == nil)
    }

    @Test func `a frame above the limit costs the peer its connection only`() async throws {
        let directory = try BusDirectory()
        defer { directory.remove() }
        let path = directory.file("a")
        let context = try Context()
        var options = SocketOptions()
        options.maximumFrameBytes = 1_000
        options.reconnectInterval = .milliseconds(1)
        let pull = try await context.pull(.ipc(path: path), options: options)
        let push = try await context.push(.ipc(path: path), options: options)
        let other = try await context.push(.ipc(path: path), options: options)
        try await push.send(Message(Frame([UInt8](repeating: 0, count: 1_001))))
        try await other.send(Message(Frame("within")))
        #expect(try await collect(1, from: pull).map(\.head.text) == ["within"])
        // It connects again and is served.
        async let again = collect(1, from: pull)
        let repeating = Task {
            while !Task.isCancelled { try await push.send(Message(Frame("again"))) }
        }
        #expect(try await again[0].head.text == "again")
        repeating.cancel()
        _ = await repeating.result
        await context.shutDown()
    }

    @Test func `a message with too many frames is dropped and counted`() async throws {
        let directory = try BusDirectory()
        defer { directory.remove() }
        let path = directory.file("a")
        let context = try Context()
        let pull = try await context.pull(.ipc(path: path))
        let push = try await context.push(.ipc(path: path))
        let frame = Frame("x")
        try await push.send([
            Message(head: frame, tail: Array(repeating: frame, count: 15)),
            Message(head: frame, tail: Array(repeating: frame, count: 16)),
            Message(head: frame, tail: Array(repeating: frame, count: 999)),
            Message(Frame("last")),
        ])
        let messages = try await collect(2, from: pull)
        #expect(messages.map(\.frameCount) == [16, 1])
        #expect(messages[1].head.text == "last")
        #expect(pull.droppedMessages == 2)
        await context.shutDown()
    }

    @Test(.enabled(if: getenv("LCP_LONG_TESTS") != nil, "set LCP_LONG_TESTS=1"))
    func `a million messages leave no memory behind`() async throws {
        let directory = try BusDirectory()
        defer { directory.remove() }
        let path = directory.file("a")
        let context = try Context()
        let pull = try await context.pull(.ipc(path: path))
        let push = try await context.push(.ipc(path: path))
        var sizes: [Int] = []
        for _ in 0..<10 {
            async let sending: Void = {
                for _ in 0..<100 {
                    try await push.send(
                        (0..<1_000).map { _ in Message(Frame([1, 2, 3]), Frame([4])) }
                    )
                }
            }()
            var count = 0
            while count < 100_000 { count += try await pull.receive().count }
            try await sending
            sizes.append(try residentBytes())
        }
        #expect(sizes[9] < sizes[1] + (8 << 20), "\(sizes)")
        await context.shutDown()
    }

    private func residentBytes() throws -> Int {
        let file = try #require(fopen("/proc/self/statm", "r"))
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 256)
        try #require(fgets(&line, 256, file) != nil)
        let text = line.prefix { $0 != 0 }.map(UInt8.init(bitPattern:))
        let fields = String(decoding: text, as: UTF8.self).split(separator: " ")
        return try #require(Int(fields[1])) * Int(getpagesize())
    }
}
