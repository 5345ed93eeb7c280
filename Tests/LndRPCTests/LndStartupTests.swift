import GRPCCore
import SwiftProtobuf
import Synchronization
import Testing

@testable import LndRPC

@Suite struct LndStartupTests {
    private static let down = LndError(.unavailable, "SubscribeState: connection refused")

    // MARK: - Decisions

    @Test func `each state is waited through until lnd is ready`() {
        var startup = LndStartup()
        #expect(startup.phase == .connecting)
        let states: [(WalletState, LndStartup.Phase)] = [
            (.waitingToStart, .waitingToStart), (.nonExisting, .walletNotCreated),
            (.locked, .walletLocked), (.unlocked, .starting), (.rpcActive, .syncing),
        ]
        for (state, phase) in states {
            #expect(startup.handle(.state(state), jitter: 0) == .read)
            #expect(startup.phase == phase)
        }
        #expect(startup.handle(.state(.serverActive), jitter: 0) == .finish(nil))
        #expect(startup.phase == .ready)
    }

    @Test func `pauses double, stop growing and never vanish`() {
        var startup = LndStartup()
        var pauses: [Duration] = []
        for _ in 0..<9 {
            guard case .subscribe(let pause) = startup.handle(.failed(Self.down), jitter: 1) else {
                Issue.record("expected another attempt")
                return
            }
            pauses.append(pause)
        }
        #expect(pauses == [0.5, 1, 2, 4, 8, 16, 16, 16, 16].map { .seconds($0) })
        #expect(startup.phase == .noAnswer(Self.down))
        #expect(LndStartup.delay(afterFailures: 1, jitter: 0) == .milliseconds(250))
        #expect(LndStartup.delay(afterFailures: .max, jitter: 0) == .seconds(8))
    }

    @Test func `an answer makes the pauses short again`() {
        var startup = LndStartup()
        for _ in 0..<9 { _ = startup.handle(.failed(Self.down), jitter: 1) }
        _ = startup.handle(.state(.locked), jitter: 1)
        #expect(startup.handle(.ended, jitter: 1) == .subscribe(after: .milliseconds(500)))
        #expect(startup.phase == .walletLocked)
        _ = startup.handle(.failed(Self.down), jitter: 1)
        #expect(startup.handle(.failed(Self.down), jitter: 1) == .subscribe(after: .seconds(1)))
    }

    @Test func `an lnd without State service is polled`() {
        var startup = LndStartup()
        let missing = LndError(.unimplemented, "")
        #expect(startup.handle(.failed(missing), jitter: 0) == .poll(after: .zero))
        for (code, phase) in [
            (LndError.Code.walletLocked, LndStartup.Phase.walletLocked),
            (.walletNotCreated, .walletNotCreated), (.waitingToStart, .waitingToStart),
            (.starting, .starting),
        ] {
            let step = startup.handle(.failed(LndError(code, "")), jitter: 1)
            #expect(step == .poll(after: .milliseconds(500)))
            #expect(startup.phase == phase)
        }
        #expect(startup.handle(.answered, jitter: 0) == .finish(nil))
        #expect(startup.phase == .ready)
    }

    @Test func `only the caller's own end ends the waiting`() {
        for code in LndError.Code.allCases {
            var startup = LndStartup()
            let error = LndError(code, "")
            let step = startup.handle(.failed(error), jitter: 0)
            switch code {
            case .cancelled, .closed: #expect(step == .finish(error))
            default: #expect(step != .finish(error) && step != .finish(nil))
            }
        }
    }

    @Test func `what is waited for is said in words an operator can use`() {
        #expect("\(LndStartup.Phase.walletLocked)".contains("lncli unlock"))
        #expect("\(LndStartup.Phase.walletNotCreated)".contains("lncli create"))
        #expect("\(LndStartup.Phase.noAnswer(Self.down))".contains("connection refused"))
        #expect("\(LndStartup.Phase.connecting)" == "waiting for lnd to answer")
    }

    // MARK: - Against a server

    /// A clock whose pauses take no time, and are remembered.
    private struct NoClock: Clock {
        struct Instant: InstantProtocol {
            var offset: Swift.Duration
            func advanced(by duration: Swift.Duration) -> Instant {
                Instant(offset: offset + duration)
            }
            func duration(to other: Instant) -> Swift.Duration { other.offset - offset }
            static func < (left: Instant, right: Instant) -> Bool { left.offset < right.offset }
        }

        let pauses = Recorder<Swift.Duration>()
        var now: Instant { Instant(offset: .zero) }
        var minimumResolution: Swift.Duration { .zero }

        func sleep(until deadline: Instant, tolerance: Swift.Duration?) async throws {
            try Task.checkCancellation()
            pauses.record(deadline.offset)
        }
    }

    /// An lnd whose State service does one thing at each call.
    private func lnd(_ calls: [[Lnrpc_WalletState]], then errors: [RPCError]) -> ScriptedLnd {
        let next = Recorder<Void>()
        var lnd = ScriptedLnd()
        lnd.onStream(State.SubscribeState.descriptor) {
            (_: Lnrpc_SubscribeStateRequest, out: RPCWriter<Lnrpc_SubscribeStateResponse>) in
            let call = next.values.count
            next.record(())
            for state in calls[call] { try await out.write(.with { $0.state = state }) }
            if call < errors.count { throw errors[call] }
            try await Task.sleep(for: .seconds(3600))
        }
        return lnd
    }

    @Test func `waiting survives lost connections and reports each change once`() async throws {
        let lost = RPCError(code: .unavailable, message: "connection lost")
        let exiting = RPCError(code: .unknown, message: "server exiting")
        let lnd = lnd(
            [[], [], [.locked], [.locked, .unlocked, .rpcActive, .rpcActive, .serverActive]],
            then: [lost, lost, exiting]
        )
        let phases = Recorder<LndStartup.Phase>()
        let clock = NoClock()
        try await lnd.run { node in
            try await node.waitUntilReady(clock: clock) { phases.record($0) }
        }
        #expect(
            phases.values == [
                .connecting,
                .noAnswer(LndError(.unavailable, "SubscribeState: connection lost")),
                .walletLocked,
                .noAnswer(LndError(.serverExiting, "SubscribeState: server exiting")),
                .walletLocked, .starting, .syncing, .ready,
            ]
        )
        #expect(clock.pauses.values.count == 3)
    }

    @Test func `an old lnd is polled until it answers`() async throws {
        let asked = Recorder<Void>()
        var lnd = ScriptedLnd()
        lnd.on(Lightning.GetInfo.descriptor) { (_: Lnrpc_GetInfoRequest, _) in
            asked.record(())
            guard asked.values.count > 2 else {
                throw RPCError(
                    code: .unknown,
                    message: "wallet locked, unlock it to enable full RPC access"
                )
            }
            return Sample.info
        }
        let phases = Recorder<LndStartup.Phase>()
        let clock = NoClock()
        try await lnd.run { node in
            try await node.waitUntilReady(clock: clock) { phases.record($0) }
        }
        #expect(phases.values == [.connecting, .walletLocked, .ready])
        #expect(clock.pauses.values.count == 2)
    }

    @Test func `cancelling ends the waiting`() async throws {
        let lnd = lnd([[.locked]], then: [])
        let (locked, sawLocked) = AsyncStream<Void>.makeStream()
        try await lnd.run { node in
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    try await node.waitUntilReady { phase in
                        if phase == .walletLocked { sawLocked.finish() }
                    }
                }
                for await _ in locked {}
                group.cancelAll()
                let error = try await lndError { try await group.waitForAll() }
                #expect(error?.code == .cancelled)
            }
        }
    }
}
