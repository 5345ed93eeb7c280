"""Custom messages: who gets them, in which order, and where the cliffs are."""

import threading

import grpc

import lightning_pb2 as ln

from .harness import (
    Code, Stream, check, equal, eventually, expect, network, refused,
)

LIMIT = 65533


@check("a custom message reaches the peer as it was sent, without any channel")
def _():
    with network() as (_, alice, bob):
        alice.connect(bob)
        inbox = bob.watch_messages(alice)
        for type, data in (
            (32768, b""), (32769, b"odd"), (42081, bytes(range(256))), (65535, b"\xff" * 1000),
        ):
            equal(alice.send(bob, type, data).status, "message sent successfully", "status")
            found = inbox.next("the message")
            equal((found.peer, found.type, found.data), (alice.key, type, data), "message")


@check("messages flow both ways over one connection")
def _():
    with network() as (_, alice, bob):
        alice.connect(bob)
        inboxes = {alice: alice.watch_messages(bob), bob: bob.watch_messages(alice)}
        for one, other in ((alice, bob), (bob, alice)):
            one.send(other, 42081, one.name.encode())
            found = inboxes[other].next("the message")
            equal((found.peer, found.data), (one.key, one.name.encode()), "message")


@check("a peer that is not connected is NotFound, also before its message is looked at")
def _():
    with network() as (_, alice, bob):
        text = "peer is not connected"
        for key in (bob.key, alice.key, b"\x02" + bytes(32), bytes(33)):
            refused(Code.NOT_FOUND, text, lambda: alice.send(key, 42081))
        refused(Code.NOT_FOUND, text, lambda: alice.send(bob, 5))
        refused(Code.NOT_FOUND, text, lambda: alice.send(bob, 42081, bytes(LIMIT + 1)))


@check("a peer's key has 33 bytes")
def _():
    with network() as (_, alice, bob):
        for length in (0, 1, 32, 34, 66):
            refused(
                Code.UNKNOWN,
                f"invalid vertex length of {length}, want 33",
                lambda: alice.send(bytes(length), 42081),
            )


@check("types below 32768 are refused, types above 65535 are cut to 16 bits")
def _():
    with network() as (_, alice, bob):
        alice.connect(bob)
        inbox = bob.watch_messages(alice)
        for sent, cut in ((0, 0), (5, 5), (16, 16), (32767, 32767), (65536, 0), (65541, 5)):
            refused(
                Code.UNKNOWN,
                f"msg type: {cut} not in custom range: <unknown> and not overridden",
                lambda: alice.send(bob, sent),
            )
        alice.send(bob, 65536 + 42081, b"cut")
        found = inbox.next("the message")
        equal((found.type, found.data), (42081, b"cut"), "type")
        expect(bob.pubkey in alice.peers(), "still connected")


@check("65533 bytes pass; one more is refused and costs the connection")
def _():
    with network(names=("alice", "bob", "carol")) as (_, alice, bob, carol):
        alice.connect(bob)
        alice.connect(carol)
        inbox = bob.watch_messages(alice)
        largest = bytes(i * 7 % 256 for i in range(LIMIT))
        alice.send(bob, 42081, largest)
        equal(inbox.next("the largest").data, largest, "the largest message")

        refused(
            Code.UNKNOWN,
            f"message payload is too large - encoded {LIMIT + 1} bytes, "
            f"but maximum message payload is {LIMIT} bytes",
            lambda: alice.send(bob, 42081, bytes(LIMIT + 1)),
        )
        eventually(lambda: bob.pubkey not in alice.peers(), "bob is gone")
        eventually(lambda: alice.pubkey not in bob.peers(), "alice is gone")
        expect(carol.pubkey in alice.peers(), "carol is no part of this")
        refused(Code.NOT_FOUND, "peer is not connected", lambda: alice.send(bob, 42081))
        # Nothing of it arrived: after a reconnection the next message is the next item.
        alice.connect(bob)
        alice.send(bob, 42081, b"after")
        equal(inbox.next("the message after").data, b"after", "message")


@check("without a subscriber a message is lost, and its sender hears of success")
def _():
    with network() as (_, alice, bob):
        alice.connect(bob)
        equal(alice.send(bob, 42081, b"lost").status, "message sent successfully", "status")
        inbox = bob.watch_messages(alice)
        alice.send(bob, 42081, b"first")
        equal(inbox.next("the first").data, b"first", "nothing is replayed")
        inbox.cancel()
        error = inbox.ended()
        equal(error.code(), Code.CANCELLED, "a cancelled subscription")
        alice.send(bob, 42081, b"lost too")
        inbox = bob.watch_messages(alice)
        alice.send(bob, 42081, b"second")
        equal(inbox.next("the second").data, b"second", "nothing is replayed")


@check("every subscriber gets every message")
def _():
    with network() as (_, alice, bob):
        alice.connect(bob)
        inboxes = [bob.watch_messages(alice) for _ in range(3)]
        for inbox in inboxes:
            # Probes of the later ones went to the earlier ones too.
            while not inbox.items.empty():
                inbox.next()
        sent = [f"{i}".encode() for i in range(50)]
        for data in sent:
            alice.send(bob, 42081, data)
        for inbox in inboxes:
            found = []
            while len(found) < len(sent):
                found.append(inbox.until(lambda m: m.type == 42081, "message").data)
            equal(found, sent, "messages")


