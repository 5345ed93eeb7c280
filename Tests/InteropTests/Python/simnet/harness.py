"""A lcp-simnet process, its nodes, and what the checks need to talk about them."""

import contextlib
import hashlib
import json
import os
import pathlib
import queue
import shutil
import signal
import subprocess
import tempfile
import threading
import time

import grpc

import invoicesrpc.invoices_pb2 as invoices
import invoicesrpc.invoices_pb2_grpc as invoices_grpc
import lightning_pb2 as ln
import lightning_pb2_grpc as ln_grpc
import routerrpc.router_pb2 as router
import routerrpc.router_pb2_grpc as router_grpc
import stateservice_pb2 as state
import stateservice_pb2_grpc as state_grpc
import verrpc.verrpc_pb2 as verrpc
import verrpc.verrpc_pb2_grpc as verrpc_grpc
from checks import PATIENCE, Failure, check, equal, expect  # noqa: F401

Code = grpc.StatusCode

OPEN, SETTLED, CANCELED, ACCEPTED = range(4)
IN_FLIGHT, SUCCEEDED, FAILED = 1, 2, 3
NO_PREIMAGE = "0" * 64


def refused(code, text, call, *, match="equal"):
    """Calls and wants this status; `text` is the whole text, its start, or a part of it."""
    try:
        answer = call()
        if hasattr(answer, "__next__"):
            answer = next(answer)
    except StopIteration:
        raise Failure(f"ended with OK instead of {code.name} {text!r}") from None
    except grpc.RpcError as error:
        found = error.details()
        good = {"equal": found == text, "start": found.startswith(text), "part": text in found}
        expect(
            error.code() == code and good[match],
            f"answered {error.code().name} {found!r}, not {code.name} {text!r} ({match})",
        )
        return found
    raise Failure(f"answered {answer!r} instead of {code.name} {text!r}")


def sha256(data):
    return hashlib.sha256(data).digest()


class Stream:
    """A server stream, read by a thread as fast as it comes."""

    END = object()

    def __init__(self, call):
        self.call = call
        self.items = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        try:
            for item in self.call:
                self.items.put(item)
            self.items.put(self.END)
        except grpc.RpcError as error:
            self.items.put(error)
        except ValueError as error:  # The channel was closed under the call.
            self.items.put(error)

    def next(self, what="the next item"):
        """The next item; the stream must not end."""
        item = self._get(what)
        expect(item is not self.END, f"the stream ended with OK before {what}")
        if isinstance(item, Exception):
            raise Failure(f"the stream ended before {what}: {describe(item)}")
        return item

    def take(self, count, what="items"):
        return [self.next(f"{what} {i + 1} of {count}") for i in range(count)]

    def until(self, condition, what):
        """The first item that fits; others are skipped."""
        while True:
            item = self.next(what)
            if condition(item):
                return item

    def ends(self, code=Code.OK, text=None):
        """Wants the end of the stream, with nothing before it."""
        item = self._get("the end of the stream")
        if item is self.END:
            equal(Code.OK.name, code.name, "the stream's status")
            return
        expect(isinstance(item, grpc.RpcError), f"an item instead of the end: {item!r}")
        equal(item.code().name, code.name, f"the stream's status ({item.details()!r})")
        if text is not None:
            equal(item.details(), text, "the stream's last text")

    def ended(self):
        """Skips to the end and gives the error, None for OK."""
        while True:
            item = self._get("the end of the stream")
            if item is self.END:
                return None
            if isinstance(item, Exception):
                return item

    def all(self):
        """Everything up to the end with OK."""
        found = []
        while True:
            item = self._get("the end of the stream")
            if item is self.END:
                return found
            if isinstance(item, Exception):
                raise Failure(f"the stream failed: {describe(item)}")
            found.append(item)

    def cancel(self):
        self.call.cancel()

    def _get(self, what):
        try:
            return self.items.get(timeout=PATIENCE)
        except queue.Empty:
            raise Failure(f"nothing came for {PATIENCE} s while waiting for {what}") from None


def describe(error):
    if isinstance(error, grpc.RpcError):
        return f"{error.code().name} {error.details()!r}"
    return repr(error)


class Client:
    """The services of one node, with a given macaroon (hex) or several."""

    def __init__(self, channel, *macaroons):
        self.channel = channel
        self.metadata = [("macaroon", m) for m in macaroons]
        for name, stub in (
            ("lightning", ln_grpc.LightningStub),
            ("router", router_grpc.RouterStub),
            ("invoices", invoices_grpc.InvoicesStub),
            ("state", state_grpc.StateStub),
            ("versioner", verrpc_grpc.VersionerStub),
        ):
            setattr(self, name, Calls(stub(channel), self.metadata))


