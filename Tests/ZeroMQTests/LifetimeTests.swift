import Testing

@testable import ZeroMQ

@Suite(.timeLimit(.minutes(10))) struct LifetimeTests {
    @Test func `closing ends the receiving task and its sequence`() async throws {
        let directory = try BusDirectory()
        defer { directory.remove() }
        let context = try Context()
        let pull = try await context.pull(.ipc(path: directory.file("a")))
        async let failure = code { _ = try await pull.receive() }
        await pull.close()
        await pull.close()
        #expect(await failure == .closed)
        for try await _ in pull.batches { Issue.record("a closed socket has no batches") }
        await context.shutDown()
    }

    @Test func `shutting down tells everybody who waits, and can be repeated`() async throws {
        let directory = try BusDirectory()
        defer { directory.remove() }
        let context = try Context()
        let pull = try await context.pull(.ipc(path: directory.file("a")))
        let push = try await context.push(.ipc(path: directory.file("b")))
        let xpub = try await context.xpub(.ipc(path: directory.file("c"))) { _ in true }
        async let receiving = code { _ = try await pull.receive() }
        async let sending = code { try await push.send(Message(Frame("x"))) }
        async let listening = code { _ = try await xpub.events() }
        async let first: Void = context.shutDown()
        await context.shutDown()
        await first
        #expect(await [receiving, sending, listening] == [.closed, .closed, .closed])
        #expect(await code { _ = try await context.pull(.ipc(path: "/tmp/x")) } == .closed)
        #expect(await code { try await push.send(Message(Frame("x"))) } == .closed)
    }

    @Test func `what arrived before the close can still be taken`() async throws {
        let directory = try BusDirectory()
        defer { directory.remove() }
        let path = directory.file("a")
        let context = try Context()
        let pull = try await context.pull(.ipc(path: path))
        let push = try await context.push(.ipc(path: path))
        try await push.send(Message(Frame("first")))
        _ = try await pull.receive()
        pull.handle.opened.inbox.put([Message(Frame("kept"))], bytes: 4, dropped: 0)
        await pull.close()
        #expect(try await pull.receive().map(\.head.text) == ["kept"])
        #expect(await code { _ = try await pull.receive() } == .closed)
        await context.shutDown()
    }

    @Test func `an endpoint is free again after the shutdown`() async throws {
        let directory = try BusDirectory()
        defer { directory.remove() }
        let path = directory.file("a")
        for _ in 0..<20 {
            let context = try Context()
            _ = try await context.pull(.ipc(path: path))
            await context.shutDown()
        }
        let context = try Context()
        let pull = try await context.pull(.ipc(path: path))
        #expect(pull.endpoint == "ipc://\(path)")
        await context.shutDown()
    }

    @Test func `a context nobody holds any more closes itself`() async throws {
        let directory = try BusDirectory()
        defer { directory.remove() }
        weak var reactor: Reactor?
        do {
            let context = try Context()
            reactor = context.reactor
            let pull = try await context.pull(.ipc(path: directory.file("a")))
            #expect(pull.endpoint == "ipc://\(directory.file("a"))")
        }
        while reactor != nil { await Task.yield() }
        let context = try Context()
        let pull = try await context.pull(.ipc(path: directory.file("a")))
        #expect(pull.endpoint == "ipc://\(directory.file("a"))")
        await context.shutDown()
    }

    @Test func `a socket nobody holds any more is closed`() async throws {
        let directory = try BusDirectory()
        defer { directory.remove() }
        let path = directory.file("a")
        let context = try Context()
        _ = try await context.pull(.ipc(path: path))
        // The reactor closes it on its own time; until then the path is in use.
        var refusals = 0
        while await code({ _ = try await context.pull(.ipc(path: path)) }) == .addressInUse {
            refusals += 1
            try Task.checkCancellation()
        }
        #expect(refusals < .max)
        await context.shutDown()
    }

    @Test func `a task beside the sockets outlives the shutdown and the context`() async throws {
        let directory = try BusDirectory()
        defer { directory.remove() }
        let path = directory.file("a")
        let executor: ContextExecutor
        do {
            let context = try Context()
            executor = context.executor
            let pull = try await context.pull(.ipc(path: path))
            let push = try await context.push(.ipc(path: path))
            let text = try await withTaskExecutorPreference(executor) {
                try await push.send(Message(Frame("same thread")))
                return try await pull.receive().first?.head.text
            }
            #expect(text == "same thread")
            await context.shutDown()
        }
        #expect(await withTaskExecutorPreference(executor) { 7 } == 7)
    }
}
