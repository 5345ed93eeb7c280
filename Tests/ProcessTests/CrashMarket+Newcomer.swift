import Bridge
import Foundation
import GRDB
import Glibc
import LightningTypes
import LocalNetwork
import Testing

// A node whose bridge starts for the first time.
extension CrashMarket {
    /// Lets the bridge of a new node die at a point of its first start, starts it again and checks
    /// that it is none the worse.
    ///
    /// - Returns: Whether it came there.
    func crashNewcomer(at point: CrashPoint) async throws -> Bool {
        let bridge = CrashSide.newcomer.bridge
        // A connection of which neither side knows anything.
        try await control("separate", "carol", "bob", "--stay-down")
        await network.kill(bridge)
        let journal = try await network.node("carol").journal
        for file in ["", "-wal", "-shm"] {
            try? FileManager.default.removeItem(atPath: journal + file)
        }
        try await network.start(bridge, environment: ["LCP_CRASH_POINT": point.rawValue])
        let process = try #require(await network.process(bridge))
        await readyOrDead("carol", process)
        try await control("join", "carol", "bob")
        let watchdog = Task {
            _ = try? await self.missing(in: journal)
            process.signal(SIGTERM)
        }
        let ending = await process.wait()
        watchdog.cancel()
        try await network.start(bridge)
        try await network.waitForBridge(of: "carol")
        // What was lost with the crash comes again with the next connection.
        try await control("separate", "carol", "bob", "--stay-down")
        try await control("join", "carol", "bob")
        try await network.waitForOffers(of: "bob", at: "carol")
        let missing = try await missing(in: journal)
        #expect(missing == [], "\(point): the journal lacks something for ever")
        if ending == .signalled(SIGKILL) { deaths += 1 }
        return ending == .signalled(SIGKILL)
    }

    /// What a first start should leave and has not, after a while: whose journal it is, the key of
    /// submissions, what is sold, and what the peer sells.
    private func missing(in path: String) async throws -> Set<String> {
        let expected: Set = [
            "bridge.submission_secret", "bridge.node", "session.offers",
            try await network.node("bob").id.description,
        ]
        var configuration = Configuration()
        configuration.readonly = true
        var missing = expected
        let deadline = ContinuousClock.now + .seconds(20)
        while ContinuousClock.now < deadline {
            // Not there yet, perhaps, or about to be made.
            let found = try? await DatabaseQueue(path: path, configuration: configuration)
                .read { database in
                    try String.fetchSet(
                        database,
                        sql: "SELECT name FROM setting UNION SELECT lower(hex(peer)) FROM manifest"
                    )
                }
            missing = expected.subtracting(found ?? [])
            if missing.isEmpty { break }
            try await Task.sleep(for: .milliseconds(50))
        }
        return missing
    }
}
