import Bridge
import BridgeProtocol
import Foundation
import LightningTypes
import Testing
import ZeroMQ

@Suite(.timeLimit(.minutes(10))) struct MembershipTests {
    @Test func `a worker is welcomed with epoch, nonce, lease and node`() async throws {
        try await withRoom { harness in
            let worker = try await ScriptedWorker(harness)
            let welcome = try await worker.welcome()
            #expect(Array(welcome.epoch) == RoomHarness.epoch)
            #expect(welcome.nonce.count == 16)
            #expect(welcome.leaseSeconds == 30)
            #expect(welcome.progressSeconds == 10)
            #expect(welcome.maxReplyBytes == 4 << 20)
            #expect(Array(welcome.nodeID) == Order.peer.bytes)
            #expect(welcome.network == "regtest")
        }
    }

    @Test func `a worker hears again when the node is known`() async throws {
        try await withRoom { harness in
            let worker = try await ScriptedWorker.join(harness)
            await harness.room.announceNode()
            let nonce = await worker.nonce
            #expect(try await worker.welcome().nonce == nonce)
        }
    }

    @Test func `prefixes, the empty subscription and near misses are refused and receive nothing`()
        async throws
    {
        try await withRoom { harness in
            let other = try await ScriptedWorker.join(harness)
            let topic = WorkTopic(other.id).bytes
            let greedy = try await ScriptedWorker(
                harness,
                topics: [
                    [], Array("work/".utf8), topic.dropLast(), topic + [0],
                    topic + [UInt8(ascii: "0")],
                    Array(String(decoding: topic, as: UTF8.self).uppercased().utf8),
                ]
            )
            // Its own topic was read after the others of the connection.
            let welcome = try await greedy.welcome()
            #expect(await harness.room.counters["subscriptions_refused"] == 6)
            await harness.room.order(Order.step(1, state: "secret"))
            let item = try await other.step()
            // What the greedy one hears next is its own Welcome: the item went past it.
            await harness.room.announceNode()
            #expect(try await greedy.welcome().nonce == welcome.nonce)
            try await other.answer(item)
            #expect(try await harness.outcomes.next().order == 1)
        }
    }

    @Test func `no work comes before Hello, and none after a Hello with another nonce`()
        async throws
    {
        try await withRoom { harness in
            let worker = try await ScriptedWorker(harness)
            _ = try await worker.welcome()
            await harness.room.order(Order.step(1))
            try await worker.hello(nonce: Data(count: 16))
            await harness.wait(for: "nonces_stale", toReach: 1)
            #expect(await harness.room.queued == 1)
            #expect(await harness.room.hasWorkers == false)
            try await worker.hello()
            #expect(try await worker.step().version == 1)
            #expect(await harness.room.hasWorkers)
            #expect(await harness.room.queued == 0)
        }
    }

    @Test func `a second process with the id of a live one is refused, and the first goes on`()
        async throws
    {
        try await withRoom { harness in
            let first = try await ScriptedWorker.join(harness)
            await harness.room.order(Order.step(1))
            let item = try await first.step()
            let second = try await ScriptedWorker(harness, id: first.id)
            // The first is asked whether it lives; the same nonce says that its session goes on.
            let nonce = await first.nonce
            #expect(try await first.welcome().nonce == nonce)
            try await first.hello()
            #expect(try await second.refusal().code == "duplicate-worker")
            try await first.answer(item)
            #expect(try await harness.outcomes.next().order == 1)
            #expect(await harness.room.workers().count == 1)
            #expect(await harness.room.counters["duplicates_refused"] == 1)
        }
    }

    @Test func `a refused process that leaves takes nothing from the first`() async throws {
        try await withRoom { harness in
            let first = try await ScriptedWorker.join(harness)
            await harness.room.order(Order.step(1))
            let item = try await first.step()
            let second = try await ScriptedWorker(harness, id: first.id)
            _ = try await first.welcome()
            try await first.hello()
            _ = try await second.refusal()
            await second.die()
            // libzmq can't say which of the two went, so the first is asked.
            _ = try await first.welcome()
            try await first.hello()
            try await first.answer(item)
            #expect(try await harness.outcomes.next().order == 1)
            #expect(await harness.room.counters["workers_lost", default: 0] == 0)
        }
    }

    @Test func `a connection that does not answer gives way to a new one with its id`()
        async throws
    {
        try await withRoom(.provider, { $0.patience = .milliseconds(20) }) { harness in
            let stale = try await ScriptedWorker.join(harness)
            await harness.room.order(Order.step(1))
            let lost = try await stale.step()
            let fresh = try await ScriptedWorker.joinLate(harness, id: stale.id)
            let item = try await fresh.step()
            #expect(item.version == 1)
            #expect(item.lease != lost.lease)
            #expect(item.attempt == 2)
            // The old one wakes up after all: what it says is counted, and it is told to go.
            try await stale.answer(lost)
            try await stale.hello()
            while try await stale.event().isRefusal == false {}
            try await fresh.answer(item)
            guard case .step(1, _) = try await harness.outcomes.next() else {
                return #expect(Bool(false), "not the step's outcome")
            }
            #expect(await harness.room.counters["nonces_stale"] == 1)
            #expect(await harness.room.counters["workers_evicted"] == 1)
        }
    }

    @Test func `a worker that reconnects gets a new nonce, and the old one is worth nothing`()
        async throws
    {
        try await withRoom { harness in
            let worker = try await ScriptedWorker.join(harness)
            await harness.room.order(Order.step(1))
            let before = try await worker.step()
            let oldNonce = await worker.nonce
            await worker.die()
            let again = try await ScriptedWorker.join(harness, id: worker.id)
            #expect(await again.nonce != oldNonce)
            let after = try await again.step()
            #expect(after.lease != before.lease)
            try await again.answer(after, nonce: oldNonce)
            await harness.wait(for: "nonces_stale", toReach: 1)
            try await again.answer(before)
            await harness.wait(for: "leases_stale", toReach: 1)
            try await again.answer(after)
            #expect(try await harness.outcomes.next().order == 1)
        }
    }

    @Test
    func `after a restart of the bridge the same process joins anew, and old replies are dropped`()
        async throws
    {
        try await withBusDirectory { directory in
            let first = try RoomHarness(directory: directory, role: .provider)
            let (worker, old, oldNonce) = try await first.serve {
                let worker = try await ScriptedWorker.join(first)
                await first.room.order(Order.step(1))
                return (worker, try await worker.step(), await worker.nonce)
            }
            let second = try RoomHarness(
                directory: directory,
                role: .provider,
                epoch: [UInt8](repeating: 8, count: 16)
            )
            try await second.serve {
                let welcome = try await worker.welcome()
                #expect(Array(welcome.epoch) == [UInt8](repeating: 8, count: 16))
                #expect(welcome.nonce != oldNonce)
                await second.room.order(Order.step(1))
                // What it had in hand when the bridge went.
                try await worker.answer(old, nonce: oldNonce)
                await second.wait(for: "nonces_stale", toReach: 1)
                try await worker.hello()
                let item = try await worker.step()
                try await worker.answer(old)
                await second.wait(for: "leases_stale", toReach: 1)
                try await worker.answer(item)
                #expect(try await second.outcomes.next().order == 1)
            }
            await worker.die()
        }
    }

    @Test func `frames that are no replies are counted and harm nobody`() async throws {
        try await withRoom { harness in
            let worker = try await ScriptedWorker(harness)
            _ = try await worker.welcome()
            try await worker.push([
                Message(Frame([])),
                Message(Frame([UInt8](repeating: 0xff, count: 1_000))),
                Message(Frame("not"), Frame("one frame")),
            ])
            // A reply of another room, a lease of 3 bytes, a nonce of 3 bytes, no body.
            var compute = BusComputeReply()
            compute.lease = Data(count: 16)
            compute.result = BusComputeResult()
            try await worker.say(.compute(compute))
            var progress = BusProgress()
            progress.lease = Data(count: 3)
            try await worker.say(.progress(progress))
            try await worker.hello(nonce: Data(count: 3))
            var bodiless = BusWorkerReply()
            bodiless.worker = Data(worker.id.bytes)
            bodiless.nonce = await worker.nonce
            try await worker.push([
                Message(Frame(try bodiless.frame()))
            ])
            await harness.room.order(Order.step(1))
            try await worker.hello()
            try await worker.answer(try await worker.step())
            #expect(try await harness.outcomes.next().order == 1)
            #expect(await harness.room.counters["replies_malformed"] == 7)
        }
    }

    @Test func `what live workers can do is told when it changes`() async throws {
        try await withRoom(.compute) { harness in
            var changes = harness.room.capabilityChanges.makeAsyncIterator()
            let one = try await ScriptedWorker.join(
                harness,
                can: [.kind("echo"), .kind("llm.chat", "small")]
            )
            #expect(await changes.next() == [.kind("echo"), .kind("llm.chat", "small")])
            let two = try await ScriptedWorker.join(harness, can: [.kind("echo"), .kind("add")])
            #expect(
                await changes.next() == [.kind("add"), .kind("echo"), .kind("llm.chat", "small")]
            )
            try await one.say(.goodbye(BusGoodbye()))
            #expect(await changes.next() == [.kind("add"), .kind("echo")])
            await two.die()
            #expect(await changes.next() == [])
            #expect(await harness.room.workers().map(\.draining) == [true])
        }
    }

    @Test func `a Hello beyond the bounds is refused`() async throws {
        try await withRoom(.compute, { $0.maximumCapabilities = 2 }) { harness in
            let worker = try await ScriptedWorker(harness)
            _ = try await worker.welcome()
            try await worker.hello(can: [.kind("a"), .kind("b"), .kind("c")])
            #expect(try await worker.refusal().code == "hello-too-large")
            #expect(await harness.room.workers().isEmpty)
        }
    }
}

extension ScriptedWorker {
    /// Connects while another connection has the id, and joins when that one has given way.
    fileprivate static func joinLate(
        _ harness: RoomHarness,
        id: WorkerID
    ) async throws -> ScriptedWorker {
        let worker = try await ScriptedWorker(harness, id: id)
        _ = try await worker.welcome()
        try await worker.hello()
        return worker
    }
}

extension BusWorkerEvent.OneOf_Body {
    fileprivate var isRefusal: Bool { if case .refused = self { true } else { false } }
}
