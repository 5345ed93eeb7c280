"""The life of a compute worker, against a scripted bridge."""

import signal
import threading

import zmq
import zmq.auth
from checks import PATIENCE, Failure, check, equal, expect
from lcp_bus import Answer, Bus, Cancelled, Curve, Refused, TaskFailed
from lcp_bus import messages as bus
from zmq.auth.thread import ThreadAuthenticator

from .scripted import Bridge, Running, Session, example, golden

ECHO = {("echo", ""): lambda task: task.input}


@check("a worker subscribes to its own topic, answers the welcome with hello, and works")
def life():
    with Bridge() as bridge, Running(bridge, ECHO | {("llm.chat", "p"): lambda t: "é"}, 3) as run:
        session = Session(bridge).begin()
        equal(session.hello.program, "checks", "program")
        equal((session.hello.capacity, session.hello.concurrency), (3, 3), "capacity")
        sold = [(c.task_kind, c.profile) for c in session.hello.capabilities]
        equal(sold, [("echo", ""), ("llm.chat", "p")], "capabilities")
        session.give(b"1" * 16, input=b"\0\xff")
        answer = session.expect("compute", b"1" * 16)
        equal(answer.result.output, b"\0\xff", "the output")
        session.give(b"2" * 16, "llm.chat", "p")
        result = session.expect("compute", b"2" * 16).result
        equal((result.output, result.content_type), ("é".encode(), "text/plain; charset=utf-8"), "")
        run.worker.stop()
        session.expect("goodbye")
        session.dismiss().expect_end()
        run.join()
        expect(run.error is None, f"{run.error!r}")


@check("a handler without a profile takes every profile of its kind that has none of its own")
def every_profile():
    handlers = {("llm.chat", ""): lambda t: "any", ("llm.chat", "p"): lambda t: "p"}
    with Bridge() as bridge, Running(bridge, handlers):
        session = Session(bridge).begin()
        sold = [(c.task_kind, c.profile) for c in session.hello.capabilities]
        equal(sold, [("llm.chat", ""), ("llm.chat", "p")], "capabilities")
        for number, (profile, output) in enumerate([("p", b"p"), ("q", b"any"), ("", b"any")]):
            session.give(bytes([number] * 16), "llm.chat", profile)
            answer = session.expect("compute", bytes([number] * 16))
            equal(answer.result.output, output, f"the output of {profile!r}")


@check("progress comes from the handler, and none while it is stuck")
def progress():
    steps, stuck = threading.Semaphore(0), threading.Event()

    def handler(task):
        steps.acquire()
        task.progress()
        stuck.wait(PATIENCE)
        return b""

    with Bridge() as bridge, Running(bridge, {("echo", ""): handler}):
        session = Session(bridge).begin()
        session.give(b"1" * 16)
        session.expect("progress", b"1" * 16)
        expect(not session.replies.poll(50), "progress without the handler's doing")
        stuck.set()
        steps.release()
        session.expect("compute", b"1" * 16)


@check("every welcome is answered with hello, and items outlive one with the same nonce")
def same_nonce():
    go = threading.Event()

    def handler(task):
        go.wait(PATIENCE)
        return b"done"

    with Bridge() as bridge, Running(bridge, {("echo", ""): handler}):
        session = Session(bridge).begin()
        session.give(b"1" * 16)
        session.expect("progress", b"1" * 16)
        session.welcome()
        session.expect("hello")
        go.set()
        equal(session.expect("compute", b"1" * 16).result.output, b"done", "the output")


@check("a new nonce makes the worker forget its items and tells their handlers")
def new_nonce():
    told, go = threading.Event(), threading.Event()

    def handler(task):
        if task.input == b"second":
            return b"second"
        go.wait(PATIENCE)
        try:
            task.progress()
        except Cancelled:
            told.set()
            raise
        return b"first"

    with Bridge() as bridge, Running(bridge, {("echo", ""): handler}):
        session = Session(bridge).begin()
        session.give(b"1" * 16, input=b"first")
        session.expect("progress", b"1" * 16)
        session.nonce = b"m" * 16
        session.welcome()
        session.expect("hello")
        go.set()
        session.give(b"2" * 16, input=b"second")
        equal(session.expect("compute", b"2" * 16).result.output, b"second", "the output")
        expect(told.is_set(), "the handler was not told")


@check("a bridge that was restarted is found again")
def restart():
    with Bridge() as bridge, Running(bridge, ECHO):
        first = Session(bridge).begin()
        bridge.stop()
        bridge.start()
        second = Session(bridge, nonce=b"m" * 16, epoch=b"f" * 16).begin()
        equal(second.worker, first.worker, "the worker's id")
        second.give(b"1" * 16, input=b"again")
        equal(second.expect("compute", b"1" * 16).result.output, b"again", "the output")


