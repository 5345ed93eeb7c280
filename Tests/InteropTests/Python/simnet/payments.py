"""Payments: what is checked, what is told, and what is refused for ever."""

import os

import lightning_pb2 as ln
import routerrpc.router_pb2 as router

from .harness import (
    ACCEPTED, CANCELED, FAILED, IN_FLIGHT, NO_PREIMAGE, OPEN, SETTLED, SUCCEEDED, Code, Stream,
    check, equal, eventually, expect, network, refused, sha256,
)

TIMEOUT, NO_ROUTE, ERROR, INCORRECT_DETAILS, INSUFFICIENT_BALANCE, CANCELED_BY_CALLER = range(1, 7)


def held_payment(alice, bob, value=1000, **fields):
    """Bob's payment of a hold invoice of alice, with its HTLC accepted."""
    preimage = os.urandom(32)
    made = alice.add_hold(value=value, hash=sha256(preimage))
    stream = bob.pay(made.payment_request, **fields)
    eventually(lambda: alice.lookup(sha256(preimage)).state == ACCEPTED, "accepted")
    return preimage, made, stream


def local_msat(node):
    return node.balance().local_balance.msat


@check("a payment goes from IN_FLIGHT to SUCCEEDED and moves the money")
def _():
    with network("bob:alice:1000000:200000") as (_, alice, bob):
        before = local_msat(alice), local_msat(bob)
        made = alice.add(value_msat=123_456, memo="x")
        updates = bob.pay(made.payment_request).all()
        expect(len(updates) >= 2, f"{len(updates)} updates")
        for update in updates:
            equal(update.payment_hash, made.r_hash.hex(), "payment_hash is hex")
            equal(update.value_msat, 123_456, "value_msat")
            equal(update.payment_request, made.payment_request, "payment_request")
            expect(update.creation_time_ns > 0, "creation_time_ns")
        for update in updates[:-1]:
            equal((update.status, update.payment_preimage), (IN_FLIGHT, NO_PREIMAGE), "in flight")
            equal(update.failure_reason, 0, "no failure yet")
        last = updates[-1]
        equal((last.status, last.failure_reason), (SUCCEEDED, 0), "the last")
        equal(sha256(bytes.fromhex(last.payment_preimage)), made.r_hash, "the preimage's hash")
        equal((last.fee_msat, last.value, last.value_sat), (0, 123, 123), "fee and satoshis")
        equal([h.status for h in last.htlcs], [1], "one HTLC succeeded")
        equal([h.pub_key for h in last.htlcs[0].route.hops], [alice.pubkey], "hops")
        equal(
            (local_msat(alice), local_msat(bob)),
            (before[0] + 123_456, before[1] - 123_456), "balances",
        )
        found = alice.lookup(made.r_hash)
        equal((found.state, found.amt_paid_msat), (SETTLED, 123_456), "invoice")
        equal(found.r_preimage.hex(), last.payment_preimage, "preimage")
        equal((found.htlcs[0].state, found.htlcs[0].amt_msat), (1, 123_456), "the invoice's HTLC")


@check("no_inflight_updates leaves the terminal update alone")
def _():
    with network("bob:alice:1000000") as (_, alice, bob):
        made = alice.add(value=1000)
        found = bob.pay(made.payment_request, no_inflight_updates=True).all()
        equal([p.status for p in found], [SUCCEEDED], "updates")
        found = bob.track(made.r_hash, no_inflight_updates=True).all()
        equal([p.status for p in found], [SUCCEEDED], "tracked")
        preimage, held, _ = held_payment(alice, bob)
        quiet = bob.track(sha256(preimage), no_inflight_updates=True)
        alice.settle(preimage)
        equal([p.status for p in quiet.all()], [SUCCEEDED], "nothing while it was in flight")


