import BridgeProtocol
import Foundation
import Logging
import ScriptedBus
import ServiceLifecycleTestKit
import SwiftProtobuf
import Testing
import WorkerKit

@Suite(.timeLimit(.minutes(10))) struct ComputeWorkerTests {
    @Test func `a result carries its item's lease, after one Progress from the backend`()
        async throws
    {
        try await withWorker { bridge, backend, steps in
            let (member, _) = try await bridge.join()
            try await bridge.send(.compute(item("a")), to: member)
            #expect(await steps.next() == .began("a"))
            #expect(try await bridge.reply().progress.lease == item("a").lease)
            backend.release("a")
            let reply = try await bridge.reply()
            #expect(reply.nonce == member.nonce && reply.compute.lease == item("a").lease)
            #expect(reply.compute.result.output == Data("a".utf8))
        }
    }

    @Test func `a failure of the backend is told as it is`() async throws {
        try await withWorker { bridge, _, _ in
            let (member, _) = try await bridge.join()
            try await bridge.send(.compute(item("fail")), to: member)
            #expect(try await bridge.reply().compute.failure.code == "backend-failed")
        }
    }

    @Test func `computations run beside each other up to the concurrency`() async throws {
        try await withWorker { bridge, backend, steps in
            let (member, hello) = try await bridge.join()
            #expect(hello.concurrency == 2 && hello.capacity == 4)
            for name in ["a", "b", "c"] { try await bridge.send(.compute(item(name)), to: member) }
            let first = [await steps.next(), await steps.next()]
            #expect(first.contains(.began("a")) && first.contains(.began("b")))
            backend.release("b")
            // Only now is there a place for the third.
            #expect(await steps.next() == .began("c"))
            #expect(try await answer(bridge).lease == item("b").lease)
        }
    }

    @Test(arguments: [BusRevoke.Reason.cancelled, .lapsed])
    func `a computation that is taken back is cancelled and sends nothing`(
        reason: BusRevoke.Reason
    ) async throws {
        try await withWorker { bridge, backend, steps in
            let (member, _) = try await bridge.join()
            try await bridge.send(.compute(item("a")), to: member)
            #expect(await steps.next() == .began("a"))
            let revoke = BusRevoke.with {
                $0.lease = item("a").lease
                $0.reason = reason
            }
            try await bridge.send(.revoke(revoke), to: member)
            #expect(await steps.next() == .stopped("a"))
            try await bridge.send(.compute(item("b")), to: member)
            #expect(await steps.next() == .began("b"))
            backend.release("b")
            #expect(try await answer(bridge).lease == item("b").lease)
        }
    }

    @Test func `a computation that is taken back while it waits never begins`() async throws {
        try await withWorker { bridge, backend, steps in
            let (member, _) = try await bridge.join()
            for name in ["a", "b", "c", "d"] {
                try await bridge.send(.compute(item(name)), to: member)
            }
            let first = [await steps.next(), await steps.next()]
            #expect(first.contains(.began("a")) && first.contains(.began("b")))
            try await bridge.send(.revoke(.with { $0.lease = item("c").lease }), to: member)
            // The place is free again once the revocation has been read; else this one would be
            // beyond the capacity and never begin.
            try await bridge.send(.compute(item("e")), to: member)
            backend.release("a")
            #expect(await steps.next() == .began("d"))
            backend.release("b")
            #expect(await steps.next() == .began("e"))
        }
    }

    @Test func `a computation is cancelled at the job's deadline and fails for good`()
        async throws
    {
        try await withWorker { bridge, _, steps in
            let (member, _) = try await bridge.join()
            // The deadline has come by the bridge's own clock.
            try await bridge.send(.compute(item("a", deadline: 1_000, now: 1_000)), to: member)
            #expect(await steps.next() == .began("a"))
            #expect(await steps.next() == .stopped("a"))
            let reply = try await answer(bridge)
            #expect(reply.lease == item("a").lease && reply.failure.code == "deadline-passed")
        }
    }

    @Test func `after a restart of the bridge the worker joins again and old leases are void`()
        async throws
    {
        try await withWorker { bridge, backend, steps in
            let (first, _) = try await bridge.join()
            try await bridge.send(.compute(item("a")), to: first)
            #expect(await steps.next() == .began("a"))
            try await bridge.restart()
            let (second, _) = try await bridge.join()
            #expect(second.nonce != first.nonce)
            #expect(await steps.next() == .stopped("a"))
            try await bridge.send(.compute(item("b")), to: second)
            #expect(await steps.next() == .began("b"))
            backend.release("b")
            #expect(try await answer(bridge).lease == item("b").lease)
        }
    }

    @Test func `another nonce on the same connection stops what was leased under the old one`()
        async throws
    {
        try await withWorker { bridge, backend, steps in
            let (first, _) = try await bridge.join()
            for name in ["a", "b", "c"] { try await bridge.send(.compute(item(name)), to: first) }
            _ = [await steps.next(), await steps.next()]
            for _ in 0..<2 { _ = try await bridge.reply().progress }
            let second = try await bridge.welcome(first.subscription)
            let hello = try await bridge.reply()
            #expect(hello.nonce == second.nonce && hello.hello.program == "test")
            let stopped = [await steps.next(), await steps.next()]
            #expect(stopped.contains(.stopped("a")) && stopped.contains(.stopped("b")))
            try await bridge.send(.compute(item("d")), to: second)
            #expect(await steps.next() == .began("d"))
            backend.release("d")
            #expect(try await answer(bridge).lease == item("d").lease)
        }
    }

    @Test func `a drain says Goodbye, finishes what is there, and returns`() async throws {
        let bridge = try await ScriptedBridge(.compute)
        let backend = GatedBackend()
        var steps = backend.steps.makeAsyncIterator()
        try await testGracefulShutdown { trigger in
            async let run: Void = worker(bridge, backend).run()
            let (member, _) = try await bridge.join()
            for name in ["a", "b", "c"] { try await bridge.send(.compute(item(name)), to: member) }
            for _ in 0..<2 { _ = (await steps.next(), try await bridge.reply().progress) }
            trigger.triggerGracefulShutdown()
            try await bridge.goodbye()
            for name in ["a", "b"] { backend.release(name) }
            #expect(await steps.next() == .began("c"))
            backend.release("c")
            var answered: Set<Data> = []
            for _ in 0..<3 { answered.insert(try await answer(bridge).lease) }
            #expect(answered == Set(["a", "b", "c"].map { item($0).lease }))
            try await bridge.dismiss(member)
            try await run
            try await bridge.end(of: member.subscription)
        }
        await bridge.close()
    }

    @Test func `what still runs at the drain's limit is cancelled and left to another worker`()
        async throws
    {
        let bridge = try await ScriptedBridge(.compute)
        let backend = GatedBackend()
        var steps = backend.steps.makeAsyncIterator()
        try await testGracefulShutdown { trigger in
            async let run: Void = worker(bridge, backend, drainLimit: .zero).run()
            let (member, _) = try await bridge.join()
            try await bridge.send(.compute(item("a")), to: member)
            _ = (await steps.next(), try await bridge.reply().progress)
            trigger.triggerGracefulShutdown()
            try await bridge.goodbye()
            #expect(await steps.next() == .stopped("a"))
            try await run
            try await bridge.end(of: member.subscription)
        }
        await bridge.close()
    }

    @Test func `a step for a compute worker fails as an item of another role`() async throws {
        try await withWorker { bridge, _, _ in
            let (member, _) = try await bridge.join()
            let step = BusJobItem.with { $0.lease = Data(count: 16) }
            try await bridge.send(.job(step), to: member)
            let failed = try await bridge.reply().failed
            #expect(failed.lease == step.lease && failed.failure.code == "wrong-item")
        }
    }
}

