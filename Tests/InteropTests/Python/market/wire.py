"""LCP v0.1 on the wire, written from the specification and sharing nothing with the product.

Fields have the names of Tests/Fixtures/lcp-v0.1, so that both can be compared as they are.
"""

import hashlib

MANIFEST, QUOTE_REQUEST, QUOTE_RESPONSE, RESULT = 42081, 42083, 42085, 42087
CANCEL, ERROR = 42095, 42097
NAMES = {
    MANIFEST: "manifest",
    QUOTE_REQUEST: "quote_request",
    QUOTE_RESPONSE: "quote_response",
    RESULT: "result",
    CANCEL: "cancel",
    ERROR: "error",
}
CHAT = "llm.chat"
TEXT = "text/plain; charset=utf-8"


class Malformed(Exception):
    """The payload is not what the specification says."""


# Numbers.


def bigsize(value):
    for limit, prefix, size in ((0xFD, b"", 1), (1 << 16, b"\xfd", 2), (1 << 32, b"\xfe", 4)):
        if value < limit:
            return prefix + value.to_bytes(size, "big")
    return b"\xff" + value.to_bytes(8, "big")


def read_bigsize(data, at):
    """The number and where it ends."""
    if at >= len(data):
        raise Malformed("truncated")
    size = {0xFD: 2, 0xFE: 4, 0xFF: 8}.get(data[at], 0)
    end = at + 1 + size
    if end > len(data):
        raise Malformed("truncated")
    value = int.from_bytes(data[at + 1 : end], "big") if size else data[at]
    if bigsize(value) != data[at:end]:
        raise Malformed("bigsize is not minimal")
    return value, end


def truncated(value):
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


def read_number(data, size):
    if len(data) > size or data[:1] == b"\0":
        raise Malformed("a truncated integer is too long or not minimal")
    return int.from_bytes(data, "big")


# Streams.


def stream(*records):
    """Records (type, value) in the order given; None is absent."""
    present = [r for r in records if r[1] is not None]
    assert [r[0] for r in present] == sorted({r[0] for r in present})
    return b"".join(bigsize(kind) + bigsize(len(value)) + value for kind, value in present)


def read_stream(data):
    records, at, last = {}, 0, -1
    while at < len(data):
        kind, at = read_bigsize(data, at)
        if kind <= last:
            raise Malformed(f"type {kind} after {last}")
        length, at = read_bigsize(data, at)
        if length > 65535:
            raise Malformed(f"record {kind} is too large")
        if at + length > len(data):
            raise Malformed("truncated")
        records[kind], at, last = data[at : at + length], at + length, kind
    return records


def bytes_list(items):
    return bigsize(len(items)) + b"".join(bigsize(len(item)) + item for item in items)


def read_bytes_list(data):
    count, at = read_bigsize(data, 0)
    if count > 1024:
        raise Malformed("too many items")
    items = []
    for _ in range(count):
        length, at = read_bigsize(data, at)
        if at + length > len(data):
            raise Malformed("truncated")
        items.append(data[at : at + length])
        at += length
    if at != len(data):
        raise Malformed("bytes behind the list")
    return items


def _text(data, *, empty=True):
    try:
        value = data.decode()
    except UnicodeDecodeError:
        raise Malformed("not UTF-8") from None
    if not value and not empty:
        raise Malformed("empty")
    return value


def _sized(data, size):
    if len(data) != size:
        raise Malformed(f"{len(data)} bytes, not {size}")
    return data


def _required(records, kind):
    if kind not in records:
        raise Malformed(f"no record {kind}")
    return records[kind]


# Params of llm.chat.


def chat_params(profile, temperature_milli=None, max_output_tokens=None):
    return stream(
        (1, profile.encode()),
        (2, None if temperature_milli is None else truncated(temperature_milli)),
        (3, None if max_output_tokens is None else truncated(max_output_tokens)),
    )


def read_chat_params(data):
    records = read_stream(data)
    return {
        "profile": _text(_required(records, 1), empty=False),
        "temperature_milli": read_number(records[2], 4) if 2 in records else None,
        "max_output_tokens": read_number(records[3], 4) if 3 in records else None,
        "unknown": [
            {"type": str(kind), "value_hex": value.hex()}
            for kind, value in records.items()
            if kind > 3
        ],
    }


# Messages: a dict of fields on one side, the payload on the other.


