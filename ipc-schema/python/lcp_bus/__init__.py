"""Workers, clients and observers of lcp-bridge; ../README.md says how the bus works."""

from .bus import Bus, Curve
from .clients import ControlClient, QueryClient
from .errors import BridgeFailure, BusError, Cancelled, NoAnswer, Refused, TaskFailed
from .observer import Gap, Observer, Record
from .worker import Answer, ComputeWorker, Task

__all__ = [
    "Answer",
    "BridgeFailure",
    "Bus",
    "BusError",
    "Cancelled",
    "ComputeWorker",
    "ControlClient",
    "Curve",
    "Gap",
    "NoAnswer",
    "Observer",
    "QueryClient",
    "Record",
    "Refused",
    "Task",
    "TaskFailed",
]
