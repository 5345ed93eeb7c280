"""The foreign peer: grpcio as a server, as a client under remote control, and as a load.

Messages are plain bytes; no schema. `Tests/InteropPeer` is the same program on our transport, with
the same arguments, methods and control frames, so that a test can put either on either side.

    peer.py serve --port 0 [--cert FILE --key FILE] [--flavor aio|sync]
    peer.py call --target HOST:PORT [--ca FILE]
    peer.py bench --target HOST:PORT [--ca FILE] --mode unary|stream --in-flight N --seconds S
    peer.py http1 --cert FILE --key FILE       a TLS server that speaks no HTTP/2
    peer.py alpn --target HOST:PORT --ca FILE  a TLS client that speaks no HTTP/2

A server prints `ready PORT`, and ends after `stop` on standard input once its calls have ended; it
then prints `served N`. Every peer ends at once when standard input does.
"""

import argparse
import asyncio
import base64
import json
import os
import resource
import socket
import ssl
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import grpc
import grpc.aio

SERVICE = "interop.Echo"
UNLIMITED = [
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
]
SERVER_OPTIONS = UNLIMITED + [
    ("grpc.max_concurrent_streams", 2000),
    ("grpc.so_reuseport", 0),
    # grpcio drops calls that its Python has not taken after 30 seconds.
    ("grpc.server_max_unrequested_time_in_server", 3600),
]
CLIENT_OPTIONS = UNLIMITED + [
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 500),
    ("grpc.enable_http_proxy", 0),
    # One connection for each channel, whoever else has the same target.
    ("grpc.use_local_subchannel_pool", 1),
]


