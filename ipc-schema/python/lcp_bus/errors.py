"""What can go wrong, for the caller to tell apart."""

from . import messages as bus


class BusError(Exception):
    """The base of everything this library raises."""


class BridgeFailure(BusError):
    """The bridge did not do what it was asked; nothing has happened."""

    def __init__(self, failure: bus.Failure) -> None:
        self.code: str = failure.code
        self.detail: str = failure.detail
        self.advice: str = failure.advice
        self.retryable: bool = failure.retryable
        super().__init__(". ".join(filter(None, (f"{self.code}: {self.detail}", self.advice))))


class Refused(BridgeFailure):
    """The bridge gives this worker no work, and it is no use to ask again."""


class NoAnswer(BusError):
    """The bridge did not answer in time. Whether it did what it was asked is not known."""


class TaskFailed(BusError):
    """Raised by a handler: this computation has no result, here or anywhere else.

    Operators read `detail`: no input and no output belongs into it.
    """

    def __init__(self, code: str, detail: str, advice: str = "") -> None:
        self.code, self.detail, self.advice = code, detail, advice
        super().__init__(f"{code}: {detail}")


class Cancelled(BusError):
    """Nobody wants the answer any more; let it pass through the handler."""
