"""Our bytes and theirs: two codecs that share nothing must agree on every message."""

import json
import pathlib
import random
import subprocess

from checks import PATIENCE, check, equal, expect

from . import house, wire

FIXTURES = pathlib.Path(__file__).resolve().parents[3] / "Fixtures" / "lcp-v0.1"


def cases(name):
    return json.loads((FIXTURES / f"{name}.json").read_text())["cases"]


def decoded(kind, payload):
    """The fields, None when the payload is refused."""
    try:
        return wire.decode(kind, payload)
    except wire.Malformed:
        return None


@check("the codec of these checks reads and writes the recorded messages of the reference")
def vectors():
    for case in cases("messages") + cases("session"):
        kind, payload = case["message_type"], bytes.fromhex(case["payload_hex"])
        equal(decoded(kind, payload), case["fields"], f"the fields of {case['name']}")
        equal(wire.encode(kind, case["fields"]), payload, f"the bytes of {case['name']}")
    for case in cases("malformed"):
        wanted = case["fields"] if case["accept"] else None
        found = decoded(case["message_type"], bytes.fromhex(case["payload_hex"]))
        equal(found, wanted, case["name"])
    for case in cases("terms_hash"):
        if case["ok"]:
            params = case["params_hex"] and bytes.fromhex(case["params_hex"])
            terms = wire.terms_stream(
                bytes.fromhex(case["job_id_hex"]), int(case["price_msat"]),
                int(case["quote_expiry"]), case["task_kind"], bytes.fromhex(case["input_hex"]),
                params, case["protocol_version"],
            )
            equal(terms.hex(), case["terms_tlv_hex"], f"the terms of {case['name']}")
    equal(wire.approx_price(22, *house.RATES, 4096), 57_355, "the price of the reference's example")


@check("lcp encodes and decodes random messages byte for byte as this codec does")
def agreement():
    random_messages = list(messages(random.Random(5), 600))
    encoded = batch(
        "encode", [{"type": kind, "fields": fields} for kind, fields in random_messages]
    )
    payloads = []
    for (kind, fields), answer in zip(random_messages, encoded, strict=True):
        expect(answer["ok"], f"{wire.NAMES[kind]} {fields}: {answer}")
        payloads.append(answer["payload_hex"])
        own = wire.encode(kind, fields).hex()
        equal(own, answer["payload_hex"], f"{wire.NAMES[kind]} {fields}")
    found = batch(
        "decode",
        [
            {"type": kind, "payload_hex": payload}
            for (kind, _), payload in zip(random_messages, payloads, strict=True)
        ],
    )
    for (kind, fields), answer in zip(random_messages, found, strict=True):
        equal(answer, {"ok": True, "fields": fields}, wire.NAMES[kind])


def batch(command, lines):
    done = subprocess.run(
        [str(house.PROGRAMS / "lcp"), command, "message", "--batch"],
        input="".join(json.dumps(line) + "\n" for line in lines),
        capture_output=True, text=True, timeout=PATIENCE,
    )
    equal(done.returncode, 0, f"lcp {command}: {done.stderr}; exit code")
    return [json.loads(line) for line in done.stdout.splitlines()]


def messages(generator, count):
    """Messages of every kind, as fields that decoding their payload gives."""

    def number(bits):
        return generator.getrandbits(generator.randint(0, bits))

    def text(least=0):
        length = generator.choice([least, 1, 30, 252, 253, 400])
        return "".join(generator.choice("az09 .ñ→🔖") for _ in range(max(least, length)))

    def data(size=None):
        size = generator.choice([0, 1, 252, 253, 3000, 65_535]) if size is None else size
        return generator.randbytes(size).hex()

    def maybe(value):
        return value if generator.random() < 0.6 else None

    def task():
        if generator.random() < 0.3:
            return {"task_kind": text(1), "params_hex": maybe(data()), "llm_chat_params": None}
        params = wire.chat_params(text(1), maybe(number(32)), maybe(number(32)))
        if generator.random() < 0.3:
            unknown = generator.choice([4, 252, 253, 1 << 40])
            params += wire.stream((unknown, generator.randbytes(5)))
        return {
            "task_kind": wire.CHAT,
            "params_hex": params.hex(),
            "llm_chat_params": wire.read_chat_params(params),
        }

    for _ in range(count):
        kind = generator.choice(list(wire.NAMES))
        envelope = {
            "protocol_version": generator.randint(1, 65_535), "job_id_hex": data(32),
            "msg_id_hex": data(32), "expiry": str(number(64)),
        }
        fields = {"envelope": envelope}
        if kind == wire.MANIFEST:
            # Templates stay small: the list is one record.
            tasks = [task() for _ in range(generator.randint(0, 3))]
            fields = {
                "protocol_version": envelope["protocol_version"],
                "max_payload_bytes": maybe(number(32)),
                "supported_tasks": [t for t in tasks if len(t["params_hex"] or "") < 8000],
            }
        elif kind == wire.QUOTE_REQUEST:
            fields |= task()
            is_chat = fields["task_kind"] == wire.CHAT
            fields["input_hex"] = text().encode().hex() if is_chat else data()
        elif kind == wire.QUOTE_RESPONSE:
            fields |= {
                "price_msat": str(number(64)), "quote_expiry": str(number(64)),
                "terms_hash_hex": data(32), "payment_request": text(1),
            }
        elif kind == wire.RESULT:
            fields |= {"result_hex": data(), "content_type": maybe(text())}
        elif kind == wire.CANCEL:
            fields |= {"reason": maybe(text())}
        else:
            fields |= {"code": generator.randint(1, 65_535), "message": maybe(text())}
        yield kind, fields
