"""The process: its files, its end, and what a restart finds."""

import json
import os
import pathlib
import subprocess
import tempfile

import lightning_pb2 as ln
import routerrpc.router_pb2 as router

from .harness import (
    ACCEPTED, CANCELED, FAILED, OPEN, PATIENCE, SETTLED, SUCCEEDED, Code, Simnet, Stream, check,
    equal, eventually, expect, network, refused, sha256,
)

CHANNELS = ("alice:bob:1000000", "bob:carol:500000:100000")
NAMES = ("alice", "bob", "carol")


def run(*arguments):
    """Runs lcp-simnet to its end, which must come by itself."""
    return subprocess.run(
        [Simnet.program, *map(str, arguments)], capture_output=True, text=True, timeout=PATIENCE
    )


@check("simnet.json names every node with absolute paths, after one line of readiness")
def _():
    with network(*CHANNELS, names=NAMES) as (simnet, *nodes):
        equal([n["name"] for n in simnet.summary["nodes"]], list(NAMES), "names in order")
        fields = {"name", "pubkey", "rpc_address", "p2p_address", "tls_cert", "macaroon"}
        for entry in simnet.summary["nodes"]:
            equal(set(entry), fields, "fields")
            for path in (entry["tls_cert"], entry["macaroon"]):
                expect(os.path.isabs(path) and os.path.isfile(path), path)
            expect(entry["rpc_address"].startswith("127.0.0.1:"), entry["rpc_address"])
            equal(os.stat(entry["macaroon"]).st_mode & 0o077, 0, "others' rights on the macaroon")
        expect(simnet.readiness.endswith("\n"), "readiness")
        equal(simnet.terminate(), 0, "exit code after SIGTERM")
        equal(simnet.process.stdout.read(), "", "no further output")


@check("--port-base gives consecutive ports")
def _():
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        base = probe.getsockname()[1]
    with network(arguments=("--port-base", str(base))) as (_, alice, bob):
        equal(alice.rpc_address, f"127.0.0.1:{base}", "alice")
        equal(bob.rpc_address, f"127.0.0.1:{base + 1}", "bob")
        with tempfile.TemporaryDirectory() as directory:
            done = run("--dir", directory, "--node", "carol", "--port-base", base)
            equal(done.returncode, 69, "a port that is taken")
            expect(str(base) in done.stderr, done.stderr)


@check("options that make no sense are refused with exit code 64")
def _():
    with tempfile.TemporaryDirectory() as directory:
        for options in (
            (),
            ("--node", "alice", "--node", "alice"),
            ("--node", "../alice"),
            ("--node", ""),
            ("--node", "alice", "--channel", "alice:bob:1000"),
            ("--node", "alice", "--channel", "alice:1000000"),
            ("--node", "alice", "--node", "bob", "--channel", "alice:bob:many"),
            ("--node", "alice", "--node", "bob", "--channel", "alice:alice:1000000"),
            ("--node", "alice", "--node", "bob", "--channel", "alice:bob:1000:2000"),
            ("--node", "alice", "--port-base", "70000"),
        ):
            done = run("--dir", directory, *options)
            equal(done.returncode, 64, f"exit code of {options}: {done.stderr}")
            expect(done.stderr.strip(), "no explanation")


@check("one process has the directory")
def _():
    with network() as (simnet, alice, _bob):
        done = run("--dir", simnet.directory, "--node", "alice")
        equal(done.returncode, 75, "exit code")
        expect(done.stderr.strip(), "no explanation")
        equal(alice.info().identity_pubkey, alice.pubkey, "the first goes on")


