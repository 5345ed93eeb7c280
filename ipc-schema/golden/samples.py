"""What the golden frames say: one realistic job, and everything that can be said about it.

Values follow from labels, so that the files are the same at every run.
"""

from hashlib import sha256

PREFIX = b"work/"


def octets(label, count=32):
    """Bytes that belong to a label: its SHA-256, or the start of it."""
    return sha256(label.encode()).digest()[:count]


WORKER = octets("worker", 16)
EPOCH = octets("epoch", 16)
NONCE = octets("nonce", 16)
LEASE = octets("lease", 16)
NODE = b"\x02" + octets("node")
PEER = b"\x03" + octets("peer")
PREIMAGE = octets("preimage")
HASH = sha256(PREIMAGE).digest()
TERMS = octets("terms")
JOB_ID = octets("job")
MSG_ID = octets("message")
NOW = 1_767_225_600
INVOICE = "lnbcrt573550n1golden"
PROFILE = "gpt-5.2"
CHAT = "llm.chat"
# The params stream of llm.chat: 1 profile, 2 temperature_milli, 3 max_output_tokens.
PARAMS = b"\x01\x07" + PROFILE.encode() + b"\x02\x02\x02\xbc" + b"\x03\x02\x01\x00"
INPUT = b"What is a satoshi?"
OUTPUT = b"A hundred-millionth of a bitcoin."
PAGE = octets("page", 8)

SOLD = {"role": "ROLE_PROVIDER", "peer": PEER, "job_id": JOB_ID}
BOUGHT = {"role": "ROLE_REQUESTER", "peer": PEER, "job_id": JOB_ID}
FAILURE = {
    "code": "backend-timeout",
    "detail": "the backend gave no answer within 60 s",
    "advice": "Look at the backend's log",
    "retryable": True,
}
LIMITS = {"max_result_bytes": 16_275, "max_output_tokens": 256, "temperature_milli": 700}
VIEW = {
    "stage": "JOB_STAGE_DONE",
    "task_kind": CHAT,
    "profile": PROFILE,
    "price_msat": 57_355,
    "quote_expiry_unix": NOW + 300,
    "terms_hash": TERMS,
    "payment_hash": HASH,
    "fee_msat": 57,
    "content_type": "text/plain; charset=utf-8",
    "truncated": True,
    "quoted_unix": NOW + 1,
    "paid_unix": NOW + 2,
    "ended_unix": NOW + 9,
}
JOB = {
    "key": SOLD,
    "version": 7,
    "view": VIEW,
    "input_bytes": len(INPUT),
    "output_bytes": len(OUTPUT),
    "created_unix": NOW,
    "changed_unix": NOW + 9,
    "finished_unix": NOW + 9,
}
PEER_ENTRY = {
    "id": PEER,
    "address": "192.0.2.1:9735",
    "connected": True,
    "has_channel": True,
    "protocol_version": 1,
    "max_payload_bytes": 16_384,
    "offers": [{"task_kind": CHAT, "profile": PROFILE}],
    "manifest_unix": NOW - 60,
}
STAGES = [
    "QUOTING", "QUOTED", "PAYING", "RUNNING", "DONE", "FAILED", "CANCELLED", "UNANSWERED",
    "PAID_FAILED",
]  # fmt: skip


def job_item(name, events, key=SOLD, **more):
    item = {"lease": LEASE, "job": key, "events": events, "now_unix": NOW, "attempt": 1, **more}
    return name, "WorkerEvent", {"job": item}


def job_reply(name, effects, **more):
    body = {"lease": LEASE, "version": 6, "state": octets("state", 24), "effects": effects, **more}
    return name, "WorkerReply", {"worker": WORKER, "nonce": NONCE, "job": body}


def reply(name, **body):
    return name, "WorkerReply", {"worker": WORKER, "nonce": NONCE, **body}


