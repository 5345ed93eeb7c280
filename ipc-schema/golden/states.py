"""What the golden states say: every state of both roles, and everything a state can hold.

Beyond protobuf they are states that our workers read and write again byte for byte.
"""

from samples import CHAT, HASH, INPUT, INVOICE, JOB_ID, LIMITS, MSG_ID, NOW, OUTPUT, PARAMS
from samples import PREIMAGE, PROFILE, TERMS, octets

PRICE = 57_355
TASK = {"kind": CHAT, "profile": PROFILE, "params": PARAMS, "input_bytes": len(INPUT)}
ERROR = {"code": 4, "message": "the model is not loaded"}
MINUTE = 60


def terms(price=PRICE, expiry=NOW + 300):
    return {
        "protocol_version": 1,
        "job_id": JOB_ID,
        "price_msat": price,
        "quote_expiry_unix": expiry,
        "task_kind": CHAT,
        "input_hash": octets("input"),
        "params_hash": octets("params"),
    }


def view(stage, **more):
    return {"stage": f"JOB_STAGE_{stage}", "task_kind": CHAT, "profile": PROFILE, **more}


def message(kind, records=(), **more):
    """A message as the bridge was asked to send it."""
    head = {"type": kind, "protocol_version": 1, "job_id": JOB_ID, "msg_id": MSG_ID}
    return {"send": {**head, "records": list(records), **more}}


def todo(number, effect, given):
    return {**effect, "given": {"id": number, **given}}


def role_state(role):
    """A function that makes the states of a role: name, body."""

    def state(name, body, shown, last=0, outstanding=(), task=TASK):
        job = {"format": 1, role: {**body, "outstanding": list(outstanding)}, "view": shown}
        job |= {"last_effect_id": last} | ({"task": task} if task else {})
        return f"{role}: {name}", job

    return state