@check("a killed network comes back with keys, files, money, invoices and payments")
def _():
    with network(*CHANNELS, names=NAMES) as (simnet, alice, bob, carol):
        files = {
            path: path.read_bytes()
            for node in simnet.nodes for path in (node.certificate, node.macaroon_path)
        }
        summary = simnet.summary
        preimage = os.urandom(32)
        open_one = alice.add(value=1000, memo="open")
        canceled = alice.add(value=1000)
        alice.cancel(canceled.r_hash)
        paid = carol.add(value=50_000)
        alice.paid(paid.payment_request, fee_limit_sat=100)
        failing = bob.add(value=1000)
        simnet.ctl("payments", "alice", "--fail", 3)
        alice.failed(failing.payment_request)
        held = bob.add_hold(value=2000, hash=sha256(preimage))
        payment = alice.pay(held.payment_request)
        eventually(lambda: bob.lookup(sha256(preimage)).state == ACCEPTED, "accepted")
        alice_rights = ln.BakeMacaroonRequest(
            permissions=[ln.MacaroonPermission(entity="uri", action="/lnrpc.Lightning/GetInfo")]
        )
        baked = alice.lightning.BakeMacaroon(alice_rights).macaroon
        alice.connect(carol, perm=True)
        inbox = alice.watch_messages(bob)

        def facts(nodes):
            one, two, three = nodes
            return (
                [list(n.lightning.ListInvoices(ln.ListInvoiceRequest()).invoices) for n in nodes],
                [
                    list(n.lightning.ListPayments(
                        ln.ListPaymentsRequest(include_incomplete=True)).payments)
                    for n in nodes
                ],
                [n.balance() for n in nodes],
                [sorted(c.chan_id for c in n.channels()) for n in nodes],
            )

        before = facts(simnet.nodes)
        simnet.kill()
        for stream in (inbox, payment):
            error = stream.ended()
            equal(error and error.code(), Code.UNAVAILABLE, "an open stream")
        refused(Code.UNAVAILABLE, "", alice.info, match="part")

        simnet.start()
        alice, bob, carol = simnet.nodes
        equal(simnet.summary, summary, "simnet.json, ports included")
        for path, data in files.items():
            equal(path.read_bytes(), data, f"{path.name}")
        for found, wanted, what in zip(
            facts(simnet.nodes), before, ("invoices", "payments", "balances", "channels")
        ):
            equal(found, wanted, what)
        baked_client = alice.using(baked)
        equal(baked_client.lightning.GetInfo(ln.GetInfoRequest()).alias, alice.info().alias, "baked")

        # The world goes on: peers are back, the held payment ends, indices do not start again.
        expect(bob.pubkey in alice.peers(), "a peer with a channel")
        expect(carol.pubkey in alice.peers(), "a permanent peer")
        tracked = alice.track(sha256(preimage))
        equal(tracked.next("the state").status, 1, "the held payment")
        bob.settle(preimage)
        equal(tracked.all()[-1].status, SUCCEEDED, "the held payment")
        refused(
            Code.ALREADY_EXISTS, "invoice is already paid",
            lambda: alice.start_payment(paid.payment_request, fee_limit_sat=100),
        )
        bob.paid(alice.lookup(open_one.r_hash).payment_request)
        equal(alice.lookup(open_one.r_hash).settle_index, 1, "the first settlement")
        equal(bob.lookup(sha256(preimage)).settle_index, 1, "bob's first")
        equal(alice.add(value=1).add_index, 3, "the next add_index")
        inbox = alice.watch_messages(bob)
        bob.send(alice, 42081, b"new")
        equal(inbox.next("a message").data, b"new", "subscriptions start anew")


@check("killed at any moment, no money is made or lost")
def _():
    import threading

    import grpc

    with network("alice:bob:1000000") as (simnet, alice, bob):
        for round in range(5):
            made = [bob.add(value=100) for _ in range(40)]
            done = []

            def pay(invoices):
                for invoice in invoices:
                    try:
                        done.append(alice.pay(invoice.payment_request).all()[-1].payment_hash)
                    except AssertionError:
                        return

            thread = threading.Thread(target=pay, args=(made,))
            thread.start()
            eventually(lambda: len(done) > 3 + round * 3, "some are paid")
            simnet.kill()
            thread.join()
            simnet.start()
            alice, bob = simnet.nodes
            settled = {
                i.r_hash.hex() for i in bob.lightning.ListInvoices(
                    ln.ListInvoiceRequest(num_max_invoices=10_000)).invoices if i.state == SETTLED
            }
            expect(set(done) <= settled, "a payment that succeeded is not settled")
            eventually(
                lambda: all(p.status != 1 for p in alice.lightning.ListPayments(
                    ln.ListPaymentsRequest(include_incomplete=True, max_payments=10_000)).payments),
                "every payment has an end",
            )
            succeeded = {
                p.payment_hash for p in alice.lightning.ListPayments(
                    ln.ListPaymentsRequest(max_payments=10_000)).payments
            }
            settled = {
                i.r_hash.hex() for i in bob.lightning.ListInvoices(
                    ln.ListInvoiceRequest(num_max_invoices=10_000)).invoices if i.state == SETTLED
            }
            equal(succeeded, settled, "what alice paid and bob got")
            equal(bob.balance().local_balance.sat, 100 * len(settled), "balance")


@check("new nodes and channels join what the directory has")
def _():
    with network("alice:bob:1000000") as (simnet, alice, bob):
        keys = alice.pubkey, bob.pubkey
        alice.paid(bob.add(value=1000).payment_request)
        simnet.terminate()
        simnet.start("--node", "alice", "--node", "carol",
                     "--channel", "alice:bob:1000000", "--channel", "bob:carol:2000000")
        alice, bob, carol = simnet.nodes
        equal((alice.pubkey, bob.pubkey), keys, "keys")
        equal(alice.balance().local_balance.sat, 999_000, "the old channel is not made twice")
        alice.paid(carol.add(value=500).payment_request, fee_limit_sat=10)


@check("the same seed makes the same network, another seed another")
def _():
    def build(*seed):
        arguments = tuple(a for s in seed for a in ("--seed", str(s)))
        with network("alice:bob:1000000", arguments=arguments) as (_, alice, bob):
            made = [alice.add(value=1000, memo=f"{i}") for i in range(3)]
            last = bob.add(value=5)
            alice.paid(last.payment_request)
            return (
                [alice.pubkey, bob.pubkey],
                [(m.r_hash, m.payment_addr) for m in made + [last]],
                [alice.lookup(m.r_hash).r_preimage for m in made],
                [c.chan_id for c in alice.channels()],
                [alice.p2p_address, bob.p2p_address],
            )

    one, same, other = build(7), build(7), build(8)
    equal(same, one, "seed 7 again")
    expect(other[:3] != one[:3], "seed 8 makes the same keys")
    expect(build()[0] != build()[0], "without a seed keys repeat")