@check("a hash is paid once: the three refusals of a second payment")
def _():
    with network("bob:alice:1000000") as (simnet, alice, bob):
        made = alice.add(value=1000)
        bob.paid(made.payment_request)
        again = lambda: bob.start_payment(made.payment_request)
        refused(Code.ALREADY_EXISTS, "invoice is already paid", again)

        preimage, held, _ = held_payment(alice, bob)
        again = lambda: bob.start_payment(held.payment_request)
        refused(Code.ALREADY_EXISTS, "payment is in transition", again)
        alice.settle(preimage)
        eventually(
            lambda: bob.track(sha256(preimage)).all()[-1].status == SUCCEEDED, "settled"
        )
        refused(Code.ALREADY_EXISTS, "invoice is already paid", again)
        equal(local_msat(alice), 2_000_000, "paid once each")

        simnet.ctl("payments", "bob", "--register-only")
        made = alice.add(value=1000)
        payment = bob.pay(made.payment_request)
        first = payment.next("the registered payment")
        equal((first.status, len(first.htlcs)), (IN_FLIGHT, 0), "status and HTLCs")
        again = lambda: bob.start_payment(made.payment_request)
        refused(Code.ALREADY_EXISTS, "payment already exists", again)
        simnet.ctl("release", "bob")
        equal(payment.all()[-1].status, SUCCEEDED, "the payment that was registered")
        refused(Code.ALREADY_EXISTS, "invoice is already paid", again)


@check("a failed payment may be tried again and replaces the failed one")
def _():
    with network("bob:alice:1000000") as (simnet, alice, bob):
        made = alice.add(value=1000)
        simnet.ctl("payments", "bob", "--fail", 2)
        equal(bob.failed(made.payment_request), NO_ROUTE, "the first")
        equal(bob.track(made.r_hash).all()[-1].status, FAILED, "tracked")
        equal(bob.paid(made.payment_request).failure_reason, 0, "the second")
        answer = bob.lightning.ListPayments(ln.ListPaymentsRequest(include_incomplete=True))
        equal([p.status for p in answer.payments], [SUCCEEDED], "payments listed")


@check("every failure reason can be had, with an untouched balance")
def _():
    with network("bob:alice:1000000") as (simnet, alice, bob):
        for reason in (TIMEOUT, NO_ROUTE, ERROR, INCORRECT_DETAILS, INSUFFICIENT_BALANCE, 6):
            made = alice.add(value=1000)
            simnet.ctl("payments", "bob", "--fail", reason)
            last = bob.pay(made.payment_request).all()[-1]
            equal((last.status, last.failure_reason), (FAILED, reason), "payment")
            equal(last.payment_preimage, NO_PREIMAGE, "no preimage")
            equal(alice.lookup(made.r_hash).state, OPEN, "the invoice stays open")
        equal(local_msat(bob), 1_000_000_000, "balance")


@check("the payee refuses what is cancelled, unknown or too little")
def _():
    with network("bob:alice:1000000") as (_, alice, bob):
        made = alice.add(value=1000)
        alice.cancel(made.r_hash)
        equal(bob.failed(made.payment_request), INCORRECT_DETAILS, "a cancelled invoice")
        for fields in (
            # Nobody knows this hash.
            {"payment_hash": os.urandom(32), "payment_addr": os.urandom(32), "amt": 1000},
        ):
            reason = bob.failed("", dest=alice.key, final_cltv_delta=80, **fields)
            equal(reason, INCORRECT_DETAILS, "an unknown hash")
        open_one = alice.add(value=1000)
        for wrong in ({"payment_addr": bytes(32)}, {"amt": 999}):
            fields = {"payment_addr": open_one.payment_addr, "amt": 1000, **wrong}
            reason = bob.failed(
                "", dest=alice.key, final_cltv_delta=80, payment_hash=open_one.r_hash, **fields
            )
            equal(reason, INCORRECT_DETAILS, f"wrong {list(wrong)}")
        last = bob.pay(
            "", dest=alice.key, final_cltv_delta=80, payment_hash=open_one.r_hash,
            payment_addr=open_one.payment_addr, amt=1000,
        ).all()[-1]
        equal(last.status, SUCCEEDED, "by fields instead of an invoice")


