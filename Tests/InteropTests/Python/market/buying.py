"""We buy from the reference implementation, and its habits don't cost us our money."""

import contextlib
import hashlib
import threading
import time

from checks import PATIENCE, check, equal, expect
from simnet.harness import eventually, network

from . import wire
from .house import PROFILE, RATES, House
from .reference import Reference, Refusal

PROMPT = "Say hello in one word."
OUTPUT = "deterministic-output"


@contextlib.contextmanager
def market(*, sells=(), requester=None, **habits):
    """Our house, which has the money, and the reference, which sells."""
    with network("ours:theirs:10000000", names=("ours", "theirs")) as (simnet, ours, theirs):
        with House(ours, sells=sells, buys=True, requester=requester) as house:
            with Reference(theirs, ours, {PROFILE: RATES}, **habits) as reference:
                house.await_offer(theirs)
                yield simnet, house, reference


def bought(job, reference, output=OUTPUT):
    """Wants a job bought and paid for once."""
    equal((job["stage"], job["result"]), ("done", output), "the end")
    paid_once(job, reference)


def paid_once(job, reference):
    proof = hashlib.sha256(bytes.fromhex(job["preimage"])).hexdigest()
    equal(proof, job["payment_hash"], "the proof of payment")
    price = int(job["price_msat"])
    equal(reference.node.balance().local_balance.msat, price, "what the other side got")


class Gate:
    """Holds executions back until the check lets them go."""

    def __init__(self):
        self.entered, self.opened = threading.Event(), threading.Event()

    def execute(self, job):
        self.entered.set()
        self.opened.wait(PATIENCE)
        return OUTPUT

    def await_entry(self):
        expect(self.entered.wait(PATIENCE), "nothing is executed")


@check("we buy from the reference, and every byte of ours is as it expects")
def purchase():
    with market() as (_, house, reference):
        job = house.ask(reference.node, PROMPT, "--temperature", "0.7").end()
        bought(job, reference)
        equal(job["price_msat"], 57_355, "the price")
        equal(job["content_type"], wire.TEXT, "the content type")
        request, _ = reference.await_message(wire.QUOTE_REQUEST)
        params = wire.chat_params(PROFILE, 700)
        equal(request["params_hex"], params.hex(), "the params")
        equal(request["input_hex"], PROMPT.encode().hex(), "the prompt")
        equal(request["envelope"]["job_id_hex"], job["job_id"], "the job")
        left = int(request["envelope"]["expiry"]) - int(time.time())
        expect(300 < left <= 600, f"the request ends in {left} s")
        payloads = {kind: payload for kind, _, payload in reference.heard}
        records = list(wire.read_stream(payloads[wire.QUOTE_REQUEST]))
        equal(records, [1, 2, 3, 4, 20, 21, 22], "the records")
        response, _ = reference.await_said(wire.QUOTE_RESPONSE)
        equal(job["terms_hash"], response["terms_hash_hex"], "the terms")
        # Who has no provider waits for one a moment before it says that it sells nothing.
        reference.await_message(wire.MANIFEST)
        bare = {"protocol_version": 1, "max_payload_bytes": 16_384}
        payloads = [payload for kind, _, payload in reference.heard if kind == wire.MANIFEST]
        equal(payloads, [wire.encode(wire.MANIFEST, bare)], "our manifest, once")
        equal(len(reference.heard), 2, "messages of ours")


@check("who sells and buys buys what it does not sell itself")
def sells_as_well():
    # The reference tests a request against the tasks of the one who asks.
    with market(sells=["demo"]) as (_, house, reference):
        manifest, _ = reference.await_message(wire.MANIFEST)
        equal(len(manifest["supported_tasks"]), 1, "what we sell")
        bought(house.ask(reference.node, PROMPT).end(), reference)
        manifest, _ = reference.await_message(wire.MANIFEST, lambda m: not m["supported_tasks"])
        # A bridge that begins anew may say it to the wrong one again, and knows better in time.
        house.kill("lcp-bridge")
        house.start("lcp-bridge")
        house.await_bridge()
        house.until(lambda: len(house.lcp("workers")["workers"]) == 3, "the workers are back")
        job = house.ask(reference.node, PROMPT).end()
        equal((job["stage"], job["result"]), ("done", OUTPUT), "the second purchase")


@check("an error before the quote ends the job unpaid, with its code")
def refused():
    with market() as (_, house, reference):
        job = house.ask(reference.node, PROMPT, profile="nope").end(11)
        equal((job["stage"], job["preimage"]), ("failed", None), "the end")
        failure = job["failure"]
        expect("unsupported_task" in failure["code"] + failure["detail"], f"{failure}")
        equal(reference.node.balance().local_balance.msat, 0, "what the other side got")


@check("a quote that is lost is asked for under another job, and only one is paid")
def quote_lost():
    with market(requester={"quote_wait_seconds": 5}) as (simnet, house, reference):
        simnet.ctl("messages", "theirs", "ours", "--drop", 1)
        job = house.ask(reference.node, PROMPT).end()
        bought(job, reference)
        requests = reference.all_heard(wire.QUOTE_REQUEST)
        # A slow machine may make it three.
        expect(len({r["envelope"]["job_id_hex"] for r in requests}) >= 2, "jobs asked for")
        equal(sum(j.executions for j in reference.jobs.values()), 1, "executions")