def encode(kind, fields):
    """The payload; a field that is None or missing is an absent record."""

    def hexed(name):
        return None if fields.get(name) is None else bytes.fromhex(fields[name])

    def text(name):
        return None if fields.get(name) is None else fields[name].encode()

    def number(name):
        return None if fields.get(name) is None else truncated(int(fields[name]))

    if kind == MANIFEST:
        tasks = fields.get("supported_tasks") or None
        templates = tasks and [
            stream(
                (20, task["task_kind"].encode()),
                (22, None if task.get("params_hex") is None else bytes.fromhex(task["params_hex"])),
            )
            for task in tasks
        ]
        return stream(
            (1, fields["protocol_version"].to_bytes(2, "big")),
            (11, number("max_payload_bytes")),
            (12, None if templates is None else bytes_list(templates)),
        )
    envelope = fields["envelope"]
    head = (
        (1, envelope["protocol_version"].to_bytes(2, "big")),
        (2, bytes.fromhex(envelope["job_id_hex"])),
        (3, bytes.fromhex(envelope["msg_id_hex"])),
        (4, truncated(int(envelope["expiry"]))),
    )
    if kind == QUOTE_REQUEST:
        return stream(
            *head, (20, text("task_kind")), (21, hexed("input_hex")), (22, hexed("params_hex"))
        )
    if kind == QUOTE_RESPONSE:
        return stream(
            *head,
            (30, number("price_msat")),
            (31, number("quote_expiry")),
            (32, hexed("terms_hash_hex")),
            (33, text("payment_request")),
        )
    if kind == RESULT:
        return stream(*head, (40, hexed("result_hex")), (41, text("content_type")))
    if kind == CANCEL:
        return stream(*head, (70, text("reason")))
    if kind == ERROR:
        return stream(*head, (80, fields["code"].to_bytes(2, "big")), (81, text("message")))
    raise Malformed(f"no message {kind}")


def decode(kind, data):
    """The fields of a payload; raises Malformed."""
    records = read_stream(data)
    version = int.from_bytes(_sized(_required(records, 1), 2), "big")
    if kind == MANIFEST:
        if {2, 3, 4} & records.keys():
            raise Malformed("a manifest with an envelope")
        return {
            "protocol_version": version,
            "max_payload_bytes": read_number(records[11], 4) if 11 in records else None,
            "supported_tasks": [
                _template(item) for item in read_bytes_list(records[12])
            ] if 12 in records else [],
        }
    fields = {
        "envelope": {
            "protocol_version": version,
            "job_id_hex": _sized(_required(records, 2), 32).hex(),
            "msg_id_hex": _sized(_required(records, 3), 32).hex(),
            "expiry": str(read_number(_required(records, 4), 8)),
        }
    }

    def text(number, empty=True):
        return _text(records[number], empty=empty) if number in records else None

    if kind == QUOTE_REQUEST:
        fields |= _task(_required(records, 20), records.get(22))
        fields["input_hex"] = _required(records, 21).hex()
        if fields["task_kind"] == CHAT:
            _text(records[21])
    elif kind == QUOTE_RESPONSE:
        fields["price_msat"] = str(read_number(_required(records, 30), 8))
        fields["quote_expiry"] = str(read_number(_required(records, 31), 8))
        fields["terms_hash_hex"] = _sized(_required(records, 32), 32).hex()
        fields["payment_request"] = _text(_required(records, 33), empty=False)
    elif kind == RESULT:
        fields["result_hex"] = _required(records, 40).hex()
        fields["content_type"] = text(41)
    elif kind == CANCEL:
        fields["reason"] = text(70)
    elif kind == ERROR:
        fields["code"] = int.from_bytes(_sized(_required(records, 80), 2), "big")
        fields["message"] = text(81)
        if fields["code"] == 0:
            raise Malformed("error 0")
    else:
        raise Malformed(f"no message {kind}")
    return fields


def _template(data):
    records = read_stream(data)
    return _task(_required(records, 20), records.get(22))


def _task(kind, params):
    kind = _text(kind, empty=False)
    if kind == CHAT and params is None:
        raise Malformed("llm.chat without params")
    return {
        "task_kind": kind,
        "params_hex": None if params is None else params.hex(),
        "llm_chat_params": read_chat_params(params) if kind == CHAT else None,
    }


def terms_stream(job_id, price_msat, quote_expiry, task_kind, input, params, version=1):
    """The canonical terms; what stands under 3 and 4 here has other numbers on the wire."""
    return stream(
        (1, version.to_bytes(2, "big")),
        (2, job_id),
        (3, truncated(price_msat)),
        (4, truncated(quote_expiry)),
        (20, task_kind.encode()),
        (50, hashlib.sha256(input).digest()),
        (51, hashlib.sha256(params or b"").digest()),
    )


def terms_hash(*arguments, **more):
    return hashlib.sha256(terms_stream(*arguments, **more)).digest()


def approx_price(input_bytes, input_rate, output_rate, max_output_tokens):
    """approx.v1, in msat; rates in msat per million tokens."""
    tokens = -(-input_bytes // 4)
    return -(-(tokens * input_rate + max_output_tokens * output_rate) // 1_000_000)
