"""Invoices: how they are made, looked up, watched, cancelled and settled."""

import os
import time

import invoicesrpc.invoices_pb2 as inv
import lightning_pb2 as ln

from . import bolt11
from .harness import (
    ACCEPTED, CANCELED, OPEN, SETTLED, SUCCEEDED, Code, Stream, check, equal, eventually, expect,
    network, refused, sha256,
)


def lookup_v2(node, **reference):
    return node.invoices.LookupInvoiceV2(inv.LookupInvoiceMsg(**reference))


def watch_one(node, r_hash):
    return Stream(
        node.invoices.SubscribeSingleInvoice(inv.SubscribeSingleInvoiceRequest(r_hash=r_hash))
    )


@check("an invoice is a BOLT #11 text as lnd writes it, signed by the node's key")
def _():
    with network() as (_, alice, _bob):
        before = int(time.time())
        memo = "a cup of compute"
        made = alice.add(memo=memo, value=1234, expiry=600)
        after = int(time.time())
        equal((len(made.r_hash), len(made.payment_addr)), (32, 32), "lengths")
        found = bolt11.decode(made.payment_request)
        equal(found.payee, alice.key, "recovered signer")
        expect(found.is_low_s, "high S")
        equal(found.amount_msat, 1_234_000, "amount")
        equal(found.prefix, "ln" + {"regtest": "bcrt", "simnet": "sb", "signet": "tbs"}.get(
            alice.info().chains[0].network, "bc") + "12340n", "human-readable part")
        equal(found.tags, "pdcxs9", "order of fields")
        equal(found.bytes_of("p"), made.r_hash, "payment hash")
        equal(found.bytes_of("s"), made.payment_addr, "payment secret")
        equal(found.bytes_of("d").decode(), memo, "description")
        equal(found.number_of("c"), 80, "final CLTV")
        equal(found.number_of("x"), 600, "expiry")
        equal(found.features, [8, 14, 17, 25], "features")
        expect(before <= found.timestamp <= after, f"timestamp {found.timestamp}")

        stored = alice.lookup(made.r_hash)
        equal(stored.creation_date, found.timestamp, "creation_date")
        equal(stored.payment_request, made.payment_request, "payment_request")
        equal(sha256(stored.r_preimage), made.r_hash, "hash of the preimage")
        equal((stored.value, stored.value_msat), (1234, 1_234_000), "amounts")
        equal((stored.memo, stored.expiry, stored.cltv_expiry), (memo, 600, 80), "memo, expiry, c")
        equal((stored.state, stored.settled, stored.settle_date), (OPEN, False, 0), "state")
        equal((stored.settle_index, stored.amt_paid_msat), (0, 0), "unpaid")
        equal((stored.add_index, stored.payment_addr), (made.add_index, made.payment_addr), "ids")
        equal(sorted(stored.features), [8, 14, 17, 25], "features")
        expect(stored.features[8].is_required and stored.features[14].is_required, "required bits")
        expect(not stored.features[17].is_required and stored.features[17].is_known, "bit 17")
        expect(not stored.is_amp and not stored.is_keysend and not stored.private, "flags")


@check("a description hash replaces the description in the text, the memo stays local")
def _():
    with network() as (_, alice, _bob):
        digest = sha256(b"terms")
        made = alice.add(memo="x" * 1024, description_hash=digest, value_msat=1)
        found = bolt11.decode(made.payment_request)
        equal(found.tags, "phcxs9", "order of fields")
        equal(found.bytes_of("h"), digest, "description hash")
        equal(found.amount_msat, 1, "amount of one msat")
        stored = alice.lookup(made.r_hash)
        equal((stored.memo, stored.description_hash), ("x" * 1024, digest), "stored")
        equal((stored.value, stored.value_msat), (0, 1), "amounts")
        empty = bolt11.decode(alice.add(value=1).payment_request)
        equal((empty.tags, empty.bytes_of("d")), ("pdcxs9", b""), "an empty description")


