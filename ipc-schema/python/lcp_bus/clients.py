"""Asking: `query` for metadata, `control` for what spends or reveals."""

from __future__ import annotations

import itertools
import time
from collections import deque
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Any, Generic, TypeVar

import zmq
from google.protobuf.message import DecodeError

from . import messages as bus
from .bus import Bus
from .errors import BridgeFailure, BusError, NoAnswer

Response = TypeVar("Response", bus.QueryResponse, bus.ControlResponse)


class _Client(Generic[Response]):
    """Requests and responses over one socket; belongs to one thread."""

    _endpoint: str
    _request: type[bus.QueryRequest] | type[bus.ControlRequest]
    _response: type[Response]

    def __init__(self, bus: Bus, timeout: float = 30.0) -> None:
        self.timeout = timeout
        self._ids = itertools.count(1)
        self._watches: dict[int, deque[Response]] = {}
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._socket = bus.connect(self._context, zmq.DEALER, self._endpoint)

    def request(self, **body: Any) -> Response:
        """Sends a request whose one arm is given by name, and waits for its response.

        Raises BridgeFailure when nothing was done, NoAnswer when nobody knows.
        """
        number = self._send(**body)
        ends = time.monotonic() + self.timeout
        while (response := self._receive(ends)) is not None:
            if response.id == number:
                return _checked(response)
        raise NoAnswer(f"no answer from {self._endpoint} within {self.timeout:g} s")

    def _send(self, number: int | None = None, **body: Any) -> int:
        """Sends a request, under a new id unless one is given, and returns the id."""
        number = next(self._ids) if number is None else number
        frame = self._request(id=number, **body).SerializeToString()
        if not self._socket.poll(int(self.timeout * 1000), zmq.POLLOUT):
            raise NoAnswer(f"nobody listens on {self._endpoint}")
        self._socket.send(frame)
        return number

    def _receive(self, ends: float) -> Response | None:
        """The next response, other than those of a watch, which are kept for it."""
        while self._socket.poll(max(0, int((ends - time.monotonic()) * 1000))):
            response = self._response()
            try:
                response.ParseFromString(self._socket.recv())
            except DecodeError:
                continue
            if response.id not in self._watches:
                return response
            self._watches[response.id].append(response)
            if time.monotonic() >= ends:
                break
        return None

    def close(self) -> None:
        """Lets go of the socket, and of what the bridge would still send."""
        self._socket.close(0)
        self._context.term()

    def __enter__(self: _Self) -> _Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


_Self = TypeVar("_Self", bound=_Client[Any])


def _checked(response: Response) -> Response:
    match response.WhichOneof("body"):
        case "failure":
            raise BridgeFailure(response.failure)
        case None:
            raise BusError("the response is of a kind this version does not know")
    return response


