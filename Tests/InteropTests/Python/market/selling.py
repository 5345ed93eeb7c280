"""The reference implementation buys from us."""

import contextlib
import os
import time

from checks import Failure, check, equal, expect
from simnet import bolt11
from simnet.harness import CANCELED, OPEN, eventually, network

from . import wire
from .house import PROFILE, RATES, House
from .reference import Reference, Refusal, deterministic_answer

PROMPT = "Say hello in one word."


@contextlib.contextmanager
def market(*, sells=PROFILE, compute=(), python=None, **habits):
    """Our house, which sells, and the reference, which has the money."""
    with network("theirs:ours:10000000", names=("ours", "theirs")) as (simnet, ours, theirs):
        with House(ours, sells=[sells], compute=compute, python=python) as house:
            with Reference(theirs, ours, **habits) as reference:
                yield simnet, house, reference


def refused(reference, request):
    """The `lcp_error` that answers a request."""
    try:
        reference.await_quote(request)
    except Refusal as refusal:
        return refusal
    raise Failure("a quote instead of an error")


@check("the reference buys from us, and every byte of ours is as it expects")
def purchase():
    with market() as (_, house, reference):
        before = int(time.time())
        request, response = reference.quote(PROMPT, PROFILE)
        manifest = {
            "protocol_version": 1, "max_payload_bytes": 16_384,
            "supported_tasks": [
                {"task_kind": wire.CHAT, "params_hex": wire.chat_params(PROFILE).hex()}
            ],
        }
        payloads = [payload for kind, _, payload in reference.heard if kind == wire.MANIFEST]
        equal(payloads, [wire.encode(wire.MANIFEST, manifest)], "our manifest, once")

        head = response["envelope"]
        equal(head["protocol_version"], 1, "the version")
        equal(head["job_id_hex"], request["envelope"]["job_id_hex"], "the job")
        expect(head["msg_id_hex"] != request["envelope"]["msg_id_hex"], "our own msg_id")
        equal(response["price_msat"], "57355", "the price")
        expiry = int(response["quote_expiry"])
        expect(before + 300 <= expiry <= int(time.time()) + 300, f"quote_expiry {expiry - before}")
        equal(head["expiry"], response["quote_expiry"], "the quote's envelope ends with it")
        invoice = bolt11.decode(response["payment_request"])
        expect("d" not in invoice.tags, "a text in the invoice")
        end = invoice.timestamp + invoice.number_of("x")
        expect(end <= expiry, "the invoice outlives the quote")

        result = reference.accept(response)
        answer = bytes.fromhex(result["result_hex"]).decode()
        equal(answer, deterministic_answer(PROMPT), "the result")
        equal(result["content_type"], wire.TEXT, "the content type")
        expect(int(result["envelope"]["expiry"]) <= time.time() + 600, "beyond the window")
        records = {
            wire.QUOTE_RESPONSE: [1, 2, 3, 4, 30, 31, 32, 33],
            wire.RESULT: [1, 2, 3, 4, 40, 41],
        }
        for kind, _, payload in reference.heard[1:]:
            equal(list(wire.read_stream(payload)), records[kind], f"records of {wire.NAMES[kind]}")
        equal(len(reference.heard), 3, "messages of ours")
        job_id = head["job_id_hex"]
        house.until(lambda: house.job(job_id)["stage"] == "done", "our job is done")
        equal(house.lcp("ledger")["earned_msat"], 57_355, "earned")


@check("a peer that sends no manifest is served, and manifests without end are borne")
def manifests():
    with market(is_silent=True) as (_, house, reference):
        request = reference.request(PROMPT, PROFILE)
        reference.await_quote(request)
        reference.is_silent = False
        # Never an answer to ours, and again at ONLINE and every 30 seconds: here at once.
        for _ in range(20):
            reference.send_manifest()
        house.until(lambda: house.counter("manifest.received") == 20, "all manifests came")
        response = reference.await_quote(reference.request(PROMPT, PROFILE))
        reference.accept(response)
        count = len(reference.all_heard(wire.MANIFEST))
        expect(count <= 2, f"{count} manifests of ours")
        expect(house.node.pubkey in reference.node.peers(), "we are disconnected")


