import Bridge
import BridgeProtocol
import Foundation
import Testing
import ZeroMQ

@Suite(.timeLimit(.minutes(10))) struct DeliveryTests {
    @Test func `an item says what the worker needs, and its reply is the order's outcome`()
        async throws
    {
        try await withRoom { harness in
            let worker = try await ScriptedWorker.join(harness)
            await harness.room.order(Order.step(1, state: "before"))
            let item = try await worker.step()
            #expect(item.lease.count == 16)
            #expect(item.attempt == 1)
            #expect(item.nowUnix == 1_000_000)
            #expect(item.state == Data("before".utf8))
            try await worker.answer(item)
            guard case .step(1, let reply) = try await harness.outcomes.next() else {
                throw ScriptedWorker.NotExpected()
            }
            #expect(reply.state == item.state)
            #expect(reply.version == item.version)
        }
    }

    @Test func `work waits while no worker lives`() async throws {
        try await withRoom { harness in
            await harness.room.order([Order.step(1), Order.step(2)])
            #expect(await harness.room.queued == 2)
            let worker = try await ScriptedWorker.join(harness)
            #expect(try await worker.step().version == 1)
            #expect(try await worker.step().version == 2)
        }
    }

    @Test func `a worker holds no more items than its capacity`() async throws {
        try await withRoom { harness in
            let worker = try await ScriptedWorker.join(harness, capacity: 2)
            await harness.room.order((1...5).map { Order.step($0) })
            let first = try await worker.step()
            let second = try await worker.step()
            #expect(await harness.room.queued == 3)
            try await worker.answer(second)
            // One answer, one more item: the third arrives behind nothing else.
            let third = try await worker.step()
            #expect([first, second, third].map(\.version) == [1, 2, 3])
            #expect(await harness.room.queued == 2)
            #expect(await harness.room.workers().map(\.busy) == [2])
        }
    }

    @Test func `items of one job go out one after the other, in order`() async throws {
        try await withRoom { harness in
            let one = try await ScriptedWorker.join(harness)
            let two = try await ScriptedWorker.join(harness)
            await harness.room.order((1...3).map { Order.step($0, job: 7) } + [Order.step(4)])
            // Job 7's first and the other job's only item are out, and nothing else.
            let items = [try await one.step(), try await two.step()]
            #expect(Set(items.map(\.version)) == [1, 4])
            #expect(await harness.room.queued == 2)
            let holder = items[0].version == 1 ? one : two
            let other = items[0].version == 1 ? two : one
            try await holder.answer(items[0].version == 1 ? items[0] : items[1])
            let second = try await holder.step()
            #expect(second.version == 2)
            try await holder.answer(second)
            #expect(try await holder.step().version == 3)
            await other.die()
        }
    }

    @Test func `an item goes to the least loaded worker that can do it`() async throws {
        try await withRoom(.compute) { harness in
            let busy = try await ScriptedWorker.join(harness, can: [.kind("echo")])
            let wrong = try await ScriptedWorker.join(harness, can: [.kind("add")])
            await harness.room.order(Order.computation(1))
            _ = try await busy.computation()
            let free = try await ScriptedWorker.join(harness, can: [.kind("echo")])
            await harness.room.order([Order.computation(2), Order.computation(3, kind: "add")])
            #expect(try await free.computation().input == Data("input 2".utf8))
            #expect(try await wrong.computation().input == Data("input 3".utf8))
            // Nobody can do this one: it waits for who can.
            await harness.room.order(Order.computation(4, kind: "draw"))
            #expect(await harness.room.queued == 1)
            let painter = try await ScriptedWorker.join(harness, can: [.kind("draw")])
            #expect(try await painter.computation().taskKind == "draw")
        }
    }

    @Test func `a reply with another lease is dropped, and the right one still counts`()
        async throws
    {
        try await withRoom { harness in
            let worker = try await ScriptedWorker.join(harness)
            await harness.room.order(Order.step(1, state: "kept"))
            let item = try await worker.step()
            var forged = item
            forged.state = Data("forged".utf8)
            try await worker.answer(forged, lease: Data(count: 16))
            try await worker.answer(forged, nonce: Data(count: 16))
            try await worker.answer(item)
            try await worker.answer(forged)
            guard case .step(1, let reply) = try await harness.outcomes.next() else {
                throw ScriptedWorker.NotExpected()
            }
            #expect(reply.state == Data("kept".utf8))
            await harness.wait(for: "leases_stale", toReach: 2)
            #expect(await harness.room.counters["nonces_stale"] == 1)
            #expect(await harness.room.counters["items_done"] == 1)
        }
    }

    @Test func `another worker's lease is worth nothing`() async throws {
        try await withRoom { harness in
            let owner = try await ScriptedWorker.join(harness)
            await harness.room.order(Order.step(1))
            let item = try await owner.step()
            let thief = try await ScriptedWorker.join(harness)
            try await thief.answer(item)
            await harness.wait(for: "leases_stale", toReach: 1)
            try await owner.answer(item)
            #expect(try await harness.outcomes.next().order == 1)
        }
    }

    @Test func `an item whose lease lapses goes to another worker, and the late reply is dropped`()
        async throws
    {
        try await withRoom(
            .provider,
            {
                $0.lease = .milliseconds(100)
                // However slow this machine is, one attempt of the good worker will do.
                $0.maximumAttempts = .max
            }
        ) { harness in
            let stuck = try await ScriptedWorker.join(harness)
            await harness.room.order(Order.step(1))
            let item = try await stuck.step()
            let other = try await ScriptedWorker.join(harness)
            let serving = Task { try await other.serve() }
            let revoke = try await stuck.revoke()
            #expect(revoke.lease == item.lease)
            #expect(revoke.reason == .lapsed)
            try await stuck.answer(item)
            await harness.wait(for: "leases_stale", toReach: 1)
            #expect(try await harness.outcomes.next().order == 1)
            #expect(await harness.room.counters["items_done"] == 1)
            serving.cancel()
            _ = await serving.result
        }
    }

    @Test func `Progress keeps a lease that would have lapsed without it`() async throws {
        try await withRoom(.provider, { $0.lease = .seconds(10) }) { harness in
            let alive = try await ScriptedWorker.join(harness, capacity: 1)
            await harness.room.order(Order.step(1))
            let kept = try await alive.step()
            let stuck = try await ScriptedWorker.join(harness, capacity: 1)
            // Given later, so that it lapses after the first one would have.
            await harness.room.order(Order.step(2))
            _ = try await stuck.step()
            async let revoked = stuck.revoke()
            while await harness.room.counters["leases_lapsed", default: 0] == 0 {
                try await alive.progress(kept.lease)
            }
            #expect(try await revoked.reason == .lapsed)
            #expect(await harness.room.counters["leases_lapsed"] == 1)
            try await alive.answer(kept)
            #expect(try await harness.outcomes.next().order == 1)
        }
    }

    @Test func `Progress keeps no item beyond the limit`() async throws {
        try await withRoom(.provider, { $0.handlingLimit = .milliseconds(100) }) { harness in
            let endless = try await ScriptedWorker.join(harness)
            await harness.room.order(Order.step(1))
            let item = try await endless.step()
            while await harness.room.counters["leases_lapsed", default: 0] == 0 {
                try await endless.progress(item.lease)
            }
            #expect(try await endless.revoke().lease == item.lease)
        }
    }

    @Test func `after a Revoke nothing new comes until the worker has answered`() async throws {
        try await withRoom { harness in
            let worker = try await ScriptedWorker.join(harness, capacity: 1)
            await harness.room.order([Order.step(1), Order.step(2)])
            let item = try await worker.step()
            await harness.room.withdraw(1, reason: .cancelled)
            let revoke = try await worker.revoke()
            #expect(revoke.lease == item.lease)
            #expect(revoke.reason == .cancelled)
            let nonce = await worker.nonce
            #expect(try await worker.welcome().nonce == nonce)
            #expect(await harness.room.queued == 1)
            try await worker.answer(item)
            try await worker.hello(capacity: 1)
            #expect(try await worker.step().version == 2)
            #expect(await harness.room.counters["leases_stale"] == 1)
        }
    }

    @Test func `an order that is withdrawn before it is sent never goes out`() async throws {
        try await withRoom { harness in
            await harness.room.order((1...3).map { Order.step($0) })
            await harness.room.withdraw(2, reason: .cancelled)
            let worker = try await ScriptedWorker.join(harness)
            #expect(try await worker.step().version == 1)
            #expect(try await worker.step().version == 3)
            #expect(await harness.room.queued == 0)
        }
    }

    @Test func `an order can be replaced until it is sent`() async throws {
        try await withRoom { harness in
            await harness.room.order(Order.step(1, state: "old"))
            #expect(await harness.room.replace(Order.step(1, state: "new")))
            let worker = try await ScriptedWorker.join(harness)
            #expect(try await worker.step().state == Data("new".utf8))
            #expect(await harness.room.replace(Order.step(1, state: "late")) == false)
            #expect(await harness.room.replace(Order.step(2)) == false)
        }
    }

    @Test func `a failed item is tried elsewhere, three times in all`() async throws {
        try await withRoom { harness in
            let one = try await ScriptedWorker.join(harness)
            await harness.room.order(Order.step(1))
            let first = try await one.step()
            let two = try await ScriptedWorker.join(harness)
            try await one.fail(first.lease, code: "first")
            let second = try await two.step()
            let three = try await ScriptedWorker.join(harness)
            try await two.fail(second.lease, code: "second")
            let third = try await three.step()
            #expect([first, second, third].map(\.attempt) == [1, 2, 3])
            try await three.fail(third.lease, code: "third")
            #expect(try await harness.outcomes.next().failureCode == "third")
            let counters = await harness.room.counters
            #expect(counters["attempts_failed"] == 3)
            #expect(counters["items_given_up"] == 1)
        }
    }

    @Test func `a worker that fails three items in a row gets one at a time until one succeeds`()
        async throws
    {
        try await withRoom(.provider, { $0.maximumAttempts = 9 }) { harness in
            let worker = try await ScriptedWorker.join(harness, capacity: 3)
            await harness.room.order((1...6).map { Order.step($0) })
            for _ in 0..<3 {
                let item = try await worker.step()
                try await worker.fail(item.lease)
            }
            await harness.wait(for: "attempts_failed", toReach: 3)
            // What it was given between its failures it still has.
            var held = await harness.room.workers()[0].busy
            while held > 1 {
                try await worker.fail(try await worker.step().lease)
                await harness.wait { $0[0].busy < held }
                held = await harness.room.workers()[0].busy
            }
            let probe = try await worker.step()
            #expect(await harness.room.workers().map(\.busy) == [1])
            try await worker.answer(probe)
            await harness.wait { $0[0].busy == 3 }
        }
    }

    @Test func `a worker that says Goodbye gets nothing new and finishes what it has`()
        async throws
    {
        try await withRoom { harness in
            let leaving = try await ScriptedWorker.join(harness)
            await harness.room.order([Order.step(1), Order.step(2)])
            let items = [try await leaving.step(), try await leaving.step()]
            try await leaving.say(.goodbye(BusGoodbye()))
            await harness.wait { $0[0].draining }
            await harness.room.order(Order.step(3))
            #expect(await harness.room.queued == 1)
            #expect(await harness.room.hasWorkers == false)
            try await leaving.answer(items[0])
            #expect(try await harness.outcomes.next().order == 1)
            // It goes before the second is done: that one goes on, and nobody is to blame.
            await leaving.die()
            let next = try await ScriptedWorker.join(harness)
            let again = try await next.step()
            #expect(again.version == 2)
            #expect(again.attempt == 1)
            #expect(try await next.step().version == 3)
            #expect(await harness.room.counters["workers_drained"] == 1)
        }
    }

    @Test func `a draining worker is told when its last reply has arrived`() async throws {
        try await withRoom { harness in
            let leaving = try await ScriptedWorker.join(harness)
            await harness.room.order([Order.step(1), Order.step(2)])
            let items = [try await leaving.step(), try await leaving.step()]
            try await leaving.say(.goodbye(BusGoodbye()))
            await harness.wait { $0[0].draining }
            // Not before: the next it hears is about its second item.
            await harness.room.withdraw(2, reason: .cancelled)
            #expect(try await leaving.revoke().lease == items[1].lease)
            _ = try await leaving.welcome()
            try await leaving.answer(items[0])
            #expect(try await leaving.refusal().code == "drained")
            #expect(try await harness.outcomes.next().order == 1)
            let idle = try await ScriptedWorker.join(harness)
            try await idle.say(.goodbye(BusGoodbye()))
            #expect(try await idle.refusal().code == "drained")
        }
    }

    @Test func `a crash counts only against what the worker had started`() async throws {
        try await withRoom { harness in
            let dying = try await ScriptedWorker.join(harness, concurrency: 1)
            await harness.room.order((1...3).map { Order.step($0) })
            for _ in 0..<3 { _ = try await dying.step() }
            await dying.die()
            let next = try await ScriptedWorker.join(harness)
            let items = [try await next.step(), try await next.step(), try await next.step()]
            #expect(items.map(\.version) == [1, 2, 3])
            #expect(items.map(\.attempt) == [2, 1, 1])
            #expect(await harness.room.counters["items_handed_on"] == 2)
        }
    }

    @Test func `a reply above the bound is dropped and counts as a failed attempt`() async throws {
        try await withRoom(
            .provider,
            {
                $0.maximumReplyBytes = 1_000
                $0.maximumAttempts = 1
            }
        ) { harness in
            let worker = try await ScriptedWorker.join(harness)
            await harness.room.order(Order.step(1, state: String(repeating: "x", count: 1_500)))
            try await worker.answer(try await worker.step())
            #expect(try await harness.outcomes.next().failureCode == "reply-too-large")
            #expect(await harness.room.counters["replies_too_large"] == 1)
        }
    }

    @Test(arguments: [(true, "busy"), (false, nil)] as [(Bool, String?)])
    func `a computation's failure is tried again if that may help, else it is the outcome`(
        isRetryable: Bool,
        givenUp: String?
    ) async throws {
        try await withRoom(.compute, { $0.maximumAttempts = 2 }) { harness in
            let worker = try await ScriptedWorker.join(harness, can: [.kind("echo")])
            await harness.room.order(Order.computation(1))
            var reply = BusComputeReply()
            reply.failure.code = "busy"
            reply.failure.retryable = isRetryable
            for _ in 0..<(isRetryable ? 2 : 1) {
                reply.lease = try await worker.computation().lease
                try await worker.say(.compute(reply))
            }
            let outcome = try await harness.outcomes.next()
            #expect(outcome.failureCode == givenUp)
            if case .computed(_, let reply) = outcome { #expect(reply.failure.code == "busy") }
        }
    }

    @Test func `outcomes of many items arrive, each once`() async throws {
        try await withRoom { harness in
            let workers = [
                try await ScriptedWorker.join(harness, capacity: 16),
                try await ScriptedWorker.join(harness, capacity: 16),
            ]
            await harness.room.order((1...400).map { Order.step($0) })
            try await withThrowingTaskGroup { group in
                for worker in workers {
                    group.addTask {
                        while true { try await worker.answer(try await worker.step()) }
                    }
                }
                var seen: Set<UInt64> = []
                for _ in 0..<400 { seen.insert(try await harness.outcomes.next().order) }
                #expect(seen == Set(1...400))
                group.cancelAll()
            }
            #expect(await harness.room.counters["items_done"] == 400)
        }
    }
}