class QueryClient(_Client[bus.QueryResponse]):
    """Read-only metadata: no prompt, output, invoice or preimage is to be had here."""

    # How often a watch is armed anew, and how long it waits when the bridge is busy.
    watch_seconds = 5.0

    _endpoint = "query/socket"
    _request = bus.QueryRequest
    _response = bus.QueryResponse

    def job(self, job: bus.JobKey) -> bus.Job:
        """A job as it stands."""
        return self.request(get_job=bus.GetJob(job=job)).job

    def jobs(self, **filters: Any) -> Iterator[bus.Job]:
        """Jobs, page after page; filters are the fields of ListJobs."""
        page = b""
        while True:
            found = self.request(list_jobs=bus.ListJobs(page=page, **filters)).jobs
            yield from found.jobs
            page = found.next
            if not page:
                return

    def peers(self) -> list[bus.Peer]:
        """Every peer."""
        peers: list[bus.Peer] = []
        page = b""
        while True:
            found = self.request(list_peers=bus.ListPeers(page=page)).peers
            peers += found.peers
            page = found.next
            if not page:
                return peers

    def workers(self) -> list[bus.Worker]:
        """Every live worker."""
        return list(self.request(list_workers=bus.ListWorkers()).workers.workers)

    def ledger(self, since_unix: int = 0) -> Iterator[bus.LedgerEntry]:
        """What was earned and spent, page after page."""
        page = b""
        while True:
            asked = bus.GetLedger(since_unix=since_unix, page=page)
            found = self.request(get_ledger=asked).ledger
            yield from found.entries
            page = found.next
            if not page:
                return

    def status(self) -> bus.Status:
        """How the bridge does."""
        return self.request(get_status=bus.GetStatus()).status

    def watch(self, jobs: Iterable[bus.JobKey] = ()) -> Iterator[bus.Job]:
        """Jobs whenever they change, for ever; none named means all.

        Armed anew every `watch_seconds`, because nobody says when the bridge drops a watch or a
        connection is lost. Named jobs then come as they stand, if that is news: states in between
        may be missed, the last one is not. With none named only changes come, so what changes
        while no watch is armed is missed: ask jobs() for how things are. A state may come twice
        when the bridge was restarted.

        A bridge that is `busy`, with watches or requests, is asked again after `watch_seconds`.
        Raises BridgeFailure when it refuses for another reason, and NoAnswer when it does not
        answer within the timeout.
        """
        wanted = bus.WatchJobs(jobs=list(jobs))
        number = next(self._ids)
        kept = self._watches[number] = deque()
        known: dict[bytes, bus.Job] = {}
        epoch = b""
        try:
            while True:
                former, epoch = epoch, self._epoch() or epoch
                if epoch != former:
                    # Its journal may be an older copy, with lower versions.
                    known.clear()
                # The bridge replaces a watch of the same id: nothing is missed in between, and a
                # watch that stands needs no further room.
                self._send(number, watch_jobs=wanted)
                ends = time.monotonic() + self.watch_seconds
                while time.monotonic() < ends:
                    while kept:
                        response = kept.popleft()
                        if response.failure.code == _BUSY:
                            continue
                        job = _checked(response).job
                        # All jobs have no states to begin with, and would be remembered for ever.
                        if not wanted.jobs or _is_news(job, known):
                            yield job
                    self._await_watch(kept, ends)
        finally:
            del self._watches[number]
            if self._socket.poll(0, zmq.POLLOUT):
                self._send(unwatch=bus.Unwatch(watch=number))

    def _epoch(self) -> bytes | None:
        """The bridge's epoch; none when it is too busy to say."""
        try:
            return self.status().epoch
        except BridgeFailure as failure:
            if failure.code != _BUSY:
                raise
            return None

    def _await_watch(self, kept: deque[bus.QueryResponse], ends: float) -> None:
        while not kept and self._socket.poll(max(0, int((ends - time.monotonic()) * 1000))):
            self._receive(time.monotonic())


# The code of a bridge that has no room for a watch, or for a request.
_BUSY = "busy"


def _is_news(job: bus.Job, known: dict[bytes, bus.Job]) -> bool:
    """Whether a state is neither a repeat nor older than the one known, which it replaces then."""
    key = job.key.SerializeToString(deterministic=True)
    before = known.get(key)
    if before is not None and (job == before or job.version < before.version):
        return False
    known[key] = job
    return True


class ControlClient(_Client[bus.ControlResponse]):
    """What can spend, change or read contents. Each call returns once its step is on disk."""

    _endpoint = "control/socket"
    _request = bus.ControlRequest
    _response = bus.ControlResponse

    def submit(
        self,
        key: bytes,
        peer: bytes,
        task_kind: str,
        input: bytes,
        params: bytes = b"",
        max_price_msat: int | None = None,
    ) -> bus.Job:
        """Asks a peer for a quote, and buys within the ceiling; without one, accept() buys.

        Write the key down first. After NoAnswer submit again with the same key and content: that
        gives the same job.
        """
        order = bus.Submit(
            key=key,
            peer=peer,
            task_kind=task_kind,
            input=input,
            params=params,
            max_price_msat=max_price_msat,
        )
        return self.request(submit=order).job

    def accept(self, job: bus.JobKey, max_price_msat: int) -> bus.Job:
        """Buys the quote at hand; harmless when repeated."""
        return self.request(accept=bus.Accept(job=job, max_price_msat=max_price_msat)).job

    def cancel(self, job: bus.JobKey) -> bus.Job:
        """Gives a job up, if it is not too late."""
        return self.request(cancel=bus.Cancel(job=job)).job

    def retry(self, job: bus.JobKey) -> bus.Job:
        """Tries a parked job again."""
        return self.request(retry=bus.Retry(job=job)).job

    def connect(self, peer: bytes, address: str) -> bus.Peer:
        """Connects this node to a peer at host:port."""
        return self.request(connect=bus.Connect(peer=peer, address=address)).peer

    def disconnect(self, peer: bytes) -> bus.Peer:
        """Disconnects this node from a peer."""
        return self.request(disconnect=bus.Disconnect(peer=peer)).peer

    def result(self, job: bus.JobKey) -> bus.Result:
        """Contents and proof of a job, as far as they are there."""
        return self.request(get_result=bus.GetResult(job=job)).result

    def find(self, key: bytes) -> bus.Job:
        """The job that was submitted under a key."""
        return self.request(find_job=bus.FindJob(key=key)).job
