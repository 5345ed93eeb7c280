import LightningTypes
import Testing

@testable import Bridge

/// When the bridge connects to the peers it is told to keep.
@Suite struct KeptPeersTests {
    private let one = PeerAddress(peer: SessionSample.peer(1), address: "one:9735")
    private let two = PeerAddress(peer: SessionSample.peer(2), address: "two:9735")

    @Test func `who is there or being tried is not tried`() {
        var kept = KeptPeers([one, two])
        let now = ContinuousClock.now
        #expect(kept.due(at: now) { $0 == one.peer } == [two])
        #expect(kept.due(at: now) { $0 == one.peer } == [])
        kept.tried(two.peer, at: now, jitter: 0)
        #expect(kept.due(at: now + .milliseconds(499)) { $0 == one.peer } == [])
        #expect(kept.due(at: now + .milliseconds(500)) { $0 == one.peer } == [two])
    }

    @Test func `pauses double up to five minutes and start anew after a connection`() {
        var kept = KeptPeers([one])
        var now = ContinuousClock.now
        for expected in [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300] {
            #expect(kept.due(at: now) { _ in false } == [one])
            kept.tried(one.peer, at: now, jitter: 1)
            now += .seconds(expected) - .milliseconds(1)
            #expect(kept.due(at: now) { _ in false } == [], "after \(expected) s")
            now += .milliseconds(1)
        }
        #expect(kept.due(at: now) { _ in true } == [])
        #expect(kept.due(at: now) { _ in false } == [one])
        #expect(kept.tried(one.peer, at: now, jitter: 0) == 1)
    }

    @Test func `a peer that was disconnected by hand is left alone until it is wanted`() {
        var kept = KeptPeers([one])
        let now = ContinuousClock.now
        kept.leaveAlone(one.peer)
        #expect(kept.due(at: now) { _ in false } == [])
        kept.want(one.peer)
        #expect(kept.due(at: now) { _ in false } == [one])
        // Somebody nobody asked to keep is not kept because of that.
        kept.want(two.peer)
        #expect(kept.due(at: now) { _ in false } == [])
    }

    @Test func `a peer that is named twice is kept at its last address`() {
        let moved = PeerAddress(peer: one.peer, address: "elsewhere:9735")
        #expect(KeptPeers([one, two, moved]).peers == [moved, two])
    }

    @Test(arguments: [
        "", "x@host:1", "02@host:1", "\(SessionSample.peer(1))", "\(SessionSample.peer(1))@host",
        "\(SessionSample.peer(1))@:9735", "\(SessionSample.peer(1))@host:0",
        "\(SessionSample.peer(1))@host:+1", "\(SessionSample.peer(1))@host:65536",
    ])
    func `an address without key, host or port is none`(text: String) {
        #expect(PeerAddress(text) == nil)
    }

    @Test func `an address is key, host and port`() {
        #expect(PeerAddress("\(one.peer)@[::1]:9735")?.address == "[::1]:9735")
        #expect(PeerAddress("\(one.peer)@one:9735") == one)
    }
}
