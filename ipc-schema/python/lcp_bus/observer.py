"""Reading a feed, and seeing what was missed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Literal

import zmq
from google.protobuf.message import DecodeError

from . import messages as bus
from .bus import Bus


@dataclass(frozen=True)
class Record:
    """One record of a feed."""

    topic: str
    position: bus.FeedPosition
    message: bus.FeedEvent | bus.FeedMessage


@dataclass(frozen=True)
class Gap:
    """Records may have been missed here: ask `query` for how things are.

    `missed`: so many records. `restarted`: this is another run of the bridge. `silent`: no
    heartbeat for a while; the next record ends that.
    """

    reason: Literal["missed", "restarted", "silent"]
    records: int = 0


class GapFinder:
    """Compares each position with the one before."""

    def __init__(self) -> None:
        self._epoch = b""
        self._sequence = 0

    def see(self, position: bus.FeedPosition) -> Gap | None:
        """Takes the next record's position; says what lies between."""
        epoch, sequence = self._epoch, self._sequence
        self._epoch, self._sequence = position.epoch, position.sequence
        if not epoch or (position.epoch, position.sequence) == (epoch, sequence + 1):
            return None
        if position.epoch != epoch:
            return Gap("restarted")
        return Gap("missed", max(0, position.sequence - sequence - 1))


class Observer:
    """Iterates over a feed for ever: Records, and Gaps in their places.

    `topics` are prefixes of what to hand on. The subscription is to everything all the same,
    because sequence numbers run over all topics of a feed. Belongs to one thread.
    """

    # Two heartbeats, and a little for their way.
    silence_seconds = 2.5

    def __init__(
        self,
        bus: Bus,
        feed: Literal["feed/events", "feed/messages"] = "feed/events",
        topics: Sequence[str] = ("",),
    ) -> None:
        self._has_heartbeat = feed == "feed/events"
        self._topics = tuple(topics)
        # Records that a later version may understand.
        self.unreadable = 0
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._socket = bus.connect(self._context, zmq.SUB, f"{feed}/socket")
        self._socket.setsockopt(zmq.SUBSCRIBE, b"")

    def __iter__(self) -> Iterator[Record | Gap]:
        gaps = GapFinder()
        is_silent = False
        while True:
            expects_heartbeat = self._has_heartbeat and not is_silent
            wait = int(self.silence_seconds * 1000) if expects_heartbeat else None
            if not self._socket.poll(wait):
                is_silent = True
                yield Gap("silent")
                continue
            is_silent = False
            record = self._read(self._socket.recv_multipart())
            if record is None:
                continue
            gap = gaps.see(record.position)
            if gap is not None:
                yield gap
            is_known = not self._has_heartbeat or record.message.WhichOneof("body") is not None
            if not is_known:
                self.unreadable += 1
            elif record.topic.startswith(self._topics):
                yield record

    def _read(self, frames: list[bytes]) -> Record | None:
        message: bus.FeedEvent | bus.FeedMessage
        message = bus.FeedEvent() if self._has_heartbeat else bus.FeedMessage()
        try:
            topic, body = frames
            message.ParseFromString(body)
            return Record(topic.decode("ascii"), message.position, message)
        except (DecodeError, ValueError):
            self.unreadable += 1
            return None

    def close(self) -> None:
        """Lets go of the socket."""
        self._socket.close(0)
        self._context.term()

    def __enter__(self) -> Observer:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
