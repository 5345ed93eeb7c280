"""Faults on demand, through lcp-simnet ctl."""

import os

import lightning_pb2 as ln

from .harness import (
    ACCEPTED, FAILED, IN_FLIGHT, OPEN, SETTLED, SUCCEEDED, Code, Stream, check, equal, eventually,
    expect, network, refused, sha256,
)


@check("ctl messages drops, doubles and delays the messages of one direction")
def _():
    with network() as (simnet, alice, bob):
        alice.connect(bob)
        inbox, back = bob.watch_messages(alice), alice.watch_messages(bob)

        def burst(count=5):
            for i in range(count):
                equal(alice.send(bob, 42081, bytes([i])).status, "message sent successfully", "status")

        simnet.ctl("messages", "alice", "bob", "--drop", 2)
        burst()
        equal([m.data[0] for m in inbox.take(3)], [2, 3, 4], "the first two vanish")
        simnet.ctl("messages", "alice", "bob", "--duplicate", 2)
        burst()
        equal([m.data[0] for m in inbox.take(7)], [0, 0, 1, 1, 2, 3, 4], "the first two twice")
        simnet.ctl("messages", "alice", "bob", "--drop", 1, "--duplicate", 1)
        burst()
        equal([m.data[0] for m in inbox.take(5)], [1, 1, 2, 3, 4], "one vanishes, one comes twice")
        # Delayed by more than any test may take, until the clock is put forward.
        simnet.ctl("messages", "alice", "bob", "--delay", 600_000)
        burst()
        bob.send(alice, 42081, b"meanwhile")
        equal(back.next("the other direction").data, b"meanwhile", "the other direction")
        expect(inbox.items.empty(), "a delayed message came at once")
        simnet.ctl("time", 601)
        equal([m.data[0] for m in inbox.take(5)], [0, 1, 2, 3, 4], "delayed, in order")
        simnet.ctl("messages", "alice", "bob")
        burst()
        equal([m.data[0] for m in inbox.take(5)], [0, 1, 2, 3, 4], "all is well again")


@check("a hung payment is IN_FLIGHT until it is released, one way or the other")
def _():
    with network("bob:alice:1000000") as (simnet, alice, bob):
        for succeed in (True, False):
            made = alice.add(value=1000)
            simnet.ctl("payments", "bob", "--hang")
            stream = bob.pay(made.payment_request)
            stream.next("the start")
            eventually(
                lambda: bob.track(made.r_hash).next("the state").htlcs, "the HTLC is on its way"
            )
            equal(alice.lookup(made.r_hash).state, OPEN, "invoice")
            refused(
                Code.ALREADY_EXISTS, "payment is in transition",
                lambda: bob.start_payment(made.payment_request),
            )
            # Beyond the payment's own timeout, which bounds only the start of attempts.
            simnet.ctl("time", 100)
            equal(bob.track(made.r_hash).next("the state").status, IN_FLIGHT, "state")
            simnet.ctl("release", "bob", *([] if succeed else ["--fail"]))
            last = stream.all()[-1]
            equal(last.status, SUCCEEDED if succeed else FAILED, "the end")
            state = alice.lookup(made.r_hash).state
            equal(state, SETTLED if succeed else OPEN, "invoice")


@check("a delayed payment settles later, with nothing lost")
def _():
    with network("bob:alice:1000000") as (simnet, alice, bob):
        made = alice.add(value=1000)
        simnet.ctl("payments", "bob", "--delay", 600_000)
        stream = bob.pay(made.payment_request)
        equal(stream.next("the start").status, IN_FLIGHT, "state")
        equal(alice.lookup(made.r_hash).state, OPEN, "invoice")
        simnet.ctl("time", 700)
        equal(stream.all()[-1].status, SUCCEEDED, "the end")


@check("the stream of a payment breaks, the payment goes on")
def _():
    with network("bob:alice:1000000") as (simnet, alice, bob):
        for updates in (0, 1):
            made = alice.add(value=1000)
            simnet.ctl("payments", "bob", "--break-stream", updates)
            stream = bob.pay(made.payment_request)
            error = stream.ended()
            equal(error and error.code(), Code.UNAVAILABLE, "the stream's end")
            found = bob.track(made.r_hash).all()[-1]
            equal(found.status, SUCCEEDED, "the payment")
            refused(
                Code.ALREADY_EXISTS, "invoice is already paid",
                lambda: bob.start_payment(made.payment_request),
            )
        made = alice.add(value=1000)
        bob.paid(made.payment_request)