def to_worker():
    """What the bridge sends to workers: name, message type, body."""
    yield (
        "welcome to a worker that has just subscribed",
        "WorkerEvent",
        {
            "welcome": {
                "epoch": EPOCH,
                "nonce": NONCE,
                "lease_seconds": 30,
                "progress_seconds": 10,
                "max_reply_bytes": 4_000_000,
                "node_id": NODE,
                "network": "regtest",
            }
        },
    )
    yield (
        "welcome before lnd has said who it is",
        "WorkerEvent",
        {
            "welcome": {
                "epoch": EPOCH,
                "nonce": NONCE,
                "lease_seconds": 30,
                "progress_seconds": 10,
                "max_reply_bytes": 4_000_000,
            }
        },
    )
    yield (
        "a computation",
        "WorkerEvent",
        {
            "compute": {
                "lease": LEASE,
                "job": SOLD,
                "task_kind": CHAT,
                "profile": PROFILE,
                "input": INPUT,
                "params": PARAMS,
                "limits": LIMITS,
                "deadline_unix": NOW + 600,
                "now_unix": NOW,
                "attempt": 2,
            }
        },
    )
    for reason in ("CANCELLED", "LAPSED"):
        body = {"revoke": {"lease": LEASE, "reason": f"REASON_{reason}"}}
        yield f"an item taken back: {reason.lower()}", "WorkerEvent", body
    yield (
        "a second process with the same id",
        "WorkerEvent",
        {
            "refused": {
                "failure": {
                    "code": "duplicate-worker",
                    "detail": "another live process has this worker id",
                    "advice": "Draw a fresh random id at each process start.",
                }
            }
        },
    )
    yield (
        "everything of a worker that said goodbye has arrived",
        "WorkerEvent",
        {
            "refused": {
                "failure": {
                    "code": "drained",
                    "detail": "nothing is left of what the worker had",
                }
            }
        },
    )
    yield job_item(
        "a new job of a peer",
        [
            {
                "message": {
                    "type": 42_083,
                    "protocol_version": 1,
                    "job_id": JOB_ID,
                    "msg_id": MSG_ID,
                    "payload": b"\x01\x02\x00\x01" + b"\x02\x20" + JOB_ID,
                }
            }
        ],
        peer={
            "connected": True,
            "has_channel": True,
            "max_payload_bytes": 16_384,
            "open_jobs": 2,
            "requests_last_minute": 3,
        },
    )
    yield job_item(
        "a step of a job with state and work under way",
        [{"woken": {}}],
        version=6,
        state=octets("state", 24),
        outstanding=[3, 4, 300],
    )
    yield job_item(
        "a client's order with a ceiling",
        [
            {
                "submitted": {
                    "task_kind": CHAT,
                    "input": INPUT,
                    "params": PARAMS,
                    "max_price_msat": 60_000,
                }
            }
        ],
        key=BOUGHT,
    )
    yield job_item(
        "a client's order that waits for the price",
        [{"submitted": {"task_kind": CHAT, "input": INPUT, "params": PARAMS}}],
        key=BOUGHT,
    )
    yield job_item(
        "a client's order that may cost nothing, which is not the same",
        [{"submitted": {"task_kind": CHAT, "input": INPUT, "max_price_msat": 0}}],
        key=BOUGHT,
    )
    bought = [
        {"accepted": {"max_price_msat": 60_000}},
        {"client_cancelled": {}},
        {"payment_in_flight": {"payment_hash": HASH}},
        {"payment_succeeded": {"payment_hash": HASH, "preimage": PREIMAGE, "fee_msat": 57}},
        {"peer_returned": {}},
    ]
    causes = [
        ("WITHDRAWN", None),
        ("TOO_LATE", None),
        ("REFUSED", {"code": "daily-budget", "detail": "57412 msat more than the day has left"}),
        ("LND", {"code": "no-route", "detail": "FAILURE_REASON_NO_ROUTE"}),
    ]
    for cause, failure in causes:
        body = {"payment_hash": HASH, "cause": f"CAUSE_{cause}"}
        bought.append({"payment_failed": body | ({"failure": failure} if failure else {})})
    for event in bought:
        (arm,) = event
        name = arm.replace("_", " ")
        if arm == "payment_failed":
            name += ": " + event[arm]["cause"].removeprefix("CAUSE_").lower().replace("_", " ")
        yield job_item(name, [event], key=BOUGHT, version=6, state=octets("state", 24))
    sold = [
        {"invoice_created": {"payment_hash": HASH, "payment_request": INVOICE}},
        {"invoice_failed": {"failure": FAILURE}},
        {"invoice_settled": {"payment_hash": HASH, "amount_msat": 57_355}},
        {"invoice_cancelled": {"payment_hash": HASH}},
        {
            "compute_finished": {
                "output": OUTPUT,
                "content_type": "text/plain; charset=utf-8",
                "truncated": True,
            }
        },
        {"compute_failed": {"failure": FAILURE}},
        {"compute_cancelled": {}},
        {"too_large": {"effect": 5}},
        {"answered_by_bridge": {"code": 4}},
        {"resumed": {"downtime_seconds": 86_400}},
    ]
    for event in sold:
        (arm,) = event
        yield job_item(arm.replace("_", " "), [event], version=6, state=octets("state", 24))
    yield job_item("two events in one item, in order", [sold[2], {"woken": {}}], version=6)


