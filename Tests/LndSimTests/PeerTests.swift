import LightningTypes
import LndSim
import Testing

@Suite struct PeerTests {
    @Test func `nodes with a channel are connected from the start, others are not`() throws {
        var test = TestNetwork(["alice", "bob", "carol"])
        try test.open("alice", "bob")
        let peers = try test.network.listPeers(on: test["alice"])
        #expect(peers.map(\.id) == [test.id("bob")])
        #expect(peers[0].address == "127.0.0.1:9736" && !peers[0].isInbound)
        #expect(try test.network.listPeers(on: test["bob"]).map(\.isInbound) == [true])
        #expect(try test.network.listPeers(on: test["carol"]).isEmpty)
    }

    @Test func `ConnectPeer connects, says so, and both sides hear ONLINE`() throws {
        var test = TestNetwork(["alice", "bob"])
        let (alice, bob) = (test["alice"], test["bob"])
        let atAlice = try test.network.subscribePeerEvents(on: alice)
        let atBob = try test.network.subscribePeerEvents(on: bob)
        let status = try test.network.connectPeer(
            key: test.id("bob").hex,
            host: "localhost:9736",
            isPermanent: false,
            on: alice
        )
        #expect(status == "connection to \(test.id("bob"))@localhost:9736 initiated")
        #expect(test.peerEvents(atAlice) == [PeerEvent(peer: test.id("bob"), isOnline: true)])
        #expect(test.peerEvents(atBob) == [PeerEvent(peer: test.id("alice"), isOnline: true)])
    }

    @Test func `ConnectPeer refuses in lnd's words`() throws {
        var test = TestNetwork(["alice", "bob"])
        let (alice, bobID) = (test["alice"], test.id("bob").hex)
        func connect(_ key: String, _ host: String) throws {
            _ = try test.network.connectPeer(
                key: key,
                host: host,
                isPermanent: false,
                on: alice
            )
        }
        expectFault(2, "cannot make connection to self") {
            try connect(test.id("alice").hex, "127.0.0.1:9735")
        }
        expectFault(2, "dial tcp 127.0.0.1:1: connect: connection refused") {
            try connect(bobID, "127.0.0.1:1")
        }
        expectFault(2, "encoding/hex: invalid byte: U+0078 'x'") { try connect("xx", "h:1") }
        expectFault(2, "encoding/hex: odd length hex string") { try connect("abc", "h:1") }
        try connect(bobID, "127.0.0.1:9736")
        expectFault(2, "already connected to peer: \(bobID)@127.0.0.1:9736") {
            try connect(bobID, "127.0.0.1:9736")
        }
    }

    @Test func `DisconnectPeer keeps peers with channels and forgets permanent ones`() throws {
        var test = TestNetwork(["alice", "bob", "carol"])
        try test.open("alice", "bob")
        let (alice, bobID, carolID) = (test["alice"], test.id("bob").hex, test.id("carol").hex)
        expectFault(2, "cannot disconnect from peer(\(bobID)), still has 1 active channels") {
            try test.network.disconnectPeer(key: bobID, on: alice)
        }
        expectFault(2, "unable to disconnect peer: peer \(carolID) is not connected") {
            try test.network.disconnectPeer(key: carolID, on: alice)
        }
        _ = try test.network.connectPeer(
            key: carolID,
            host: "127.0.0.1:9737",
            isPermanent: true,
            on: alice
        )
        test.network.separatePeers(alice, test["carol"], staysDown: false)
        test.pass(seconds: 2)
        #expect(test.network.areConnected(alice, test["carol"]), "permanent peers come back")

        #expect(
            try test.network.disconnectPeer(key: carolID, on: alice) == "disconnect initiated"
        )
        test.pass(seconds: 10)
        #expect(!test.network.areConnected(alice, test["carol"]))
    }

    @Test func `a late OFFLINE comes after the ONLINE of the new connection`() throws {
        var test = TestNetwork(["alice", "bob"])
        try test.open("alice", "bob")
        let events = try test.network.subscribePeerEvents(on: test["alice"])
        test.network.separatePeers(
            test["alice"],
            test["bob"],
            staysDown: false,
            lateOffline: true
        )
        #expect(test.peerEvents(events).isEmpty)
        test.pass(seconds: 2)
        #expect(test.peerEvents(events).map(\.isOnline) == [true, false])
        #expect(test.network.areConnected(test["alice"], test["bob"]))
    }

    @Test func `a restarted node loses its streams and gets its channel peers back`() throws {
        var test = TestNetwork(["alice", "bob"])
        try test.open("alice", "bob")
        let (alice, bob) = (test["alice"], test["bob"])
        let atAlice = try test.network.subscribeCustomMessages(on: alice)
        let atBob = try test.network.subscribePeerEvents(on: bob)
        test.network.restartNode(alice, downMilliseconds: 500, millisecondsPerState: 100)
        #expect(test.end(of: atAlice) == .some(.unavailable))
        #expect(test.peerEvents(atBob).map(\.isOnline) == [false])
        expectFault(14, "transport is closing") { try test.network.information(of: alice) }

        test.pass(milliseconds: 500)
        expectFault(
            2,
            "the RPC server is in the process of starting up, but not yet ready to accept calls"
        ) { try test.network.information(of: alice) }
        test.pass(milliseconds: 100)
        #expect(try !test.network.information(of: alice).isSynced)
        expectFault(2, "server is still in the process of starting") {
            try test.network.disconnectPeer(key: test.id("bob").hex, on: alice)
        }
        test.pass(milliseconds: 100)
        #expect(try test.network.information(of: alice).isSynced)
        #expect(test.peerEvents(atBob).map(\.isOnline) == [true])
    }

    @Test func `SubscribeState tells the state at once and then every change`() throws {
        var test = TestNetwork(["alice"])
        let alice = test["alice"]
        test.network.setWalletState(.locked, of: alice)
        let states = test.network.subscribeState(on: alice)
        expectFault(2, "wallet locked, unlock it to enable full RPC access") {
            try test.network.information(of: alice)
        }
        test.network.setWalletState(.nonExisting, of: alice)
        expectFault(2, "wallet not created, create one to enable full RPC access") {
            try test.network.information(of: alice)
        }
        test.network.setWalletState(.waitingToStart, of: alice)
        expectFault(2, "waiting to start, RPC services not available") {
            try test.network.information(of: alice)
        }
        test.network.setWalletState(.serverActive, of: alice)
        #expect(
            test.take(states) == [
                .walletState(.locked), .walletState(.nonExisting), .walletState(.waitingToStart),
                .walletState(.serverActive),
            ]
        )
    }
}
