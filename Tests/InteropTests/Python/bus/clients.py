"""Asking the bridge."""

import threading

import zmq
from checks import PATIENCE, Failure, check, equal, expect
from lcp_bus import BridgeFailure, BusError, ControlClient, NoAnswer, QueryClient
from lcp_bus import messages as bus

from .scripted import Bridge


class Answering:
    """A bridge whose answers a function gives: several responses to a request, or none."""

    def __init__(self, bridge, endpoint, request, answer):
        self.socket = bridge.socket(zmq.ROUTER, endpoint)
        self.socket.setsockopt(zmq.RCVTIMEO, 10)
        self.kind, self.answer = request, answer
        self.seen = []
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._serve, daemon=True)

    def _serve(self):
        while not self.ended.is_set():
            try:
                frames = self.socket.recv_multipart()
            except zmq.Again:
                continue
            request = self.kind.FromString(frames[-1])
            self.seen.append((len(frames), request))
            for response in self.answer(request):
                raw = response if isinstance(response, bytes) else response.SerializeToString()
                self.socket.send_multipart([frames[0], raw])

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join(PATIENCE)


def querying(bridge, answer):
    return Answering(bridge, "query/socket", bus.QueryRequest, answer)


def raises(kind, call):
    try:
        call()
    except kind as error:
        return error
    raise Failure(f"no {kind.__name__}")


@check("a request is one frame, and its response is found among others")
def matched():
    def answer(request):
        yield bus.QueryResponse(id=request.id + 1000, status=bus.Status(program="stale"))
        yield b"\xff"
        yield bus.QueryResponse(id=request.id, status=bus.Status(program="right"))

    with Bridge() as bridge, querying(bridge, answer) as peer, QueryClient(bridge.bus) as query:
        equal([query.status().program for _ in range(3)], ["right"] * 3, "the answers")
        equal([frames for frames, _ in peer.seen], [2] * 3, "frames, the routing id included")
        expect(len({request.id for _, request in peer.seen}) == 3, "ids repeat")


@check("a failure is raised with code, detail, advice and whether to try again")
def failures():
    failure = bus.Failure(code="unknown-job", detail="no such job", advice="look", retryable=True)

    def answer(request):
        if request.WhichOneof("body") == "get_job":
            yield bus.QueryResponse(id=request.id, failure=failure)
        else:
            yield bus.QueryResponse(id=request.id)

    with Bridge() as bridge, querying(bridge, answer), QueryClient(bridge.bus) as query:
        error = raises(BridgeFailure, lambda: query.job(bus.JobKey()))
        equal((error.code, error.advice, error.retryable), ("unknown-job", "look", True), "it")
        expect("later" not in str(raises(BusError, query.status)), "an unknown kind of response")


@check("nobody there, or no answer, is NoAnswer within the timeout")
def unanswered():
    with Bridge() as bridge:
        with QueryClient(bridge.bus, timeout=0.05) as query:
            raises(NoAnswer, query.status)
        with querying(bridge, lambda _: []) as peer, QueryClient(bridge.bus, timeout=0.2) as query:
            raises(NoAnswer, query.status)
        expect(len(peer.seen) <= 1, "the request was repeated")


@check("lists come page by page until the last")
def pages():
    def answer(request):
        body = getattr(request, request.WhichOneof("body"))
        number = int(body.page or b"0")
        following = b"" if number == 2 else str(number + 1).encode()
        if request.HasField("list_jobs"):
            page = bus.JobPage(jobs=[bus.Job(version=number)], next=following)
            yield bus.QueryResponse(id=request.id, jobs=page)
        elif request.HasField("list_peers"):
            page = bus.PeerList(peers=[bus.Peer(max_payload_bytes=number)], next=following)
            yield bus.QueryResponse(id=request.id, peers=page)
        else:
            page = bus.LedgerPage(entries=[bus.LedgerEntry(fee_msat=number)], next=following)
            yield bus.QueryResponse(id=request.id, ledger=page)

    with Bridge() as bridge, querying(bridge, answer) as peer, QueryClient(bridge.bus) as query:
        equal([job.version for job in query.jobs(only_parked=True, limit=1)], [0, 1, 2], "jobs")
        expect(all(r.list_jobs.only_parked for _, r in peer.seen), "a page without the filter")
        equal([entry.fee_msat for entry in query.ledger()], [0, 1, 2], "entries")
        equal([peer.max_payload_bytes for peer in query.peers()], [0, 1, 2], "peers")


@check("a watch hands on changes, and is armed again for a restarted bridge")
def watch():
    epochs = [b"1" * 16]

    def answer(request):
        arm = request.WhichOneof("body")
        if arm == "get_status":
            yield bus.QueryResponse(id=request.id, status=bus.Status(epoch=epochs[0]))
        elif arm == "watch_jobs":
            for version in (1, 2):
                job = bus.Job(version=version, input_bytes=int(epochs[0][:1]))
                yield bus.QueryResponse(id=request.id, job=job)

    with Bridge() as bridge, querying(bridge, answer) as peer:
        with QueryClient(bridge.bus) as query:
            query.watch_seconds = 0.05
            changes = query.watch([bus.JobKey(job_id=b"j" * 32)])
            first = [next(changes) for _ in range(2)]
            equal([job.version for job in first], [1, 2], "the changes")
            epochs[0] = b"2" * 16
            again = [next(changes) for _ in range(2)]
            equal([job.input_bytes for job in again], [2, 2], "changes of the new epoch")
            changes.close()
            query.status()
        requests = [request for _, request in peer.seen]
        armed = [request for request in requests if request.HasField("watch_jobs")]
        ended = [r.unwatch.watch for r in requests if r.HasField("unwatch")]
        expect(len(armed) > 1, "it was armed once")
        equal({request.id for request in armed}, set(ended), "the ids of the watch")
        equal(len(ended), 1, "how often it was ended")
        equal({r.watch_jobs.jobs[0].job_id for r in armed}, {b"j" * 32}, "the jobs watched")


