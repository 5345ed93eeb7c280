"""Connecting, disconnecting, and hearing of it."""

import lightning_pb2 as ln

from .harness import Code, Stream, check, equal, eventually, expect, network, refused

ONLINE, OFFLINE = 0, 1
# Carol and dave make a subscription prove that it is live.
NAMES = ("alice", "bob", "carol", "dave")


def connect_to(node, pubkey, host, **fields):
    address = ln.LightningAddress(pubkey=pubkey, host=host)
    return node.lightning.ConnectPeer(ln.ConnectPeerRequest(addr=address, **fields))


def peer_events(node, toggle, fence):
    """A live SubscribePeerEvents and the probes' events; both helpers stay connected."""
    stream = Stream(node.lightning.SubscribePeerEvents(ln.PeerEventSubscription()))
    while stream.items.empty():
        toggle.connect(node)
        toggle.disconnect(node)
    toggle.connect(node)
    # Events come in order, so the fence's first one follows everything the probes have made.
    fence.connect(node)
    probes = []
    while not probes or probes[-1].pub_key != fence.pubkey:
        probes.append(stream.next("a probe's event"))
    return stream, probes[:-1]


@check("two nodes connect, and both list the other")
def _():
    with network() as (_, alice, bob):
        equal(alice.peers(), {}, "peers at first")
        answer = alice.connect(bob)
        equal(answer.status, f"connection to {bob.pubkey}@{bob.p2p_address} initiated", "status")
        eventually(lambda: bob.pubkey in alice.peers(), "bob is alice's peer")
        ours, theirs = alice.peers()[bob.pubkey], bob.peers()[alice.pubkey]
        equal((ours.inbound, theirs.inbound), (False, True), "inbound")
        equal(ours.address, bob.p2p_address, "address of the dialled")
        expect(theirs.address != alice.p2p_address, "an inbound peer has an ephemeral port")
        equal(alice.info().num_peers, 1, "num_peers")


@check("connecting again is refused as already connected, from both sides")
def _():
    with network() as (_, alice, bob):
        alice.connect(bob)
        for one, other in ((alice, bob), (bob, alice)):
            text = f"already connected to peer: {other.pubkey}@"
            refused(Code.UNKNOWN, text, lambda: one.connect(other), match="start")
            refused(Code.UNKNOWN, text, lambda: one.connect(other, perm=True), match="start")


@check("a node does not connect to itself, to nobody, or to the wrong key")
def _():
    with network() as (_, alice, bob):
        refused(Code.UNKNOWN, "cannot make connection to self", lambda: alice.connect(alice))
        refused(
            Code.UNKNOWN, "need: lnc pubkeyhash@hostname",
            lambda: alice.lightning.ConnectPeer(ln.ConnectPeerRequest()),
        )
        for pubkey, host in (
            (bob.pubkey, "127.0.0.1:1"),  # Nobody listens there.
            ("02" + "11" * 32, bob.p2p_address),  # Somebody else does.
            ("zz", bob.p2p_address),
            (bob.pubkey[:-2], bob.p2p_address),
        ):
            refused(Code.UNKNOWN, "", lambda: connect_to(alice, pubkey, host), match="part")
        equal(alice.peers(), {}, "peers")


@check("disconnecting ends the connection for both")
def _():
    with network() as (_, alice, bob):
        alice.connect(bob)
        equal(alice.disconnect(bob).status, "disconnect initiated", "status")
        eventually(lambda: not alice.peers() and not bob.peers(), "nobody is connected")
        refused(
            Code.UNKNOWN,
            f"unable to disconnect peer: peer {bob.pubkey} is not connected",
            lambda: alice.disconnect(bob),
        )


@check("a peer with channels is not disconnected")
def _():
    with network("alice:bob:1000000", "alice:bob:500000") as (_, alice, bob):
        for one, other in ((alice, bob), (bob, alice)):
            refused(
                Code.UNKNOWN,
                f"cannot disconnect from peer({other.pubkey}), still has 2 active channels",
                lambda: one.disconnect(other),
            )
        expect(bob.pubkey in alice.peers(), "still connected")


@check("peer events tell changes only, without a snapshot")
def _():
    with network(names=NAMES) as (_, alice, bob, carol, dave):
        alice.connect(bob)
        stream, events = peer_events(alice, carol, dave)
        expect(all(e.pub_key == carol.pubkey for e in events), "bob was there before: no event")
        alice.disconnect(bob)
        event = stream.next("bob's OFFLINE")
        equal((event.pub_key, event.type), (bob.pubkey, OFFLINE), "event")
        bob.connect(alice)
        event = stream.next("bob's ONLINE")
        equal((event.pub_key, event.type), (bob.pubkey, ONLINE), "event")