@check("a worker that was never welcomed subscribes anew")
def never_welcomed():
    with Bridge() as bridge:
        run = Running(bridge, ECHO)
        run.worker.welcome_seconds = 1.0
        with run:
            first = Session(bridge).subscription().worker
            # Once is enough: the second time the welcome may take its time.
            run.worker.welcome_seconds = PATIENCE
            session = Session(bridge).begin()
            equal(session.worker, first, "the worker's id")


@check("an item taken back is not answered, and its handler is told")
def revoked():
    told, go = threading.Event(), threading.Event()

    def handler(task):
        if task.input:
            return task.input
        go.wait(PATIENCE)
        while True:
            try:
                task.progress()
            except Cancelled:
                told.set()
                raise

    with Bridge() as bridge, Running(bridge, {("echo", ""): handler}):
        session = Session(bridge).begin()
        session.give(b"1" * 16)
        session.expect("progress", b"1" * 16)
        session.send(revoke=bus.Revoke(lease=b"1" * 16, reason=bus.Revoke.REASON_CANCELLED))
        go.set()
        session.give(b"2" * 16, input=b"next")
        session.expect("compute", b"2" * 16)
        expect(told.is_set(), "the handler was not told")


@check("a computation that can't succeed ends; any other exception gives the item back, wordless")
def failures():
    def handler(task):
        if task.input == b"hopeless":
            raise TaskFailed("no-such-word", "the input has no word")
        raise ValueError(task.input.decode())

    with Bridge() as bridge, Running(bridge, {("echo", ""): handler}):
        session = Session(bridge).begin()
        session.give(b"1" * 16, input=b"hopeless")
        failure = session.expect("compute", b"1" * 16).failure
        equal((failure.code, failure.retryable), ("no-such-word", False), "the failure")
        session.give(b"2" * 16, input=b"a secret prompt")
        failure = session.expect("failed", b"2" * 16).failure
        equal((failure.code, failure.retryable), ("handler-failed", True), "the failure")
        expect("ValueError" in failure.detail, failure.detail)
        expect("secret" not in failure.SerializeToString().decode(), "the prompt leaks")
        session.give(b"3" * 16, kind="unheard-of")
        equal(session.expect("failed", b"3" * 16).failure.code, "no-such-task", "the code")


@check("an answer stays below what a reply may have")
def too_large():
    with Bridge() as bridge, Running(bridge, {("echo", ""): lambda task: "x" * 5000}):
        session = Session(bridge).begin(max_reply_bytes=3000)
        session.give(b"1" * 16, limits=bus.ComputeLimits(max_result_bytes=4000))
        reply = session.expect("compute", b"1" * 16)
        expect(reply.result.truncated, "not marked as cut")
        expect(1000 < len(reply.SerializeToString()) <= 3000, "the size of the reply")


@check("two items run at the same time, and a repeated item runs once")
def concurrent():
    meeting, seen = threading.Barrier(2), []

    def handler(task):
        seen.append(task.input)
        meeting.wait(PATIENCE)
        return Answer(task.input, input_tokens=3, output_tokens=4)

    with Bridge() as bridge, Running(bridge, {("echo", ""): handler}, 2):
        session = Session(bridge).begin()
        for lease in (b"1" * 16, b"1" * 16, b"2" * 16):
            session.give(lease, input=lease)
        answers = {session.expect("compute").lease for _ in range(2)}
        equal(answers, {b"1" * 16, b"2" * 16}, "the leases")
        equal(sorted(seen), [b"1" * 16, b"2" * 16], "what was handled")


@check("malformed and unknown events, and topics of others, disturb nothing")
def strange_events():
    with Bridge() as bridge, Running(bridge, ECHO):
        session = Session(bridge).begin()
        malformed = [b"\xff", b"\x1a\x10\x01", b"GET / HTTP/1.1\r\n\r\n"]
        newer = [
            bytes.fromhex(entry["frames_hex"][-1])
            for entry in golden("newer")
            if entry["message"].endswith("WorkerEvent") and "welcome" not in entry["json"]
        ]
        equal(len(newer), 3, "newer events")
        for frame in malformed + newer:
            session.send_frame(frame)
        session.events.send_multipart([session.topic])
        session.events.send_multipart([session.topic, b"", b""])
        session.give(b"1" * 16, input=b"still here")
        equal(session.expect("compute", b"1" * 16).result.output, b"still here", "the output")


@check("a refused worker ends and says why")
def refused():
    with Bridge() as bridge, Running(bridge, ECHO) as run:
        session = Session(bridge).subscription()
        failure = bus.Failure(code="duplicate-worker", detail="somebody has it", advice="draw another")
        session.send(refused=bus.Refused(failure=failure))
        run.join()
        expect(isinstance(run.error, Refused), f"{run.error!r}")
        equal(run.error.code, "duplicate-worker", "the code")
        equal(str(run.error), "duplicate-worker: somebody has it. draw another", "the text")


