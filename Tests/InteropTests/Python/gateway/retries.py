"""Whatever is repeated is paid once."""

import contextlib
import http.client
import json
import tempfile
import threading
import urllib.parse

import httpx2
import openai

from checks import PATIENCE, check, equal, expect
from simnet.harness import eventually

from .front import PRICE, PROMPT, Gate, front, question


@contextlib.contextmanager
def gated(*arguments):
    """A market whose computations wait at a gate."""
    with tempfile.TemporaryDirectory() as directory:
        gate = Gate(directory)
        with front(*arguments, gate=gate) as gateway:
            yield gateway, gate


def opened_later(gate, seconds):
    timer = threading.Timer(seconds, gate.open)
    timer.start()
    return timer


@check("the SDK's timeout strikes while the job runs; its retry gets the result that was paid")
def timeout():
    with gated() as (gateway, gate):
        client = openai.OpenAI(
            base_url=gateway.url, api_key="none", timeout=httpx2.Timeout(3), max_retries=8
        )
        # After the first request is over, and before the last.
        timer = opened_later(gate, 5)
        answer = client.chat.completions.with_raw_response.create(**question())
        timer.join()
        expect(answer.retries_taken > 0, "it was never repeated")
        equal(answer.parse().choices[0].message.content, PROMPT, "the answer")
        equal([len(gateway.payments()), gateway.spent()], [1, PRICE], "payments and their sum")
        # The same question asked anew is another purchase.
        client.chat.completions.create(**question())
        equal([len(gateway.payments()), gateway.spent()], [2, 2 * PRICE], "after another request")


@check("a stream is cut by the client after the payment, and the repetition has the whole answer")
def cut_stream():
    with gated() as (gateway, gate):
        client = openai.OpenAI(base_url=gateway.url, api_key="none", timeout=PATIENCE)
        stream = client.chat.completions.create(**question(), stream=True)
        next(iter(stream))
        gate.await_entry()
        stream.close()
        gate.open()
        again = client.chat.completions.create(
            **question(), stream=True, extra_headers={"x-stainless-retry-count": "1"}
        )
        text = "".join(c.choices[0].delta.content or "" for c in again if c.choices)
        equal(text, PROMPT, "the answer")
        equal(gateway.spent(), PRICE, "what was spent")


@check("the gateway dies between the payment and the answer; the repetition finds the same job")
def killed():
    for named in (False, True):
        with gated() as (gateway, gate):
            headers = {"idempotency-key": "order 4711"} if named else {}
            first = threading.Thread(target=_ask, args=(gateway, dict(headers)))
            first.start()
            gate.await_entry()
            gateway.kill()
            first.join()
            gateway.start()
            gate.open()
            if not named:
                headers["x-stainless-retry-count"] = "1"
            status, found, answer = gateway.ask(**headers)
            equal(status, 200, f"the status, {answer}")
            equal(answer["choices"][0]["message"]["content"], PROMPT, "the answer")
            jobs = gateway.payments()
            equal([j["job_id"] for j in jobs], [found["x-lcp-job-id"]], "the paid jobs")
            equal(gateway.spent(), PRICE, "what was spent")


def _ask(gateway, headers):
    # It breaks off when the gateway dies.
    with contextlib.suppress(OSError, http.client.HTTPException):
        gateway.ask(**headers)


@check("an Idempotency-Key gives the same job for ever, and belongs to one body")
def named():
    with front() as gateway:
        name = {"idempotency-key": "order 4711"}
        _, first, answer = gateway.ask(**name)
        for _ in range(2):
            status, again, same = gateway.ask(**name)
            equal((status, same["choices"]), (200, answer["choices"]), "the same answer")
            equal(again["x-lcp-job-id"], first["x-lcp-job-id"], "the job")
            _refuses_another_body(gateway, name)
            # The second time from a process that knows nothing.
            gateway.kill()
            gateway.start()
        _refuses_another_body(gateway, name)
        equal(gateway.spent(), PRICE, "what was spent")


def _refuses_another_body(gateway, name):
    status, headers, refusal = gateway.ask(question("something else"), **name)
    equal((status, refusal["error"]["code"]), (422, "idempotency_key_reused"), "another body")
    equal(headers["x-should-retry"], "false", "whether to retry")


@check("a client that goes before the payment takes the job with it")
def gone():
    with front() as gateway:
        # Without a provider there is no quote, and the job waits.
        gateway.seller.kill("lcp-provider")
        url = urllib.parse.urlsplit(gateway.url)
        client = http.client.HTTPConnection(url.netloc)
        headers = {"content-type": "application/json"}
        client.request("POST", f"{url.path}/chat/completions", json.dumps(question()), headers)
        gateway.await_jobs(lambda jobs: jobs, "the job is there")
        client.close()
        jobs = gateway.await_jobs(
            lambda jobs: jobs and all(j["stage"] == "cancelled" for j in jobs) and jobs,
            "the job is cancelled",
        )
        equal(len(jobs or [1]), 1, "jobs")
        gateway.seller.start("lcp-provider")
        status, _, _ = gateway.ask(x_stainless_retry_count="1")
        equal(status, 200, "the repetition's status")
        equal(gateway.spent(), PRICE, "what was spent")


@check("SIGTERM lets a request finish, and takes no other")
def drained():
    with gated() as (gateway, gate):
        answers = []
        first = threading.Thread(target=lambda: answers.append(gateway.ask()))
        first.start()
        gate.await_entry()
        process = gateway.buyer.processes["lcp-gateway"]
        process.terminate()

        def is_closed():
            with contextlib.suppress(OSError):
                gateway.get("/health")
                return False
            return True

        eventually(is_closed, "no connection is taken")
        gate.open()
        first.join(PATIENCE)
        equal(answers[0][0], 200, "the status")
        equal(process.wait(PATIENCE), 0, "the exit code")