@check("each refusal has its code, and what is late, repeated or broken has no answer")
def refusals():
    with market() as (_, house, reference):
        reference.await_message(wire.MANIFEST)
        unknown = wire.chat_params(PROFILE) + wire.stream((9, b"x"))
        many = wire.chat_params(PROFILE, max_output_tokens=4097)
        hot = wire.chat_params(PROFILE, temperature_milli=5000)
        for what, code, prompt, more in (
            ("another version", 1, PROMPT, {"version": 2}),
            ("another kind", 2, PROMPT, {"kind": "image.draw"}),
            ("an unknown profile", 2, PROMPT, {"params": wire.chat_params("nope")}),
            ("unknown params", 8, PROMPT, {"params": unknown}),
            ("too many tokens", 8, PROMPT, {"params": many}),
            ("a temperature", 8, PROMPT, {"params": hot}),
            ("no prompt", 8, "", {}),
        ):
            refusal = refused(reference, reference.request(prompt, PROFILE, **more))
            equal(refusal.code, code, f"the code for {what} ({refusal.message})")

        silent = [reference.request(PROMPT, PROFILE, expires_in=-2)["envelope"]["job_id_hex"]]
        job_id = os.urandom(32).hex()
        head = reference.envelope(job_id, int(time.time()) + 300)
        fields = {"envelope": head, "task_kind": wire.CHAT, "input_hex": "ff"}
        for broken in (
            fields | {"params_hex": None},
            fields | {"params_hex": wire.chat_params("").hex()},
            fields | {"params_hex": wire.chat_params(PROFILE).hex()},
        ):
            broken["envelope"] = reference.envelope(job_id, head["expiry"])
            reference.send(wire.QUOTE_REQUEST, broken)
        silent.append(job_id)
        request = reference.request(PROMPT, PROFILE)
        reference.await_quote(request)
        reference.send(wire.QUOTE_REQUEST, request)
        house.until(lambda: house.counter("message.replayed") == 1, "the repeat was seen")
        equal(house.counter("message.expired"), 1, "expired")
        reference.await_quote(reference.request(PROMPT, PROFILE))
        for kind, fields, _ in reference.heard:
            if kind != wire.MANIFEST:
                expect(fields["envelope"]["job_id_hex"] not in silent, f"an answer: {fields}")
        equal(len(reference.all_heard(wire.QUOTE_RESPONSE)), 2, "quotes")


@check("asked again we say the same quote, then the same answer, and execute once")
def asked_again():
    with market() as (_, house, reference):
        request, response = reference.quote(PROMPT, PROFILE)
        job_id = request["envelope"]["job_id_hex"]

        def again(prompt=PROMPT):
            count = len(reference.heard)
            # Of another second than the first, as a repeat is.
            reference.request(prompt, PROFILE, job_id=job_id, expires_in=299)
            return count

        repeated = reference.await_quote(request, again())
        for name in ("price_msat", "quote_expiry", "terms_hash_hex", "payment_request"):
            equal(repeated[name], response[name], f"{name} of the repeated quote")
        expect(repeated["envelope"]["msg_id_hex"] != response["envelope"]["msg_id_hex"], "msg_id")
        fields, _ = reference.await_message(wire.ERROR, after=again("Something else"))
        equal((fields["code"], fields["envelope"]["job_id_hex"]), (5, job_id), "another content")
        # That error was about a request nobody minds.
        paid = len(reference.heard)
        reference.pay(repeated)
        result = reference.await_result(response, paid)
        later = reference.await_result(response, again())
        for name in ("result_hex", "content_type"):
            equal(later[name], result[name], f"{name} of the repeated result")
        price = int(response["price_msat"])
        house.until(lambda: house.lcp("ledger")["earned_msat"] == price, "it is paid once")
        equal(len(house.lcp("jobs")["jobs"]), 1, "jobs")


@check("cancelled before the payment it can't be paid; cancelled after it there is an answer")
def cancelled():
    with market(compute=["--delay", "60000"]) as (_, house, reference):
        _, response = reference.quote(PROMPT, PROFILE)
        found = reference.check_binding(response)
        r_hash = bytes.fromhex(found.payment_hash)
        equal(house.node.lookup(r_hash).state, OPEN, "the invoice")
        reference.cancel(response["envelope"]["job_id_hex"], "changed my mind")
        eventually(lambda: house.node.lookup(r_hash)
            .state == CANCELED, "the invoice is cancelled")
        reference.node.failed(response["payment_request"])

        _, response = reference.quote(PROMPT, PROFILE)
        reference.pay(response)
        job_id = response["envelope"]["job_id_hex"]
        house.until(lambda: house.job(job_id)["stage"] == "running", "it runs")
        reference.cancel(job_id)
        fields, _ = reference.await_message(
            wire.ERROR, lambda f: f["envelope"]["job_id_hex"] == job_id
        )
        expect(fields["code"] > 8, f"a code of the specification: {fields}")


