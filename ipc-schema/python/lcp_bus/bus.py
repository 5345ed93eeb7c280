"""Where the bus is, and sockets on it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

import zmq

# What serves every socket of the bus; the README says why.
OPTIONS = {
    zmq.HEARTBEAT_IVL: 5_000,
    zmq.HEARTBEAT_TIMEOUT: 15_000,
    zmq.HEARTBEAT_TTL: 15_000,
    zmq.RECONNECT_IVL: 50,
    zmq.RECONNECT_IVL_MAX: 500,
    zmq.LINGER: 1_000,
}


@dataclass(frozen=True)
class Curve:
    """The keys of a connection over tcp, 40 characters of Z85 each."""

    server_key: str
    public_key: str
    secret_key: str = field(repr=False)


@dataclass(frozen=True)
class Bus:
    """A bus directory, or the addresses of endpoints on another machine.

    `addresses` maps endpoints as the README names them, such as `compute/events`, to ZeroMQ
    addresses; what it does not name is below `directory`.
    """

    directory: str | None = None
    addresses: Mapping[str, str] = field(default_factory=dict)
    curve: Curve | None = None

    @classmethod
    def from_environment(cls) -> Bus:
        """The bus in the directory that LCP_BUS_DIR names."""
        directory = os.environ.get("LCP_BUS_DIR")
        if not directory:
            raise ValueError("LCP_BUS_DIR is not set: name the bridge's --bus-dir in it")
        return cls(directory)

    def address(self, endpoint: str) -> str:
        """The address to connect to."""
        if endpoint in self.addresses:
            return self.addresses[endpoint]
        if self.directory is None:
            raise ValueError(f"no address for {endpoint}")
        path = os.path.join(os.path.abspath(self.directory), endpoint)
        if len(os.fsencode(path)) > 107:
            raise ValueError(f"{path} is longer than the 107 bytes a Unix socket may have")
        return f"ipc://{path}"

    def connect(
        self, context: zmq.Context[zmq.Socket[bytes]], kind: int, endpoint: str
    ) -> zmq.Socket[bytes]:
        """A socket on its way to an endpoint, for one thread."""
        address = self.address(endpoint)
        socket = context.socket(kind)
        try:
            for option, value in OPTIONS.items():
                socket.setsockopt(option, value)
            if kind in (zmq.PUSH, zmq.DEALER):
                # Nothing is queued for a bridge that is away, to reach the next one stale.
                socket.setsockopt(zmq.IMMEDIATE, 1)
            if self.curve is not None and address.startswith("tcp:"):
                socket.setsockopt(zmq.CURVE_SERVERKEY, self.curve.server_key.encode())
                socket.setsockopt(zmq.CURVE_PUBLICKEY, self.curve.public_key.encode())
                socket.setsockopt(zmq.CURVE_SECRETKEY, self.curve.secret_key.encode())
            socket.connect(address)
        except BaseException:
            socket.close(0)
            raise
        return socket
