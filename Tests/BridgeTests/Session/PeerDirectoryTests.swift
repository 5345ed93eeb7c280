import LCPTesting
import LightningTypes
import LndRPC
import Testing

@testable import Bridge

@Suite struct PeerDirectoryTests {
    private let start = ContinuousClock.now
    private let alice = SessionSample.peer(1)

    private func list(
        _ directory: inout PeerDirectory,
        _ peers: [Int],
        number: UInt64? = nil,
        isFirst: Bool = false,
        channels: Set<NodeID> = [],
        after elapsed: Duration = .zero
    ) -> [PeerDirectory.News] {
        let number = number ?? directory.ask()
        return directory.take(
            peers.map { SessionSample.listed($0) },
            channels: channels,
            number: number,
            isFirst: isFirst,
            at: start + elapsed
        )
    }

    @Test func `a list says who came and who went`() {
        var directory = PeerDirectory()
        let came = list(&directory, [1], isFirst: true, channels: [alice])
        #expect(came == [.came(alice, .before)])
        #expect(directory.isConnected(alice) && directory.hasChannel(with: alice))
        #expect(directory.address(of: alice) == "127.0.0.1:9735")
        #expect(list(&directory, [1]).isEmpty)
        #expect(!directory.hasChannel(with: alice))
        #expect(list(&directory, []) == [.went(alice)])
        #expect(!directory.isConnected(alice))
    }

    @Test func `a list does not take away who came after it was asked for`() {
        var directory = PeerDirectory()
        let early = directory.ask()
        #expect(directory.online(alice, at: start) == .came(alice, .now))
        #expect(list(&directory, [], number: early).isEmpty)
        #expect(directory.isConnected(alice))
        #expect(list(&directory, []) == [.went(alice)])
    }

    @Test func `an old list changes nothing after a newer one`() {
        var directory = PeerDirectory()
        let (old, new) = (directory.ask(), directory.ask())
        #expect(list(&directory, [1], number: new).count == 1)
        #expect(list(&directory, [2], number: old).isEmpty)
        #expect(directory.connected == [alice])
    }

    @Test func `an ONLINE right after the list that had the peer is the same connection`() {
        var directory = PeerDirectory()
        _ = list(&directory, [1])
        #expect(directory.online(alice, at: start + .seconds(1)) == nil)
        #expect(list(&directory, [1]).isEmpty)
        let another = directory.online(alice, at: start + .seconds(1))
        #expect(another == .came(alice, .now), "the second is another")
    }

    @Test func `an OFFLINE after it and a peer still listed mean that it was not`() {
        var directory = PeerDirectory()
        _ = list(&directory, [1])
        _ = directory.online(alice, at: start)
        directory.offline(alice)
        #expect(list(&directory, [1]) == [.came(alice, .before)])
        #expect(list(&directory, [1]).isEmpty, "told once")
    }

    @Test func `an ONLINE of a connected peer is a new connection`() {
        var directory = PeerDirectory()
        _ = list(&directory, [1])
        let again = directory.online(alice, at: start + .seconds(3))
        #expect(again == .came(alice, .now))
        directory.offline(alice)
        #expect(list(&directory, [1]).isEmpty, "the late OFFLINE changes nothing")
    }

    @Test func `a message proves that its sender is there, until the next list`() {
        var directory = PeerDirectory()
        #expect(directory.heard(alice) == .came(alice, .before))
        #expect(directory.heard(alice) == nil)
        #expect(list(&directory, []) == [.went(alice)])
    }

    @Test func `after lnd was away who is still there may have come anew`() {
        var directory = PeerDirectory()
        _ = list(&directory, [1, 2])
        let news = list(&directory, [1, 3], isFirst: true)
        let expected: Set<PeerDirectory.News> = [
            .came(alice, .perhaps),
            .came(SessionSample.peer(3), .before),
            .went(SessionSample.peer(2)),
        ]
        #expect(Set(news) == expected && news.count == 3)
    }

    @Test func `in any order of events the last list alone decides`() {
        for seed in UInt64(0)..<100 {
            var random = SeededGenerator(seed: seed)
            var directory = PeerDirectory()
            var told: Set<NodeID> = []
            func note(_ news: [PeerDirectory.News]) {
                for change in news {
                    switch change {
                    case .came(let peer, _): told.insert(peer)
                    case .went(let peer): told.remove(peer)
                    }
                }
            }
            for step in 0..<60 {
                let peer = Int.random(in: 1...4, using: &random)
                let now = start + .seconds(step)
                switch Int.random(in: 0..<4, using: &random) {
                case 0:
                    note([directory.online(SessionSample.peer(peer), at: now)].compactMap(\.self))
                case 1: directory.offline(SessionSample.peer(peer))
                case 2: note([directory.heard(SessionSample.peer(peer))].compactMap(\.self))
                default:
                    let present = (1...4).filter { _ in Bool.random(using: &random) }
                    note(list(&directory, present, after: .seconds(step)))
                    let expected = Set(present.map { SessionSample.peer($0) })
                    #expect(Set(directory.connected) == expected, "seed \(seed)")
                }
                #expect(told == Set(directory.connected), "seed \(seed)")
            }
        }
    }
}