def from_worker():
    """What workers send to the bridge."""
    yield reply(
        "hello of a compute worker",
        hello={
            "program": "shout 1.0",
            "capacity": 6,
            "concurrency": 4,
            "capabilities": [{"task_kind": CHAT, "profile": "shout"}, {"task_kind": "sum"}],
        },
    )
    yield reply(
        "hello of a compute worker that takes every profile",
        hello={
            "program": "lcp-compute 1.0",
            "capacity": 2,
            "concurrency": 1,
            "capabilities": [{"task_kind": CHAT}],
        },
    )
    yield reply(
        "hello of a provider worker",
        hello={
            "program": "lcp-provider 0.1.0",
            "capacity": 64,
            "dialects": ["0.1"],
            "capabilities": [
                {"task_kind": CHAT, "profile": PROFILE, "template_params": b"\x01\x07gpt-5.2"}
            ],
        },
    )
    yield reply("the handler is alive", progress={"lease": LEASE})
    yield reply(
        "a computation's result",
        compute={
            "lease": LEASE,
            "result": {
                "output": OUTPUT,
                "content_type": "text/plain; charset=utf-8",
                "truncated": True,
                "input_tokens": 6,
                "output_tokens": 9,
            },
        },
    )
    yield reply("an empty result", compute={"lease": LEASE, "result": {}})
    yield reply("a computation that fails for good", compute={"lease": LEASE, "failure": FAILURE})
    yield reply("an item given back", failed={"lease": LEASE, "failure": FAILURE})
    yield reply("goodbye", goodbye={})

    quote = {
        "type": 42_085,
        "protocol_version": 1,
        "job_id": JOB_ID,
        "msg_id": MSG_ID,
        "records": [{"type": 30, "bytes": b"\xe0\x0b"}, {"type": 33, "bytes": INVOICE.encode()}],
        "expiry_unix": NOW + 300,
        "give_up_unix": NOW + 240,
    }
    result = {
        "type": 42_087,
        "protocol_version": 1,
        "job_id": JOB_ID,
        "msg_id": MSG_ID,
        "records": [{"type": 40, "stored_output": len(OUTPUT)}],
        "again": True,
    }
    request = {
        "type": 42_083,
        "protocol_version": 1,
        "job_id": JOB_ID,
        "msg_id": MSG_ID,
        "records": [
            {"type": 20, "bytes": CHAT.encode()},
            {"type": 21, "stored_input": len(INPUT)},
            {"type": 22, "bytes": PARAMS},
        ],
    }
    yield job_reply(
        "a step that asks for an invoice and stores the input",
        [
            {
                "id": 1,
                "create_invoice": {
                    "amount_msat": 57_355,
                    "description_hash": TERMS,
                    "expiry_unix": NOW + 300,
                    "profile": PROFILE,
                },
            }
        ],
        view={"stage": "JOB_STAGE_QUOTING", "task_kind": CHAT, "profile": PROFILE},
        wake_at_unix=NOW + 300,
        answer_by_unix=NOW + 900,
        input=INPUT,
    )
    yield job_reply("a quote goes out", [{"id": 2, "send": quote}])
    yield job_reply("a stored result goes out again", [{"id": 3, "send": result}], output=OUTPUT)
    yield job_reply("a request with the stored input goes out", [{"id": 4, "send": request}])
    yield job_reply("an empty output is stored", [], output=b"")
    yield job_reply(
        "several effects, one of them from a step before",
        [
            {"id": 3, "cancel_invoice": {"payment_hash": HASH}},
            {"id": (1 << 63) - 1, "finish": {}},
        ],
    )
    yield job_reply(
        "paying",
        [
            {
                "id": 5,
                "pay": {
                    "payment_request": INVOICE,
                    "amount_msat": 57_355,
                    "payment_hash": HASH,
                    "description_hash": TERMS,
                    "expiry_unix": NOW + 300,
                    "not_after_unix": NOW + 240,
                    "profile": PROFILE,
                },
            }
        ],
    )
    yield job_reply("withdrawing", [{"id": 6, "withdraw_payment": {"payment_hash": HASH}}])
    yield job_reply(
        "starting the computation",
        [
            {
                "id": 7,
                "start_compute": {
                    "task_kind": CHAT,
                    "profile": PROFILE,
                    "params": PARAMS,
                    "limits": LIMITS,
                    "deadline_unix": NOW + 600,
                },
            }
        ],
    )
    yield job_reply("stopping the computation", [{"id": 8, "cancel_compute": {}}])
    yield job_reply("nothing left to do", [{"id": 9, "finish": {}}], view=VIEW)


