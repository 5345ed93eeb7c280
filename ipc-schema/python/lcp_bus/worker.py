"""A compute worker: handlers in threads, the bus in another."""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import signal
import socket
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable
from types import FrameType

import zmq

from . import messages as bus
from .bus import Bus
from .errors import BusError, Cancelled, Refused, TaskFailed
from .membership import Action, Begin, End, Forget, Membership, Send, Stop
from .task import Answer, Task

__all__ = ["Answer", "ComputeWorker", "Handler", "Task"]

Handler = Callable[[Task], "Answer | bytes | str"]

log = logging.getLogger("lcp_bus")

# What a ComputeReply adds to its output at most.
REPLY_OVERHEAD = 1_024


class ComputeWorker:
    """Serves paid computations until it is asked to stop; see the README for what it takes on.

    `concurrency` handlers run at the same time, each in a thread of its own. Handlers that keep the
    processor busy in Python itself want one process each instead.
    """

    # How long a subscription may stay without a Welcome before it is made anew.
    welcome_seconds = 15.0
    # How long the work at hand may take after SIGTERM.
    drain_seconds = 25.0

    def __init__(self, bus: Bus, program: str, concurrency: int = 1) -> None:
        if concurrency < 1:
            raise ValueError("concurrency must be at least 1")
        self._bus = bus
        self._program = program
        self._concurrency = concurrency
        self._handlers: dict[tuple[str, str], Handler] = {}
        self._items: queue.SimpleQueue[tuple[bytes, Task]] = queue.SimpleQueue()
        self._inbox: queue.SimpleQueue[Callable[[Membership], list[Action]]] = queue.SimpleQueue()
        self._bell, self._bell_end = socket.socketpair()
        self._bell.setblocking(False)
        self._bell_end.setblocking(False)
        self._stopping = threading.Event()
        self._ended = threading.Event()
        self._error: BaseException | None = None

    def handles(self, task_kind: str, profile: str = "") -> Callable[[Handler], Handler]:
        """Registers a function for a kind of task: for one profile, or without for all the others.

        It gets a Task and returns an Answer, bytes or text. TaskFailed ends the computation without
        a result; any other exception gives the item back, to be tried elsewhere.
        """

        def register(handler: Handler) -> Handler:
            self._handlers[task_kind, profile] = handler
            return handler

        return register

    def stop(self) -> None:
        """Asks the worker to drain; from any thread, or from a signal handler."""
        self._stopping.set()
        self._ring()

    def run(self) -> None:
        """Serves until stop(), SIGTERM or SIGINT, then finishes what it has. Runs once.

        A second signal ends the process at once. Raises Refused when the bridge will not have this
        worker.
        """
        if not self._handlers:
            raise ValueError("no handler is registered")
        before = self._take_signals()
        for number in range(self._concurrency):
            self._thread(self._handle_items, f"lcp-bus-handler-{number}")
        self._thread(self._speak, "lcp-bus")
        try:
            self._ended.wait()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
        if self._error is not None:
            raise self._error

    def _take_signals(self) -> dict[int, signal._HANDLER]:
        if threading.current_thread() is not threading.main_thread():
            return {}
        numbers = (signal.SIGTERM, signal.SIGINT)

        def drain(number: int, frame: FrameType | None) -> None:
            for number in numbers:
                signal.signal(number, signal.SIG_DFL)
            self.stop()

        return {number: signal.signal(number, drain) for number in numbers}

    def _thread(self, target: Callable[[], None], name: str) -> None:
        # A handler that never returns must not keep the process alive.
        threading.Thread(target=target, name=name, daemon=True).start()

    # In the handlers' threads.

    def _handle_items(self) -> None:
        while True:
            lease, task = self._items.get()
            body = self._outcome(task)
            if body is not None:
                self._answer(lease, body)

    def _answer(self, lease: bytes, body: bus.ComputeReply | bus.ItemFailed) -> None:
        self._post(lambda membership: membership.answer(lease, body))

    def _outcome(self, task: Task) -> bus.ComputeReply | bus.ItemFailed | None:
        try:
            task.progress()
            handler = self._handlers.get((task.task_kind, task.profile)) or self._handlers.get(
                (task.task_kind, "")
            )
            if handler is None:
                return _given_back("no-such-task", f"{task.task_kind} {task.profile}".strip())
            answer = handler(task)
            if not isinstance(answer, Answer):
                answer = Answer(answer)
            return bus.ComputeReply(result=answer.result(task.limits.max_result_bytes))
        except Cancelled:
            return None
        except TaskFailed as error:
            failure = bus.Failure(code=error.code, detail=error.detail, advice=error.advice)
            return bus.ComputeReply(failure=failure)
        except Exception as error:
            # The exception's text may quote the prompt: its type and place have to do.
            place = traceback.extract_tb(error.__traceback__)[-1]
            where = f"{type(error).__name__} at {os.path.basename(place.filename)}:{place.lineno}"
            log.error("a handler failed: %s", where)
            return _given_back("handler-failed", where)

    def _post(self, change: Callable[[Membership], list[Action]]) -> None:
        self._inbox.put(change)
        self._ring()

    def _ring(self) -> None:
        # Full: it rings already. Closed: nobody listens any more.
        with contextlib.suppress(OSError):
            self._bell.send(b"\0")

    # In the bus's thread.

    def _speak(self) -> None:
        try:
            _Conversation(self).run()
        except BusError as error:
            self._error = error
        except BaseException as error:
            log.error("the bus failed: %s", type(error).__name__)
            self._error = error
        finally:
            self._bell_end.close()
            self._ended.set()


