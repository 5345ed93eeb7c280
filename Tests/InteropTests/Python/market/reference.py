"""The reference implementation of LCP v0.1 as it behaves (go-lcpd, 2025-12-31), habits included.

Its weaknesses are here on purpose: whoever trades with it must live with them.
"""

import hashlib
import os
import queue
import threading
import time

import grpc
import lightning_pb2 as ln
from checks import PATIENCE, Failure, equal, expect
from simnet import bolt11
from simnet.harness import OPEN, SETTLED, SUCCEEDED, Stream, sha256

from . import wire

TTL, SLACK, WINDOW = 300, 5, 600
MAX_OUTPUT_TOKENS = 4096


class Refusal(Exception):
    """`lcp_error`, as the requester's caller sees it."""

    def __init__(self, fields):
        super().__init__(f"lcp_error code={fields['code']}: {fields['message']}")
        self.code, self.message = fields["code"], fields["message"]


class Defect(Exception):
    """A binding check of the requester failed."""


class Job:
    """One job of the provider."""

    def __init__(self, request, expiry, terms_hash, payload, r_hash, add_index):
        self.id = request["envelope"]["job_id_hex"]
        self.prompt = bytes.fromhex(request["input_hex"]).decode()
        self.request_expiry = int(request["envelope"]["expiry"])
        self.expiry, self.terms_hash = expiry, terms_hash
        self.payload, self.r_hash, self.add_index = payload, r_hash, add_index
        self.state = "waiting_payment"
        self.is_running = False
        self.cancelled = threading.Event()
        # How often it was executed.
        self.executions = 0