def provider():
    """The provider's states, in the order of a job's life."""
    state = role_state("provider")
    task = {
        "profile": PROFILE,
        "price_msat": PRICE,
        "max_output_tokens": 256,
        "temperature_milli": 700,
    }
    draft = {"terms": terms(), "terms_hash": TERMS, "task": task}
    quote = {"draft": draft, "payment_hash": HASH, "payment_request": INVOICE}
    output = {"byte_count": 33, "cut": True, "content_type": "text/plain; charset=utf-8"}
    sums = {"protocol_version": 1, "job_id": JOB_ID, "price_msat": 1, "task_kind": "sum"}
    sums |= {"input_hash": octets("input"), "params_hash": octets("no params")}
    invoice = todo(
        1,
        {
            "create_invoice": {
                "amount_msat": PRICE,
                "description_hash": TERMS,
                "expires_unix": NOW + 300,
            }
        },
        {
            "create_invoice": {
                "amount_msat": PRICE,
                "description_hash": TERMS,
                "expiry_unix": NOW + 300,
                "profile": PROFILE,
            }
        },
    )
    cancelling = todo(
        3, {"cancel_invoice": HASH}, {"cancel_invoice": {"payment_hash": HASH}}
    )  # fmt: skip
    records = [{"type": 30, "bytes": b"\xe0\x0b"}, {"type": 33, "bytes": INVOICE.encode()}]

    def quoting(number, again):
        return todo(
            number,
            {"send_quote": {"quote": quote, "msg_id": MSG_ID, "again": again}},
            message(42_085, records, again=again, expiry_unix=NOW + 300, give_up_unix=NOW + 240),
        )

    computing = todo(
        3,
        {"start_compute": {"task": task, "max_result_bytes": 16_275}},
        {
            "start_compute": {
                "task_kind": CHAT,
                "profile": PROFILE,
                "params": PARAMS,
                "limits": LIMITS,
                "deadline_unix": NOW + 600,
            }
        },
    )
    sending = todo(
        4,
        {"send_result": {"output": output, "msg_id": MSG_ID, "again": True}},
        message(42_087, [{"type": 40, "stored_output": len(OUTPUT)}], again=True),
    )
    refusing = todo(
        4,
        {"send_error": {"error": ERROR, "msg_id": MSG_ID, "again": True}},
        message(42_097, [{"type": 80, "bytes": b"\0\x04"}], again=True),
    )
    stopping = todo(5, {"cancel_compute": {}}, {"cancel_compute": {}})
    sold = {"price_msat": PRICE, "quote_expiry_unix": NOW + 300, "terms_hash": TERMS}
    paid = sold | {"payment_hash": HASH, "quoted_unix": NOW + 1, "paid_unix": NOW + 2}
    until = {"until_unix": NOW + 86_400}

    yield state("nothing is promised", {"unquoted": {}}, view("FAILED"), task=None)
    yield state(
        "lnd was asked for an invoice",
        {"awaiting_invoice": draft},
        view("QUOTING", **sold),
        1,
        [invoice],
    )
    yield state(
        "given up while lnd makes the invoice; a kind without params and profile",
        {"dropping_invoice": {"terms": sums, "terms_hash": TERMS, "task": {"price_msat": 1}}},
        {"stage": "JOB_STAGE_CANCELLED", "task_kind": "sum"},
        1,
        task={"kind": "sum", "input_bytes": 2},
    )
    yield state(
        "the quote is out",
        {"quoted": quote},
        view("QUOTED", **sold),
        2,
        [quoting(2, False)],
    )
    yield state(
        "the quote goes out again",
        {"quoted": quote},
        view("QUOTED", **sold),
        3,
        [quoting(3, True)],
    )
    for why in ("EXPIRED", "EXPIRED_AND_ASKED", "CANCELLED", "TOO_LARGE"):
        named = why.lower().replace("_", " ")
        back = {"quote": quote, "why": f"WITHDRAWAL_{why}"}
        ended = view("CANCELLED", **sold, ended_unix=NOW + 301)
        yield state(f"taken back: {named}", {"withdrawing": back}, ended, 3, [cancelling])
        yield state(f"can't be paid any more: {named}", {"closed": back | until}, ended, 3)
    yield state(
        "paid, and computing",
        {"executing": {"quote": quote, "deadline_unix": NOW + 600}},
        view("RUNNING", **paid),
        3,
        [computing],
    )
    yield state(
        "the result goes out again",
        {"answered": {"quote": quote, "result": output} | until},
        view("DONE", **paid, truncated=True, ended_unix=NOW + 9),
        4,
        [sending],
    )
    yield state(
        "the error goes out again, and the computation stops",
        {"answered": {"quote": quote, "error": ERROR} | until},
        view("PAID_FAILED", **paid, ended_unix=NOW + 9),
        5,
        [refusing, stopping],
    )
    yield state(
        "nothing is left to do",
        {"finished": {}},
        view("DONE", **paid, ended_unix=NOW + 9),
        6,
        [todo(6, {"finish": {}}, {"finish": {}})],
    )