@check("defaults and bounds of amount, memo, expiry, preimage and CLTV are lnd's")
def _():
    with network() as (_, alice, _bob):
        for text, fields, match in (
            ("sat and msat arguments are mutually exclusive", {"value": 1, "value_msat": 1}, "equal"),
            ("amount cannot be negative", {"value": -1}, "equal"),
            ("amount cannot be negative", {"value_msat": -1}, "equal"),
            ("description hash is 31 bytes, must be 32", {"description_hash": bytes(31)}, "equal"),
            ("description hash is 33 bytes, must be 32", {"description_hash": bytes(33)}, "equal"),
            ("memo too large: 1025 bytes (maxsize=1024)", {"memo": "x" * 1025}, "equal"),
            ("expiry of ", {"value": 1, "expiry": 31_536_001}, "start"),
            ("CLTV delta of 23 must be greater than minimum of 24", {"cltv_expiry": 23}, "equal"),
            ("", {"cltv_expiry": 65536}, "start"),
            ("", {"r_preimage": bytes(31)}, "start"),
            ("", {"r_preimage": bytes(33)}, "start"),
            ("", {"value": 100_000 * 100_000_000 + 1}, "start"),
            ("invalid fallback address: ", {"fallback_addr": "nonsense"}, "start"),
            # Of another network, and with a wrong checksum.
            (
                "invalid fallback address: ",
                {"fallback_addr": "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"},
                "start",
            ),
            (
                "invalid fallback address: ",
                {"fallback_addr": "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt081"},
                "start",
            ),
        ):
            refused(Code.UNKNOWN, text, lambda: alice.add(**fields), match=match)
        text = refused(
            Code.UNKNOWN, "greater than max expiry of", lambda: alice.add(expiry=40_000_000),
            match="part",
        )
        # Go prints both as floats of its default precision.
        equal(
            text, "expiry of 4e+07 seconds greater than max expiry of 3.1536e+07 seconds", "floats"
        )
        for given, meant in ((0, 86_400), (-5, 86_400), (1, 1), (31_536_000, 31_536_000)):
            made = alice.add(value=1, expiry=given)
            equal(bolt11.decode(made.payment_request).number_of("x"), meant, f"expiry {given}")
        for given, meant in ((0, 80), (24, 24), (144, 144), (65535, 65535)):
            made = alice.add(value=1, cltv_expiry=given)
            equal(bolt11.decode(made.payment_request).number_of("c"), meant, f"cltv {given}")
            equal(alice.lookup(made.r_hash).cltv_expiry, meant, "stored cltv")
        equal(bolt11.decode(alice.add().payment_request).amount_msat, None, "no amount")
        largest = alice.add(value=100_000 * 100_000_000)
        equal(alice.lookup(largest.r_hash).value, 100_000 * 100_000_000, "100,000 BTC")


@check("a fallback address goes into the invoice, whichever kind it is")
def _():
    with network() as (_, alice, bob):
        program = bytes.fromhex("751e76e8199196d454941c45d1b3a323f1433bd6")
        for address, version in (
            ("bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080", 0),
            (base58check(0x6F, program), 17),
            (base58check(0xC4, program), 18),
        ):
            made = alice.add(value=1, fallback_addr=address)
            decoded = bolt11.decode(made.payment_request)
            equal(decoded.tags, "pdcxfs9", "tags")
            groups = dict(decoded.fields)["f"]
            equal((groups[0], bolt11.to_bytes(groups[1:])), (version, program), "field")
            equal(bob.decode(made.payment_request).fallback_addr, address, "decoded")
            equal(alice.lookup(made.r_hash).fallback_addr, address, "stored")
        equal(alice.lookup(alice.add(value=1).r_hash).fallback_addr, "", "none")


