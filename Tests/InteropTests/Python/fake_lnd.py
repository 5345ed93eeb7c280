"""An lnd that misbehaves on purpose, in ways lcp-simnet can't.

    fake_lnd.py SCENARIO --certificate FILE --key FILE [--schema DIRECTORY]

Serves on a free port of 127.0.0.1, prints it, and ends when it is killed.
"""

import argparse
import concurrent.futures
import os
import threading

import grpc
import lnd_schema

HASH, OTHER_HASH = bytes([7] * 32), bytes([8] * 32)
KEY = bytes.fromhex("02eec7245d6b7d2ccb30380bfbe2a3648cd7a942653f5aa340edcea1f283686619")
L, R, I = "/lnrpc.Lightning/", "/routerrpc.Router/", "/invoicesrpc.Invoices/"
STATE = "/lnrpc.State/SubscribeState"


class Answer:
    """Messages, then an end; `hangs` keeps the call open for ever."""

    def __init__(self, *messages, code=grpc.StatusCode.OK, text="", hangs=False, headers=False):
        self.messages = [m if isinstance(m, bytes) else m.SerializeToString() for m in messages]
        self.code = code
        self.text = text
        self.hangs = hangs
        self.headers = headers


def scenarios():
    import invoicesrpc.invoices_pb2 as inv
    import lightning_pb2 as ln
    import stateservice_pb2 as state
    import verrpc.verrpc_pb2 as verrpc

    active = Answer(state.SubscribeStateResponse(state=4), hangs=True)
    unknown = grpc.StatusCode.UNKNOWN

    def good(**changes):
        return ln.Invoice(
            **{"r_hash": HASH, "value_msat": 1000, "value": 1, "expiry": 60, "creation_date": 1,
               "add_index": 1, **changes}
        )

    def payment(**changes):
        return ln.Payment(
            **{"payment_hash": HASH.hex(), "payment_preimage": "0" * 64, "value_msat": 1000,
               "status": 1, **changes}
        )

    def info(**changes):
        return ln.GetInfoResponse(
            **{"identity_pubkey": KEY.hex(), "version": "0.18.0-beta commit=v0.18.0-beta",
               "chains": [ln.Chain(chain="bitcoin", network="regtest")], **changes}
        )

    lookup, messages, pay = L + "LookupInvoice", L + "SubscribeCustomMessages", R + "SendPaymentV2"
    # What every scenario answers beside its own.
    common = {STATE: active, L + "GetInfo": Answer(info())}
    table = {
        "short hash": {lookup: Answer(good(r_hash=bytes(31)))},
        "long hash": {lookup: Answer(good(r_hash=bytes(33)))},
        "no hash": {lookup: Answer(good(r_hash=b""))},
        "another invoice": {lookup: Answer(good(r_hash=OTHER_HASH))},
        "empty invoice": {lookup: Answer(b"")},
        "unknown invoice state": {lookup: Answer(good(state=9))},
        "negative amount": {lookup: Answer(good(value_msat=-1))},
        "short preimage": {lookup: Answer(good(r_preimage=bytes(31)))},
        "no answer": {lookup: Answer()},
        "two answers": {lookup: Answer(good(), good())},
        "garbage": {lookup: Answer(b"\xff\xff\xff\xff")},
        "cut message": {lookup: Answer(good().SerializeToString()[:-1])},
        "unknown fields": {
            # Field 9999, a varint, and field 9998, bytes: a newer lnd's.
            lookup: Answer(good().SerializeToString() + b"\xf8\xf0\x04\x01" + b"\xf2\xf0\x04\x01x")
        },
        "unnamed node": {L + "GetInfo": Answer(info(identity_pubkey=""))},
        "node without network": {L + "GetInfo": Answer(info(chains=[]))},
        "answer without invoice": {L + "AddInvoice": Answer(ln.AddInvoiceResponse(r_hash=HASH))},
        "answer of short hash": {
            L + "AddInvoice": Answer(ln.AddInvoiceResponse(r_hash=HASH[1:], payment_request="x"))
        },
        "short peer": {messages: Answer(ln.CustomMessage(peer=KEY[1:], type=42081))},
        "no peer": {messages: Answer(ln.CustomMessage(type=42081))},
        "type beyond 16 bits": {messages: Answer(ln.CustomMessage(peer=KEY, type=65536))},
        "clean end": {
            messages: Answer(ln.CustomMessage(peer=KEY, type=42081, data=b"only")),
            L + "SubscribePeerEvents": Answer(),
            L + "SubscribeInvoices": Answer(),
        },
        "shutdown": {messages: Answer(code=unknown, text="shutdown")},
        "peer of wrong hex": {L + "SubscribePeerEvents": Answer(ln.PeerEvent(pub_key="zz" * 33))},
        "unknown peer event": {
            L + "SubscribePeerEvents": Answer(ln.PeerEvent(pub_key=KEY.hex(), type=9))
        },
        "unknown payment status": {pay: Answer(payment(status=9))},
        "unknown failure reason": {pay: Answer(payment(status=3, failure_reason=99))},
        "wrong preimage": {pay: Answer(payment(status=2, payment_preimage="11" * 32))},
        "short payment hash": {pay: Answer(payment(payment_hash="07"))},
        "payment never ends": {pay: Answer(payment())},
        "empty payment stream": {pay: Answer()},
        "0.17, paid": {pay: Answer(code=unknown, text="invoice is already paid")},
        "0.17, in transition": {pay: Answer(code=unknown, text="payment is in transition")},
        "initiated first": {
            # A node with routerrpc.usestatusinitiated.
            pay: Answer(payment(status=4), payment(), payment(status=3, failure_reason=2))
        },
        "empty statuses": {
            L + "SendCustomMessage": Answer(b""),
            L + "ConnectPeer": Answer(b""),
            L + "DisconnectPeer": Answer(b""),
        },
        "no State service": {
            STATE: Answer(
                code=grpc.StatusCode.UNIMPLEMENTED, text="unknown service lnrpc.State"
            ),
        },
        "unknown state": {STATE: Answer(state.SubscribeStateResponse(state=77), hangs=True)},
        "early headers": {messages: Answer(hangs=True, headers=True)},
        "no headers": {messages: Answer(hangs=True)},
        "hanging call": {lookup: Answer(hangs=True)},
        "goaway": {
            lookup: Answer(good()),
            messages: Answer(ln.CustomMessage(peer=KEY, type=42081, data=b"first"), hangs=True),
            "/verrpc.Versioner/GetVersion": Answer(verrpc.Version(app_minor=18)),
        },
    }
    return {name: {**common, **answers} for name, answers in table.items()}