@check("every subscriber of peer events hears every change, on both sides")
def _():
    with network(names=NAMES) as (_, alice, bob, carol, dave):
        streams = [peer_events(node, carol, dave)[0] for node in (alice, bob)]
        alice.connect(bob)
        for stream, peer in zip(streams, (bob, alice)):
            event = stream.next("ONLINE")
            equal((event.pub_key, event.type), (peer.pubkey, ONLINE), "event")


@check("an ONLINE event has no type on the wire")
def _():
    with network(names=NAMES) as (_, alice, bob, carol, dave):
        raw = Stream(
            alice.channel.unary_stream("/lnrpc.Lightning/SubscribePeerEvents")(
                b"", metadata=alice.metadata
            )
        )
        while raw.items.empty():
            bob.connect(alice)
            bob.disconnect(alice)
        carol.connect(alice)
        wanted = b"\x0a\x42" + carol.pubkey.encode()
        raw.until(lambda data: data == wanted, "carol's ONLINE, nothing but the key")


@check("an OFFLINE may come after the ONLINE of the next connection")
def _():
    with network("alice:bob:1000000", names=NAMES) as net:
        simnet, alice, bob, carol, dave = net
        stream, _ = peer_events(alice, carol, dave)
        simnet.ctl("separate", "alice", "bob", "--late-offline")
        for kind in (ONLINE, OFFLINE):
            event = stream.next("bob's event")
            equal((event.pub_key, event.type), (bob.pubkey, kind), "event")
        expect(bob.pubkey in alice.peers(), "the late OFFLINE is old news")


@check("peers with a channel find each other again, others do not")
def _():
    with network("alice:bob:1000000", names=NAMES) as net:
        simnet, alice, bob, carol, dave = net
        stream, _ = peer_events(alice, carol, dave)
        simnet.ctl("separate", "alice", "carol")
        simnet.ctl("separate", "alice", "bob")
        found = [(e.pub_key, e.type) for e in stream.take(3, "events")]
        equal(
            found,
            [(carol.pubkey, OFFLINE), (bob.pubkey, OFFLINE), (bob.pubkey, ONLINE)],
            "events",
        )
        expect(carol.pubkey not in alice.peers(), "carol has no channel and no tie")


@check("a permanent peer comes back after a loss, until it is disconnected")
def _():
    with network(names=NAMES) as (simnet, alice, bob, carol, dave):
        stream, _ = peer_events(alice, carol, dave)
        equal(
            alice.connect(bob, perm=True).status,
            f"connection to {bob.pubkey}@{bob.p2p_address} initiated", "status",
        )
        equal(stream.next("ONLINE").type, ONLINE, "event")
        simnet.ctl("separate", "alice", "bob")
        equal([e.type for e in stream.take(2, "events")], [OFFLINE, ONLINE], "loss and return")
        alice.disconnect(bob)
        equal(stream.next("OFFLINE").type, OFFLINE, "event")
        # Bob's return would be due after a second; the clock jumps past it.
        simnet.ctl("time", 30)
        alice.disconnect(carol)
        equal(stream.next("the fence").pub_key, carol.pubkey, "no ONLINE of bob before this")


@check("a permanent connection to a peer that is not there yet is made when it comes")
def _():
    with network(names=NAMES) as (simnet, alice, bob, carol, dave):
        stream, _ = peer_events(alice, carol, dave)
        simnet.ctl("wallet", "bob", "locked")
        refused(Code.UNKNOWN, "", lambda: alice.connect(bob), match="part")
        alice.connect(bob, perm=True)
        simnet.ctl("wallet", "bob", "server-active")
        event = stream.next("ONLINE")
        equal((event.pub_key, event.type), (bob.pubkey, ONLINE), "event")


@check("ctl separate --stay-down keeps peers apart until ctl join")
def _():
    with network("alice:bob:1000000", names=NAMES) as net:
        simnet, alice, bob, carol, dave = net
        stream, _ = peer_events(alice, carol, dave)
        simnet.ctl("separate", "alice", "bob", "--stay-down")
        event = stream.next("OFFLINE")
        equal((event.pub_key, event.type), (bob.pubkey, OFFLINE), "event")
        simnet.ctl("time", 30)
        alice.disconnect(carol)
        equal(stream.next("the fence").pub_key, carol.pubkey, "no ONLINE of bob before this")
        simnet.ctl("join", "alice", "bob")
        event = stream.next("ONLINE")
        equal((event.pub_key, event.type), (bob.pubkey, ONLINE), "event")
