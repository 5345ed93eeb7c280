"""What a handler sees of its work, and what it gives back."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from . import messages as bus
from .errors import Cancelled, TaskFailed

T = TypeVar("T")


@dataclass(frozen=True)
class Answer:
    """A computation's result. A text that does not fit is cut between characters."""

    output: bytes | str
    content_type: str = ""
    truncated: bool = False
    # What the backend counted, for the ledger; 0 when it does not count.
    input_tokens: int = 0
    output_tokens: int = 0

    def result(self, limit: int) -> bus.ComputeResult:
        """What the bridge gets, at most so many bytes of output."""
        content_type, truncated = self.content_type, self.truncated
        if isinstance(self.output, str):
            output = self.output.encode()
            content_type = content_type or "text/plain; charset=utf-8"
            if len(output) > limit:
                output, truncated = output[:limit].decode(errors="ignore").encode(), True
        else:
            output = self.output
            if len(output) > limit:
                raise TaskFailed("result-too-large", f"{len(output)} bytes, {limit} fit")
        return bus.ComputeResult(
            output=output,
            content_type=content_type,
            truncated=truncated,
            input_tokens=self.input_tokens,
            output_tokens=self.output_tokens,
        )


class Task:
    """One paid computation. Its handler tells that it gets ahead, and asks whether to go on."""

    def __init__(
        self,
        item: bus.ComputeItem,
        progress_seconds: float,
        send_progress: Callable[[], None],
    ) -> None:
        self.job: bus.JobKey = item.job
        self.task_kind: str = item.task_kind
        self.profile: str = item.profile
        self.input: bytes = item.input
        self.params: bytes = item.params
        self.limits: bus.ComputeLimits = item.limits
        self.attempt: int = item.attempt
        # The bridge's clock set the deadline, so the span counts and not this machine's time.
        span = float(item.deadline_unix - item.now_unix) if item.deadline_unix else float("inf")
        self._ends = time.monotonic() + span
        self._cancelled = threading.Event()
        self._interval = progress_seconds
        self._next = 0.0
        self._send_progress = send_progress

    @property
    def seconds_left(self) -> float:
        """How long an answer is worth anything; infinite without a deadline."""
        return self._ends - time.monotonic()

    @property
    def is_cancelled(self) -> bool:
        """Whether nobody wants the answer any more."""
        return self._cancelled.is_set() or self.seconds_left <= 0

    def progress(self) -> None:
        """Says that the handler got ahead; call it as often as you like.

        Raises Cancelled when nobody wants the answer any more.
        """
        if self.is_cancelled:
            raise Cancelled
        now = time.monotonic()
        if now >= self._next:
            self._next = now + self._interval
            self._send_progress()

    def alive(self, steps: Iterable[T]) -> Iterator[T]:
        """Passes on the steps and says with each that the handler got ahead."""
        for step in steps:
            self.progress()
            yield step

    @contextmanager
    def alive_for(self, seconds: float) -> Iterator[None]:
        """Keeps the lease during one blocking call, for at most so many seconds.

        The bound is the point: a call that never returns loses its lease, and the work goes to
        somebody else.
        """
        self.progress()
        ended = threading.Event()
        until = time.monotonic() + seconds

        def report() -> None:
            while not ended.wait(min(self._interval, max(until - time.monotonic(), 0))):
                if self.is_cancelled or time.monotonic() >= until:
                    return
                self._send_progress()

        thread = threading.Thread(target=report, name="lcp-bus-alive", daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()
        self.progress()

    def cancel(self) -> None:
        """Called by the worker when the item was taken back."""
        self._cancelled.set()