def base58check(version, payload):
    alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
    body = bytes([version]) + payload
    body += sha256(sha256(body))[:4]
    number, text = int.from_bytes(body, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        text = alphabet[digit] + text
    return text


@check("a private invoice has hints of private channels, and only they let strangers pay")
def _():
    channels = ("dave:bob:1000000", "bob:carol:500000:private", "alice:carol:400000:private")
    names = ("alice", "bob", "carol", "dave")
    with network(*channels, names=names) as (_, alice, bob, carol, dave):
        listed = {c.remote_pubkey: c.private for c in bob.channels()}
        equal(listed, {dave.pubkey: False, carol.pubkey: True}, "bob's channels")
        equal([c.private for c in bob.channels(private_only=True)], [True], "private_only")
        equal([c.private for c in bob.channels(public_only=True)], [False], "public_only")
        channel = bob.channels(private_only=True)[0].chan_id

        plain = carol.add(value=1000)
        equal(len(bob.decode(plain.payment_request).route_hints), 0, "without asking")
        expect(not carol.lookup(plain.r_hash).private, "the flag without hints")
        equal(dave.failed(plain.payment_request, fee_limit_sat=10), 2, "NO_ROUTE without hints")

        for add in (
            lambda: carol.add(value=1000, private=True),
            lambda: carol.add_hold(value=1000, private=True, hash=sha256(b"held")),
        ):
            made = add()
            hints = bob.decode(made.payment_request).route_hints
            # Nothing of alice, whom nobody else shall know.
            equal(len(hints), 1, "hints")
            hint = hints[0].hop_hints[0]
            equal((hint.node_id, hint.chan_id), (bob.pubkey, channel), "hint")
            equal(
                (hint.fee_base_msat, hint.fee_proportional_millionths, hint.cltv_expiry_delta),
                (1000, 1, 80),
                "policy",
            )
        made = carol.add(value=1000, private=True)
        expect(carol.lookup(made.r_hash).private, "the flag with hints")
        expect("r" in bolt11.decode(made.payment_request).tags, "the tag")
        last = dave.paid(made.payment_request, fee_limit_sat=10)
        equal([h.pub_key for h in last.htlcs[0].route.hops], [bob.pubkey, carol.pubkey], "route")
        equal(last.fee_msat, 1001, "fee: the base, and a millionth of 1,000,000 msat")


@check("a given preimage fixes the hash, and a hash serves one invoice only")
def _():
    with network() as (_, alice, bob):
        preimage = os.urandom(32)
        made = alice.add(value=1, r_preimage=preimage)
        equal(made.r_hash, sha256(preimage), "payment hash")
        text = "invoice with payment hash already exists"
        refused(Code.UNKNOWN, text, lambda: alice.add(value=2, r_preimage=preimage))
        refused(Code.UNKNOWN, text, lambda: alice.add_hold(value=2, hash=made.r_hash))
        alice.cancel(made.r_hash)
        refused(Code.UNKNOWN, text, lambda: alice.add(value=2, r_preimage=preimage))
        # r_hash is no input.
        other = alice.add(value=1, r_hash=made.r_hash)
        expect(other.r_hash != made.r_hash, "r_hash was taken from the request")
        equal(bob.add(value=2, r_preimage=preimage).r_hash, made.r_hash, "another node's business")


@check("add_index starts at 1 and goes up by one")
def _():
    with network() as (_, alice, bob):
        equal([alice.add(value=1).add_index for _ in range(5)], [1, 2, 3, 4, 5], "add_index")
        equal(alice.add_hold(value=1, hash=bytes(32)).add_index, 6, "of a hold invoice")
        equal(bob.add(value=1).add_index, 1, "of another node")


@check("LookupInvoice finds by hash and by hex, and says what it does not find")
def _():
    with network() as (_, alice, bob):
        refused(Code.NOT_FOUND, "there are no existing invoices", lambda: alice.lookup(bytes(32)))
        made = alice.add(value=1)
        by_text = ln.PaymentHash(r_hash_str=made.r_hash.hex(), r_hash=bytes(32))
        equal(alice.lightning.LookupInvoice(by_text).r_hash, made.r_hash, "the string wins")
        refused(Code.NOT_FOUND, "unable to locate invoice", lambda: alice.lookup(bytes(32)))
        for length in (0, 31, 33):
            refused(
                Code.UNKNOWN,
                f"payment hash must be exactly 32 bytes, is instead {length}",
                lambda: alice.lookup(bytes(length)),
            )


@check("LookupInvoiceV2 finds by hash and by payment address")
def _():
    with network() as (_, alice, _bob):
        made = alice.add(value=1)
        for reference in ({"payment_hash": made.r_hash}, {"payment_addr": made.payment_addr}):
            equal(lookup_v2(alice, **reference).r_hash, made.r_hash, f"by {list(reference)}")
        refused(Code.INVALID_ARGUMENT, "invoice ref must be set", lambda: lookup_v2(alice))
        text = "unable to locate invoice"
        refused(Code.NOT_FOUND, text, lambda: lookup_v2(alice, payment_hash=bytes(32)))
        refused(Code.NOT_FOUND, text, lambda: lookup_v2(alice, payment_addr=bytes(32)))


@check("ListInvoices pages by an exclusive offset, forwards and backwards")
def _():
    with network("bob:alice:1000000") as (_, alice, bob):
        made = [alice.add(value=i + 1) for i in range(105)]

        def page(**fields):
            answer = alice.lightning.ListInvoices(ln.ListInvoiceRequest(**fields))
            indices = [i.add_index for i in answer.invoices]
            if indices:
                found = (answer.first_index_offset, answer.last_index_offset)
                equal(found, (indices[0], indices[-1]), "offsets")
            return indices

        equal(page(), list(range(1, 101)), "0 means 100")
        equal(page(index_offset=100), list(range(101, 106)), "the second page")
        equal(page(index_offset=105), [], "past the end")
        equal(page(num_max_invoices=3, index_offset=2), [3, 4, 5], "a small page")
        equal(page(num_max_invoices=3, reversed=True), [103, 104, 105], "backwards")
        equal(page(num_max_invoices=3, reversed=True, index_offset=4), [1, 2, 3], "backwards at 4")
        bob.paid(made[0].payment_request)
        alice.cancel(made[1].r_hash)
        equal(page(pending_only=True, num_max_invoices=2), [3, 4], "open ones only")


@check("CancelInvoice closes an open invoice for good")
def _():
    with network("bob:alice:1000000") as (_, alice, bob):
        made = alice.add(value=1000)
        alice.cancel(made.r_hash)
        equal(alice.lookup(made.r_hash).state, CANCELED, "state")
        alice.cancel(made.r_hash)
        equal(bob.failed(made.payment_request), 4, "INCORRECT_PAYMENT_DETAILS")
        refused(Code.UNKNOWN, "unable to locate invoice", lambda: alice.cancel(bytes(32)))
        paid = alice.add(value=1000)
        bob.paid(paid.payment_request)
        refused(Code.UNKNOWN, "invoice already settled", lambda: alice.cancel(paid.r_hash))
        equal(alice.lookup(paid.r_hash).state, SETTLED, "state of the paid one")


@check("an unpaid invoice is cancelled when it expires")
def _():
    with network("bob:alice:1000000") as (simnet, alice, bob):
        short, long = alice.add(value=1000, expiry=60), alice.add(value=1000)
        stream = watch_one(alice, short.r_hash)
        equal(stream.next("the state").state, OPEN, "state")
        simnet.ctl("time", 120)
        equal(stream.next("the expiry").state, CANCELED, "state")
        stream.ends()
        equal(alice.lookup(long.r_hash).state, OPEN, "the other")
        refused(
            Code.UNKNOWN, "invoice expired. Valid until ",
            lambda: bob.start_payment(short.payment_request), match="start",
        )


@check("the payer's text for an expired invoice holds Go's time")
def _():
    import re

    with network("bob:alice:1000000") as (simnet, alice, bob):
        made = alice.add(value=1000, expiry=60)
        simnet.ctl("time", 120)
        text = refused(
            Code.UNKNOWN, "invoice expired. Valid until ",
            lambda: bob.start_payment(made.payment_request), match="start",
        )
        form = r"invoice expired\. Valid until \d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4} \S+"
        expect(re.fullmatch(form, text), text)


@check("SubscribeInvoices with zero indices sends live events only, cancellations never")
def _():
    with network("bob:alice:1000000") as (_, alice, bob):
        old = alice.add(value=1000)
        settled = alice.add(value=1000)
        bob.paid(settled.payment_request)
        backlog, stream = alice.watch_invoices()
        equal(backlog, [], "backlog")

        made = alice.add(value=2000, memo="live")
        item = stream.next("the added invoice")
        equal((item.r_hash, item.state, item.memo), (made.r_hash, OPEN, "live"), "added")
        equal(item, alice.lookup(made.r_hash), "the same as looked up")
        # Cancelled and accepted are not told; the settlement after them is next.
        canceled = alice.add(value=1)
        equal(stream.next("the one to cancel").r_hash, canceled.r_hash, "added")
        alice.cancel(canceled.r_hash)
        preimage = os.urandom(32)
        held = alice.add_hold(value=3000, hash=sha256(preimage))
        equal(stream.next("the hold invoice").r_hash, sha256(preimage), "added")
        bob.pay(held.payment_request).next("in flight")
        eventually(lambda: alice.lookup(sha256(preimage)).state == ACCEPTED, "accepted")
        bob.paid(made.payment_request)
        item = stream.next("the settlement")
        equal((item.r_hash, item.state), (made.r_hash, SETTLED), "settled")
        equal(item, alice.lookup(made.r_hash), "the same as looked up")
        equal((item.settled, item.amt_paid_msat, item.amt_paid_sat), (True, 2_000_000, 2000), "paid")
        equal(item.settle_index, 2, "settle_index")
        expect(item.settle_date > 0, "settle_date")
        alice.settle(preimage)
        item = stream.next("the held one's settlement")
        equal((item.r_hash, item.settle_index), (sha256(preimage), 3), "settled")
        bob.paid(old.payment_request)
        equal(stream.next("an old one's settlement").r_hash, old.r_hash, "settled")


@check("a backlog has all adds, then all settles, and skips what is cancelled or accepted")
def _():
    with network("bob:alice:1000000") as (_, alice, bob):
        preimage = os.urandom(32)
        one = alice.add(value=1000)  # add 1, settled second
        two = alice.add(value=1000)  # add 2, settled first
        three = alice.add(value=1000)  # add 3, cancelled
        four = alice.add_hold(value=1000, hash=sha256(preimage))  # add 4, accepted
        five = alice.add(value=1000)  # add 5, open
        six = alice.add(value=1000)  # add 6, settled third
        for paid in (two, one, six):
            bob.paid(paid.payment_request)
        alice.cancel(three.r_hash)
        held = bob.pay(four.payment_request)
        held.next("in flight")
        eventually(lambda: alice.lookup(sha256(preimage)).state == ACCEPTED, "accepted")

        def backlog(add_index, settle_index):
            items, stream = alice.watch_invoices(add_index, settle_index)
            stream.cancel()
            return [(i.add_index, i.state) for i in items if i.add_index <= 6]

        # A = 0 replays no adds, S = 0 no settles.
        equal(backlog(0, 0), [], "backlog (0, 0)")
        equal(backlog(1, 0), [(2, SETTLED), (5, OPEN), (6, SETTLED)], "backlog (1, 0)")
        equal(backlog(0, 1), [(1, SETTLED), (6, SETTLED)], "backlog (0, 1)")
        equal(
            backlog(1, 1),
            [(2, SETTLED), (5, OPEN), (6, SETTLED), (1, SETTLED), (6, SETTLED)],
            "backlog (1, 1)",
        )
        equal(backlog(5, 2), [(6, SETTLED), (6, SETTLED)], "backlog (5, 2)")
        equal(backlog(6, 3), [], "backlog (6, 3)")
        equal(backlog(1000, 3), [], "backlog beyond the end")


@check("a settle index from the future silences live settlements, an add index live adds")
def _():
    with network("bob:alice:1000000") as (simnet, alice, bob):
        deaf = Stream(
            alice.lightning.SubscribeInvoices(ln.InvoiceSubscription(settle_index=2))
        )
        half_deaf = Stream(
            alice.lightning.SubscribeInvoices(ln.InvoiceSubscription(add_index=1000))
        )
        _, stream = alice.watch_invoices()
        for number in (1, 2, 3):
            made = alice.add(value=1000, memo=f"{number}")
            bob.paid(made.payment_request)
        settled = deaf.until(lambda i: i.state == SETTLED, "a settlement that is heard")
        equal((settled.memo, settled.settle_index), ("3", 3), "the first that is heard")
        equal(half_deaf.next("a settlement").state, SETTLED, "adds up to 1000 are not heard")
        for number in (1, 2, 3):
            heard = stream.until(lambda i: i.state == SETTLED, "a settlement")
            equal(heard.settle_index, number, "settle_index of the one without")


@check("a jump of the settle index leaves a gap that replay does not mind")
def _():
    with network("bob:alice:1000000") as (simnet, alice, bob):
        bob.paid(alice.add(value=1000).payment_request)
        simnet.ctl("settle-index", "alice", 100)
        made = alice.add(value=1000)
        bob.paid(made.payment_request)
        index = alice.lookup(made.r_hash).settle_index
        expect(index > 100, f"settle_index {index}")
        items, stream = alice.watch_invoices(0, 1)
        equal([i.settle_index for i in items], [index], "replayed")
        last = alice.add(value=1000)
        bob.paid(last.payment_request)
        found = stream.until(lambda i: i.state == SETTLED, "the next")
        equal(found.settle_index, index + 1, "settle_index after the gap")


@check("every subscriber of invoices hears every event, and one that leaves ends with no error")
def _():
    with network("bob:alice:1000000") as (_, alice, bob):
        streams = [alice.watch_invoices()[1] for _ in range(3)]
        made = alice.add(value=1000)
        bob.paid(made.payment_request)
        for stream in streams:
            mine = lambda i: i.r_hash == made.r_hash
            equal(stream.until(mine, "OPEN").state, OPEN, "first")
            equal(stream.until(mine, "SETTLED").state, SETTLED, "second")
        streams[0].cancel()
        streams[0].ends(Code.CANCELLED)  # grpcio's own word for what it did itself.


@check("SubscribeSingleInvoice sends the state at once, every change, and ends with OK")
def _():
    with network("bob:alice:1000000") as (_, alice, bob):
        made = alice.add(value=1000)
        stream = watch_one(alice, made.r_hash)
        equal(stream.next("OPEN").state, OPEN, "first")
        bob.paid(made.payment_request)
        equal(stream.next("SETTLED").state, SETTLED, "second")
        stream.ends()
        again = watch_one(alice, made.r_hash)
        equal([i.state for i in again.all()], [SETTLED], "a settled one: one item, then OK")

        preimage = os.urandom(32)
        held = alice.add_hold(value=1000, hash=sha256(preimage))
        stream = watch_one(alice, sha256(preimage))
        payment = bob.pay(held.payment_request)
        equal([i.state for i in stream.take(2)], [OPEN, ACCEPTED], "hold invoice")
        alice.cancel(sha256(preimage))
        equal(stream.next("CANCELED").state, CANCELED, "cancelled")
        stream.ends()
        equal(payment.all()[-1].failure_reason, 4, "the payment's failure")


@check("SubscribeSingleInvoice for an unknown hash waits for the invoice")
def _():
    with network() as (_, alice, _bob):
        preimage = os.urandom(32)
        stream = watch_one(alice, sha256(preimage))
        # Answered after the subscription arrived on the same connection: no error came of it.
        for _ in range(5):
            alice.info()
        alice.add(value=9, r_preimage=preimage)
        item = stream.next("the invoice")
        equal((item.state, item.value), (OPEN, 9), "invoice")


@check("a hold invoice waits for its preimage")
def _():
    with network("bob:alice:1000000") as (_, alice, bob):
        preimage = os.urandom(32)
        made = alice.add_hold(value=1000, hash=sha256(preimage), memo="held", expiry=300)
        found = bolt11.decode(made.payment_request)
        equal((found.tags, found.bytes_of("p")), ("pdcxs9", sha256(preimage)), "text")
        equal(len(made.payment_addr), 32, "payment_addr")
        equal(alice.lookup(sha256(preimage)).r_preimage, b"", "no preimage before it is given")
        refused(Code.UNKNOWN, "invoice still open", lambda: alice.settle(preimage))
        unknown = lambda: alice.settle(os.urandom(32))
        refused(Code.UNKNOWN, "unable to locate invoice", unknown)

        payment = bob.pay(made.payment_request)
        eventually(lambda: alice.lookup(sha256(preimage)).state == ACCEPTED, "accepted")
        accepted = alice.lookup(sha256(preimage))
        equal((accepted.amt_paid_msat, accepted.settle_index), (0, 0), "nothing is paid yet")
        equal([h.state for h in accepted.htlcs], [0], "its HTLC is ACCEPTED")
        alice.settle(preimage)
        last = payment.all()[-1]
        equal((last.status, last.payment_preimage), (SUCCEEDED, preimage.hex()), "payment")
        settled = alice.lookup(sha256(preimage))
        equal((settled.state, settled.r_preimage), (SETTLED, preimage), "settled")
        equal([h.state for h in settled.htlcs], [1], "its HTLC is SETTLED")
        alice.settle(preimage)

        other = os.urandom(32)
        alice.add_hold(value=1000, hash=sha256(other))
        alice.cancel(sha256(other))
        refused(Code.UNKNOWN, "invoice already canceled", lambda: alice.settle(other))
        for length in (0, 31, 33):
            refused(Code.UNKNOWN, "", lambda: alice.add_hold(value=1, hash=bytes(length)), match="part")
            refused(Code.UNKNOWN, "", lambda: alice.settle(bytes(length)), match="part")


@check("DecodePayReq shows what the invoice says")
def _():
    with network() as (_, alice, bob):
        made = alice.add(memo="hello", value_msat=1_234_567, expiry=77, cltv_expiry=40)
        found = bob.decode(made.payment_request)
        equal(found.destination, alice.pubkey, "destination")
        equal(found.payment_hash, made.r_hash.hex(), "payment_hash is hex")
        equal((found.num_satoshis, found.num_msat), (1234, 1_234_567), "amounts")
        equal((found.expiry, found.cltv_expiry), (77, 40), "expiry, cltv")
        equal((found.description, found.description_hash), ("hello", ""), "description")
        equal(found.payment_addr, made.payment_addr, "payment_addr")
        equal(sorted(found.features), [8, 14, 17, 25], "features")
        equal(found.timestamp, alice.lookup(made.r_hash).creation_date, "timestamp")
        hashed = bob.decode(alice.add(description_hash=sha256(b"x")).payment_request)
        equal(hashed.description_hash, sha256(b"x").hex(), "description_hash is hex")
        equal((hashed.num_satoshis, hashed.num_msat), (0, 0), "no amount")


@check("DecodePayReq refuses with lnd's texts")
def _():
    with network() as (_, alice, _bob):
        text = alice.add(value=1).payment_request
        last = "q" if text[-1] != "q" else "p"
        for wanted, wrong, match in (
            ("checksum failed. Expected ", text[:-1] + last, "part"),
            ("string not all lowercase or all uppercase", "L" + text[1:], "part"),
            ("invalid index of 1", "qqqqqqqqqq", "part"),
            ("invoice is too large", "lnbcrt1" + "q" * 7100, "part"),
            ("invoice not for current active network", MAINNET, "part"),
            ("", "", "part"),
        ):
            refused(Code.UNKNOWN, wanted, lambda: alice.decode(wrong), match=match)
        name = alice.info().chains[0].network
        refused(
            Code.UNKNOWN, f"invoice not for current active network '{name}'",
            lambda: alice.decode(MAINNET),
        )
        # Upper case throughout is fine.
        equal(alice.decode(text.upper()).num_satoshis, 1, "upper case")


def network_prefix(node):
    """The human-readable part that this node's own invoices begin with."""
    name = node.info().chains[0].network
    return {"mainnet": "lnbc", "testnet": "lntb", "regtest": "lnbcrt", "simnet": "lnsb",
            "signet": "lntbs"}[name]


# The fields of a plain invoice that nobody has stored.
PLAIN = {"p": bytes(32), "s": bytes([9] * 32), "d": b"hi", "9": [16, 8, 0]}


def foreign(prefix, secret=1, at=None, **changes):
    """A text with the plain fields, some of them changed; None leaves one out."""
    fields = {**PLAIN, **changes}
    at = int(time.time()) if at is None else at
    given = [(tag.removeprefix("_"), v) for tag, v in fields.items() if v is not None]
    return bolt11.encode(prefix, at, given, secret)


@check("DecodePayReq refuses incomplete and contradictory invoices with lnd's texts")
def _():
    with network() as (_, alice, _bob):
        prefix = network_prefix(alice)
        short = bolt11.encode(prefix, 0, [])
        for text, wrong, match in (
            ("neither description nor description hash set", foreign(prefix, d=None), "equal"),
            ("both description and description hash set", foreign(prefix, h=bytes(32)), "equal"),
            ("no payment hash found", foreign(prefix, p=None), "equal"),
            # A payment hash of the wrong length is skipped as if it were not there.
            ("no payment hash found", foreign(prefix, p=bytes(33)), "equal"),
            ("unknown multiplier x", foreign(prefix + "1x"), "equal"),
            ("short invoice", cut(prefix), "equal"),
        ):
            refused(Code.UNKNOWN, text, lambda: alice.decode(wrong), match=match)
        refused(Code.UNKNOWN, "", lambda: alice.decode(short), match="part")


def cut(prefix):
    """A text of valid checksum that is too short to hold a signature."""
    groups = [0] * 10
    expanded = [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix]
    check = bolt11._polymod(expanded + groups + [0] * 6) ^ 1
    groups += [check >> shift & 31 for shift in range(25, -1, -5)]
    return prefix + "1" + "".join(bolt11.CHARSET[g] for g in groups)


@check("DecodePayReq fills in lnd's defaults and is as lax as lnd")
def _():
    with network() as (_, alice, bob):
        prefix = network_prefix(alice)
        at = int(time.time())
        found = alice.decode(foreign(prefix + "25u", at=at))
        payee = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
        equal(found.destination, payee, "the recovered key")
        equal((found.num_satoshis, found.num_msat), (2500, 2_500_000), "amount")
        equal((found.timestamp, found.expiry, found.cltv_expiry), (at, 3600, 18), "defaults")
        equal(found.payment_addr, bytes([9] * 32), "payment_addr")
        # Without a secret, and with a required feature bit that nobody knows.
        lax = alice.decode(foreign(prefix, s=None, **{"9": [1] + [0] * 20}))
        equal(lax.payment_addr, bytes(32), "no payment_addr is all zero")
        expect(100 in lax.features and lax.features[100].is_required, "feature bit 100")
        expect(not lax.features[100].is_known, "nobody knows bit 100")


@check("an invoice without a payment secret is not paid")
def _():
    with network("bob:alice:1000000") as (_, alice, bob):
        text = foreign(network_prefix(bob) + "10u", s=None)
        refused(
            Code.UNKNOWN, "payment request must contain either a payment address or blinded paths",
            lambda: bob.start_payment(text),
        )


@check("an invoice of a node that nobody knows has no route")
def _():
    with network("bob:alice:1000000") as (_, alice, bob):
        equal(bob.failed(foreign(network_prefix(bob) + "10u")), 2, "NO_ROUTE")


# From the examples of BOLT #11: "Please consider supporting this project".
MAINNET = (
    "lnbc1pvjluezsp5zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zygspp5qqqsyqcyq5rqwzqfqqqsyq"
    "cyq5rqwzqfqqqsyqcyq5rqwzqfqypqdpl2pkx2ctnv5sxxmmwwd5kgetjypeh2ursdae8g6twvus8g6rfwvs8qun0dfj"
    "kxaq9qrsgq357wnc5r2ueh7ck6q93dj32dlqnls087fxdwk8qakdyafkq3yap9us6v52vjjsrvywa6rt52cm9r9zqt8r"
    "2t7mlcwspyetp5h2tztugp9lfyql"
)