def requester():
    """The requester's states, in the order of a job's life."""
    state = role_state("requester")
    offer = {
        "terms": terms(),
        "terms_hash": TERMS,
        "payment_hash": HASH,
        "payment_request": INVOICE,
        "not_after_unix": NOW + 240,
    }
    receipt = {
        "offer": offer,
        "preimage": PREIMAGE,
        "fee_msat": 57,
        "deadline_unix": NOW + 600,
        "repeats": 2,
        "asked_unix": NOW + MINUTE,
        "repeat_unix": NOW + 2 * MINUTE,
    }
    provisional = receipt | {"provisional": {"code": 3}}
    result = {"result": {"msg_id": MSG_ID, "byte_count": 33, "content_type": "text/plain"}}
    bare = {"result": {"msg_id": MSG_ID, "byte_count": 33}}
    asked = {"job_id": JOB_ID, "msg_id": MSG_ID}
    records = [
        {"type": 20, "bytes": CHAT.encode()},
        {"type": 21, "stored_input": len(INPUT)},
        {"type": 22, "bytes": PARAMS},
    ]
    asking = todo(1, {"send_quote_request": asked}, message(42_083, records))
    calling_off = todo(2, {"send_cancel": asked}, message(42_095))
    pay = {
        "payment_request": INVOICE,
        "amount_msat": PRICE,
        "payment_hash": HASH,
        "description_hash": TERMS,
        "expiry_unix": NOW + 300,
        "not_after_unix": NOW + 240,
        "profile": PROFILE,
    }
    paying = todo(2, {"pay": {"offer": offer, "ceiling_msat": 60_000}}, {"pay": pay})
    withdrawing = todo(
        3, {"withdraw_payment": HASH}, {"withdraw_payment": {"payment_hash": HASH}}
    )  # fmt: skip
    bought = {"price_msat": PRICE, "quote_expiry_unix": NOW + 300, "terms_hash": TERMS}
    bought |= {"payment_hash": HASH, "quoted_unix": NOW + 1}
    paid = bought | {"fee_msat": 57, "paid_unix": NOW + 2}
    until = {"until_unix": NOW + 86_400}

    def ended(name, ending, stage, last=3, **shown):
        shown = view(stage, ended_unix=NOW + 9, **shown)
        return state(name, {"ended": ending | until}, shown, last)

    yield state("the client has not said what it wants", {"unsubmitted": {}}, {}, task=None)
    yield state(
        "a request is out, and no price is agreed",
        {"requesting": {"terms": terms(0, 0), "attempts": 1, "deadline_unix": NOW + MINUTE}},
        view("QUOTING"),
        1,
        [asking],
    )
    yield state(
        "a request is out, and the client pays nothing",
        {
            "requesting": {
                "terms": terms(0, 0),
                "ceiling_msat": 0,
                "attempts": 2,
                "deadline_unix": NOW + MINUTE,
            }
        },
        view("QUOTING"),
        1,
    )
    yield state("an offer waits for the client", {"quoted": offer}, view("QUOTED", **bought), 1)
    yield state(
        "a payment was asked for",
        {"paying": {"offer": offer, "ceiling_msat": 60_000}},
        view("PAYING", **bought),
        2,
        [paying],
    )
    yield state(
        "a result has overtaken the payment's success",
        {"paying": {"offer": offer, "ceiling_msat": 60_000, "overtaking": result}},
        view("PAYING", **bought),
        2,
    )
    yield state(
        "the client cancelled, and an error has overtaken the payment's end",
        {"withdrawing": {"offer": offer, "overtaking": {"error": ERROR}}},
        view("PAYING", **bought),
        3,
        [withdrawing],
    )
    yield state("paid, and waiting", {"awaiting_answer": receipt}, view("RUNNING", **paid), 2)
    yield state(
        "paid, and refused after a repeat",
        {"awaiting_answer": provisional},
        view("RUNNING", **paid),
        3,
    )
    yield state(
        "paid, unanswered",
        {"unanswered": {"receipt": receipt} | until},
        view("UNANSWERED", **paid, ended_unix=NOW + 600),
        3,
    )
    for name, answer, stage in (
        ("a result", result, "DONE"),
        ("a result without a content type", bare, "DONE"),
        ("an error", {"error": ERROR}, "PAID_FAILED"),
    ):
        ending = {"answered": {"receipt": receipt, "answer": answer}}
        yield ended(f"answered with {name}", ending, stage, **paid)
    reasons = [
        ("invalid_task", {}),
        ("request_too_large", {}),
        ("no_quote", {}),
        ("refused", ERROR),
        ("defective_quote", {"defect": "description-hash"}),
        ("defective_quote", {"defect": "invoice", "invoice_rule": "bad_checksum"}),
        ("quote_expired", {}),
    ]
    for arm, reason in reasons:
        defect = f": {reason['defect']}" if "defect" in reason else ""
        name = f"unpaid: {arm.replace('_', ' ')}{defect}"
        yield ended(name, {"unpaid": {arm: reason}}, "FAILED", 1)
    yield state(
        "called off before any payment",
        {"ended": {"unpaid": {"cancelled": {}}} | until},
        view("CANCELLED", ended_unix=NOW + 9),
        2,
        [calling_off],
    )
    budget = {"detail": "1 sat more would exceed 0 sat", "advice": "Raise --daily-budget-sat"}
    route = {"detail": "no route was found", "advice": ""}
    failures = [
        ("withdrawn", {}, {}, "CANCELLED"),
        ("too_late", {}, {}, "FAILED"),
        ("refused", "daily-budget", budget, "FAILED"),
        ("lnd", "FAILURE_REASON_NO_ROUTE", route, "FAILED"),
    ]
    for arm, why, words, stage in failures:
        ending = {"payment_failed": {"offer": offer, "why": {arm: why} | words}}
        yield ended(f"the payment failed: {arm.replace('_', ' ')}", ending, stage, **bought)
    yield state(
        "nothing is left to do",
        {"finished": {}},
        view("DONE", **paid, ended_unix=NOW + 9),
        4,
        [todo(4, {"finish": {}}, {"finish": {}})],
    )