@check("too little balance, no way, and amounts below a channel's minimum fail as in lnd")
def _():
    with network("bob:alice:100000", "alice:carol:100000", names=("alice", "bob", "carol")) as net:
        _, alice, bob, carol = net
        made = alice.add(value=200_000)
        equal(bob.failed(made.payment_request), INSUFFICIENT_BALANCE, "more than bob has")
        equal(alice.failed(bob.add(value=50).payment_request), NO_ROUTE, "the other end is empty")
        tiny = alice.add(value_msat=999)
        equal(bob.failed(tiny.payment_request), NO_ROUTE, "below 1000 msat")
        equal(bob.paid(alice.add(value_msat=1000).payment_request).value_msat, 1000, "1000 msat")
        with network() as (_, lonely, other):
            reason = lonely.failed(other.add(value=1).payment_request)
            equal(reason, INSUFFICIENT_BALANCE, "no channel at all")


@check("a payment over an intermediate node pays its fee, and only within the limit")
def _():
    channels = ("alice:carol:1000000", "carol:bob:1000000")
    with network(*channels, names=("alice", "bob", "carol")) as (_, alice, bob, carol):
        def msat():
            return local_msat(alice), local_msat(bob), local_msat(carol)

        # Both limits zero: only free routes, and there is none.
        made = bob.add(value=100_000)
        equal(alice.failed(made.payment_request), NO_ROUTE, "without a fee limit")
        before = msat()
        last = alice.paid(made.payment_request, fee_limit_sat=100)
        fee = last.fee_msat
        expect(fee > 0, "no fee was paid")
        hops = last.htlcs[0].route.hops
        equal([h.pub_key for h in hops], [carol.pubkey, bob.pubkey], "hops")
        equal([h.fee_msat for h in hops], [fee, 0], "fees of the hops")
        equal(last.htlcs[0].route.total_fees_msat, fee, "fees of the route")
        equal(last.htlcs[0].route.total_amt_msat, 100_000_000 + fee, "amount of the route")
        equal(last.fee_sat, fee // 1000, "fee_sat")
        after = msat()
        equal(
            tuple(b - a for a, b in zip(before, after)),
            (-100_000_000 - fee, 100_000_000, fee), "who got what",
        )
        # One msat too little is too little.
        made = bob.add(value=100_000)
        reason = alice.failed(made.payment_request, fee_limit_msat=fee - 1, max_parts=1)
        equal(reason, NO_ROUTE, "a limit of one msat less")
        alice.paid(made.payment_request, fee_limit_msat=fee)
        equal(bob.peers().keys(), {carol.pubkey}, "bob knows carol only")


@check("a partial set of HTLCs leaves the invoice open and is released after 120 s")
def _():
    channels = ("alice:carol:1000000", "carol:bob:1000000")
    with network(*channels, names=("alice", "bob", "carol")) as (simnet, alice, bob, carol):
        whole = bob.add(value=100_000)
        fee = alice.paid(whole.payment_request, fee_limit_sat=100).fee_msat
        before = local_msat(alice)
        # Half of it fits the limit, the other half no more.
        made = bob.add(value=100_000)
        stream = alice.pay(made.payment_request, fee_limit_msat=fee - 1)
        eventually(lambda: bob.lookup(made.r_hash).htlcs, "an HTLC has arrived")
        found = bob.lookup(made.r_hash)
        equal((found.state, [h.state for h in found.htlcs]), (OPEN, [0]), "invoice and HTLC")
        equal(found.htlcs[0].mpp_total_amt_msat, 100_000_000, "total of the set")
        simnet.ctl("time", 121)
        last = stream.all()[-1]
        equal((last.status, last.failure_reason), (FAILED, NO_ROUTE), "payment")
        found = bob.lookup(made.r_hash)
        equal((found.state, [h.state for h in found.htlcs]), (OPEN, [2]), "released")
        equal(local_msat(alice), before, "balance")


@check("a large payment is split over several channels")
def _():
    channels = ("alice:bob:100000",) * 3
    with network(*channels) as (_, alice, bob):
        made = bob.add(value=200_000)
        reason = alice.failed(made.payment_request, max_parts=1)
        equal(reason, NO_ROUTE, "in one part")
        last = alice.paid(made.payment_request)
        succeeded = [h for h in last.htlcs if h.status == 1]
        expect(len(succeeded) > 1, f"{len(succeeded)} HTLCs")
        parts = sum(h.route.hops[-1].amt_to_forward_msat for h in succeeded)
        equal(parts, 200_000_000, "the parts' sum")
        found = bob.lookup(made.r_hash)
        equal(sum(h.amt_msat for h in found.htlcs if h.state == 1), 200_000_000, "the payee's")
        equal(local_msat(bob), 200_000_000, "balance")


@check("a payment takes the direct channel when it can, else the way around")
def _():
    channels = ("alice:bob:100000", "alice:carol:1000000", "carol:bob:1000000")
    with network(*channels, names=("alice", "bob", "carol")) as (_, alice, bob, carol):
        limit = {"fee_limit_sat": 1000}
        last = alice.paid(bob.add(value=10_000).payment_request, **limit)
        equal([h.pub_key for h in last.htlcs[0].route.hops], [bob.pubkey], "direct")
        last = alice.paid(bob.add(value=500_000).payment_request, **limit)
        expect(last.fee_msat > 0, "the way around costs a fee")
        ids = {c.remote_pubkey: c.chan_id for c in alice.channels()}
        last = alice.paid(
            bob.add(value=10_000).payment_request, outgoing_chan_ids=[ids[carol.pubkey]], **limit
        )
        hops = [h.pub_key for h in last.htlcs[0].route.hops]
        equal(hops, [carol.pubkey, bob.pubkey], "through the given channel")
        last = alice.paid(
            bob.add(value=10_000).payment_request, last_hop_pubkey=carol.key, **limit
        )
        hops = [h.pub_key for h in last.htlcs[0].route.hops]
        equal(hops, [carol.pubkey, bob.pubkey], "through the given last hop")


@check("what can't be a payment is refused before it is one")
def _():
    with network("bob:alice:1000000") as (simnet, alice, bob):
        made = alice.add(value=1000)
        free = alice.add()
        both = "and payment_request cannot appear together"
        for text, fields, match in (
            (f"dest {both}", {"dest": alice.key}, "equal"),
            (f"payment_hash {both}", {"payment_hash": made.r_hash}, "equal"),
            (f"final_cltv_delta {both}", {"final_cltv_delta": 80}, "equal"),
            ("amount must not be specified when paying a non-zero amount invoice", {"amt": 1000},
             "equal"),
            ("amount must not be specified when paying a non-zero amount invoice",
             {"amt_msat": 1000}, "equal"),
            ("", {"fee_limit_sat": 1, "fee_limit_msat": 1}, "part"),
            ("", {"last_hop_pubkey": bytes(32)}, "part"),
            ("", {"cltv_limit": 5000}, "part"),
            ("", {"timeout_seconds": -1}, "part"),
        ):
            refused(
                Code.UNKNOWN, text, lambda: bob.start_payment(made.payment_request, **fields),
                match=match,
            )
        refused(Code.UNKNOWN, "", lambda: bob.start_payment(free.payment_request), match="part")
        refused(Code.UNKNOWN, "", lambda: bob.start_payment("lnbcrt1nonsense"), match="part")
        own = bob.add(value=1000)
        refused(
            Code.UNKNOWN, "self-payments not allowed",
            lambda: bob.start_payment(own.payment_request),
        )
        for r_hash in (made.r_hash, free.r_hash, own.r_hash):
            call = lambda: bob.router.TrackPaymentV2(router.TrackPaymentRequest(payment_hash=r_hash))
            refused(Code.NOT_FOUND, "payment isn't initiated", call)
        bob.paid(free.payment_request, amt=5)
        equal(alice.lookup(free.r_hash).amt_paid_sat, 5, "the amount the payer chose")


@check("timeout_seconds may be zero, which means 60")
def _():
    with network("bob:alice:1000000") as (_, alice, bob):
        bob.paid(alice.add(value=1000).payment_request, timeout_seconds=0)


@check("a closed stream does not stop a payment, unless it is cancelable")
def _():
    with network("bob:alice:1000000") as (simnet, alice, bob):
        preimage, held, stream = held_payment(alice, bob)
        stream.cancel()
        equal(stream.ended().code(), Code.CANCELLED, "the stream")
        alice.settle(preimage)
        equal(bob.track(sha256(preimage)).all()[-1].status, SUCCEEDED, "the payment goes on")

        # An HTLC on its way is not called back either; only further attempts are.
        preimage, held, stream = held_payment(alice, bob, cancelable=True)
        stream.cancel()
        stream.ended()
        alice.settle(preimage)
        equal(bob.track(sha256(preimage)).all()[-1].status, SUCCEEDED, "the HTLC settles")


@check("TrackPaymentV2 tells the state at once, then changes, then ends with OK")
def _():
    with network("bob:alice:1000000") as (simnet, alice, bob):
        call = lambda: bob.router.TrackPaymentV2(
            router.TrackPaymentRequest(payment_hash=os.urandom(32))
        )
        refused(Code.NOT_FOUND, "payment isn't initiated", call)
        for length in (0, 31, 33):
            call = lambda: bob.router.TrackPaymentV2(
                router.TrackPaymentRequest(payment_hash=bytes(length))
            )
            refused(Code.UNKNOWN, "", call, match="part")

        made = alice.add(value=1000)
        bob.paid(made.payment_request)
        found = bob.track(made.r_hash).all()
        equal([p.status for p in found], [SUCCEEDED], "a finished one: one update")
        equal(sha256(bytes.fromhex(found[0].payment_preimage)), made.r_hash, "preimage")

        preimage, held, first = held_payment(alice, bob)
        streams = [first] + [bob.track(sha256(preimage)) for _ in range(2)]
        for stream in streams:
            update = stream.next("the state")
            equal((update.status, update.payment_preimage), (IN_FLIGHT, NO_PREIMAGE), "state")
        alice.settle(preimage)
        for stream in streams:
            last = stream.all()[-1]
            equal((last.status, last.payment_preimage), (SUCCEEDED, preimage.hex()), "the end")

        preimage, held, stream = held_payment(alice, bob)
        tracked = bob.track(sha256(preimage))
        alice.cancel(sha256(preimage))
        for one in (stream, tracked):
            last = one.all()[-1]
            equal((last.status, last.failure_reason), (FAILED, INCORRECT_DETAILS), "the end")
        found = bob.track(sha256(preimage)).all()
        equal([p.status for p in found], [FAILED], "a failed one: one update")


@check("money in flight is nobody's, and comes back when the payment fails")
def _():
    with network("bob:alice:1000000") as (_, alice, bob):
        start = local_msat(bob)
        preimage, held, stream = held_payment(alice, bob, value=300_000)
        found = bob.balance()
        equal(found.local_balance.msat, start - 300_000_000, "local")
        equal(found.remote_balance.msat, 0, "remote")
        equal(found.unsettled_local_balance.msat, 300_000_000, "unsettled")
        equal(alice.balance().unsettled_remote_balance.msat, 300_000_000, "unsettled remote")
        equal(bob.channels()[0].unsettled_balance, 300_000, "unsettled of the channel")
        alice.cancel(sha256(preimage))
        stream.all()
        equal(local_msat(bob), start, "back again")


@check("ListPayments lists what succeeded, and more when asked")
def _():
    with network("bob:alice:1000000") as (simnet, alice, bob):
        made = [alice.add(value=1000) for _ in range(4)]
        for invoice in made[:2]:
            bob.paid(invoice.payment_request)
        simnet.ctl("payments", "bob", "--fail", 2)
        bob.failed(made[2].payment_request)
        held_payment(alice, bob)
        bob.paid(made[3].payment_request)

        def page(**fields):
            answer = bob.lightning.ListPayments(ln.ListPaymentsRequest(**fields))
            return [(p.payment_index, p.status) for p in answer.payments], answer

        done, answer = page()
        equal([s for _, s in done], [SUCCEEDED] * 3, "by default")
        equal(answer.payments[0].payment_hash, made[0].r_hash.hex(), "the first")
        every, _ = page(include_incomplete=True)
        wanted = [SUCCEEDED, SUCCEEDED, FAILED, IN_FLIGHT, SUCCEEDED]
        equal([s for _, s in every], wanted, "with the incomplete")
        indices = [i for i, _ in every]
        equal(indices, sorted(set(indices)), "ascending indices")
        first, answer = page(include_incomplete=True, max_payments=2)
        equal(first, every[:2], "a page")
        second, _ = page(
            include_incomplete=True, max_payments=2, index_offset=answer.last_index_offset
        )
        equal(second, every[2:4], "the next page")
        back, _ = page(include_incomplete=True, max_payments=2, reversed=True)
        equal(back, every[3:], "backwards")
        equal(page(count_total_payments=True)[1].total_num_payments, 5, "the total")


@check("ChannelBalance and ListChannels add up, on both sides")
def _():
    channels = ("alice:bob:1000000", "bob:alice:500000:100000")
    with network(*channels) as (_, alice, bob):
        equal(alice.balance().local_balance.sat, 1_100_000, "alice's part")
        equal(alice.balance().remote_balance.sat, 400_000, "bob's part")
        equal(bob.balance().local_balance.msat, 400_000_000, "bob's part in msat")
        ours = sorted(alice.channels(), key=lambda c: c.capacity)
        theirs = sorted(bob.channels(), key=lambda c: c.capacity)
        equal([c.capacity for c in ours], [500_000, 1_000_000], "capacities")
        for one, other in zip(ours, theirs):
            equal((one.chan_id, one.channel_point), (other.chan_id, other.channel_point), "the same")
            equal((one.local_balance, one.remote_balance),
                  (other.remote_balance, other.local_balance), "mirrored")
            equal((one.remote_pubkey, other.remote_pubkey), (bob.pubkey, alice.pubkey), "keys")
            expect(one.active and other.active, "active")
            equal(one.initiator, not other.initiator, "initiator")
        equal(len(alice.channels(peer=bob.key)), 2, "by peer")
        equal(len(alice.channels(peer=alice.key)), 0, "by another")
        equal(len(alice.channels(inactive_only=True)), 0, "inactive")
        equal(len({c.chan_id for c in ours}), 2, "channel ids differ")


@check("a channel is inactive while its peer is away, and carries nothing")
def _():
    with network("alice:bob:1000000") as (simnet, alice, bob):
        made = bob.add(value=1000)
        simnet.ctl("separate", "alice", "bob", "--stay-down")
        equal([c.active for c in alice.channels()], [False], "active")
        equal(alice.info().num_inactive_channels, 1, "num_inactive_channels")
        reason = alice.failed(made.payment_request)
        expect(reason in (NO_ROUTE, INSUFFICIENT_BALANCE), f"reason {reason}")
        simnet.ctl("join", "alice", "bob")
        alice.paid(made.payment_request)


@check("250 payments keep every satoshi")
def _():
    with network("bob:alice:1000000") as (_, alice, bob):
        settled = alice.watch_invoices()[1]
        for number in range(1, 251):
            made = alice.add(value_msat=1000 + number)
            bob.paid(made.payment_request)
            equal(settled.next("OPEN").r_hash, made.r_hash, "order")
            found = settled.next("SETTLED")
            equal((found.r_hash, found.settle_index), (made.r_hash, number), "order")
        total = sum(1000 + n for n in range(1, 251))
        equal(local_msat(alice), total, "alice's")
        equal(local_msat(bob), 1_000_000_000 - total, "bob's")
