import Journal
import LCPTesting
import LightningTypes
import Testing

@testable import Bridge

@Suite struct ReplayWindowTests {
    private func entry(_ message: Int, from peer: Int = 1, expiresAt: UInt64) -> ReplayEntry {
        ReplayEntry(
            peer: SessionSample.peer(peer),
            jobID: .zero,
            messageID: SessionSample.bytes32(message),
            expiresAt: UnixTime(seconds: expiresAt)
        )
    }

    @Test func `a peer's flood costs no other peer its protection`() {
        var window = ReplayWindow()
        func take(_ message: Int, from peer: Int, at time: UInt64 = 100) -> ReplayWindow.Verdict {
            window.take(
                entry(message, from: peer, expiresAt: 200),
                quota: 3,
                total: 5,
                at: UnixTime(seconds: time)
            )
        }
        #expect(take(1, from: 2) == .new)
        for message in 1...3 { #expect(take(message, from: 1) == .new) }
        #expect(take(4, from: 1) == .full)
        #expect(take(1, from: 1) == .replayed && take(1, from: 2) == .replayed)
        #expect(take(1, from: 3) == .new)
        #expect(take(1, from: 4) == .full, "five are there in all")
        #expect(take(1, from: 4, at: 200) == .new && window.count == 1)
    }

    @Test func `what was not taken after all may come again`() {
        var window = ReplayWindow()
        let now = UnixTime(seconds: 100)
        let message = entry(1, expiresAt: 150)
        #expect(window.take(message, quota: 1, total: 1, at: now) == .new)
        window.forget(message)
        window.forget(message)
        #expect(window.count == 0)
        // The note of the first expiry must not end the second.
        let again = entry(1, expiresAt: 180)
        #expect(window.take(again, quota: 1, total: 1, at: now) == .new)
        #expect(window.take(again, quota: 1, total: 1, at: UnixTime(seconds: 160)) == .replayed)
        #expect(window.take(again, quota: 1, total: 1, at: UnixTime(seconds: 180)) == .new)
    }

    // LCP v0.1 §4.2 [replay-remembered]
    @Test func `a window agrees with a list of everything that came`() {
        var verdicts: [ReplayWindow.Verdict: Int] = [:]
        for seed in UInt64(0)..<60 {
            var random = SeededGenerator(seed: seed)
            var window = ReplayWindow()
            var model: [ReplayEntry] = []
            var now: UInt64 = 1000
            for _ in 0..<150 {
                now += UInt64.random(in: 0...3, using: &random)
                let entry = entry(
                    .random(in: 0..<12, using: &random),
                    from: .random(in: 1...3, using: &random),
                    expiresAt: now + .random(in: 1...30, using: &random)
                )
                func isSame(_ other: ReplayEntry) -> Bool {
                    other.peer == entry.peer && other.messageID == entry.messageID
                }
                if Int.random(in: 0..<10, using: &random) == 0 {
                    window.forget(entry)
                    model.removeAll(where: isSame)
                    continue
                }
                model.removeAll { $0.expiresAt.seconds <= now }
                let expected: ReplayWindow.Verdict
                if model.contains(where: isSame) {
                    expected = .replayed
                } else if model.count(where: { $0.peer == entry.peer }) >= 5 || model.count >= 12 {
                    expected = .full
                } else {
                    expected = .new
                    model.append(entry)
                }
                let verdict = window.take(
                    entry,
                    quota: 5,
                    total: 12,
                    at: UnixTime(seconds: now)
                )
                #expect(verdict == expected, "seed \(seed) at \(now)")
                #expect(window.count == model.count, "seed \(seed) at \(now)")
                verdicts[verdict, default: 0] += 1
            }
        }
        #expect(verdicts.count == 3 && verdicts.values.allSatisfy { $0 > 100 }, "\(verdicts)")
    }
}
