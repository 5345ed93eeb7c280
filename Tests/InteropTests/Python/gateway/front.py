"""A market with `lcp-gateway` in front of the buyer."""

import contextlib
import json
import pathlib
import shlex
import socket
import subprocess
import urllib.error
import urllib.request

from checks import PATIENCE, equal, expect
from market import house
from market.house import PROFILE, House
from simnet.harness import eventually, network

MODEL = PROFILE
PROMPT = "Say hello in one word."
# What the deterministic backend answers to the prompt, after its hash.
ECHO = "\n" + PROMPT
# 6 input tokens and 4,096 output tokens at the house's rates.
PRICE = 57_355


class Front:
    """A gateway and the two houses that it stands between."""

    def __init__(self, simnet, buyer, seller, theirs, arguments):
        self.simnet, self.buyer, self.seller, self.theirs = simnet, buyer, seller, theirs
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]
        buyer.commands["lcp-gateway"] = [
            "--bus-dir", f"{buyer.directory}/bus", "--listen", f"127.0.0.1:{self.port}", *arguments,
        ]
        self.start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/v1"

    def start(self):
        self.buyer.start("lcp-gateway")

        def is_well():
            process = self.buyer.processes["lcp-gateway"]
            expect(process.poll() is None, f"it ended: {self.buyer.last_words('lcp-gateway')}")
            with contextlib.suppress(OSError):
                return self.get("/health")[0] == 200

        eventually(is_well, "the gateway serves")

    def kill(self):
        self.buyer.kill("lcp-gateway")

    # HTTP without any client's help.

    def send(self, method, path, body=None, **headers):
        """Status, headers and JSON."""
        data = None if body is None else json.dumps(body).encode()
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}", data=data, method=method,
            headers={"content-type": "application/json", **names},
        )
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as response:
                return response.status, dict(response.headers), json.load(response)
        except urllib.error.HTTPError as error:
            text = error.read()
            return error.code, dict(error.headers), json.loads(text) if text else None

    def get(self, path, **headers):
        return self.send("GET", path, **headers)

    def ask(self, body=None, **headers):
        return self.send("POST", "/v1/chat/completions", {**question(), **(body or {})}, **headers)

    # Money.

    def spent(self):
        """What the ledger of the buyer's bridge says."""
        return int(self.buyer.lcp("ledger")["spent_msat"])

    def payments(self):
        return [job for job in self.buyer.lcp("jobs")["jobs"] if job["times"]["paid_unix"]]

    def await_jobs(self, condition, what):
        return eventually(lambda: condition(self.buyer.lcp("jobs")["jobs"]), what)


def question(prompt=PROMPT):
    return {"model": MODEL, "messages": [{"role": "user", "content": prompt}]}


class Gate:
    """A program for `lcp-compute --backend exec` that waits until it may go on."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        script = self.directory / "gate.sh"
        script.write_text(
            f'touch "{directory}/running"\ninput=$(cat)\n'
            f'while [ ! -e "{directory}/open" ]; do sleep 0.02; done\n'
            "printf '%s' \"$input\"\n"
        )
        self.command = shlex.join(["/bin/sh", str(script)])

    def open(self):
        (self.directory / "open").touch()

    def await_entry(self):
        eventually((self.directory / "running").exists, "a computation runs")


@contextlib.contextmanager
def front(*arguments, gate=None, budget_sat=None):
    """A market of our own processes with a gateway."""
    with network("ours:theirs:10000000", names=("ours", "theirs")) as (simnet, ours, theirs):
        bob, alice = House(theirs, sells=(PROFILE,)), House(ours, buys=True)
        # One buyer stands for the whole world here.
        bob.commands["lcp-provider"] += [
            "--max-open-jobs", "100000", "--requests-per-minute", "1000000",
        ]
        for bridge in (alice.commands["lcp-bridge"], bob.commands["lcp-bridge"]):
            bridge += [
                "--max-jobs-per-peer", "100000", "--peer-rate", "100000", "--total-rate", "100000",
            ]
        if budget_sat is not None:
            alice.commands["lcp-bridge"] += [
                "--daily-budget-sat", str(budget_sat), "--monthly-budget-sat", str(budget_sat),
            ]
        if gate is not None:
            bob.commands["lcp-compute"] = [
                "--backend", "exec", "--concurrency", "8", "--", *shlex.split(gate.command),
            ]
        with alice, bob:
            alice.lcp("peers", "connect", f"{theirs.pubkey}@{theirs.p2p_address}")
            alice.await_offer(theirs)
            yield Front(simnet, alice, bob, theirs, arguments)


def keys(directory, *arguments):
    """Makes a key and gives the arguments of the gateway and the token."""
    path = f"{directory}/keys.jsonl"
    done = subprocess.run(
        [str(house.PROGRAMS / "lcp-gateway"), "keys", "add", "client", "--keys", path, *arguments],
        capture_output=True, text=True, timeout=PATIENCE,
    )
    equal(done.returncode, 0, f"keys add: {done.stderr}")
    return ["--keys", path], done.stdout.strip()
