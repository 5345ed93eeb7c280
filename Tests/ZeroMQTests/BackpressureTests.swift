import Testing
import ZeroMQ

@Suite(.timeLimit(.minutes(10))) struct BackpressureTests {
    private static func small() -> SocketOptions {
        var options = SocketOptions()
        options.sendHighWaterMark = 10
        options.receiveHighWaterMark = 10
        options.batchMessages = 8
        return options
    }

    @Test func `a consumer that stops bounds what its peer can send, and stops no other socket`()
        async throws
    {
        let directory = try BusDirectory()
        defer { directory.remove() }
        let context = try Context()
        let options = Self.small()
        let stopped = try await context.pull(.ipc(path: directory.file("a")), options: options)
        let push = try await context.push(.ipc(path: directory.file("a")), options: options)
        let served = try await context.pull(.ipc(path: directory.file("b")), options: options)
        let other = try await context.push(.ipc(path: directory.file("b")), options: options)

        // Large, so that the kernel's buffers hold few of them.
        let bytes = [UInt8](repeating: 1, count: 64 << 10)
        try await push.send(Message(Frame(bytes)))
        var sent = 1
        while sent < 10_000 {
            // Full for good only when it stays full while the other socket is served.
            if await code({ try await push.send(Message(Frame(bytes)), whenFull: .fail) }) == nil {
                sent += 1
                continue
            }
            let before = sent
            for _ in 0..<50 {
                try await other.send(Message(Frame("ping")))
                _ = try await served.receive()
            }
            if await code({ try await push.send(Message(Frame(bytes)), whenFull: .fail) }) == nil {
                sent += 1
            }
            if sent == before { break }
        }
        #expect(sent < 200)
        let rest = try await collect(sent, from: stopped)
        #expect(rest.count == sent)
        try await push.send(Message(Frame("and on")))
        #expect(try await collect(1, from: stopped)[0].head.text == "and on")
        await context.shutDown()
    }

    @Test func `a send without a peer waits for one, or fails at once when told to`() async throws {
        let directory = try BusDirectory()
        defer { directory.remove() }
        let path = directory.file("a")
        let context = try Context()
        let push = try await context.push(.ipc(path: path))
        let failure = await code { try await push.send(Message(Frame("x")), whenFull: .fail) }
        #expect(failure == .full)
        async let waiting: Void = push.send(Message(Frame("waited")))
        let pull = try await context.pull(.ipc(path: path))
        try await waiting
        #expect(try await collect(1, from: pull)[0].head.text == "waited")
        await context.shutDown()
    }

    @Test func `waiting sends go out in the order they were asked for`() async throws {
        let directory = try BusDirectory()
        defer { directory.remove() }
        let path = directory.file("a")
        let context = try Context()
        let push = try await context.push(.ipc(path: path), options: Self.small())
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await push.send((0..<100).map { Message(Frame("\($0)")) }) }
            let pull = try await context.pull(.ipc(path: path), options: Self.small())
            let messages = try await collect(100, from: pull)
            #expect(messages.compactMap(\.head.text) == (0..<100).map(String.init))
            try await group.waitForAll()
        }
        await context.shutDown()
    }

    @Test func `a cancelled send is never made later`() async throws {
        let directory = try BusDirectory()
        defer { directory.remove() }
        let path = directory.file("a")
        let context = try Context()
        let push = try await context.push(.ipc(path: path))
        let task = Task { try await push.send(Message(Frame("never"))) }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        let pull = try await context.pull(.ipc(path: path))
        try await push.send(Message(Frame("later")))
        #expect(try await collect(1, from: pull).map(\.head.text) == ["later"])
        await context.shutDown()
    }

    @Test func `a cancelled receive takes no message with it`() async throws {
        let directory = try BusDirectory()
        defer { directory.remove() }
        let path = directory.file("a")
        let context = try Context()
        let pull = try await context.pull(.ipc(path: path))
        let push = try await context.push(.ipc(path: path))
        for round in 0..<50 {
            let task = Task { try await pull.receive() }
            try await push.send(Message(Frame("\(round)")))
            task.cancel()
            // Either it came first, or it waits for the next call.
            let first = try? await task.value
            let messages = if let first { first } else { try await pull.receive() }
            #expect(messages.map(\.head.text) == ["\(round)"])
        }
        await context.shutDown()
    }

    @Test func `a second receiver is refused while the first waits`() async throws {
        let directory = try BusDirectory()
        defer { directory.remove() }
        let context = try Context()
        let pull = try await context.pull(.ipc(path: directory.file("a")))
        let outcomes = await withTaskGroup(of: ZeroMQError.Code?.self) { group in
            group.addTask { await code { _ = try await pull.receive() } }
            group.addTask { await code { _ = try await pull.receive() } }
            let first = await group.next()
            await pull.close()
            return [first, await group.next()]
        }
        #expect(outcomes == [.busy, .closed])
        await context.shutDown()
    }
}
