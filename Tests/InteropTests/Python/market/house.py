"""Our side of a market: bridge and workers beside a node, and `lcp` as its owner uses it."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import threading

from checks import PATIENCE, Failure, equal, expect
from simnet.harness import eventually

# Where the programs are.
PROGRAMS = pathlib.Path()
# The bus for Python.
SCHEMA = pathlib.Path(__file__).resolve().parents[4] / "ipc-schema" / "python"
PROFILE = "gpt-5.2"
RATES = (1_750_000, 14_000_000)


class House:
    """Processes of ours in a directory of their own."""

    def __init__(self, node, *, sells=(), buys=False, requester=None, compute=(), python=None):
        self.node = node
        # A Unix socket's path is short.
        self.directory = tempfile.mkdtemp(prefix="lcp-house-")
        self.environment = {**os.environ, "LCP_BUS_DIR": f"{self.directory}/bus"}
        self.processes = {}
        offers = [word for name in sells for word in ("--profile", f"{name}:{RATES[0]}:{RATES[1]}")]
        self.commands = {
            "lcp-bridge": [
                "--lnd-address", node.rpc_address, "--lnd-tls-cert", str(node.certificate),
                "--lnd-macaroon", str(node.macaroon_path),
                "--journal", f"{self.directory}/journal.sqlite",
                "--bus-dir", f"{self.directory}/bus",
            ]
        }
        if sells:
            self.commands["lcp-provider"] = offers
            self.commands["lcp-compute"] = ["--backend", "deterministic", *compute]
        self.programs = {}
        if python is not None:
            # A worker of another language in the place of ours.
            self.programs["lcp-compute"] = sys.executable
            self.commands["lcp-compute"] = [str(SCHEMA / "examples" / python)]
            self.environment["PYTHONPATH"] = str(SCHEMA)
            self.environment["PYTHONDONTWRITEBYTECODE"] = "1"
        if buys:
            config = pathlib.Path(self.directory, "requester.yaml")
            settings = requester or {}
            config.write_text("".join(f"{name}: {value}\n" for name, value in settings.items()))
            self.commands["lcp-requester"] = ["--config", str(config)] if settings else []

    def __enter__(self):
        pathlib.Path(self.directory, "bus").mkdir()
        try:
            for name in self.commands:
                self.start(name)
            self.await_bridge()
            workers = len(self.commands) - 1
            self.until(
                lambda: len(self.lcp("workers")["workers"]) == workers, "the workers are members"
            )
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for process in self.processes.values():
            process.kill()
        for process in self.processes.values():
            process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)

    def start(self, name):
        with open(f"{self.directory}/{name}.log", "ab") as log:
            self.processes[name] = subprocess.Popen(
                [self.programs.get(name, str(PROGRAMS / name)), *self.commands[name]],
                env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )

    def kill(self, name):
        self.processes[name].send_signal(signal.SIGKILL)
        self.processes[name].wait()

    def drain(self, name):
        """Ends a process with SIGTERM and gives its exit code."""
        self.processes[name].terminate()
        return self.processes[name].wait(PATIENCE)

    def await_bridge(self):
        self.until(lambda: self.status()["lnd_state"] == "ready", "the bridge has its lnd")

    def await_offer(self, peer):
        """Waits until we know what a peer sells."""
        def is_known():
            peers = self.lcp("peers")["peers"]
            return any(p["peer_id"] == peer.pubkey and p["offers"] for p in peers)

        self.until(is_known, f"{peer.name}'s manifest is known")

    def until(self, condition, what):
        def holds():
            for name, process in self.processes.items():
                expect(process.poll() is None, f"{name} ended: {self.last_words(name)}")
            try:
                return condition()
            except NoAnswer:
                return False

        return eventually(holds, what)

    def last_words(self, name):
        lines = pathlib.Path(self.directory, f"{name}.log").read_text().splitlines()
        return lines[-1][:500] if lines else "without a word"

    # The command line.

    def lcp(self, *arguments):
        """Runs `lcp … --json` and gives its object."""
        done = subprocess.run(
            [str(PROGRAMS / "lcp"), *arguments, "--json"],
            env=self.environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=PATIENCE,
        )
        if done.returncode in (69, 75):
            raise NoAnswer(f"lcp {arguments[0]}: {done.stderr.strip()}")
        equal(done.returncode, 0, f"lcp {' '.join(arguments)}: {done.stderr.strip()}; exit code")
        return json.loads(done.stdout)

    def status(self):
        return self.lcp("status")

    def counter(self, name):
        return self.status()["counters"].get(name, 0)

    def job(self, job_id):
        return next(j for j in self.lcp("jobs")["jobs"] if j["job_id"] == job_id)

    def ask(self, peer, prompt, *more, profile=PROFILE, max_price=1000):
        return Purchase(
            self, "ask", "--peer", peer.pubkey, "--profile", profile,
            "--max-price", str(max_price), "--timeout", str(PATIENCE), *more, prompt,
        )

    def result(self, job_id, *more):
        return Purchase(self, "result", *more, job_id)


class NoAnswer(Failure):
    """No bridge answers, or not yet."""


class Purchase:
    """A running `lcp ask --json` or `lcp result --json`."""

    def __init__(self, house, *arguments):
        self.house = house
        self.process = subprocess.Popen(
            [str(PROGRAMS / "lcp"), *arguments, "--json"],
            env=house.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True,
        )

    def job_id(self):
        """The id, which is printed before any money moves."""
        line = self.process.stderr.readline()
        expect(line, "lcp names no job")
        self.id = json.loads(line)["job_id"]
        return self.id

    def end(self, code=0):
        """The object it prints; it must exit with this code."""
        watchdog = threading.Timer(PATIENCE + 5, self.process.kill)
        watchdog.start()
        output, errors = self.process.communicate()
        watchdog.cancel()
        equal(self.process.returncode, code, f"lcp: {output.strip()} {errors.strip()}; exit code")
        return json.loads(output) if output else None
