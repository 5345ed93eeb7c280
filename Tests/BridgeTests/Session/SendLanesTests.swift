import LCPTesting
import LightningTypes
import Testing

@testable import Bridge

@Suite struct SendLanesTests {
    private let peer = SessionSample.peer(1)

    @Test func `messages of one job wait for each other, those of others don't`() {
        var lanes = SendLanes(callsPerPeer: 2, waitingPerPeer: 3)
        let (one, two, three) = (
            SessionSample.bytes32(1), SessionSample.bytes32(2), SessionSample.bytes32(3)
        )
        #expect(lanes.enter(peer, one) == .go)
        #expect(lanes.enter(peer, one) == .wait(1))
        #expect(lanes.enter(peer, two) == .go)
        #expect(lanes.enter(peer, three) == .wait(2), "two calls are under way")
        #expect(lanes.enter(SessionSample.peer(2), one) == .go)
        #expect(lanes.leave(peer, two) == [2], "job one is busy")
        #expect(lanes.leave(peer, one) == [1])
        #expect(lanes.leave(peer, one).isEmpty)
    }

    @Test func `too many waiting are refused`() {
        var lanes = SendLanes(callsPerPeer: 1, waitingPerPeer: 2)
        let admissions = (0..<4).map { _ in lanes.enter(peer, .zero) }
        #expect(admissions == [.go, .wait(1), .wait(2), .full])
        #expect(lanes.enter(SessionSample.peer(2), .zero) == .go)
    }

    @Test func `in any order nobody is overtaken in a job, forgotten, or above the limit`() {
        var waits = 0
        for seed in UInt64(0)..<100 {
            var random = SeededGenerator(seed: seed)
            var lanes = SendLanes(callsPerPeer: 3, waitingPerPeer: 10)
            var running: [Bytes32] = []
            var waiting: [(ticket: SendLanes.Ticket, lane: Bytes32)] = []
            for _ in 0..<200 {
                if Bool.random(using: &random) {
                    let lane = SessionSample.bytes32(.random(in: 0..<5, using: &random))
                    switch lanes.enter(peer, lane) {
                    case .go:
                        #expect(!waiting.contains { $0.lane == lane }, "seed \(seed): overtaken")
                        running.append(lane)
                    case .wait(let ticket):
                        waiting.append((ticket, lane))
                        waits += 1
                    case .full: #expect(waiting.count == 10, "seed \(seed)")
                    }
                } else if let index = running.indices.randomElement(using: &random) {
                    for turn in lanes.leave(peer, running.remove(at: index)) {
                        guard let place = waiting.firstIndex(where: { $0.ticket == turn }) else {
                            Issue.record("seed \(seed): a turn twice")
                            continue
                        }
                        let next = waiting.remove(at: place)
                        let isFirst = !waiting[..<place].contains { $0.lane == next.lane }
                        #expect(isFirst, "seed \(seed): overtaken")
                        running.append(next.lane)
                    }
                }
                #expect(running.count <= 3 && Set(running).count == running.count, "seed \(seed)")
                let idle = waiting.allSatisfy { running.contains($0.lane) } || running.count == 3
                #expect(idle, "seed \(seed): somebody waits for nothing")
            }
        }
        #expect(waits > 1000)
    }
}