class Calls:
    """A stub whose calls carry the macaroon and have a deadline when they are unary."""

    def __init__(self, stub, metadata):
        self.stub = stub
        self.metadata = metadata

    def __getattr__(self, method):
        call = getattr(self.stub, method)
        metadata = self.metadata
        # Streams live as long as the check; only unary calls may give up.
        is_unary = isinstance(call, grpc.UnaryUnaryMultiCallable)
        timeout = PATIENCE if is_unary else None

        def invoke(request, timeout=timeout):
            return call(request, metadata=metadata, timeout=timeout)

        return invoke


class Node(Client):
    """A simulated node with its files."""

    def __init__(self, entry):
        self.name = entry["name"]
        self.pubkey = entry["pubkey"]
        self.key = bytes.fromhex(entry["pubkey"])
        self.rpc_address = entry["rpc_address"]
        self.p2p_address = entry["p2p_address"]
        self.certificate = pathlib.Path(entry["tls_cert"])
        self.macaroon_path = pathlib.Path(entry["macaroon"])
        self.macaroon = self.macaroon_path.read_bytes().hex()
        super().__init__(self.open_channel(), self.macaroon)

    def open_channel(self, certificate=None):
        """A connection of its own, trusting one certificate."""
        trusted = certificate or self.certificate.read_bytes()
        return grpc.secure_channel(
            self.rpc_address,
            grpc.ssl_channel_credentials(root_certificates=trusted),
            options=[
                ("grpc.use_local_subchannel_pool", 1),
                ("grpc.max_receive_message_length", 200 << 20),
                ("grpc.max_send_message_length", -1),
                ("grpc.initial_reconnect_backoff_ms", 100),
                # Also how long one attempt may take.
                ("grpc.min_reconnect_backoff_ms", 20_000),
                ("grpc.max_reconnect_backoff_ms", 300),
            ],
        )

    def using(self, *macaroons):
        """The same node with other macaroons."""
        return Client(self.channel, *macaroons)

    # What many checks do.

    def info(self):
        return self.lightning.GetInfo(ln.GetInfoRequest())

    def connect(self, other, **fields):
        address = ln.LightningAddress(pubkey=other.pubkey, host=other.p2p_address)
        return self.lightning.ConnectPeer(ln.ConnectPeerRequest(addr=address, **fields))

    def disconnect(self, other):
        return self.lightning.DisconnectPeer(ln.DisconnectPeerRequest(pub_key=other.pubkey))

    def peers(self):
        peers = self.lightning.ListPeers(ln.ListPeersRequest()).peers
        return {peer.pub_key: peer for peer in peers}

    def send(self, other, type, data=b""):
        key = other if isinstance(other, bytes) else other.key
        return self.lightning.SendCustomMessage(
            ln.SendCustomMessageRequest(peer=key, type=type, data=data)
        )

    def add(self, **fields):
        return self.lightning.AddInvoice(ln.Invoice(**fields))

    def add_hold(self, **fields):
        return self.invoices.AddHoldInvoice(invoices.AddHoldInvoiceRequest(**fields))

    def lookup(self, r_hash):
        return self.lightning.LookupInvoice(ln.PaymentHash(r_hash=r_hash))

    def cancel(self, r_hash):
        return self.invoices.CancelInvoice(invoices.CancelInvoiceMsg(payment_hash=r_hash))

    def settle(self, preimage):
        return self.invoices.SettleInvoice(invoices.SettleInvoiceMsg(preimage=preimage))

    def pay(self, payment_request, **fields):
        """SendPaymentV2 as a stream of updates."""
        return Stream(self.start_payment(payment_request, **fields))

    def start_payment(self, payment_request="", **fields):
        fields.setdefault("timeout_seconds", 30)
        return self.router.SendPaymentV2(
            router.SendPaymentRequest(payment_request=payment_request, **fields)
        )

    def paid(self, payment_request, **fields):
        """Pays and gives the terminal update, which must be SUCCEEDED."""
        last = self.pay(payment_request, **fields).all()[-1]
        equal(last.status, SUCCEEDED, f"status of the payment, reason {last.failure_reason}")
        return last

    def failed(self, payment_request, **fields):
        """Pays and gives the failure reason; the payment must fail."""
        last = self.pay(payment_request, **fields).all()[-1]
        equal(last.status, FAILED, "status of the payment")
        return last.failure_reason

    def track(self, payment_hash, **fields):
        return Stream(
            self.router.TrackPaymentV2(
                router.TrackPaymentRequest(payment_hash=payment_hash, **fields)
            )
        )

    def decode(self, text):
        return self.lightning.DecodePayReq(ln.PayReqString(pay_req=text))

    def balance(self):
        return self.lightning.ChannelBalance(ln.ChannelBalanceRequest())

    def channels(self, **fields):
        return self.lightning.ListChannels(ln.ListChannelsRequest(**fields)).channels

    # Streams that are known to be live: nothing in gRPC says so, only what comes through them.

    def watch_messages(self, sender):
        """A live SubscribeCustomMessages; `sender` must be connected."""
        stream = Stream(
            self.lightning.SubscribeCustomMessages(ln.SubscribeCustomMessagesRequest())
        )
        probe = os.urandom(8)
        is_probe = lambda item: item.type == 65535 and item.data[:8] == probe
        count = 0
        while stream.items.empty():
            sender.send(self, 65535, probe + count.to_bytes(4, "big"))
            count += 1
            time.sleep(0.01)
        # Probes arrive in order, so the last one is the end of them.
        stream.until(lambda m: is_probe(m) and m.data[8:] == (count - 1).to_bytes(4, "big"), "probe")
        return stream

    def watch_invoices(self, add_index=0, settle_index=0):
        """A live SubscribeInvoices without what came of the probes; gives backlog and stream."""
        stream = Stream(
            self.lightning.SubscribeInvoices(
                ln.InvoiceSubscription(add_index=add_index, settle_index=settle_index)
            )
        )
        mine = []
        seen = []
        while not seen or seen[-1].r_hash != mine[-1]:
            mine.append(self.add(memo="probe", value=1).r_hash)
            # Every later probe comes once the stream is live; earlier ones may have been missed.
            while True:
                try:
                    item = stream.items.get(timeout=0.05)
                except queue.Empty:
                    break
                expect(isinstance(item, ln.Invoice), f"the stream ended: {item!r}")
                seen.append(item)
                if item.r_hash == mine[-1]:
                    break
        # That probe may have been part of the backlog's adds. The stream is live now: one more
        # probe comes behind everything in the backlog.
        mine.append(self.add(memo="probe", value=1).r_hash)
        while seen[-1].r_hash != mine[-1]:
            item = stream.items.get(timeout=30)
            expect(isinstance(item, ln.Invoice), f"the stream ended: {item!r}")
            seen.append(item)
        return [i for i in seen if i.r_hash not in mine], stream

    def watch_peers(self, toggle):
        """A live SubscribePeerEvents; `toggle()` makes one event each time it is called."""
        stream = Stream(self.lightning.SubscribePeerEvents(ln.PeerEventSubscription()))
        made = 0
        while stream.items.empty():
            toggle()
            made += 1
            time.sleep(0.01)
        return stream, made