class Handler(grpc.GenericRpcHandler):
    """Answers every method from a table, in bytes."""

    def __init__(self, answers, on_version):
        self.answers = answers
        self.on_version = on_version
        # Set when the messages that were held back may go.
        self.again = threading.Event()

    def service(self, call):
        answer = self.answers.get(call.method)
        if answer is None:
            return None

        def run(_, context):
            if call.method == "/verrpc.Versioner/GetVersion":
                self.on_version()
            if answer.headers:
                context.send_initial_metadata(())
            yield from answer.messages
            if answer.hangs:
                # What comes after a GOAWAY on a stream that was open before it.
                ended = threading.Event()
                context.add_callback(ended.set)
                while not ended.wait(0.01):
                    if self.again.is_set():
                        yield from answer.messages
                        return
            if answer.code != grpc.StatusCode.OK:
                context.abort(answer.code, answer.text)

        return grpc.unary_stream_rpc_method_handler(run)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("scenario")
    parser.add_argument("--certificate", required=True)
    parser.add_argument("--key", required=True)
    parser.add_argument("--schema", default=".build/lnd-python")
    options = parser.parse_args()
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    lnd_schema.load(options.schema)

    with open(options.key, "rb") as key, open(options.certificate, "rb") as certificate:
        credentials = grpc.ssl_server_credentials([(key.read(), certificate.read())])
    answers = scenarios()[options.scenario]
    servers = []

    def serve(port):
        handler = Handler(answers, restart if options.scenario == "goaway" else lambda: None)
        pool = concurrent.futures.ThreadPoolExecutor(16)
        server = grpc.server(pool, handlers=[handler])
        port = server.add_secure_port(f"127.0.0.1:{port}", credentials)
        server.start()
        servers.append((server, handler))
        return port

    def restart():
        """GOAWAY on the old connection while its streams go on; the new one is there already."""
        if len(servers) == 1:
            serve(port)
            server, handler = servers[0]
            server.stop(30)
            handler.again.set()

    port = serve(0)
    print(port, flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main()
