"""PeerSwap, which has the same message numbers for JSON."""

import json
import pathlib

from checks import check, equal, expect

from . import wire
from .house import PROFILE
from .reference import deterministic_answer
from .selling import PROMPT, market

# What PeerSwap sends under LCP's numbers, and what may be taken for LCP at a first look.
PAYLOADS = [
    json.dumps({"version": 5, "assets": ["btc", "lbtc"], "peer_allowed": True}).encode(),
    json.dumps({"swap_id": "ab" * 32, "protocol_version": 5, "amount": 100_000}).encode(),
    b"{}",
    b"",
    b"\x01\x02\x00",
]
NUMBERS = (42081, 42083, 42085)


@check("PeerSwap's JSON under our numbers gets no answer and no disconnection, and is counted")
def disturbs_nothing():
    with market() as (_, house, reference):
        reference.await_message(wire.MANIFEST)
        events = reference.peers.items.qsize()
        log = pathlib.Path(house.directory, "lcp-bridge.log")
        lines = len(log.read_text().splitlines())
        for number in NUMBERS:
            for payload in PAYLOADS:
                expect(reference.send_payload(number, payload), "not sent")
        count = len(NUMBERS) * len(PAYLOADS)
        house.until(lambda: house.counter("message.not_lcp") == count, "all are counted")
        # In the middle of a job too.
        _, response = reference.quote(PROMPT, PROFILE)
        reference.send_payload(wire.QUOTE_REQUEST, PAYLOADS[0])
        result = reference.accept(response)
        answer = bytes.fromhex(result["result_hex"]).decode()
        equal(answer, deterministic_answer(PROMPT), "the result")
        kinds = [kind for kind, _, _ in reference.heard]
        equal(kinds, [wire.MANIFEST, wire.QUOTE_RESPONSE, wire.RESULT], "everything we said")
        counters = house.status()["counters"]
        equal(counters["message.not_lcp"], count + 1, "counted")
        for name in ("malformed", "unknown_odd", "unknown_even", "rate_limited"):
            equal(counters.get(f"message.{name}", 0), 0, name)
        equal(counters.get("peer.disconnected", 0), 0, "disconnections")
        equal(reference.peers.items.qsize(), events, "peer events")
        expect(house.node.pubkey in reference.node.peers(), "we are disconnected")
        expect(len(log.read_text().splitlines()) <= lines + 2, "a line in the log for each")