class Simnet:
    """One process in a directory of its own."""

    program = None

    def __init__(self, *arguments, directory=None, start=True):
        self.arguments = list(arguments)
        self.is_borrowed = directory is not None
        self.directory = directory or tempfile.mkdtemp(prefix="simnet-")
        self.process = None
        self.nodes = []
        if start:
            self.start()

    def start(self, *arguments):
        self.process = subprocess.Popen(
            [self.program, "--dir", self.directory, *(arguments or self.arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        line = self.process.stdout.readline()
        if not line:
            status = self.process.wait()
            raise Failure(f"lcp-simnet exited with {status}: {self.process.stderr.read()}")
        self.readiness = line
        self.summary = json.loads(pathlib.Path(self.directory, "simnet.json").read_text())
        self.close_channels()
        self.nodes = [Node(entry) for entry in self.summary["nodes"]]

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def terminate(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)

    def run_ctl(self, command, *arguments):
        return subprocess.run(
            [self.program, "ctl", command, "--dir", self.directory, *map(str, arguments)],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )

    def ctl(self, command, *arguments):
        done = self.run_ctl(command, *arguments)
        equal(done.returncode, 0, f"ctl {command}: {done.stderr.strip()}; exit code")
        return done.stdout

    def close_channels(self):
        for node in self.nodes:
            node.channel.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close_channels()
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if self.process:
            self.process.stdout.close()
            self.process.stderr.close()
        if not self.is_borrowed:
            shutil.rmtree(self.directory, ignore_errors=True)


@contextlib.contextmanager
def network(*channels, names=("alice", "bob"), arguments=()):
    """A fresh network; gives the process and its nodes."""
    options = [text for name in names for text in ("--node", name)]
    options += [text for channel in channels for text in ("--channel", channel)]
    with Simnet(*options, *arguments) as simnet:
        yield simnet, *simnet.nodes


def eventually(condition, what):
    """Asks again until it is true, for what nothing announces."""
    deadline = time.monotonic() + PATIENCE
    while True:
        found = condition()
        if found:
            return found
        expect(time.monotonic() < deadline, f"never became true: {what}")
        time.sleep(0.02)
