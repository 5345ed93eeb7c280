"""Where the bus is, and sockets on it."""

from __future__ import annotations

import os
import stat
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


# The file of a bus directory that names a bridge on another machine.
REMOTE = "remote"

# The port of each endpoint, counted from the bridge's first one.
PORTS = {
    "provider/events": 0,
    "provider/replies": 1,
    "requester/events": 2,
    "requester/replies": 3,
    "compute/events": 4,
    "compute/replies": 5,
    "feed/messages/socket": 6,
    "feed/events/socket": 7,
    "control/socket": 8,
    "query/socket": 9,
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
        return cls.at(directory)

    @classmethod
    def at(cls, directory: str) -> Bus:
        """The bus in a directory, which may name a bridge on another machine."""
        path = os.path.join(directory, REMOTE)
        if not os.path.lexists(path):
            return cls(directory)
        with open(path, encoding="ascii") as file:
            if os.fstat(file.fileno()).st_mode & (stat.S_IRWXG | stat.S_IRWXO):
                raise ValueError(f"others may read {path}, which holds a secret key")
            lines = [line.split(maxsplit=1) for line in file if line.strip()]
        values = {line[0]: line[-1].strip() for line in lines if not line[0].startswith("#")}
        if set(values) != {"bridge", "bridge-key", "key"}:
            raise ValueError(f"{path} needs bridge, bridge-key and key, and nothing else")
        host, _, port = values["bridge"].rpartition(":")
        secret = values["key"].encode()
        return cls(
            directory,
            {name: f"tcp://{host}:{int(port) + offset}" for name, offset in PORTS.items()},
            Curve(values["bridge-key"], zmq.curve_public(secret).decode(), secret.decode()),
        )

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
