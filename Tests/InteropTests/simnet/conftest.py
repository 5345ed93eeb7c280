"""A running lcp-simnet, and its nodes as a foreign client sees them."""

import itertools
import json
import os
import queue
import signal
import subprocess
import threading
import time

import grpc
import pytest

import control_pb2
import control_pb2_grpc
import lightning_pb2 as ln
import lightning_pb2_grpc
import stateservice_pb2_grpc
from invoicesrpc import invoices_pb2_grpc
from routerrpc import router_pb2_grpc
from verrpc import verrpc_pb2_grpc

SECONDS = 10

# Never a path twice: grpcio shares connections between channels to one address, and with them the
# pause after a connection that broke.
NUMBERS = itertools.count()


class Stream:
    """A server stream whose messages are read as they come."""

    def __init__(self, call):
        self.call = call
        self.messages = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        try:
            for message in self.call:
                self.messages.put(message)
            self.messages.put(None)
        except grpc.RpcError as error:
            self.messages.put(error)

    def next(self):
        """The next message; None at an end with OK; the error at another end."""
        return self.messages.get(timeout=SECONDS)

    def rest(self):
        """All messages up to the end, which is the last element."""
        messages = []
        while not messages or isinstance(messages[-1], (ln.Payment, ln.Invoice, ln.PeerEvent)):
            messages.append(self.next())
        return messages

    def assert_nothing(self, node):
        """Nothing has come before the answers to later calls."""
        node.lightning.GetInfo(ln.GetInfoRequest())
        node.lightning.GetInfo(ln.GetInfoRequest())
        assert self.messages.empty()


class Node:
    def __init__(self, entry, control, macaroon=None):
        self.entry = entry
        self.control = control
        self.name = entry["name"]
        self.pubkey = entry["pubkey"]
        self.key = bytes.fromhex(entry["pubkey"])
        self.p2p = entry["p2p_address"]
        if macaroon is None:
            with open(entry["macaroon"], "rb") as file:
                macaroon = file.read().hex()
        self.macaroon = macaroon
        with open(entry["tls_cert"], "rb") as file:
            tls = grpc.ssl_channel_credentials(file.read())
        if macaroon:
            call = grpc.metadata_call_credentials(
                lambda context, callback: callback([("macaroon", macaroon)], None)
            )
            tls = grpc.composite_channel_credentials(tls, call)
        self.channel = grpc.secure_channel(
            entry["rpc_address"], tls, options=[("grpc.max_receive_message_length", 50 << 20)]
        )
        self.lightning = lightning_pb2_grpc.LightningStub(self.channel)
        self.router = router_pb2_grpc.RouterStub(self.channel)
        self.invoices = invoices_pb2_grpc.InvoicesStub(self.channel)
        self.state = stateservice_pb2_grpc.StateStub(self.channel)
        self.versioner = verrpc_pb2_grpc.VersionerStub(self.channel)

    def with_macaroon(self, macaroon):
        return Node(self.entry, self.control, macaroon)

    def invoice(self, msat, **fields):
        return self.lightning.AddInvoice(ln.Invoice(value_msat=msat, **fields))

    def lookup(self, hash):
        return self.lightning.LookupInvoice(ln.PaymentHash(r_hash=hash))

    def local_msat(self):
        return self.lightning.ChannelBalance(ln.ChannelBalanceRequest()).local_balance.msat

    def ready(self, streams=1):
        """Waits until so many streams are live, which lnd itself would not tell."""
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            nodes = self.control.GetStatus(control_pb2.StatusRequest()).nodes
            if next(n for n in nodes if n.name == self.name).streams >= streams:
                return
        raise AssertionError(f"fewer than {streams} streams of {self.name} are live")


class Simnet:
    def __init__(self, directory, *arguments):
        self.directory = str(directory)
        self.arguments = arguments
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            [os.environ["SIMNET"], "--dir", self.directory, *self.arguments],
            stdout=subprocess.PIPE,
            text=True,
        )
        line = self.process.stdout.readline()
        assert "ready" in line, line
        with open(os.path.join(self.directory, "simnet.json")) as file:
            self.summary = json.load(file)
        self.control = control_pb2_grpc.ControlStub(
            grpc.insecure_channel(f"unix:{self.directory}/control.sock")
        )

    def node(self, name):
        entry = next(n for n in self.summary["nodes"] if n["name"] == name)
        return Node(entry, self.control)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            assert self.process.wait(timeout=SECONDS) == 0


@pytest.fixture
def simnet(tmp_path):
    made = []

    def make(*arguments):
        # Unix socket paths are short; pytest's directories are not.
        name = f"simnet-{os.getpid()}-{next(NUMBERS)}"
        directory = os.path.join(os.environ.get("TMPDIR", "/tmp"), name)
        subprocess.run(["rm", "-rf", directory], check=True)
        made.append(Simnet(directory, *arguments))
        return made[-1]

    yield make
    for network in made:
        try:
            network.stop()
        finally:
            network.kill()
            subprocess.run(["rm", "-rf", network.directory], check=True)


@pytest.fixture
def pair(simnet):
    """alice, who holds a million satoshis in a channel to bob; and the network."""
    network = simnet("--node", "alice", "--node", "bob", "--channel", "alice:bob:1000000")
    return network.node("alice"), network.node("bob"), network


def refused(code, text, call, *arguments, exact=True):
    """Expects a refusal with lnd's code and text."""
    with pytest.raises(grpc.RpcError) as caught:
        result = call(*arguments)
        for _ in result if hasattr(result, "__next__") else []:
            pass
    assert caught.value.code() == code, caught.value
    if exact:
        assert caught.value.details() == text
    else:
        assert text in caught.value.details()