@check("an error that answers our repeat is not the end: the result that follows is taken")
def provisional():
    def execute(job):
        # Until our repeat has been answered with payment_invalid, as any after a second is.
        reference.await_said(wire.ERROR, lambda f: f["code"] == 5)
        return OUTPUT

    with market(requester={"repeat_seconds": 10}, execute=execute) as (_, house, reference):
        purchase = house.ask(reference.node, PROMPT)
        bought(purchase.end(), reference)
        requests = reference.all_heard(wire.QUOTE_REQUEST)
        equal(len({r["envelope"]["job_id_hex"] for r in requests}), 1, "jobs asked for")
        equal(len({r["envelope"]["msg_id_hex"] for r in requests}), 2, "messages")


@check("an execution that fails is told as paid and failed, with the proof of payment")
def execution_fails():
    def execute(job):
        return Refusal({"code": 7, "message": "upstream: 503 of account 4711"})

    with market(execute=execute) as (_, house, reference):
        job = house.ask(reference.node, PROMPT).end(14)
        equal((job["stage"], job["result"]), ("paid-failed", None), "the end")
        paid_once(job, reference)


@check("a result that overtakes the payment's success is kept until the money is known to be gone")
def overtaken():
    with market() as (simnet, house, reference):
        simnet.ctl("stall", "ours", "payments")
        purchase = house.ask(reference.node, PROMPT)
        job_id = purchase.job_id()
        reference.await_said(wire.RESULT)
        # The quote and the result; the manifest is no job's.
        house.until(lambda: house.counter("message.received") == 2, "the result came")
        equal(house.job(job_id)["stage"], "paying", "the stage meanwhile")
        simnet.ctl("stall", "ours", "payments", "--resume")
        bought(purchase.end(), reference)


@check("a result lost while our bridge was down is asked for again, and not paid again")
def result_lost():
    gate = Gate()
    habits = {"execute": gate.execute, "stopped_clock": True}
    with market(requester={"repeat_seconds": 10}, **habits) as (_, house, reference):
        purchase = house.ask(reference.node, PROMPT)
        job_id = purchase.job_id()
        gate.await_entry()
        house.until(lambda: house.job(job_id)["stage"] == "running", "we know that it is paid")
        house.kill("lcp-bridge")
        gate.opened.set()
        reference.await_said(wire.RESULT)
        house.start("lcp-bridge")
        # The command that began it lives through that.
        job = purchase.end()
        bought(job, reference)
        equal(reference.jobs[job_id].executions, 2, "executions")
        again = house.result(job_id).end()
        equal((again["result"], again["preimage"]), (OUTPUT, job["preimage"]), "fetched later")


@check("a bridge that dies while it pays pays once, and gets its result")
def dies_paying():
    with market(requester={"repeat_seconds": 10}, stopped_clock=True) as (simnet, house, reference):
        simnet.ctl("payments", "ours", "--hang")
        purchase = house.ask(reference.node, PROMPT)
        job_id = purchase.job_id()
        house.until(lambda: house.job(job_id)["stage"] == "paying", "it is being paid")
        r_hash = bytes.fromhex(house.job(job_id)["payment_hash"])
        eventually(lambda: house.node.track(r_hash).next("the payment").htlcs, "it is on its way")
        house.kill("lcp-bridge")
        simnet.ctl("release", "ours")
        reference.await_said(wire.RESULT)
        house.start("lcp-bridge")
        bought(purchase.end(), reference)


@check("silence after the payment is told with the proof, and a late result is taken all the same")
def silence():
    def execute(job):
        # Beyond the quote's end, after which the daemon says nothing, ever.
        gate.opened.wait(PATIENCE)
        eventually(lambda: time.time() > job.expiry, "the quote has ended")
        return OUTPUT

    gate = Gate()
    rules = {"answer_seconds": 10, "repeat_seconds": 3600}
    with market(requester=rules, execute=execute, ttl=20) as (_, house, reference):
        purchase = house.ask(reference.node, PROMPT)
        job = purchase.end(13)
        equal((job["stage"], job["result"]), ("unanswered", None), "the end")
        paid_once(job, reference)
        gate.opened.set()
        late = reference.jobs[job["job_id"]]
        house.until(lambda: not late.is_running, "the execution is over")
        equal(late.state, "executing", "the daemon's own idea of it")
        reference.send_result(late, OUTPUT)
        house.until(lambda: house.job(job["job_id"])["stage"] == "done", "the result is taken")
        bought(house.result(job["job_id"]).end(), reference)


@check("every message of both sides comes twice, and the job is bought once")
def everything_twice():
    with market() as (simnet, house, reference):
        for pair in (("ours", "theirs"), ("theirs", "ours")):
            simnet.ctl("messages", *pair, "--duplicate", 100)
        job = house.ask(reference.node, PROMPT).end()
        bought(job, reference)
        equal([j.executions for j in reference.jobs.values()], [1], "executions")