class Forgetful:
    """Answers as a bridge of one epoch; each watch gets the next of `rounds`, then no more.

    A client that only asks for the status is failed, so that a check ends.
    """

    def __init__(self, *rounds):
        self.rounds = list(rounds)
        self.asked = 0

    def __call__(self, request):
        response = bus.QueryResponse(id=request.id)
        if request.HasField("get_status"):
            self.asked += 1
            response.status.epoch = b"1" * 16
            if self.asked > 20:
                response.failure.code = "not-armed"
            yield response
        elif request.HasField("watch_jobs"):
            self.asked = 0
            for body in self.rounds.pop(0) if self.rounds else ():
                field = "failure" if isinstance(body, bus.Failure) else "job"
                yield bus.QueryResponse(id=request.id, **{field: body})


def state(version, **more):
    return bus.Job(key=bus.JobKey(job_id=b"j" * 32), version=version, **more)


def versions(jobs, count):
    return [next(jobs).version for _ in range(count)]


@check("a watch that was dropped under the same epoch is armed again, and hands on what is news")
def dropped():
    parked = state(2, parked=True)
    rounds = [state(1), state(2)], [state(2)], [state(1), state(2)], [parked], [parked, state(3)]
    with Bridge() as bridge, QueryClient(bridge.bus) as query:
        query.watch_seconds = 0.05
        jobs = query.watch([state(0).key])
        with querying(bridge, Forgetful(*rounds)):
            equal(versions(jobs, 4), [1, 2, 2, 3], "the states of a named job")
        bridge.stop()
        # What is sent before the client notices is lost.
        while query._socket.poll(0, zmq.POLLOUT):
            pass
        bridge.start()
        with querying(bridge, Forgetful([state(3), state(4)])):
            equal(versions(jobs, 1), [4], "the state after a lost connection")
            jobs.close()

    with Bridge() as bridge, QueryClient(bridge.bus) as query:
        query.watch_seconds = 0.05
        with querying(bridge, Forgetful([state(5)], [], [state(6)])):
            jobs = query.watch()
            equal(versions(jobs, 2), [5, 6], "the changes of all jobs")
            jobs.close()


@check("a watch that a busy bridge refuses is tried again, any other refusal is raised")
def refused():
    busy, unknown = (bus.Failure(code=code) for code in ("busy", "unknown-job"))
    with Bridge() as bridge, QueryClient(bridge.bus) as query:
        query.watch_seconds = 0.05
        with querying(bridge, Forgetful([busy], [busy], [state(1)], [busy], [unknown])):
            jobs = query.watch([state(0).key])
            equal(versions(jobs, 1), [1], "the state")
            equal(raises(BridgeFailure, lambda: next(jobs)).code, "unknown-job", "the refusal")


@check("control says what it is asked to say, and a ceiling of 0 is not no ceiling")
def control():
    def answer(request):
        arm = request.WhichOneof("body")
        if arm in ("connect", "disconnect"):
            yield bus.ControlResponse(id=request.id, peer=bus.Peer(connected=arm == "connect"))
        elif arm == "get_result":
            yield bus.ControlResponse(id=request.id, result=bus.Result(output=b"done"))
        else:
            yield bus.ControlResponse(id=request.id, job=bus.Job(version=9))

    key = bus.JobKey(role=bus.ROLE_REQUESTER, peer=b"\2" * 33, job_id=b"j" * 32)
    with (
        Bridge() as bridge,
        Answering(bridge, "control/socket", bus.ControlRequest, answer) as peer,
        ControlClient(bridge.bus) as client,
    ):
        equal(client.submit(b"k", b"\2" * 33, "echo", b"in").version, 9, "submit")
        client.submit(b"k", b"\2" * 33, "echo", b"in", b"params", max_price_msat=0)
        for call in (client.cancel, client.retry, lambda job: client.accept(job, 5)):
            equal(call(key).version, 9, "the job")
        expect(client.connect(b"\2" * 33, "host:9735").connected, "connect")
        expect(not client.disconnect(b"\2" * 33).connected, "disconnect")
        equal(client.result(key).output, b"done", "the output")
        equal(client.find(b"k").version, 9, "the job of a key")
        requests = [request for _, request in peer.seen]
        equal(
            [request.WhichOneof("body") for request in requests],
            [
                "submit",
                "submit",
                "cancel",
                "retry",
                "accept",
                "connect",
                "disconnect",
                "get_result",
                "find_job",
            ],
            "what was asked",
        )
        ceilings = [r.submit.HasField("max_price_msat") for r in requests[:2]]
        equal(ceilings, [False, True], "whether there is a ceiling")
        equal(requests[2].cancel.job, key, "the job")