@check("messages of one peer arrive in the order of the calls, those of two do not mix up")
def _():
    with network(names=("alice", "bob", "carol")) as (_, alice, bob, carol):
        alice.connect(bob)
        carol.connect(bob)
        inbox = bob.watch_messages(alice)
        count = 500

        def send_all(sender):
            for i in range(count):
                sender.send(bob, 42081, i.to_bytes(2, "big"))

        threads = [threading.Thread(target=send_all, args=(n,)) for n in (alice, carol)]
        for thread in threads:
            thread.start()
        found = {alice.key: [], carol.key: []}
        for message in inbox.take(2 * count, "messages"):
            found[message.peer].append(int.from_bytes(message.data, "big"))
        for thread in threads:
            thread.join()
        for node in (alice, carol):
            equal(found[node.key], list(range(count)), f"order of {node.name}'s messages")


@check("a subscriber that does not read loses nothing and stalls nobody")
def _():
    with network() as (_, alice, bob):
        alice.connect(bob)
        quick = bob.watch_messages(alice)
        slow = bob.lightning.SubscribeCustomMessages(ln.SubscribeCustomMessagesRequest())
        # Its first message shows that it is live; from then on nobody reads it.
        first = threading.Event()
        head = []

        def read_one():
            head.append(next(slow))
            first.set()

        threading.Thread(target=read_one, daemon=True).start()
        number = 0
        while not first.wait(0.01):
            alice.send(bob, 40000, number.to_bytes(4, "big"))
            number += 1
        count = 300
        for i in range(count):
            alice.send(bob, 42081, i.to_bytes(2, "big") + bytes(60_000))
        for i in range(count):
            found = quick.until(lambda m: m.type == 42081, "the quick one's message")
            equal(int.from_bytes(found.data[:2], "big"), i, "order for the quick one")
        late = Stream(slow)
        for i in range(count):
            found = late.until(lambda m: m.type == 42081, "the slow one's message")
            equal(int.from_bytes(found.data[:2], "big"), i, "order for the slow one")


def send_in_background(simnet, sender, receiver, *messages):
    """Sends each from a thread of its own, one after the other waits; gives their outcomes."""
    outcomes = []

    def send(data):
        try:
            outcomes.append(sender.send(receiver, 42081, data).status)
        except grpc.RpcError as error:
            outcomes.append((error.code(), error.details()))

    threads = []
    for data in messages:
        threads.append(threading.Thread(target=send, args=(data,)))
        threads[-1].start()
        # A call that waits counts among the node's streams.
        count = len(threads)
        eventually(lambda: f" {count} streams" in line_of(simnet, sender), "the call waits")
    return threads, outcomes


def line_of(simnet, node):
    lines = simnet.ctl("status").splitlines()
    return next(line for line in lines if line.startswith(f"{node.name} "))


@check("a message waits for the peer's handshake, and goes when it is done")
def _():
    with network() as (simnet, alice, bob):
        alice.connect(bob)
        inbox = bob.watch_messages(alice)
        simnet.ctl("messages", "alice", "bob", "--wait", "handshake")
        threads, outcomes = send_in_background(simnet, alice, bob, b"one", b"two")
        expect(not outcomes and inbox.items.empty(), "nothing went")
        simnet.ctl("messages", "alice", "bob")
        for thread in threads:
            thread.join()
        equal(outcomes, ["message sent successfully"] * 2, "outcomes")
        equal([m.data for m in inbox.take(2)], [b"one", b"two"], "messages")


@check("a peer that goes while a message waits: the texts of handshake and queue")
def _():
    for wait, text in (("handshake", "peer {} disconnected"), ("queue", "peer exiting")):
        with network() as (simnet, alice, bob):
            alice.connect(bob)
            simnet.ctl("messages", "alice", "bob", "--wait", wait)
            threads, outcomes = send_in_background(simnet, alice, bob, b"lost")
            simnet.ctl("separate", "alice", "bob", "--stay-down")
            threads[0].join()
            equal(outcomes, [(Code.UNKNOWN, text.format(bob.pubkey))], "outcome")
            refused(Code.NOT_FOUND, "peer is not connected", lambda: alice.send(bob, 42081))


@check("a caller that gives up waiting has sent nothing")
def _():
    with network() as (simnet, alice, bob):
        alice.connect(bob)
        inbox = bob.watch_messages(alice)
        simnet.ctl("messages", "alice", "bob", "--wait", "queue")
        request = ln.SendCustomMessageRequest(peer=bob.key, type=42081, data=b"too late")
        refused(
            Code.DEADLINE_EXCEEDED,
            "",
            lambda: alice.lightning.SendCustomMessage(request, timeout=0.2),
            match="part",
        )
        eventually(lambda: " 0 streams" in line_of(simnet, alice), "the call is over")
        simnet.ctl("messages", "alice", "bob")
        alice.send(bob, 42081, b"next")
        equal(inbox.next("the next message").data, b"next", "message")


@check("ListPeers counts the bytes of messages")
def _():
    with network() as (_, alice, bob):
        alice.connect(bob)
        before = alice.peers()[bob.pubkey], bob.peers()[alice.pubkey]
        alice.send(bob, 42081, bytes(1000))
        after = alice.peers()[bob.pubkey], bob.peers()[alice.pubkey]
        expect(after[0].bytes_sent - before[0].bytes_sent >= 1000, "bytes_sent")
        expect(after[1].bytes_recv - before[1].bytes_recv >= 1000, "bytes_recv")