def control():
    """Requests to `control` and its responses."""
    requests = [
        (
            "submit with a ceiling",
            {
                "submit": {
                    "key": b"order-4711",
                    "peer": PEER,
                    "task_kind": CHAT,
                    "input": INPUT,
                    "params": PARAMS,
                    "max_price_msat": 60_000,
                }
            },
        ),
        (
            "submit and decide later",
            {"submit": {"key": b"order-4712", "peer": PEER, "task_kind": CHAT, "input": INPUT}},
        ),
        ("accept", {"accept": {"job": BOUGHT, "max_price_msat": 60_000}}),
        ("cancel", {"cancel": {"job": BOUGHT}}),
        ("cancel the newest job of an id", {"cancel": {"job": {"job_id": JOB_ID}}}),
        ("retry a parked job", {"retry": {"job": SOLD}}),
        ("connect a peer", {"connect": {"peer": PEER, "address": "192.0.2.1:9735"}}),
        ("disconnect a peer", {"disconnect": {"peer": PEER}}),
        ("get a result", {"get_result": {"job": BOUGHT}}),
        ("find the job of a key", {"find_job": {"key": b"order-4711"}}),
    ]
    for index, (name, body) in enumerate(requests):
        yield name, "ControlRequest", {"id": index + 1, **body}
    bought = JOB | {"key": BOUGHT}
    responses = [
        ("refused", {"failure": FAILURE}),
        ("the job as it stands", {"job": bought}),
        ("the peer as it stands", {"peer": PEER_ENTRY}),
        ("the result", {"result": {"job": bought, "output": OUTPUT, "preimage": PREIMAGE}}),
        ("an empty result is a result", {"result": {"job": bought, "output": b""}}),
        ("no result yet", {"result": {"job": {"key": BOUGHT, "version": 3}}}),
    ]
    for index, (name, body) in enumerate(responses):
        yield name, "ControlResponse", {"id": index + 1, **body}