@check("ctl break ends the named streams with the given status, and only those")
def _():
    with network("bob:alice:1000000") as (simnet, alice, bob):
        def messages():
            return alice.watch_messages(bob)

        inbox = messages()
        _, added = alice.watch_invoices()
        said = simnet.ctl("break", "alice", "custom-messages")
        equal(said, "1 streams broken\n", "output")
        inbox.ends(Code.UNAVAILABLE)
        alice.add(value=1, memo="still here")
        equal(added.next("the invoice").memo, "still here", "the other kind lives")
        simnet.ctl("break", "alice", "invoices", "--code", 2, "--message", "shutdown")
        added.ends(Code.UNKNOWN, "shutdown")
        # A fresh one works at once.
        inbox = messages()
        bob.send(alice, 42081, b"again")
        equal(inbox.next("a message").data, b"again", "message")


@check("ctl stall holds streams back, and lets all of it go in order")
def _():
    with network("bob:alice:1000000") as (simnet, alice, bob):
        inbox = alice.watch_messages(bob)
        _, settled = alice.watch_invoices()
        simnet.ctl("stall", "alice", "custom-messages")
        for i in range(20):
            bob.send(alice, 42081, bytes([i]))
        alice.add(value=1, memo="passes")
        equal(settled.next("an invoice").memo, "passes", "the other kind goes on")
        expect(inbox.items.empty(), "a stalled stream delivered")
        simnet.ctl("stall", "alice", "custom-messages", "--resume")
        equal([m.data[0] for m in inbox.take(20)], list(range(20)), "all of it")

        simnet.ctl("stall", "alice", "invoices")
        made = alice.add(value=1000)
        bob.paid(made.payment_request)
        equal(alice.lookup(made.r_hash).state, SETTLED, "a lookup tells the truth meanwhile")
        expect(settled.items.empty(), "a stalled stream delivered")
        simnet.ctl("stall", "alice", "invoices", "--resume")
        equal([i.state for i in settled.take(2)], [OPEN, SETTLED], "all of it")


@check("a late expiry watcher lets an expired invoice still be paid")
def _():
    with network("bob:alice:1000000") as (simnet, alice, bob):
        simnet.ctl("expiry", "alice", 600_000)
        preimage = os.urandom(32)
        made = alice.add(value=1000, expiry=60, r_preimage=preimage)
        simnet.ctl("payments", "bob", "--delay", 100_000)
        stream = bob.pay(made.payment_request)
        simnet.ctl("time", 300)
        equal(stream.all()[-1].status, SUCCEEDED, "payment")
        found = alice.lookup(made.r_hash)
        equal(found.state, SETTLED, "state")
        expect(found.settle_date > found.creation_date + found.expiry, "settled after its expiry")
        # Without a payment the watcher comes in the end.
        late = alice.add(value=1000, expiry=60)
        simnet.ctl("time", 120)
        equal(alice.lookup(late.r_hash).state, OPEN, "expired, but not cancelled")
        simnet.ctl("time", 600)
        eventually(lambda: alice.lookup(late.r_hash).state == 2, "cancelled at last")


@check("ctl status tells states, money and calls")
def _():
    with network("bob:alice:1000000") as (simnet, alice, bob):
        alice.info()
        alice.info()
        refused(Code.UNKNOWN, "expected 1 macaroon, got 0",
                lambda: alice.using().lightning.GetInfo(ln.GetInfoRequest()))
        said = simnet.ctl("status")
        expect(f"alice {alice.pubkey} " in said and f"bob {bob.pubkey} " in said, said)
        expect("  3 /lnrpc.Lightning/GetInfo\n" in said, said)
        expect("money in channels 1000000000 msat" in said, said)
        bob.paid(alice.add(value=1000).payment_request)
        expect("money in channels 1000000000 msat" in simnet.ctl("status"), "money was made")


@check("ctl explains what it can't do, with an exit code")
def _():
    with network() as (simnet, alice, bob):
        for code, arguments in (
            (64, ("separate", "alice", "nobody")),
            (64, ("payments", "nobody", "--hang")),
            (64, ("payments", "alice", "--fail", 9)),
            (64, ("payments", "alice")),
            (64, ("wallet", "alice", "nonsense")),
            (64, ("messages", "alice", "nobody")),
            (64, ("nonsense",)),
        ):
            done = simnet.run_ctl(*arguments)
            equal(done.returncode, code, f"ctl {' '.join(map(str, arguments))}")
            expect(done.stderr.strip(), "no explanation")
        simnet.terminate()
        done = simnet.run_ctl("status")
        equal(done.returncode, 69, "without a network")
        expect(done.stderr.strip(), "no explanation")
