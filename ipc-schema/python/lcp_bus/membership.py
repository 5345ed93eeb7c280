"""A worker's standing with the bridge, without sockets, clocks or threads."""

from __future__ import annotations

from dataclasses import dataclass, field

from google.protobuf.message import DecodeError

from . import messages as bus


@dataclass(frozen=True)
class Send:
    """Send this frame."""

    frame: bytes


@dataclass(frozen=True)
class Begin:
    """An item to handle."""

    item: bus.ComputeItem


@dataclass(frozen=True)
class End:
    """Stop handling this item."""

    lease: bytes


@dataclass(frozen=True)
class Forget:
    """A new session: what was to be sent is of no use any more."""


@dataclass(frozen=True)
class Stop:
    """The bridge will not have this worker."""

    failure: bus.Failure


Action = Send | Begin | End | Forget | Stop


@dataclass
class Membership:
    """Follows the sessions of one worker id and knows which items are this worker's."""

    worker: bytes
    hello: bus.Hello
    nonce: bytes = b""
    is_leaving: bool = False
    # Whether whoever leaves may go: nothing of its is on the way any more.
    is_dismissed: bool = False
    terms: bus.Welcome = field(default_factory=bus.Welcome)
    leases: set[bytes] = field(default_factory=set)
    # What came and was of no use: foreign topics, malformed or unknown events.
    ignored: int = 0

    @property
    def topic(self) -> bytes:
        """What to subscribe to; a delivered frame 0 begins with it."""
        return b"work/" + self.worker.hex().encode()

    @property
    def is_member(self) -> bool:
        """Whether the bridge has given this worker a session."""
        return bool(self.nonce)

    def receive(self, frames: list[bytes]) -> list[Action]:
        """Takes one message and says what to do about it."""
        event = bus.WorkerEvent()
        try:
            if len(frames) != 2 or not frames[0].startswith(self.topic):
                raise DecodeError("not for this worker")
            event.ParseFromString(frames[1])
        except DecodeError:
            self.ignored += 1
            return []
        match event.WhichOneof("body"):
            case "welcome":
                return self._welcome(event.welcome)
            case "compute" if event.compute.lease not in self.leases:
                self.leases.add(event.compute.lease)
                return [Begin(event.compute)]
            case "revoke" if event.revoke.lease in self.leases:
                self.leases.discard(event.revoke.lease)
                return [End(event.revoke.lease)]
            case "refused" if self.is_leaving:
                # Whatever the bridge says to a worker that wants to go, it may go.
                return self._dismissed()
            case "refused":
                return [Stop(event.refused.failure)]
        self.ignored += 1
        return []

    def leave(self) -> list[Action]:
        """Says goodbye, once."""
        if self.is_leaving:
            return []
        self.is_leaving = True
        if not self.is_member:
            return self._dismissed()
        return [self._reply(goodbye=bus.Goodbye())]

    def progress(self, lease: bytes) -> list[Action]:
        """Keeps an item."""
        return [self._reply(progress=bus.Progress(lease=lease))] if lease in self.leases else []

    def answer(self, lease: bytes, body: bus.ComputeReply | bus.ItemFailed) -> list[Action]:
        """Ends an item, unless it is not this worker's any more."""
        if lease not in self.leases:
            return []
        self.leases.discard(lease)
        body.lease = lease
        if isinstance(body, bus.ItemFailed):
            return [self._reply(failed=body)]
        return [self._reply(compute=body)]

    def _welcome(self, welcome: bus.Welcome) -> list[Action]:
        actions: list[Action] = []
        if welcome.nonce != self.nonce:
            if self.is_leaving:
                # Another session is not begun for it: what was to be finished is with others.
                return [Forget(), *self._dismissed()]
            actions = [Forget(), *self._drop()]
        self.nonce, self.terms = welcome.nonce, welcome
        actions.append(self._reply(hello=self.hello))
        if self.is_leaving:
            actions.append(self._reply(goodbye=bus.Goodbye()))
        return actions

    def _dismissed(self) -> list[Action]:
        self.is_dismissed = True
        return self._drop()

    def _drop(self) -> list[Action]:
        ends: list[Action] = [End(lease) for lease in sorted(self.leases)]
        self.leases.clear()
        return ends

    def _reply(
        self,
        hello: bus.Hello | None = None,
        compute: bus.ComputeReply | None = None,
        progress: bus.Progress | None = None,
        failed: bus.ItemFailed | None = None,
        goodbye: bus.Goodbye | None = None,
    ) -> Send:
        reply = bus.WorkerReply(
            worker=self.worker,
            nonce=self.nonce,
            hello=hello,
            compute=compute,
            progress=progress,
            failed=failed,
            goodbye=goodbye,
        )
        return Send(reply.SerializeToString())
