import BridgeProtocol
import Foundation
import Logging
import ScriptedBus
import ServiceLifecycleTestKit
import SwiftProtobuf
import Testing
import WorkerKit
import ZeroMQ

@Suite(.timeLimit(.minutes(10))) struct StepWorkerTests {
    @Test func `a step's reply carries lease, version and nonce of its item`() async throws {
        try await withWorker { bridge in
            let (member, hello) = try await bridge.join()
            #expect(hello.program == "test" && hello.capacity == 64 && hello.concurrency == 1)
            let item = item(7, version: 3)
            try await bridge.send(.job(item), to: member)
            let reply = try await bridge.reply()
            #expect(reply.nonce == member.nonce)
            #expect(reply.job.lease == item.lease && reply.job.version == 3)
            #expect(reply.job.state == Data("regtest 7".utf8))
        }
    }

    @Test func `items are answered in the order in which they came`() async throws {
        try await withWorker { bridge in
            let (member, _) = try await bridge.join()
            for number in 0..<64 { try await bridge.send(.job(item(number)), to: member) }
            for number in 0..<64 {
                #expect(try await bridge.reply().job.lease == item(number).lease)
            }
        }
    }

    @Test func `a step that throws tells the bridge a code and nothing of the job`() async throws {
        try await withWorker { bridge in
            let (member, _) = try await bridge.join()
            try await bridge.send(.job(item(1, state: "fail:secret")), to: member)
            let foreign = try await bridge.reply().failed
            #expect(foreign.lease == item(1).lease && foreign.failure.code == "handler-failed")
            #expect(foreign.failure.retryable && !"\(foreign)".contains("secret"))
            try await bridge.send(.job(item(2, state: "refuse")), to: member)
            let own = try await bridge.reply().failed.failure
            #expect(own.code == "state-unreadable" && !own.retryable)
        }
    }

    @Test func `a malformed event and one of the future disturb nothing`() async throws {
        try await withWorker { bridge in
            let (member, _) = try await bridge.join()
            try await bridge.send(raw: [Frame([0xff, 0xff])], to: member)
            try await bridge.send(raw: [Frame("one"), Frame("two")], to: member)
            // Field 99, a message: a kind of event that this worker does not know.
            try await bridge.send(raw: [Frame([0x9a, 0x06, 0x00])], to: member)
            try await bridge.send(.job(item(1)), to: member)
            #expect(try await bridge.reply().job.lease == item(1).lease)
        }
    }

    @Test func `a reply larger than the bridge takes fails its item instead`() async throws {
        try await withWorker { bridge in
            let (member, _) = try await bridge.join { $0.maxReplyBytes = 200 }
            try await bridge.send(.job(item(1, state: "large")), to: member)
            let failed = try await bridge.reply().failed
            #expect(failed.lease == item(1).lease && failed.failure.code == "reply-too-large")
        }
    }

    @Test func `a refused worker ends with what the bridge said`() async throws {
        let bridge = try await ScriptedBridge(.provider)
        let worker = worker(bridge)
        let run = Task { try await worker.run() }
        let (member, _) = try await bridge.join()
        let failure = BusFailure.with {
            $0.code = "worker-id-taken"
            $0.detail = "another process has this id"
            $0.advice = "Start it again."
        }
        try await bridge.send(.refused(.with { $0.failure = failure }), to: member)
        let error = await #expect(throws: WorkerError.self) { try await run.value }
        #expect(
            error.map { "\($0)" }
                == "refused: worker-id-taken: another process has this id. Start it again."
        )
        await bridge.close()
    }

    @Test func `a worker that drains says Goodbye and returns when it is dismissed`() async throws {
        let bridge = try await ScriptedBridge(.provider)
        try await testGracefulShutdown { trigger in
            async let run: Void = worker(bridge).run()
            let (member, _) = try await bridge.join()
            trigger.triggerGracefulShutdown()
            let reply = try await bridge.reply()
            #expect(reply.nonce == member.nonce && reply.body == .goodbye(BusGoodbye()))
            // What was on its way when it said so is done all the same.
            try await bridge.send(.job(item(5)), to: member)
            #expect(try await bridge.reply().job.lease == item(5).lease)
            try await bridge.dismiss(member)
            try await run
            try await bridge.end(of: member.subscription)
        }
        await bridge.close()
    }

    @Test func `a worker that nobody dismisses returns all the same`() async throws {
        let bridge = try await ScriptedBridge(.provider)
        try await testGracefulShutdown { trigger in
            async let run: Void = worker(bridge, dismissalLimit: .zero).run()
            let (member, _) = try await bridge.join()
            trigger.triggerGracefulShutdown()
            try await bridge.goodbye()
            try await run
            try await bridge.end(of: member.subscription)
        }
        await bridge.close()
    }

    @Test func `a drain without a bridge returns at once`() async throws {
        let options = WorkerOptions(
            role: .provider,
            busDirectory: "/nonexistent",
            program: "test"
        )
        try await testGracefulShutdown { trigger in
            async let run: Void = StepWorker(
                options: options,
                handler: TestSteps(),
                logger: quiet
            ).run()
            trigger.triggerGracefulShutdown()
            try await run
        }
    }
}

/// Steps whose outcome the item's state chooses.
private struct TestSteps: StepHandler {
    func step(_ item: BusJobItem, in context: WorkerContext) throws -> BusJobReply {
        switch String(decoding: item.state, as: UTF8.self) {
        case "fail:secret": throw ForeignError(text: "secret")
        case "refuse": throw WorkFailure("state-unreadable", "no version", isRetryable: false)
        case "large": BusJobReply.with { $0.state = Data(count: 500) }
        default: BusJobReply.with { $0.state = Data("\(context.network) \(item.nowUnix)".utf8) }
        }
    }
}

private struct ForeignError: Error { var text: String }

private func item(_ number: Int, version: UInt64 = 0, state: String = "") -> BusJobItem {
    BusJobItem.with {
        $0.lease = Data(repeating: UInt8(number), count: 16)
        $0.version = version
        $0.state = Data(state.utf8)
        $0.nowUnix = UInt64(number)
    }
}

private let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

private func worker(
    _ bridge: ScriptedBridge,
    dismissalLimit: Duration = .seconds(60)
) -> StepWorker<TestSteps> {
    var options = WorkerOptions(role: .provider, busDirectory: bridge.directory, program: "test")
    options.dismissalLimit = dismissalLimit
    return StepWorker(options: options, handler: TestSteps(), logger: quiet)
}

/// Runs a worker beside a script; the script's end cancels the worker.
private func withWorker(_ script: (ScriptedBridge) async throws -> Void) async throws {
    let bridge = try await ScriptedBridge(.provider)
    let worker = worker(bridge)
    let run = Task { try await worker.run() }
    do {
        try await script(bridge)
    } catch {
        run.cancel()
        await bridge.close()
        throw error
    }
    run.cancel()
    await #expect(throws: CancellationError.self) { try await run.value }
    await bridge.close()
}