def _given_back(code: str, detail: str) -> bus.ItemFailed:
    return bus.ItemFailed(failure=bus.Failure(code=code, detail=detail, retryable=True))


class _Conversation:
    """The sockets of one run: everything here happens in one thread."""

    def __init__(self, worker: ComputeWorker) -> None:
        self.worker = worker
        capabilities = [
            bus.Capability(task_kind=kind, profile=profile) for kind, profile in worker._handlers
        ]
        self.membership = Membership(
            worker=os.urandom(16),
            hello=bus.Hello(
                program=worker._program,
                capacity=worker._concurrency,
                concurrency=worker._concurrency,
                capabilities=capabilities,
            ),
        )
        self.context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self.replies = worker._bus.connect(self.context, zmq.PUSH, "compute/replies")
        self.events = self._subscribe()
        self.tasks: dict[bytes, Task] = {}
        self.outbox: deque[bytes] = deque()
        self.welcome_by = time.monotonic() + worker.welcome_seconds
        self.ends_by: float | None = None

    def run(self) -> None:
        try:
            while not self._is_done():
                self._wait()
                self._take_posts()
                self._take_events()
                self._send()
                self._check_time()
        finally:
            self.replies.close()
            self.events.close(0)
            self.context.term()

    def _subscribe(self) -> zmq.Socket[bytes]:
        events = self.worker._bus.connect(self.context, zmq.SUB, "compute/events")
        events.setsockopt(zmq.SUBSCRIBE, self.membership.topic)
        return events

    def _is_done(self) -> bool:
        if self.ends_by is None:
            return False
        if time.monotonic() >= self.ends_by:
            log.warning("%d items are unfinished and go to other workers", len(self.tasks))
            return True
        # The bridge's word and not ours: its end and its last replies reach the bridge on different
        # sockets, in any order.
        return self.membership.is_dismissed

    def _wait(self) -> None:
        poller = zmq.Poller()
        poller.register(self.events, zmq.POLLIN)
        poller.register(self.worker._bell_end, zmq.POLLIN)
        if self.outbox:
            poller.register(self.replies, zmq.POLLOUT)
        limits = [self.ends_by] if self.ends_by is not None else []
        if not self.membership.is_member:
            limits.append(self.welcome_by)
        wait = min(limits) - time.monotonic() if limits else None
        poller.poll(None if wait is None else max(0, int(wait * 1000) + 1))

    def _take_posts(self) -> None:
        try:
            while self.worker._bell_end.recv(4096):
                pass
        except BlockingIOError:
            pass
        while True:
            try:
                change = self.worker._inbox.get_nowait()
            except queue.Empty:
                break
            self._do(change(self.membership))
        if self.worker._stopping.is_set() and self.ends_by is None:
            log.info("draining: %d items to finish", len(self.membership.leases))
            self.ends_by = time.monotonic() + self.worker.drain_seconds
            self._do(self.membership.leave())

    def _take_events(self) -> None:
        while True:
            try:
                frames = self.events.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                return
            self._do(self.membership.receive(frames))

    def _send(self) -> None:
        while self.outbox:
            try:
                self.replies.send(self.outbox[0], zmq.NOBLOCK)
            except zmq.Again:
                return
            self.outbox.popleft()

    def _check_time(self) -> None:
        if self.membership.is_member or time.monotonic() < self.welcome_by:
            return
        log.warning("no welcome from the bridge; connecting again")
        self.events.close(0)
        self.events = self._subscribe()
        self.welcome_by = time.monotonic() + self.worker.welcome_seconds

    def _do(self, actions: list[Action]) -> None:
        for action in actions:
            match action:
                case Send(frame):
                    self.outbox.append(frame)
                case Begin(item):
                    self._begin(item)
                case End(lease):
                    self._end(lease)
                case Forget():
                    log.info("a new session with the bridge")
                    self.outbox.clear()
                case Stop(failure):
                    raise Refused(failure)
        # Answered tasks are not held any longer.
        for lease in self.tasks.keys() - self.membership.leases:
            del self.tasks[lease]

    def _begin(self, item: bus.ComputeItem) -> None:
        lease = item.lease
        room = self.membership.terms.max_reply_bytes
        if room:
            fits = max(0, room - REPLY_OVERHEAD)
            item.limits.max_result_bytes = min(item.limits.max_result_bytes or fits, fits)
        post = self.worker._post
        task = Task(
            item,
            progress_seconds=float(self.membership.terms.progress_seconds or 10),
            send_progress=lambda: post(lambda membership: membership.progress(lease)),
        )
        self.tasks[lease] = task
        self.worker._items.put((lease, task))

    def _end(self, lease: bytes) -> None:
        task = self.tasks.pop(lease, None)
        if task is not None:
            task.cancel()