@check("the example drains on SIGTERM: goodbye, the answer, exit with 0")
def drain():
    with Bridge() as bridge, example("compute_worker.py", bridge) as process:
        session = Session(bridge).begin()
        equal(len(session.hello.capabilities), 2, "capabilities")
        words = b"a " * 400_000
        limits = bus.ComputeLimits(max_result_bytes=900_000)
        session.give(b"1" * 16, "llm.chat", "shout", words, limits=limits)
        session.expect("progress", b"1" * 16)
        process.send_signal(signal.SIGTERM)
        kinds = []
        while len(kinds) < 2:
            reply = session.reply()
            arm = reply.WhichOneof("body")
            if arm == "compute":
                equal(reply.compute.result.output, words.upper(), "the output")
            if arm != "progress":
                kinds.append(arm)
        equal(sorted(kinds), ["compute", "goodbye"], "the last replies")
        session.dismiss().expect_end()
        equal(process.wait(PATIENCE), 0, "the exit code")


@check("items that crossed the goodbye are finished")
def crossed():
    go = threading.Event()

    def handler(task):
        go.wait(PATIENCE)
        return task.input

    with Bridge() as bridge, Running(bridge, {("echo", ""): handler}, 2) as run:
        session = Session(bridge).begin()
        session.give(b"1" * 16, input=b"1")
        session.expect("progress", b"1" * 16)
        run.worker.stop()
        session.expect("goodbye")
        session.give(b"2" * 16, input=b"2")
        session.expect("progress", b"2" * 16)
        # Whether it lives is asked of those who leave too.
        session.welcome()
        session.expect("hello")
        session.expect("goodbye")
        go.set()
        leases = {session.expect("compute").lease for _ in range(2)}
        equal(leases, {b"1" * 16, b"2" * 16}, "the leases")
        session.dismiss().expect_end()
        run.join()


@check("a worker that leaves ends by itself: never welcomed, in a new session, after its time")
def undismissed():
    with Bridge() as bridge, Running(bridge, ECHO) as run:
        session = Session(bridge).subscription()
        run.worker.stop()
        session.expect_end()
        run.join()
    with Bridge() as bridge, Running(bridge, ECHO) as run:
        session = Session(bridge).begin()
        run.worker.stop()
        session.expect("goodbye")
        session.nonce = b"m" * 16
        session.welcome().expect_end()
        run.join()
    stuck = threading.Event()
    with Bridge() as bridge:
        with Running(bridge, {("echo", ""): lambda task: stuck.wait(PATIENCE)}) as run:
            session = Session(bridge).begin()
            session.give(b"1" * 16)
            session.expect("progress", b"1" * 16)
            run.worker.drain_seconds = 0.1
            run.worker.stop()
            session.expect("goodbye")
            session.expect_end()
            run.join()
            expect(run.error is None, f"{run.error!r}")
        stuck.set()


@check("a worker killed with SIGKILL is noticed by the end of its subscription")
def killed():
    with Bridge() as bridge, example("compute_worker.py", bridge) as process:
        session = Session(bridge).begin()
        process.kill()
        session.expect_end()


@check("over tcp a worker brings its key, and one with another key gets nothing")
def curve():
    server_public, server_secret = zmq.curve_keypair()
    mine, my_secret = zmq.curve_keypair()
    other, other_secret = zmq.curve_keypair()

    class Secured(Bridge):
        def start(self):
            super().start()
            self.addresses = {}
            self.authenticator = ThreadAuthenticator(self.context)
            self.authenticator.start()
            self.authenticator.configure_curve_callback("*", self)

        def callback(self, domain, key):
            return key == mine

        def secure(self, socket):
            socket.curve_secretkey, socket.curve_server = server_secret, True

        def bind(self, socket, endpoint, path):
            port = socket.bind_to_random_port("tcp://127.0.0.1")
            self.addresses[endpoint] = f"tcp://127.0.0.1:{port}"

        def stop(self):
            self.authenticator.stop()
            super().stop()

        def bus_of(self, public, secret):
            keys = Curve(server_public.decode(), public.decode(), secret.decode())
            expect(secret.decode() not in repr(keys), "the secret key is printed")
            return Bus(addresses=self.addresses, curve=keys)

    with Secured() as bridge:
        session = Session(bridge)
        bridge.bus = bridge.bus_of(other, other_secret)
        with Running(bridge, ECHO):
            bridge.bus = bridge.bus_of(mine, my_secret)
            with Running(bridge, ECHO):
                session.begin().give(b"1" * 16, input=b"secret")
                answer = session.expect("compute", b"1" * 16)
                equal(answer.result.output, b"secret", "the output")
                expect(not session.events.poll(0), "the other key got in as well")


@check("without a bus directory, or with one too long, the error says so")
def addresses():
    for make, words in (
        (lambda: Bus("/" + "x" * 107).address("compute/events"), "107 bytes"),
        (lambda: Bus().address("compute/events"), "no address"),
    ):
        try:
            make()
        except ValueError as error:
            expect(words in str(error), str(error))
        else:
            raise Failure(f"no error about {words}")
