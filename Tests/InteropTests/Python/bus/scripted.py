"""A bridge that does what a check says, on real sockets."""

import contextlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import threading

import zmq
from checks import PATIENCE, Failure, equal, expect
from lcp_bus import Bus, ComputeWorker
from lcp_bus import messages as bus

SCHEMA = pathlib.Path()


class Bridge:
    """Binds the sockets that a check needs, in a directory of its own."""

    def __init__(self):
        self.directory = tempfile.mkdtemp(prefix="lcp-bus-")
        self.bus = Bus(self.directory)
        self.sockets = {}
        self.counter = 0
        self.start()

    def start(self):
        self.context = zmq.Context()

    def socket(self, kind, endpoint):
        """A bound socket, the same at every call."""
        if endpoint not in self.sockets:
            socket = self.context.socket(kind)
            socket.setsockopt(zmq.LINGER, 0)
            socket.setsockopt(zmq.RCVTIMEO, PATIENCE * 1000)
            if kind == zmq.XPUB:
                socket.setsockopt(zmq.XPUB_MANUAL, 1)
            self.secure(socket)
            path = os.path.join(self.directory, endpoint)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            self.bind(socket, endpoint, path)
            self.sockets[endpoint] = socket
        return self.sockets[endpoint]

    def secure(self, socket):
        pass

    def bind(self, socket, endpoint, path):
        socket.bind(f"ipc://{path}")

    def stop(self):
        """Closes everything, as the end of a process would."""
        for socket in self.sockets.values():
            socket.close(0)
        self.sockets = {}
        self.context.term()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.directory)


class Session:
    """The bridge's end of one compute worker."""

    def __init__(self, bridge, nonce=b"n" * 16, epoch=b"e" * 16):
        self.bridge = bridge
        self.nonce, self.epoch = nonce, epoch
        self.events = bridge.socket(zmq.XPUB, "compute/events")
        self.replies = bridge.socket(zmq.PULL, "compute/replies")

    def subscription(self):
        """Waits for a subscription and grants it as the bridge does: under a topic of its own."""
        frame = self.events.recv()
        while frame[:1] == b"\0":
            frame = self.events.recv()
        topic = frame[1:]
        equal(len(topic), 37, f"the length of {topic!r}")
        expect(topic.startswith(b"work/"), f"a subscription to {topic!r}")
        self.worker = bytes.fromhex(topic[5:].decode())
        self.bridge.counter += 1
        self.topic = topic + b"\0" + self.bridge.counter.to_bytes(8, "big")
        self.events.setsockopt(zmq.SUBSCRIBE, self.topic)
        return self

    def welcome(self, **terms):
        self.send(
            welcome=bus.Welcome(
                epoch=self.epoch,
                nonce=self.nonce,
                lease_seconds=30,
                **{"progress_seconds": 10, "max_reply_bytes": 1 << 20, **terms},
            )
        )
        return self

    def begin(self, **terms):
        """All of it, up to the worker's Hello."""
        self.subscription().welcome(**terms)
        self.hello = self.expect("hello")
        return self

    def send(self, **body):
        self.send_frame(bus.WorkerEvent(**body).SerializeToString())

    def send_frame(self, frame):
        self.events.send_multipart([self.topic, frame])

    def give(self, lease, kind="echo", profile="", input=b"", **more):
        item = {
            "lease": lease,
            "job": bus.JobKey(role=bus.ROLE_PROVIDER, peer=b"\2" * 33, job_id=b"j" * 32),
            "limits": bus.ComputeLimits(max_result_bytes=1000),
            "deadline_unix": 2000,
            "now_unix": 1000,
            "attempt": 1,
        }
        item.update(more)
        item = bus.ComputeItem(task_kind=kind, profile=profile, input=input, **item)
        self.send(compute=item)

    def reply(self):
        """The worker's next reply, which must belong to this session."""
        reply = bus.WorkerReply.FromString(self.replies.recv())
        equal(reply.worker, self.worker, "the worker's id in a reply")
        equal(reply.nonce, self.nonce, "the nonce in a reply")
        return reply

    def expect(self, arm, lease=None):
        """The next reply of this kind; progress of handlers may come before."""
        while True:
            reply = self.reply()
            found = reply.WhichOneof("body")
            if found == "progress" and arm != "progress":
                continue
            equal(found, arm, "the kind of the reply")
            body = getattr(reply, arm)
            if lease is not None:
                equal(body.lease, lease, "the lease of the reply")
            return body

    def dismiss(self):
        """Says that everything of a worker that leaves has arrived; it must have waited for that."""
        expect(not self.events.poll(50), "the worker did not wait until it was dismissed")
        self.send(refused=bus.Refused(failure=bus.Failure(code="drained")))
        return self

    def expect_end(self):
        """Waits for the end of the subscription; nothing may come before."""
        frame = self.events.recv()
        # libzmq says it by the peer's words or by ours, as the connection was closed or lost.
        expect(frame in (b"\0" + self.topic, b"\0" + self.topic[:37]), f"no end: {frame!r}")
        with contextlib.suppress(zmq.Again):
            raise Failure(f"a reply after the last one: {self.replies.recv(zmq.NOBLOCK)!r}")


class Running:
    """A worker in a thread of this process."""

    def __init__(self, bridge, handlers, concurrency=1):
        self.worker = ComputeWorker(bridge.bus, program="checks", concurrency=concurrency)
        for (kind, profile), handler in handlers.items():
            self.worker.handles(kind, profile)(handler)
        self.error = None
        self.thread = threading.Thread(target=self._run, daemon=True)

    def _run(self):
        try:
            self.worker.run()
        except BaseException as error:
            self.error = error

    def join(self):
        self.thread.join(PATIENCE)
        expect(not self.thread.is_alive(), "the worker does not end")

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, kind, *_):
        if kind is None:
            # Nobody dismisses it here.
            self.worker.drain_seconds = 0.0
            self.worker.stop()
            self.join()


@contextlib.contextmanager
def example(name, bridge, *arguments):
    """A running example of the library."""
    environment = {
        **os.environ,
        "LCP_BUS_DIR": bridge.directory,
        "PYTHONPATH": str(SCHEMA / "python"),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    process = subprocess.Popen(
        [sys.executable, str(SCHEMA / "python" / "examples" / name), *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate()


def golden(family):
    """The golden frames of a file."""
    return json.loads((SCHEMA / "golden" / f"{family}.json").read_text())["frames"]