class Reference:
    """The daemon beside one node, trading with one other.

    `profiles` are prices by name, (input, output) in msat per million tokens. `execute` makes a
    text of a job, in the job's own thread. `stopped_clock` makes every quote expire at the same
    second, for what the daemon does with a request that comes again within one.
    """

    def __init__(self, node, other, profiles=None, *, execute=None, ttl=TTL, resend=30.0,
                 is_silent=False, stopped_clock=False, max_payload=16384):
        self.node, self.other = node, other
        self.profiles = profiles or {}
        self.execute = execute or (lambda job: "deterministic-output")
        self.ttl, self.resend, self.max_payload = ttl, resend, max_payload
        self.stopped_at = int(time.time()) if stopped_clock else None
        # Whether it never sends a manifest, as a peer that is no daemon at all.
        self.is_silent = is_silent
        self.jobs, self.seen, self.manifest_of_other = {}, {}, None
        # All messages, as (kind, fields, payload); what broke the specification.
        self.heard, self.said, self.faults = [], [], []
        self.news = threading.Condition()
        self.stopping = threading.Event()

    # Life.

    def __enter__(self):
        # The settlement of a node's very first invoice can escape the daemon.
        self.node.add(memo="first", value=1)
        self.messages = self.node.watch_messages(self.other)
        self.peers = Stream(self.node.lightning.SubscribePeerEvents(ln.PeerEventSubscription()))
        for target in (self._read, self._watch_peers, self._resend):
            threading.Thread(target=target, daemon=True).start()
        return self

    def __exit__(self, kind, *_):
        self.stopping.set()
        for job in self.jobs.values():
            job.cancelled.set()
        self.messages.cancel()
        self.peers.cancel()
        if kind is None:
            expect(not self.faults, "; ".join(self.faults))

    def _read(self):
        while True:
            item = self.messages.items.get()
            if not isinstance(item, ln.CustomMessage):
                return
            if item.type in wire.NAMES:
                self._take(item.type, item.data)

    def _take(self, kind, payload):
        try:
            fields = wire.decode(kind, payload)
        except wire.Malformed as error:
            self._note(kind, None, payload, fault=f"{wire.NAMES[kind]}: {error}")
            return
        again = wire.encode(kind, fields)
        fault = None
        if again != payload:
            fault = f"{wire.NAMES[kind]}: {payload.hex()}, not {again.hex()}"
        if kind == wire.MANIFEST:
            self.manifest_of_other = fields
        elif kind == wire.QUOTE_REQUEST:
            self._quote(fields)
        elif kind == wire.CANCEL:
            self._cancel(fields)
        # Last, so that whoever waits for it finds it handled.
        self._note(kind, fields, payload, fault=fault)

    def _note(self, kind, fields, payload, fault=None):
        with self.news:
            self.heard.append((kind, fields, payload))
            if fault:
                self.faults.append(fault)
            self.news.notify_all()

    def _watch_peers(self):
        while True:
            event = self.peers.items.get()
            if not isinstance(event, ln.PeerEvent):
                return
            if event.type == ln.PeerEvent.PEER_ONLINE:
                self.send_manifest()

    def _resend(self):
        self.send_manifest()
        while not self.stopping.wait(self.resend):
            self.send_manifest()

    # Sending.

    def send(self, kind, fields):
        """Sends a message; like the daemon, logs a failure and goes on."""
        return self.send_payload(kind, wire.encode(kind, fields), fields)

    def send_payload(self, kind, payload, fields=None):
        try:
            self.node.send(self.other, kind, payload)
        except grpc.RpcError:
            return False
        with self.news:
            self.said.append((kind, fields, payload))
            self.news.notify_all()
        return True

    def send_manifest(self):
        if self.is_silent:
            return
        tasks = [
            {"task_kind": wire.CHAT, "params_hex": wire.chat_params(name).hex()}
            for name in sorted(self.profiles)
        ]
        self.send(wire.MANIFEST, {
            "protocol_version": 1, "max_payload_bytes": self.max_payload, "supported_tasks": tasks,
        })

    def envelope(self, job_id, expiry, version=1):
        return {
            "protocol_version": version, "job_id_hex": job_id,
            "msg_id_hex": os.urandom(32).hex(), "expiry": str(expiry),
        }

    def _error(self, request, code, message):
        # The request's own version and expiry come back.
        head = request["envelope"]
        envelope = self.envelope(head["job_id_hex"], head["expiry"], head["protocol_version"])
        self.send(wire.ERROR, {"envelope": envelope, "code": code, "message": message})

    # What was said.

    def await_message(self, kind, condition=lambda fields: True, after=0, among=None):
        """The first such message from the other side, and how many there were up to it."""
        among = self.heard if among is None else among
        deadline = time.monotonic() + PATIENCE
        with self.news:
            while True:
                for index, (found, fields, _) in enumerate(among[after:], after):
                    if found == kind and fields is not None and condition(fields):
                        return fields, index + 1
                left = deadline - time.monotonic()
                expect(left > 0, f"no {wire.NAMES[kind]} came; {self._account()}")
                self.news.wait(left)

    def await_said(self, kind, condition=lambda fields: True, after=0):
        return self.await_message(kind, condition, after, self.said)

    def _account(self):
        heard, said = ([wire.NAMES[m[0]] for m in log] for log in (self.heard, self.said))
        return f"heard {heard}, said {said}"

    def all_heard(self, kind):
        with self.news:
            return [fields for found, fields, _ in self.heard if found == kind]

    # The provider; every check in the daemon's order, in the thread that reads.

    def _quote(self, request):
        head, now = request["envelope"], int(time.time())
        if not self.profiles:
            return self._error(request, 2, "provider disabled")
        version = head["protocol_version"]
        if version != 1:
            return self._error(request, 1, f"unsupported protocol_version: {version}")
        if request["task_kind"] != wire.CHAT:
            return self._error(request, 2, f'unsupported task_kind: "{request["task_kind"]}"')
        params = request["llm_chat_params"]
        if params["unknown"]:
            return self._error(request, 8, "llm.chat params contain unknown tlv types")
        # Tested against what the *requester* sells.
        sold = (self.manifest_of_other or {}).get("supported_tasks")
        if sold and not any(self._matches(task, params) for task in sold):
            return self._error(request, 2, "task does not match any supported_tasks template")
        profile = params["profile"]
        if profile not in self.profiles:
            names = ", ".join(sorted(self.profiles))
            return self._error(request, 2, f'unsupported profile: "{profile}" (supported: {names})')
        # Only now: everything above answers expired and repeated messages too.
        if int(head["expiry"]) < now or self._is_repeated(head, now):
            return None
        data = bytes.fromhex(request["input_hex"])
        if not data:
            return self._error(request, 8, "empty input")
        price = wire.approx_price(len(data), *self.profiles[profile], MAX_OUTPUT_TOKENS)
        expiry = (self.stopped_at or now) + self.ttl
        job_id = head["job_id_hex"]
        digest = wire.terms_hash(
            bytes.fromhex(job_id), price, expiry, wire.CHAT, data,
            bytes.fromhex(request["params_hex"]),
        )
        job = self.jobs.get(job_id)
        if job is not None:
            return self._quote_again(request, job, digest, now)
        amount = {"value": price // 1000} if price % 1000 == 0 else {"value_msat": price}
        lifetime = self.ttl - SLACK if self.ttl > SLACK else self.ttl
        made = self.node.add(description_hash=digest, expiry=lifetime, **amount)
        response = {
            "envelope": self.envelope(job_id, expiry), "price_msat": str(price),
            "quote_expiry": str(expiry), "terms_hash_hex": digest.hex(),
            "payment_request": made.payment_request,
        }
        payload = wire.encode(wire.QUOTE_RESPONSE, response)
        if not self.send_payload(wire.QUOTE_RESPONSE, payload, response):
            return None
        job = Job(request, expiry, digest, payload, made.r_hash, made.add_index)
        self.jobs[job_id] = job
        return self._run(job)

    def _quote_again(self, request, job, digest, now):
        if now > job.expiry:
            return self._error(request, 3, "quote expired")
        # The expiry is made anew from the clock, so this holds for one second only.
        if digest != job.terms_hash:
            return self._error(request, 5, "terms_hash mismatch for job")
        fields = wire.decode(wire.QUOTE_RESPONSE, job.payload)
        self.send_payload(wire.QUOTE_RESPONSE, job.payload, fields)
        # Whatever its state: a job that is done is executed once more.
        return None if job.is_running else self._run(job)

    @staticmethod
    def _matches(task, params):
        wanted = task["llm_chat_params"]
        return task["task_kind"] == wire.CHAT and all(
            value is None or params[name] == value
            for name, value in wanted.items() if name != "unknown"
        )

    def _is_repeated(self, head, now):
        key = head["job_id_hex"], head["msg_id_hex"]
        if self.seen.get(key, 0) >= now:
            return True
        self.seen[key] = min(int(head["expiry"]), now + WINDOW)
        return False

    def _cancel(self, cancel):
        head, now = cancel["envelope"], int(time.time())
        if int(head["expiry"]) < now or self._is_repeated(head, now):
            return
        job = self.jobs.get(head["job_id_hex"])
        if job is not None:
            # The invoice stays payable.
            job.cancelled.set()
            job.state = "canceled"

    def _run(self, job):
        job.is_running = True
        threading.Thread(target=self._serve, args=(job,), daemon=True).start()

    def _serve(self, job):
        try:
            if not self._is_settled(job):
                return
            job.state = "executing"
            job.executions += 1
            text = self.execute(job)
            # One deadline for payment, execution and delivery; nobody is told that it has passed.
            if job.cancelled.is_set() or time.time() > job.expiry:
                return
            if isinstance(text, Refusal):
                envelope = self.envelope(job.id, job.request_expiry)
                self.send(wire.ERROR, {
                    "envelope": envelope, "code": text.code, "message": text.message,
                })
                job.state = "failed"
                return
            self.send_result(job, text)
        finally:
            job.is_running = False

    def send_result(self, job, text):
        result = {
            "envelope": self.envelope(job.id, int(time.time()) + self.ttl),
            "result_hex": text.encode().hex(), "content_type": wire.TEXT,
        }
        job.state = "done" if self.send(wire.RESULT, result) else "failed"

    def _is_settled(self, job):
        updates = Stream(self.node.lightning.SubscribeInvoices(
            ln.InvoiceSubscription(add_index=job.add_index - 1)
        ))
        try:
            # As long as lnd takes a payment: the daemon's deadline is the quote's.
            while not job.cancelled.is_set() and time.time() <= job.expiry:
                try:
                    update = updates.items.get(timeout=0.1)
                except queue.Empty:
                    continue
                if not isinstance(update, ln.Invoice):
                    return False
                if update.r_hash == job.r_hash and update.state != OPEN:
                    return update.state == SETTLED
            return False
        finally:
            updates.cancel()

    # The requester.

    def request(self, prompt, profile, *, job_id=None, expires_in=TTL, version=1, kind=wire.CHAT,
                params=None):
        """Sends a quote request and gives its fields."""
        params = wire.chat_params(profile) if params is None else params
        job_id = job_id or os.urandom(32).hex()
        fields = {
            "envelope": self.envelope(job_id, int(time.time()) + expires_in, version),
            "task_kind": kind, "input_hex": prompt.encode().hex(), "params_hex": params.hex(),
        }
        expect(self.send(wire.QUOTE_REQUEST, fields), "the request was not sent")
        return fields

    def await_quote(self, request, after=0):
        """RequestQuote's second half: the response with its terms checked, or a Refusal."""
        job_id = request["envelope"]["job_id_hex"]
        response = self._outcome(job_id, wire.QUOTE_RESPONSE, after)
        digest = wire.terms_hash(
            bytes.fromhex(job_id), int(response["price_msat"]), int(response["quote_expiry"]),
            request["task_kind"], bytes.fromhex(request["input_hex"]),
            bytes.fromhex(request["params_hex"]),
        )
        if digest.hex() != response["terms_hash_hex"]:
            raise Defect("terms_hash mismatch")
        return response

    def quote(self, prompt, profile, **more):
        """RequestQuote: needs the other's manifest, of version 1."""
        manifest, _ = self.await_message(wire.MANIFEST)
        equal(manifest["protocol_version"], 1, "the manifest's version")
        request = self.request(prompt, profile, **more)
        size = len(wire.encode(wire.QUOTE_REQUEST, request))
        expect(size <= (manifest["max_payload_bytes"] or size), "ResourceExhausted")
        return request, self.await_quote(request)

    def check_binding(self, response):
        """The four checks before paying, with lnd's decoder as the daemon does."""
        found = self.node.decode(response["payment_request"])
        checks = (
            (found.description_hash, response["terms_hash_hex"], "description_hash"),
            (found.destination, self.other.pubkey, "payee"),
            (found.num_msat, int(response["price_msat"]), "amount"),
        )
        for value, wanted, what in checks:
            if value != wanted:
                raise Defect(f"{what}: {value}, not {wanted}")
        if found.timestamp + found.expiry > int(response["quote_expiry"]) + SLACK:
            raise Defect("the invoice outlives the quote")
        # By our own reading of BOLT #11 as well.
        own = bolt11.decode(response["payment_request"])
        equal(own.bytes_of("h").hex(), response["terms_hash_hex"], "the h field")
        equal(own.payee.hex(), self.other.pubkey, "who signed")
        equal(own.amount_msat, int(response["price_msat"]), "the amount in the text")
        return found

    def pay(self, response):
        """Pays a quote and gives the payment; the preimage is checked."""
        found = self.check_binding(response)
        update = self.node.pay(
            response["payment_request"], timeout_seconds=30, fee_limit_sat=10_000,
            no_inflight_updates=True,
        ).all()[-1]
        if update.status != SUCCEEDED:
            raise Failure(f"the payment failed, reason {update.failure_reason}")
        equal(sha256(bytes.fromhex(update.payment_preimage)).hex(), found.payment_hash, "preimage")
        return update

    def await_result(self, response, after=0):
        return self._outcome(response["envelope"]["job_id_hex"], wire.RESULT, after)

    def accept(self, response):
        """AcceptAndExecute: check, pay, wait."""
        self.pay(response)
        return self.await_result(response)

    def cancel(self, job_id, reason=None):
        envelope = self.envelope(job_id, int(time.time()) + TTL)
        self.send(wire.CANCEL, {"envelope": envelope, "reason": reason})

    def _outcome(self, job_id, kind, after):
        deadline = time.monotonic() + PATIENCE
        with self.news:
            while True:
                for found, fields, _ in self.heard[after:]:
                    if fields is None or fields.get("envelope", {}).get("job_id_hex") != job_id:
                        continue
                    if found == wire.ERROR:
                        raise Refusal(fields)
                    if found == kind:
                        return fields
                left = deadline - time.monotonic()
                expect(left > 0, f"no {wire.NAMES[kind]} came; {self._account()}")
                self.news.wait(left)


def deterministic_answer(prompt):
    """What `lcp-compute --backend deterministic` makes of a prompt."""
    return hashlib.sha256(prompt.encode()).hexdigest() + "\n" + prompt
