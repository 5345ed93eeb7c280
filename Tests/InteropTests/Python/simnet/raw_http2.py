"""Just enough HTTP/2 over TLS to see frames, which a gRPC library hides."""

import socket
import ssl
import struct

DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE = 0, 1, 3, 4, 6, 7, 8
END_STREAM, ACK, END_HEADERS = 1, 1, 4
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


def tls_context(certificate, **versions):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cafile=str(certificate))
    context.set_alpn_protocols(["h2"])
    for name, value in versions.items():
        setattr(context, name, value)
    return context


def tls_connect(address, context, host_name="localhost"):
    host, port = address.rsplit(":", 1)
    plain = socket.create_connection((host, int(port)), timeout=30)
    try:
        return context.wrap_socket(plain, server_hostname=host_name)
    except BaseException:
        plain.close()
        raise


class Connection:
    """One connection; frames come out as (type, flags, stream, payload)."""

    def __init__(self, node):
        self.socket = tls_connect(node.rpc_address, tls_context(node.certificate))
        self.frames = []
        self.buffer = b""
        self.next_stream = 1
        self.socket.sendall(PREFACE)
        self.write(SETTINGS, 0, 0, b"")
        # A wide window, so that no flow control is needed here.
        self.write(WINDOW_UPDATE, 0, 0, struct.pack(">I", 1 << 24))

    def write(self, kind, flags, stream, payload):
        head = len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big")
        self.socket.sendall(head + payload)

    def read(self):
        """The next frame but SETTINGS and WINDOW_UPDATE; acknowledges SETTINGS and PING."""
        while True:
            head = self._exactly(9)
            length = int.from_bytes(head[:3], "big")
            kind, flags = head[3], head[4]
            stream = int.from_bytes(head[5:9], "big") & 0x7FFFFFFF
            payload = self._exactly(length)
            if kind == SETTINGS and not flags & ACK:
                self.write(SETTINGS, ACK, 0, b"")
            elif kind == PING and not flags & ACK:
                self.write(PING, ACK, 0, payload)
            elif kind in (SETTINGS, WINDOW_UPDATE):
                continue
            else:
                frame = (kind, flags, stream, payload)
                self.frames.append(frame)
                return frame

    def _exactly(self, count):
        while len(self.buffer) < count:
            chunk = self.socket.recv(1 << 16)
            if not chunk:
                raise EOFError("the server closed the connection")
            self.buffer += chunk
        found, self.buffer = self.buffer[:count], self.buffer[count:]
        return found

    def call(self, path, message=b"", headers=(), content_type="application/grpc"):
        """Sends a unary request; gives its stream."""
        stream = self.next_stream
        self.next_stream += 2
        fields = [
            (":method", "POST"), (":scheme", "https"), (":path", path),
            (":authority", "localhost"), ("te", "trailers"), ("content-type", content_type),
            *headers,
        ]
        block = b"".join(_literal(name, value) for name, value in fields)
        self.write(HEADERS, END_HEADERS, stream, block)
        self.write(DATA, END_STREAM, stream, b"\0" + len(message).to_bytes(4, "big") + message)
        return stream

    def frames_of(self, stream):
        """Reads until the stream has ended; gives all its frames."""
        def mine():
            return [f for f in self.frames if f[2] == stream]

        while not any(f[0] == RST_STREAM or f[1] & END_STREAM for f in mine()):
            self.read()
        return mine()

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def _literal(name, value):
    """A header that is not indexed and not compressed (RFC 7541, 6.2.2)."""
    return b"\0" + _text(name) + _text(value)


def _text(text):
    data = text.encode()
    if len(data) < 127:
        return bytes([len(data)]) + data
    rest, head = len(data) - 127, [127]
    while rest >= 128:
        head.append(rest % 128 + 128)
        rest //= 128
    return bytes(head + [rest]) + data