def query():
    """Requests to `query` and its responses."""
    requests = [
        ("get a job", {"get_job": {"job": SOLD}}),
        (
            "list jobs, every filter",
            {
                "list_jobs": {
                    "role": "ROLE_PROVIDER",
                    "peer": PEER,
                    "stages": [f"JOB_STAGE_{stage}" for stage in STAGES],
                    "only_parked": True,
                    "created_after_unix": NOW,
                    "limit": 1000,
                    "page": PAGE,
                }
            },
        ),
        ("list jobs, no filter", {"list_jobs": {}}),
        ("watch every job", {"watch_jobs": {}}),
        ("watch two jobs", {"watch_jobs": {"jobs": [SOLD, BOUGHT]}}),
        ("end a watch", {"unwatch": {"watch": 5}}),
        ("list peers", {"list_peers": {}}),
        ("list peers, the next page", {"list_peers": {"page": NODE}}),
        ("list workers", {"list_workers": {}}),
        ("get the ledger", {"get_ledger": {"since_unix": NOW, "limit": 100, "page": PAGE}}),
        ("get the status", {"get_status": {}}),
    ]
    for index, (name, body) in enumerate(requests):
        yield name, "QueryRequest", {"id": index + 1, **body}
    parked = {
        "key": BOUGHT,
        "version": 3,
        "view": {"stage": "JOB_STAGE_PAID_FAILED", "failure": FAILURE},
        "created_unix": NOW,
        "changed_unix": NOW + 3,
        "parked": True,
    }
    worker = {
        "id": WORKER,
        "role": "ROLE_COMPUTE",
        "program": "shout 1.0",
        "capacity": 4,
        "busy": 1,
        "done": 400,
        "failed": 2,
        "draining": True,
        "since_unix": NOW,
    }
    earned = {
        "at_unix": NOW + 2,
        "job": SOLD,
        "profile": PROFILE,
        "earned_msat": 57_355,
        "payment_hash": HASH,
        "truncated": True,
        "input_tokens": 6,
        "output_tokens": 9,
    }
    spent = {
        "at_unix": NOW + 4,
        "job": BOUGHT,
        "profile": PROFILE,
        "spent_msat": 57_355,
        "fee_msat": 57,
        "payment_hash": octets("other payment"),
    }
    status = {
        "program": "lcp-bridge 0.1.0",
        "epoch": EPOCH,
        "started_unix": NOW,
        "lnd_state": "ready",
        "lnd_detail": "three streams are open",
        "node_id": NODE,
        "network": "regtest",
        "open_jobs": 12,
        "parked_jobs": 1,
        "queued_items": 3,
        "spent_today_msat": 57_412,
        "daily_budget_msat": 10_000_000,
        "reserved_msat": 60_000,
        # One entry: the order of a map's entries is nobody's promise.
        "counters": {"bus.stale_reply": 4},
        "fee_floor_msat": 10_000,
        "fee_share_ppm": 10_000,
    }
    responses = [
        ("a failure", {"failure": FAILURE}),
        ("a finished job", {"job": JOB}),
        ("a page of jobs", {"jobs": {"jobs": [JOB, parked], "next": PAGE}}),
        ("the last page", {"jobs": {}}),
        ("peers", {"peers": {"peers": [PEER_ENTRY, {"id": NODE}]}}),
        ("peers, and there are more", {"peers": {"peers": [PEER_ENTRY], "next": NODE}}),
        ("workers", {"workers": {"workers": [worker]}}),
        (
            "a page of the ledger",
            {
                "ledger": {
                    "entries": [earned, spent],
                    "next": PAGE,
                    "earned_msat": 57_355,
                    "spent_msat": 57_355,
                    "fees_msat": 57,
                }
            },
        ),
        ("the status", {"status": status}),
    ]
    for index, (name, body) in enumerate(responses):
        yield name, "QueryResponse", {"id": index + 1, **body}


def feed():
    """Records of both feeds: topic, name, message type, body."""
    peer = PEER.hex()

    def position(sequence):
        return {"epoch": EPOCH, "sequence": sequence, "at_unix_ms": NOW * 1000 + sequence}

    for direction, outbound in (("in", False), ("out", True)):
        body = {
            "position": position(1 + outbound),
            "peer": PEER,
            "outbound": outbound,
            "type": 42_085,
            "payload": b"\x01\x02\x00\x01",
        }
        name = "a message " + {"in": "received", "out": "sent"}[direction]
        yield f"message/{direction}/{peer}", name, "FeedMessage", body
    events = [
        ("heartbeat", "a heartbeat", {"heartbeat": {}}),
        (f"job/provider/{peer}", "a job moved on", {"job": JOB}),
        (
            "settlement",
            "an invoice was paid",
            {"settlement": {"job": SOLD, "payment_hash": HASH, "amount_msat": 57_355}},
        ),
        (
            "payment",
            "a payment succeeded",
            {
                "payment": {
                    "job": BOUGHT,
                    "payment_hash": HASH,
                    "succeeded": True,
                    "amount_msat": 57_355,
                    "fee_msat": 57,
                }
            },
        ),
        (
            "payment",
            "a payment failed",
            {
                "payment": {
                    "job": BOUGHT,
                    "payment_hash": HASH,
                    "amount_msat": 57_355,
                    "failure": FAILURE,
                }
            },
        ),
        (f"peer/{peer}", "a peer came", {"peer": PEER_ENTRY}),
    ]
    for sequence, (topic, name, body) in enumerate(events):
        yield topic, name, "FeedEvent", {"position": position(sequence), **body}