def usage():
    """What this process has used: resident KiB and CPU microseconds."""
    with open("/proc/self/statm") as statm:
        pages = int(statm.read().split()[1])
    used = resource.getrusage(resource.RUSAGE_SELF)
    cpu = int((used.ru_utime + used.ru_stime) * 1e6)
    return {"rss": pages * os.sysconf("SC_PAGE_SIZE") // 1024, "cpu": cpu}


def fill(index, size):
    """Message number `index` of a stream."""
    return bytes([index & 0xFF]) * size


def echoed(metadata):
    return tuple((key, value) for key, value in metadata if key.startswith("echo-"))


# What a server does


class Book:
    """What the handlers have seen, and those who wait to see it."""

    def __init__(self):
        self.opened = {}
        self.cancelled = {}
        self.released = {}
        self.written = {}
        self.served = 0
        self.reached = {}

    def note(self, counts, key):
        counts[key] = counts.get(key, 0) + 1
        # Those alone whose count has come are woken: a thousand calls wait for the last of them.
        reached = self.reached.pop((id(counts), key, counts[key]), None)
        if reached:
            reached.set()

    async def until(self, counts, key, count=1):
        if counts.get(key, 0) < count:
            reached = self.reached.setdefault((id(counts), key, count), asyncio.Event())
            await reached.wait()


class Echo(grpc.GenericRpcHandler):
    """The service: what a method does is in its name and in its metadata."""

    def __init__(self, book):
        self.book = book

    def service(self, details):
        service, method = details.method.strip("/").split("/")
        handler = getattr(self, method, None)
        if service != SERVICE or handler is None or not method[0].isupper():
            return None
        if method == "ClientStream":
            return grpc.stream_unary_rpc_method_handler(handler)
        if method == "ServerStream":
            return grpc.unary_stream_rpc_method_handler(handler)
        if method in ("Unary", "Probe", "Release", "AwaitOpened", "AwaitCancelled"):
            return grpc.unary_unary_rpc_method_handler(handler)
        return grpc.stream_stream_rpc_method_handler(handler)

    async def Unary(self, request, context):
        await self._echo_metadata(context)
        self.book.served += 1
        return request

    async def ClientStream(self, requests, context):
        messages = size = 0
        async for message in requests:
            messages += 1
            size += len(message)
        return f"{messages} {size}".encode()

    async def ServerStream(self, request, context):
        count, size = map(int, request.split())
        for index in range(count):
            await context.write(fill(index, size))

    async def Bidi(self, requests, context):
        await self._echo_metadata(context)
        async with self._open_call(context):
            async for message in requests:
                await context.write(message)

    async def Fail(self, requests, context):
        metadata = dict(context.invocation_metadata())
        context.set_trailing_metadata(echoed(context.invocation_metadata()))
        for index in range(int(metadata.get("fail-after", 0))):
            await context.write(fill(index, 1))
        code = next(c for c in grpc.StatusCode if c.value[0] == int(metadata["fail-code"]))
        await context.abort(code, metadata["fail-message-bin"].decode())

    async def Barrier(self, requests, context):
        """Answers when as many calls as metadata says are open."""
        metadata = dict(context.invocation_metadata())
        async with self._open_call(context) as key:
            await self.book.until(self.book.opened, key, int(metadata["count"]))
            async for message in requests:
                await context.write(message)

    async def Silent(self, requests, context):
        """Sends nothing, not even headers, until it is cancelled."""
        async with self._open_call(context):
            await asyncio.Event().wait()

    async def Late(self, requests, context):
        """Sends its headers with its first message, when it is released."""
        context_metadata = echoed(context.invocation_metadata())
        async with self._open_call(context) as key:
            await self.book.until(self.book.released, key)
            await context.send_initial_metadata(context_metadata)
            await context.write(b"late")

    async def Flood(self, requests, context):
        """Writes as fast as the client lets it."""
        metadata = dict(context.invocation_metadata())
        size = int(metadata["size"])
        async with self._open_call(context) as key:
            for index in range(int(metadata["count"])):
                await context.write(fill(index, size))
                self.book.written[key] = index + 1

    async def Probe(self, request, context):
        key = request.decode()
        return json.dumps(
            {"written": self.book.written.get(key, 0), "served": self.book.served, **usage()}
        ).encode()

    async def Release(self, request, context):
        self.book.note(self.book.released, request.decode())
        return b""

    async def AwaitOpened(self, request, context):
        await self.book.until(self.book.opened, request.decode())
        return b""

    async def AwaitCancelled(self, request, context):
        await self.book.until(self.book.cancelled, request.decode())
        return b""

    def _open_call(self, context):
        return OpenCall(self.book, dict(context.invocation_metadata()).get("key", ""))

    async def _echo_metadata(self, context):
        metadata = echoed(context.invocation_metadata())
        if metadata:
            await context.send_initial_metadata(metadata)
            context.set_trailing_metadata(metadata)


class OpenCall:
    """Tells the book that a call began, and whether it was cancelled."""

    def __init__(self, book, key):
        self.book, self.key = book, key

    async def __aenter__(self):
        self.book.note(self.book.opened, self.key)
        return self.key

    async def __aexit__(self, kind, error, traceback):
        # A write that a cancel cuts short may end with another of grpcio's errors.
        if kind is not None:
            self.book.note(self.book.cancelled, self.key)


def server_credentials(arguments):
    with open(arguments.key, "rb") as key, open(arguments.cert, "rb") as certificate:
        return grpc.ssl_server_credentials([(key.read(), certificate.read())])


def add_port(server, arguments):
    address = f"127.0.0.1:{arguments.port}"
    if arguments.cert:
        return server.add_secure_port(address, server_credentials(arguments))
    return server.add_insecure_port(address)


async def serve(arguments):
    book = Book()
    server = grpc.aio.server(options=SERVER_OPTIONS)
    server.add_generic_rpc_handlers((Echo(book),))
    port = add_port(server, arguments)
    await server.start()
    print("ready", port, flush=True)
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    watch_input(lambda line: loop.call_soon_threadsafe(stopped.set))
    await stopped.wait()
    await server.stop(grace=30)
    print("served", book.served, flush=True)


def watch_input(stop):
    def run():
        for line in sys.stdin:
            if line.strip() == "stop":
                stop(line)
        # Whoever started this is gone, or done; so are we. `os._exit` leaves no thread to wait for.
        os._exit(0)

    threading.Thread(target=run, daemon=True).start()


class SyncEcho(grpc.GenericRpcHandler):
    """The methods that are measured, on grpcio's threads."""

    def service(self, details):
        method = details.method.rsplit("/", 1)[1]
        if method == "Unary":
            return grpc.unary_unary_rpc_method_handler(lambda request, context: request)
        if method == "ServerStream":
            return grpc.unary_stream_rpc_method_handler(self._stream)
        if method == "Probe":
            return grpc.unary_unary_rpc_method_handler(
                lambda request, context: json.dumps(usage()).encode()
            )
        return None

    def _stream(self, request, context):
        count, size = map(int, request.split())
        return (fill(index, size) for index in range(count))


def serve_sync(arguments):
    server = grpc.server(ThreadPoolExecutor(max_workers=64), options=SERVER_OPTIONS)
    server.add_generic_rpc_handlers((SyncEcho(),))
    port = add_port(server, arguments)
    server.start()
    print("ready", port, flush=True)
    watch_input(lambda line: server.stop(30))
    server.wait_for_termination()


# What a client does


def channel(arguments, module=grpc.aio):
    if arguments.ca:
        with open(arguments.ca, "rb") as file:
            credentials = grpc.ssl_channel_credentials(root_certificates=file.read())
        return module.secure_channel(arguments.target, credentials, options=CLIENT_OPTIONS)
    return module.insecure_channel(arguments.target, options=CLIENT_OPTIONS)


def path(method):
    return f"/{SERVICE}/{method}"


def decoded(fields):
    return tuple(
        (key, base64.b64decode(value) if key.endswith("-bin") else value) for key, value in fields
    )


def encoded(metadata):
    return [
        [key, base64.b64encode(value).decode() if isinstance(value, bytes) else value]
        for key, value in metadata or ()
    ]


class Client:
    """Does what the frames on standard input say and answers each with one frame."""

    def __init__(self, channel):
        self.channel = channel
        self.calls = {}
        self.loads = {}

    def reply(self, command, bodies=(), **fields):
        fields["id"] = command["id"]
        fields["sizes"] = [len(body) for body in bodies]
        out = sys.stdout.buffer
        out.write(json.dumps(fields).encode() + b"\n" + b"".join(bodies))
        out.flush()

    async def do(self, command, bodies):
        try:
            await getattr(self, "do_" + command["op"])(command, bodies)
        except Exception as error:  # The other side prints it; no exception may leave it waiting.
            self.reply(command, broken=repr(error))

    def options(self, command):
        timeout = command.get("timeoutMilliseconds")
        return {
            "metadata": decoded(command.get("metadata") or []),
            "timeout": timeout / 1000 if timeout else None,
            "wait_for_ready": command.get("waitForReady"),
        }

    async def outcome(self, call):
        """How a call ended, and its headers as far as they came."""
        try:
            headers = encoded(await call.initial_metadata())
        except grpc.RpcError:
            headers = []
        return {
            "code": (await call.code()).value[0],
            "message": await call.details() or "",
            "headers": headers,
            "trailers": encoded(await call.trailing_metadata()),
        }

    async def do_exchange(self, command, bodies):
        options, method, kind = self.options(command), path(command["method"]), command["kind"]
        received = []

        async def requests():
            for body in bodies:
                yield body

        try:
            if kind == "unary":
                call = self.channel.unary_unary(method)(bodies[0], **options)
                received.append(await call)
            elif kind == "clientStream":
                call = self.channel.stream_unary(method)(requests(), **options)
                received.append(await call)
            elif kind == "serverStream":
                call = self.channel.unary_stream(method)(bodies[0], **options)
                async for message in call:
                    received.append(message)
            else:
                call = self.channel.stream_stream(method)(requests(), **options)
                async for message in call:
                    received.append(message)
        except grpc.RpcError:
            pass
        self.reply(command, received, **await self.outcome(call))

    async def do_open(self, command, bodies):
        call = self.channel.stream_stream(path(command["method"]))(**self.options(command))
        self.calls[command["call"]] = call
        self.reply(command)

    async def do_send(self, command, bodies):
        try:
            await self.calls[command["call"]].write(bodies[0])
            self.reply(command, code=0)
        except (grpc.RpcError, asyncio.InvalidStateError, asyncio.CancelledError):
            self.reply(command, code=(await self.calls[command["call"]].code()).value[0])

    async def do_finish(self, command, bodies):
        await self.calls[command["call"]].done_writing()
        self.reply(command)

    async def do_read(self, command, bodies):
        """One message, or how the call ended."""
        call = self.calls[command["call"]]
        try:
            message = await call.read()
            if message is not grpc.aio.EOF:
                return self.reply(command, [message])
        except (grpc.RpcError, asyncio.CancelledError):
            pass
        self.reply(command, **await self.outcome(call))

    async def do_headers(self, command, bodies):
        try:
            headers = await self.calls[command["call"]].initial_metadata()
        except (grpc.RpcError, asyncio.CancelledError):
            headers = ()
        self.reply(command, headers=encoded(headers))

    async def do_cancel(self, command, bodies):
        self.calls[command["call"]].cancel()
        self.reply(command)

    async def do_repeat(self, command, bodies):
        """Calls one after the other; the memory after a tenth of them and after all."""
        call = self.channel.unary_unary(path("Unary"))
        count = command["count"]
        for _ in range(count // 10):
            await call(bodies[0], wait_for_ready=True)
        before = usage()["rss"]
        for _ in range(count):
            await call(bodies[0], wait_for_ready=True)
        self.reply(command, numbers={"before": before, "after": usage()["rss"]})

    async def do_load(self, command, bodies):
        """Calls from several tasks at once until it is told to stop."""
        load = self.loads[command["call"]] = Load()
        self.reply(command)
        call = self.channel.unary_unary(path("Unary"))

        async def work():
            while not load.stopped:
                try:
                    await call(bodies[0], wait_for_ready=True)
                    await load.note("0")
                except grpc.RpcError as error:
                    await load.note(str(error.code().value[0]))

        load.work = asyncio.gather(*(work() for _ in range(command["count"])))

    async def do_progress(self, command, bodies):
        """Answers when that many calls of a load have succeeded."""
        load = self.loads[command["call"]]
        async with load.changed:
            await load.changed.wait_for(lambda: load.counts.get("0", 0) >= command["count"])
        self.reply(command, numbers=load.counts)

    async def do_stop(self, command, bodies):
        load = self.loads[command["call"]]
        load.stopped = True
        await load.work
        self.reply(command, numbers=load.counts)


class Load:
    def __init__(self):
        self.counts = {}
        self.stopped = False
        self.work = None
        self.changed = asyncio.Condition()

    async def note(self, code):
        async with self.changed:
            self.counts[code] = self.counts.get(code, 0) + 1
            self.changed.notify_all()


async def call(arguments):
    loop = asyncio.get_running_loop()
    commands = asyncio.Queue()

    def read():
        source = sys.stdin.buffer
        for line in source:
            command = json.loads(line)
            bodies = [source.read(size) for size in command.get("sizes", [])]
            loop.call_soon_threadsafe(commands.put_nowait, (command, bodies))
        os._exit(0)

    threading.Thread(target=read, daemon=True).start()
    client = Client(channel(arguments))
    running = set()
    while True:
        task = asyncio.create_task(client.do(*await commands.get()))
        running.add(task)
        task.add_done_callback(running.discard)


# What is measured


def report(call_count, seconds, latencies, client_before, server_before, server_after):
    latencies.sort()
    print(
        json.dumps(
            {
                "count": call_count,
                "seconds": seconds,
                "p50": latencies[len(latencies) // 2] * 1e6 if latencies else 0,
                "clientCPU": (usage()["cpu"] - client_before["cpu"]) / 1e6,
                "serverCPU": (server_after["cpu"] - server_before["cpu"]) / 1e6,
            }
        ),
        flush=True,
    )


async def bench(arguments):
    connection = channel(arguments)
    unary = connection.unary_unary(path("Unary"))
    probe = connection.unary_unary(path("Probe"))
    stream = connection.unary_stream(path("ServerStream"))
    body = bytes(64)
    for _ in range(200):
        await unary(body)
    server_before, client_before = json.loads(await probe(b"")), usage()
    begin = time.perf_counter()
    end = begin + arguments.seconds
    latencies, count = [], 0

    async def work():
        while (start := time.perf_counter()) < end:
            await unary(body)
            latencies.append(time.perf_counter() - start)

    if arguments.mode == "unary":
        await asyncio.gather(*(work() for _ in range(arguments.in_flight)))
        count = len(latencies)
    else:
        while time.perf_counter() < end:
            async for _ in stream(b"10000 1024"):
                count += 1
    seconds = time.perf_counter() - begin
    report(count, seconds, latencies, client_before, server_before, json.loads(await probe(b"")))


def bench_sync(arguments):
    connection = channel(arguments, grpc)
    unary = connection.unary_unary(path("Unary"))
    probe = connection.unary_unary(path("Probe"))
    stream = connection.unary_stream(path("ServerStream"))
    body = bytes(64)
    for _ in range(200):
        unary(body)
    server_before, client_before = json.loads(probe(b"")), usage()
    begin = time.perf_counter()
    end = begin + arguments.seconds

    def work(_):
        latencies = []
        while (start := time.perf_counter()) < end:
            unary(body)
            latencies.append(time.perf_counter() - start)
        return latencies

    latencies, count = [], 0
    if arguments.mode == "unary" and arguments.in_flight == 1:
        latencies = work(0)
        count = len(latencies)
    elif arguments.mode == "unary":
        with ThreadPoolExecutor(arguments.in_flight) as pool:
            for part in pool.map(work, range(arguments.in_flight)):
                latencies += part
        count = len(latencies)
    else:
        while time.perf_counter() < end:
            count += sum(1 for _ in stream(b"10000 1024"))
    seconds = time.perf_counter() - begin
    report(count, seconds, latencies, client_before, server_before, json.loads(probe(b"")))


# TLS without HTTP/2


def http1(arguments):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(arguments.cert, arguments.key)
    context.set_alpn_protocols(["http/1.1"])
    listener = socket.create_server(("127.0.0.1", 0))
    print("ready", listener.getsockname()[1], flush=True)
    watch_input(lambda line: os._exit(0))
    while True:
        connection, _ = listener.accept()
        try:
            with context.wrap_socket(connection, server_side=True) as stream:
                stream.recv(1)
        except OSError:
            pass


def alpn(arguments):
    """Prints `refused`, or `accepted` when the server speaks to a client that offers no `h2`."""
    context = ssl.create_default_context(cafile=arguments.ca)
    context.set_alpn_protocols(["http/1.1"])
    host, port = arguments.target.rsplit(":", 1)
    try:
        with socket.create_connection((host, int(port))) as connection:
            with context.wrap_socket(connection, server_hostname=host) as stream:
                # In TLS 1.3 the refusal may come after our half of the handshake.
                print("accepted" if stream.recv(1) else "refused", flush=True)
    except OSError:
        print("refused", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("command", choices=["serve", "call", "bench", "http1", "alpn"])
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--cert")
    parser.add_argument("--key")
    parser.add_argument("--ca")
    parser.add_argument("--target")
    parser.add_argument("--flavor", choices=["aio", "sync"], default="aio")
    parser.add_argument("--mode", choices=["unary", "stream"], default="unary")
    parser.add_argument("--in-flight", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=3)
    arguments = parser.parse_args()
    if arguments.command in ("http1", "alpn"):
        globals()[arguments.command](arguments)
    elif arguments.flavor == "sync":
        {"serve": serve_sync, "bench": bench_sync}[arguments.command](arguments)
    else:
        asyncio.run({"serve": serve, "call": call, "bench": bench}[arguments.command](arguments))


if __name__ == "__main__":
    main()