private func item(_ name: String, deadline: UInt64 = 0, now: UInt64 = 0) -> BusComputeItem {
    BusComputeItem.with {
        $0.lease = Data(repeating: Array(name.utf8)[0], count: 16)
        $0.input = Data(name.utf8)
        $0.deadlineUnix = deadline
        $0.nowUnix = now
    }
}

private func worker(
    _ bridge: ScriptedBridge,
    _ backend: GatedBackend,
    drainLimit: Duration = .seconds(25)
) -> ComputeWorker<GatedBackend> {
    var options = WorkerOptions(role: .compute, busDirectory: bridge.directory, program: "test")
    options.capacity = 4
    options.concurrency = 2
    options.drainLimit = drainLimit
    options.dismissalLimit = .seconds(60)
    let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    return ComputeWorker(options: options, handler: backend, logger: quiet)
}

/// The next end of a computation, after any Progress.
private func answer(_ bridge: ScriptedBridge) async throws -> BusComputeReply {
    while true {
        let reply = try await bridge.reply()
        if case .compute(let compute) = reply.body { return compute }
    }
}

/// Runs a worker beside a script; the script's end cancels the worker.
private func withWorker(
    _ script: (
        ScriptedBridge, GatedBackend, inout AsyncStream<GatedBackend.Step>.AsyncIterator
    ) async throws -> Void
) async throws {
    let bridge = try await ScriptedBridge(.compute)
    let backend = GatedBackend()
    var steps = backend.steps.makeAsyncIterator()
    let worker = worker(bridge, backend)
    let run = Task { try await worker.run() }
    do {
        try await script(bridge, backend, &steps)
    } catch {
        run.cancel()
        await bridge.close()
        throw error
    }
    run.cancel()
    await #expect(throws: CancellationError.self) { try await run.value }
    await bridge.close()
}