@check("a result larger than the buyer's max_payload_bytes is cut to fit it exactly")
def cut():
    with market(max_payload=600) as (_, _, reference):
        prompt = "ä" * 600
        # The other's limit is known before anything is promised.
        _, response = reference.quote(prompt, PROFILE)
        result = reference.accept(response)
        payload = reference.heard[-1][2]
        equal(len(payload), 600, "the payload's size")
        text = bytes.fromhex(result["result_hex"]).decode()
        expect(deterministic_answer(prompt).startswith(text), "the text is cut elsewhere")


@check("our bridge dies while a paid job runs, and the buyer, who never asks again, is answered")
def bridge_dies():
    with market(compute=["--delay", "1500"]) as (_, house, reference):
        _, response = reference.quote(PROMPT, PROFILE)
        reference.pay(response)
        house.kill("lcp-bridge")
        house.start("lcp-bridge")
        result = reference.await_result(response)
        answer = bytes.fromhex(result["result_hex"]).decode()
        equal(answer, deterministic_answer(PROMPT), "the result")
        equal(len(reference.all_heard(wire.RESULT)), 1, "results")


@check("what was paid while our bridge was down is found and answered")
def paid_meanwhile():
    with market() as (_, house, reference):
        _, response = reference.quote(PROMPT, PROFILE)
        house.kill("lcp-bridge")
        reference.pay(response)
        house.start("lcp-bridge")
        result = reference.await_result(response)
        answer = bytes.fromhex(result["result_hex"]).decode()
        equal(answer, deterministic_answer(PROMPT), "the result")
        price = wire.approx_price(len(PROMPT), *RATES, 4096)
        house.await_bridge()
        house.until(lambda: house.lcp("ledger")["earned_msat"] == price, "the ledger has it")


@check("a result that is ready while the buyer is away is sent when it is back")
def buyer_away():
    with market(compute=["--delay", "1500"]) as (simnet, house, reference):
        _, response = reference.quote(PROMPT, PROFILE)
        reference.pay(response)
        job_id = response["envelope"]["job_id_hex"]
        simnet.ctl("separate", "ours", "theirs", "--stay-down")
        house.until(lambda: house.job(job_id)["output_bytes"] > 0, "the result is ready")
        equal(reference.all_heard(wire.RESULT), [], "results heard meanwhile")
        simnet.ctl("join", "ours", "theirs")
        result = reference.await_result(response)
        answer = bytes.fromhex(result["result_hex"]).decode()
        equal(answer, deterministic_answer(PROMPT), "the result")


@check("every message of both sides comes twice, and the job is sold once")
def everything_twice():
    with market() as (simnet, house, reference):
        reference.await_message(wire.MANIFEST)
        for pair in (("ours", "theirs"), ("theirs", "ours")):
            simnet.ctl("messages", *pair, "--duplicate", 100)
        _, response = reference.quote(PROMPT, PROFILE)
        reference.accept(response)
        reference.cancel(response["envelope"]["job_id_hex"])
        # What comes behind the cancellation has been handled after it.
        reference.quote(PROMPT, PROFILE)
        job_id = response["envelope"]["job_id_hex"]
        equal(house.job(job_id)["stage"], "done", "the stage")
        equal(house.lcp("ledger")["earned_msat"], int(response["price_msat"]), "earned")
        equal(len(house.lcp("jobs")["jobs"]), 2, "jobs")
        expect(house.counter("message.replayed") >= 2, "no repeat was noticed")


@check("a compute worker in Python serves a paid job, and is told when it may go")
def python_worker():
    with market(sells="shout", python="compute_worker.py") as (_, house, reference):
        _, response = reference.quote(PROMPT, "shout")
        result = reference.accept(response)
        equal(bytes.fromhex(result["result_hex"]).decode(), PROMPT.upper(), "the result")
        equal(house.drain("lcp-compute"), 0, "the exit code")
        counters = house.status()["counters"]
        equal(counters.get("compute.workers_drained"), 1, "workers that went in good order")
        expect("unfinished" not in house.last_words("lcp-compute"), "it was not dismissed")
