import BOLT11
import BridgeProtocol
import BusAddresses
import CrashPoints
import Foundation
import GRPCNGHTTP2
import Journal
import LightningTypes
import LndRPC
import Logging
import ServiceLifecycle
import ServiceNotify
import SwiftProtobuf
import ZeroMQ

// Time, and what is done at intervals.
extension RunningBridge {
    func keepTime() async throws {
        while true {
            let due = try await journal.due(at: Self.now())
            loop.inputs.put([.due(wake: due.wake, answer: due.answer), .tick])
            configuration.notifier.tell(await condition())
            try await Task.sleep(for: .seconds(1))
        }
    }

    /// What the service manager shows: without lnd the bridge is degraded, not failed.
    func condition() async -> String {
        let link = await session.state
        guard link.name != "ready" else { return "lnd is ready" }
        return "waiting for lnd: \(link.detail.isEmpty ? link.name : link.detail)"
    }

    /// How often emptying the journal's log is tried at most: every step waits for it, and while a long
    /// query goes on it comes to nothing.
    private static let emptyingInterval = Duration.seconds(60)

    func keepHouse() async throws {
        var hasDeleted = false
        var triedAt: ContinuousClock.Instant?
        while true {
            let now = Self.now()
            do {
                if try await tidy(now) { hasDeleted = true }
                // Only then is a deleted prompt in none of the files.
                if hasDeleted, triedAt.map({ .now - $0 >= Self.emptyingInterval }) ?? true {
                    triedAt = .now
                    if try await journal.emptyLog() { hasDeleted = false }
                }
            } catch {
                guard error.code == .diskFull || error.code == .overloaded else { throw error }
                // The steps that fail for the same reason wait too; room may come back.
                logger.warning("the journal waits for room", metadata: ["error": "\(error)"])
            }
            try await Task.sleep(for: .seconds(10))
        }
    }

    /// Deletes what is over.
    ///
    /// - Returns: Whether prompts or results were among it.
    func tidy(_ now: UnixTime) async throws(JournalError) -> Bool {
        let seconds = withUnsafeBytes(of: now.seconds.bigEndian) { Array($0) }
        CrashPoint.beforeKeepAlive.reach()
        try await journal.keep(seconds, asSetting: Self.aliveSetting)
        CrashPoint.afterKeepAlive.reach()
        var contents = 0
        while true {
            CrashPoint.beforePrune.reach()
            let pruned = try await journal.prune(configuration.retention, now: now)
            CrashPoint.afterPrune.reach()
            contents += pruned.contents
            if pruned.isEmpty { return contents > 0 }
        }
    }
}
