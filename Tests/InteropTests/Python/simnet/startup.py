"""Start-up states: what answers when, and with which words."""

import ssl

import lightning_pb2 as ln
import stateservice_pb2 as state

from .harness import (
    Client, Code, Stream, check, equal, eventually, expect, network, refused,
)

TEXTS = {
    "waiting-to-start": (255, "waiting to start, RPC services not available"),
    "non-existing": (0, "wallet not created, create one to enable full RPC access"),
    "locked": (1, "wallet locked, unlock it to enable full RPC access"),
    "unlocked": (
        2, "the RPC server is in the process of starting up, but not yet ready to accept calls"
    ),
}


def current(node):
    return node.state.GetState(state.GetStateRequest()).state


def watch(node):
    """SubscribeState; its first item proves that it is live."""
    return Stream(node.using().state.SubscribeState(state.SubscribeStateRequest()))


@check("every state before RPC_ACTIVE refuses calls with lnd's text, State answers in all")
def _():
    with network("alice:bob:1000000") as (simnet, alice, bob):
        for name, (number, text) in TEXTS.items():
            simnet.ctl("wallet", "alice", name)
            equal(current(alice), number, f"state {name}")
            equal(watch(alice).next("the state").state, number, f"streamed state {name}")
            for call in (
                alice.info,
                alice.peers,
                lambda: alice.add(value=1),
                lambda: alice.send(bob, 42081),
                lambda: alice.lightning.SubscribeInvoices(ln.InvoiceSubscription()),
                lambda: alice.lightning.SubscribeCustomMessages(
                    ln.SubscribeCustomMessagesRequest()
                ),
                lambda: alice.start_payment("x"),
            ):
                refused(Code.UNKNOWN, text, call)
        equal(bob.info().identity_pubkey, bob.pubkey, "the other node")
        simnet.ctl("wallet", "alice", "server-active")
        equal(alice.info().identity_pubkey, alice.pubkey, "identity afterwards")


@check("SubscribeState sends the current state at once and every change after that")
def _():
    with network() as (simnet, alice, _bob):
        stream = watch(alice)
        equal(stream.next("the current state").state, 4, "current state")
        for name, number in (("locked", 1), ("unlocked", 2), ("rpc-active", 3), ("server-active", 4)):
            simnet.ctl("wallet", "alice", name)
            equal(stream.next(name).state, number, "next state")


@check("in RPC_ACTIVE calls pass, but the node has not started")
def _():
    with network() as (simnet, alice, bob):
        simnet.ctl("wallet", "alice", "rpc-active")
        equal(alice.info().identity_pubkey, alice.pubkey, "identity")
        text = "server is still in the process of starting"
        refused(Code.UNKNOWN, text, lambda: alice.connect(bob))
        refused(Code.UNKNOWN, text, lambda: alice.disconnect(bob))


@check("subscriptions opened in RPC_ACTIVE wait and work once the server is active")
def _():
    with network() as (simnet, alice, bob):
        simnet.ctl("wallet", "alice", "rpc-active")
        messages = Stream(
            alice.lightning.SubscribeCustomMessages(ln.SubscribeCustomMessagesRequest())
        )
        peers = Stream(alice.lightning.SubscribePeerEvents(ln.PeerEventSubscription()))
        # Both calls are counted when they have reached the node.
        eventually(
            lambda: simnet.ctl("status").count("Lightning/Subscribe") == 2, "both calls arrived"
        )
        simnet.ctl("wallet", "alice", "server-active")
        bob.connect(alice)
        equal(peers.next("ONLINE").pub_key, bob.pubkey, "online peer")
        bob.send(alice, 42081, b"hello")
        equal(messages.next("the message").data, b"hello", "message")


@check("a restarting node refuses connections, then comes up step by step")
def _():
    with network("alice:bob:1000000") as (simnet, alice, bob):
        invoice = alice.add(value=7)
        old = watch(alice)
        equal(old.next("the state").state, 4, "state before")
        custom = alice.watch_messages(bob)
        simnet.ctl("restart", "alice", "--down", 300, "--step", 1500)
        for stream in (old, custom):
            error = stream.ended()
            equal(error and error.code(), Code.UNAVAILABLE, "an open stream at the restart")
        refused(Code.UNAVAILABLE, "", lambda: current(alice), match="part")

        def first():
            stream = watch(alice)
            try:
                return stream, stream.next("the first state").state
            except AssertionError:
                return None

        stream, seen = eventually(first, "the node is back")
        states = [seen]
        while states[-1] != 4:
            states.append(stream.next("the next state").state)
        equal(states, [2, 3, 4], "states")
        equal(alice.lookup(invoice.r_hash).value, 7, "an invoice from before")
        eventually(lambda: bob.pubkey in alice.peers(), "the channel's peer is back")


@check("a node that is told to stop says so on its streams before the connection breaks")
def _():
    with network("bob:alice:1000000") as (simnet, alice, bob):
        # Nothing of a subscription that was given up may hold the node.
        gone = alice.watch_messages(bob)
        gone.cancel()
        gone.ended()
        states = watch(alice)
        states.next("the current state")
        messages = alice.watch_messages(bob)
        _, added = alice.watch_invoices()
        simnet.ctl("restart", "alice", "--orderly")
        states.ends(Code.UNKNOWN, "server exiting")
        messages.ends(Code.UNKNOWN, "shutdown")
        added.ends(Code.OK)
        eventually(lambda: answers(alice) == 4, "SERVER_ACTIVE again")
        bob_is_back = lambda: bob.pubkey in alice.peers()
        eventually(bob_is_back, "the channel's peer is back")


@check("with an encrypted key a locked node shows another certificate, and its own once unlocked")
def _():
    with network(arguments=["--tls-encrypt-key"]) as (simnet, alice, bob):
        equal(alice.info().identity_pubkey, alice.pubkey, "unlocked")
        simnet.ctl("wallet", "alice", "locked")
        temporary = eventually(
            lambda: (found := served_certificate(alice)) != own_certificate(alice) and found,
            "another certificate",
        )
        refused(Code.UNAVAILABLE, "", lambda: current(alice), match="part")
        with alice.open_channel(certificate=temporary.encode()) as channel:
            stranger = Client(channel)
            equal(current(stranger), 1, "LOCKED, for those who trust anything")
        simnet.ctl("wallet", "alice", "unlocked")
        eventually(lambda: served_certificate(alice) == own_certificate(alice), "its own again")
        simnet.ctl("wallet", "alice", "server-active")
        eventually(lambda: answers(alice) == 4, "SERVER_ACTIVE")
        equal(alice.info().identity_pubkey, alice.pubkey, "identity")
        equal(served_certificate(bob), own_certificate(bob), "the other node's")


def own_certificate(node):
    return node.certificate.read_text().strip()


def served_certificate(node):
    """What the node shows now; nothing while it changes."""
    host, port = node.rpc_address.split(":")
    try:
        return ssl.get_server_certificate((host, int(port))).strip()
    except OSError:
        return None


@check("a node restarted with a locked wallet stays locked until it is unlocked")
def _():
    with network() as (simnet, alice, _bob):
        simnet.ctl("restart", "alice", "--down", 1, "--locked")
        eventually(lambda: answers(alice) == 1, "LOCKED")
        refused(Code.UNKNOWN, TEXTS["locked"][1], alice.info)
        stream = watch(alice)
        equal(stream.next("the state").state, 1, "state")
        simnet.ctl("wallet", "alice", "server-active")
        equal(stream.next("the change").state, 4, "state after unlocking")


def answers(node):
    import grpc

    try:
        return current(node)
    except grpc.RpcError:
        return None
