"""The golden frames as Python sees them; Swift sees the same in Tests/BridgeProtocolTests."""

import subprocess
import sys

from checks import check, equal, expect
from google.protobuf import json_format
from google.protobuf.message import DecodeError
from lcp.state.v1.job_pb2 import Job
from lcp_bus import messages as bus

from . import scripted


def message_class(entry):
    if entry["message"] == "lcp.state.v1.Job":
        return Job
    return getattr(bus, entry["message"].removeprefix("lcp.bus.v1."))


@check("every golden frame says what its JSON says, and is written again byte for byte")
def frames():
    count = 0
    for family in ("work", "control", "query", "feed", "state", "newer"):
        for entry in scripted.golden(family):
            kind, octets = message_class(entry), bytes.fromhex(entry["frames_hex"][-1])
            message = kind.FromString(octets)
            name = f"{family}: {entry['name']}"
            equal(message.SerializeToString(deterministic=True), octets, name)
            equal(json_format.MessageToDict(message), entry["json"], name)
            if family != "newer":
                described = json_format.ParseDict(entry["json"], kind())
                equal(described.SerializeToString(deterministic=True), octets, name)
            count += 1
    expect(count > 120, f"only {count} frames")


@check("every malformed golden frame is refused")
def malformed():
    entries = scripted.golden("malformed")
    expect(len(entries) >= 10, f"only {len(entries)} frames")
    for entry in entries:
        try:
            message_class(entry).FromString(bytes.fromhex(entry["frames_hex"][-1]))
        except DecodeError:
            continue
        expect(False, f"{entry['name']} was decoded")


@check("the golden frames cover the schema and are what their generator writes")
def generated():
    program = [sys.executable, str(scripted.SCHEMA / "golden" / "generate"), "--check"]
    done = subprocess.run(program, capture_output=True, text=True)
    equal((done.returncode, done.stdout, done.stderr), (0, "", ""), "golden/generate --check")
