"""lcp-simnet, driven as lnd by a gRPC library and a schema of another origin."""

import hashlib
import os

import grpc
import pytest
from grpc import StatusCode

import control_pb2 as ctl
import lightning_pb2 as ln
import stateservice_pb2 as state
from conftest import SECONDS, Stream, refused
from invoicesrpc import invoices_pb2 as inv
from routerrpc import router_pb2 as rt
from verrpc import verrpc_pb2 as ver

UNKNOWN = StatusCode.UNKNOWN


def pay(node, request, **fields):
    fields.setdefault("fee_limit_msat", 10_000)
    fields.setdefault("timeout_seconds", 60)
    return Stream(
        node.router.SendPaymentV2(rt.SendPaymentRequest(payment_request=request, **fields))
    )


def statuses(payments):
    return [p.status for p in payments if isinstance(p, ln.Payment)]


IN_FLIGHT, SUCCEEDED, FAILED = ln.Payment.IN_FLIGHT, ln.Payment.SUCCEEDED, ln.Payment.FAILED


# --- info, state, TLS, macaroons


def test_info_and_version(pair):
    alice, bob, _ = pair
    info = alice.lightning.GetInfo(ln.GetInfoRequest())
    assert info.identity_pubkey == alice.pubkey
    assert info.alias == "alice" and info.synced_to_chain
    assert info.num_active_channels == 1 and info.num_peers == 1
    assert info.uris == [f"{alice.pubkey}@{alice.p2p}"]
    assert [c.network for c in info.chains] == ["regtest"]
    version = alice.versioner.GetVersion(ver.VersionRequest())
    assert info.version.startswith(version.version)
    assert (version.app_major, version.app_minor, version.app_patch) == (0, 21, 0)


def test_methods_and_services_that_do_not_exist_are_unimplemented(pair):
    alice, _, _ = pair
    refused(
        StatusCode.UNIMPLEMENTED,
        "",
        alice.lightning.WalletBalance,
        ln.ChannelBalanceRequest(),
        exact=False,
    )


def test_a_call_needs_exactly_one_macaroon(pair):
    alice, _, _ = pair
    naked = alice.with_macaroon("")
    refused(UNKNOWN, "expected 1 macaroon, got 0", naked.lightning.GetInfo, ln.GetInfoRequest())
    with pytest.raises(grpc.RpcError) as caught:
        alice.lightning.GetInfo(ln.GetInfoRequest(), metadata=[("macaroon", "00")])
    assert caught.value.details() == "expected 1 macaroon, got 2"
    # The State service needs none.
    answer = naked.state.GetState(state.GetStateRequest())
    assert answer.state == state.SERVER_ACTIVE


def test_a_forged_macaroon_is_refused(pair):
    alice, bob, _ = pair
    forged = alice.with_macaroon(bob.macaroon)
    refused(
        UNKNOWN,
        "verification failed: signature mismatch after caveat verification",
        forged.lightning.GetInfo,
        ln.GetInfoRequest(),
    )


def test_a_baked_uri_macaroon_opens_one_method(pair):
    alice, _, _ = pair
    method = "/lnrpc.Lightning/AddInvoice"
    baked = alice.lightning.BakeMacaroon(
        ln.BakeMacaroonRequest(
            permissions=[ln.MacaroonPermission(entity="uri", action=method)], root_key_id=3
        )
    ).macaroon
    limited = alice.with_macaroon(baked.upper())
    assert limited.invoice(1000).add_index == 1
    refused(UNKNOWN, "permission denied", limited.lightning.GetInfo, ln.GetInfoRequest())
    check = ln.CheckMacPermRequest(
        macaroon=bytes.fromhex(baked), fullMethod=method, check_default_perms_from_full_method=True
    )
    assert alice.lightning.CheckMacaroonPermissions(check).valid
    check.fullMethod = "/lnrpc.Lightning/GetInfo"
    refused(
        StatusCode.INVALID_ARGUMENT,
        "permission denied",
        alice.lightning.CheckMacaroonPermissions,
        check,
    )


def test_the_phases_of_a_start_have_lnds_texts(pair):
    alice, _, network = pair
    states = Stream(alice.state.SubscribeState(state.SubscribeStateRequest()))
    assert states.next().state == state.SERVER_ACTIVE
    texts = {
        "LOCKED": "wallet locked, unlock it to enable full RPC access",
        "NON_EXISTING": "wallet not created, create one to enable full RPC access",
        "WAITING_TO_START": "waiting to start, RPC services not available",
        "UNLOCKED": "the RPC server is in the process of starting up, but not yet ready to "
        "accept calls",
    }
    for name, text in texts.items():
        number = state.WalletState.Value(name)
        network.control.SetWalletState(ctl.SetWalletStateRequest(node="alice", state=number))
        assert states.next().state == number
        refused(UNKNOWN, text, alice.lightning.GetInfo, ln.GetInfoRequest())
        assert alice.state.GetState(state.GetStateRequest()).state == number
    network.control.SetWalletState(
        ctl.SetWalletStateRequest(node="alice", state=state.SERVER_ACTIVE)
    )
    assert states.next().state == state.SERVER_ACTIVE
    assert alice.lightning.GetInfo(ln.GetInfoRequest()).num_peers == 1


# --- peers


def test_connect_and_disconnect(simnet):
    network = simnet("--node", "alice", "--node", "bob")
    alice, bob = network.node("alice"), network.node("bob")
    events = Stream(alice.lightning.SubscribePeerEvents(ln.PeerEventSubscription()))
    alice.ready()
    request = ln.ConnectPeerRequest(addr=ln.LightningAddress(pubkey=bob.pubkey, host=bob.p2p))
    assert (
        alice.lightning.ConnectPeer(request).status
        == f"connection to {bob.pubkey}@{bob.p2p} initiated"
    )
    event = events.next()
    assert (event.pub_key, event.type) == (bob.pubkey, ln.PeerEvent.PEER_ONLINE)
    refused(
        UNKNOWN,
        "already connected to peer: ",
        alice.lightning.ConnectPeer,
        request,
        exact=False,
    )
    peers = bob.lightning.ListPeers(ln.ListPeersRequest()).peers
    assert [(p.pub_key, p.inbound) for p in peers] == [(alice.pubkey, True)]

    disconnect = ln.DisconnectPeerRequest(pub_key=bob.pubkey)
    assert alice.lightning.DisconnectPeer(disconnect).status == "disconnect initiated"
    assert events.next().type == ln.PeerEvent.PEER_OFFLINE
    refused(
        UNKNOWN,
        f"unable to disconnect peer: peer {bob.pubkey} is not connected",
        alice.lightning.DisconnectPeer,
        disconnect,
    )
    refused(
        UNKNOWN,
        "cannot make connection to self",
        alice.lightning.ConnectPeer,
        ln.ConnectPeerRequest(addr=ln.LightningAddress(pubkey=alice.pubkey, host=alice.p2p)),
    )
    refused(
        UNKNOWN,
        "need: lnc pubkeyhash@hostname",
        alice.lightning.ConnectPeer,
        ln.ConnectPeerRequest(),
    )


def test_a_peer_with_a_channel_stays(pair):
    alice, bob, _ = pair
    refused(
        UNKNOWN,
        f"cannot disconnect from peer({bob.pubkey}), still has 1 active channels",
        alice.lightning.DisconnectPeer,
        ln.DisconnectPeerRequest(pub_key=bob.pubkey),
    )


def test_a_late_offline(pair):
    alice, _, network = pair
    events = Stream(alice.lightning.SubscribePeerEvents(ln.PeerEventSubscription()))
    alice.ready()
    network.control.SeparatePeers(
        ctl.SeparatePeersRequest(node="alice", peer="bob", late_offline=True)
    )
    assert events.next().type == ln.PeerEvent.PEER_ONLINE
    assert events.next().type == ln.PeerEvent.PEER_OFFLINE
    assert len(alice.lightning.ListPeers(ln.ListPeersRequest()).peers) == 1


# --- custom messages


def send(node, peer, type=42081, data=b"x"):
    return node.lightning.SendCustomMessage(
        ln.SendCustomMessageRequest(peer=peer, type=type, data=data)
    )


def test_custom_messages_reach_every_subscriber_in_order(pair):
    alice, bob, _ = pair
    assert send(alice, bob.key, data=b"nobody").status == "message sent successfully"
    streams = [
        Stream(bob.lightning.SubscribeCustomMessages(ln.SubscribeCustomMessagesRequest()))
        for _ in range(2)
    ]
    bob.ready(2)
    for stream in streams:
        stream.assert_nothing(bob)
    payloads = [bytes([n]) * n for n in range(50)] + [b"z" * 65533]
    for payload in payloads:
        send(alice, bob.key, data=payload)
    for stream in streams:
        for payload in payloads:
            message = stream.next()
            assert (message.peer, message.type, message.data) == (alice.key, 42081, payload)


def test_no_headers_before_the_first_message(pair):
    alice, bob, _ = pair
    call = bob.lightning.SubscribeCustomMessages(ln.SubscribeCustomMessagesRequest())
    stream = Stream(call)
    bob.ready()
    import threading

    headers = threading.Event()
    threading.Thread(target=lambda: (call.initial_metadata(), headers.set()), daemon=True).start()
    stream.assert_nothing(bob)
    assert not headers.is_set()
    send(alice, bob.key)
    assert stream.next().data == b"x"
    assert headers.wait(SECONDS)


def test_refused_custom_messages(pair):
    alice, bob, _ = pair
    refused(UNKNOWN, "invalid vertex length of 3, want 33", send, alice, b"abc")
    refused(StatusCode.NOT_FOUND, "peer is not connected", send, alice, b"\2" * 33)
    refused(
        UNKNOWN,
        "msg type: 32767 not in custom range: <unknown> and not overridden",
        send,
        alice,
        bob.key,
        32767,
    )
    stream = Stream(bob.lightning.SubscribeCustomMessages(ln.SubscribeCustomMessagesRequest()))
    bob.ready()
    send(alice, bob.key, 65536 + 42081)
    assert stream.next().type == 42081
    events = Stream(bob.lightning.SubscribePeerEvents(ln.PeerEventSubscription()))
    bob.ready(2)
    refused(
        UNKNOWN,
        "message payload is too large - encoded 65534 bytes, but maximum message payload is "
        "65533 bytes",
        send,
        alice,
        bob.key,
        42081,
        b"z" * 65534,
    )
    assert events.next().type == ln.PeerEvent.PEER_OFFLINE
    refused(StatusCode.NOT_FOUND, "peer is not connected", send, alice, bob.key)
    assert events.next().type == ln.PeerEvent.PEER_ONLINE


def test_messages_dropped_doubled_and_delayed(pair):
    alice, bob, network = pair
    stream = Stream(bob.lightning.SubscribeCustomMessages(ln.SubscribeCustomMessagesRequest()))
    bob.ready()
    network.control.SetMessageFaults(
        ctl.MessageFaultsRequest(
            **{"from": "alice", "to": "bob"}, drop_next=1, duplicate_next=1, delay_milliseconds=20
        )
    )
    for payload in (b"1", b"2", b"3"):
        send(alice, bob.key, data=payload)
    assert [stream.next().data for _ in range(3)] == [b"2", b"2", b"3"]


# --- invoices


def test_an_invoice_is_decoded_as_it_was_made(pair):
    alice, bob, _ = pair
    hash = hashlib.sha256(b"terms").digest()
    added = bob.invoice(57_355, memo="private", description_hash=hash, expiry=600)
    decoded = alice.lightning.DecodePayReq(ln.PayReqString(pay_req=added.payment_request))
    assert decoded.destination == bob.pubkey
    assert decoded.payment_hash == added.r_hash.hex()
    assert (decoded.num_msat, decoded.num_satoshis) == (57_355, 57)
    assert decoded.description_hash == hash.hex() and decoded.description == ""
    assert (decoded.expiry, decoded.cltv_expiry) == (600, 80)
    assert decoded.payment_addr == added.payment_addr
    assert {bit: f.name for bit, f in decoded.features.items()} == {
        8: "tlv-onion",
        14: "payment-addr",
        17: "multi-path-payments",
        25: "route-blinding",
    }
    record = bob.lookup(added.r_hash)
    assert record.memo == "private" and record.state == ln.Invoice.OPEN
    assert hashlib.sha256(record.r_preimage).digest() == added.r_hash
    assert record.creation_date == decoded.timestamp and record.settle_index == 0


def test_refused_invoices(pair):
    _, bob, _ = pair
    add = bob.lightning.AddInvoice
    for text, invoice in {
        "sat and msat arguments are mutually exclusive": ln.Invoice(value=1, value_msat=1),
        "amount cannot be negative": ln.Invoice(value=-1),
        "memo too large: 1025 bytes (maxsize=1024)": ln.Invoice(memo="m" * 1025),
        "description hash is 31 bytes, must be 32": ln.Invoice(description_hash=b"d" * 31),
        "expiry of 3.1536001e+07 seconds greater than max expiry of 3.1536e+07 seconds": ln.Invoice(
            expiry=31_536_001
        ),
        "CLTV delta of 23 must be greater than minimum of 24": ln.Invoice(cltv_expiry=23),
    }.items():
        refused(UNKNOWN, text, add, invoice)
    assert bob.invoice(1000, r_preimage=b"p" * 32).r_hash == hashlib.sha256(b"p" * 32).digest()
    refused(
        UNKNOWN, "invoice with payment hash already exists", add, ln.Invoice(r_preimage=b"p" * 32)
    )


def test_lookups(pair):
    _, bob, _ = pair
    lookup = bob.lightning.LookupInvoice
    refused(
        StatusCode.NOT_FOUND,
        "there are no existing invoices",
        lookup,
        ln.PaymentHash(r_hash=b"h" * 32),
    )
    added = bob.invoice(1000)
    refused(
        StatusCode.NOT_FOUND, "unable to locate invoice", lookup, ln.PaymentHash(r_hash=b"h" * 32)
    )
    refused(
        UNKNOWN,
        "payment hash must be exactly 32 bytes, is instead 2",
        lookup,
        ln.PaymentHash(r_hash=b"hh"),
    )
    assert lookup(ln.PaymentHash(r_hash_str=added.r_hash.hex())).add_index == 1
    v2 = bob.invoices.LookupInvoiceV2
    assert v2(inv.LookupInvoiceMsg(payment_addr=added.payment_addr)).add_index == 1
    assert v2(inv.LookupInvoiceMsg(payment_hash=added.r_hash)).add_index == 1
    refused(
        StatusCode.INVALID_ARGUMENT, "invoice ref must be set", v2, inv.LookupInvoiceMsg()
    )
    listed = bob.lightning.ListInvoices(ln.ListInvoiceRequest())
    assert (listed.first_index_offset, listed.last_index_offset) == (1, 1)


def test_payment_requests_that_can_not_be_read(pair):
    alice, bob, _ = pair
    good = bob.invoice(1000).payment_request
    decode = alice.lightning.DecodePayReq
    mainnet = (
        "lnbc1pvjluezsp5zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zygspp5qqqsyqcyq5rqwzqfqqq"
        "syqcyq5rqwzqfqqqsyqcyq5rqwzqfqypqdpl2pkx2ctnv5sxxmmwwd5kgetjypeh2ursdae8g6twvus8g6rfwvs8qu"
        "n0dfjkxaq9qrsgq357wnc5r2ueh7ck6q93dj32dlqnls087fxdwk8qakdyafkq3yap9us6v52vjjsrvywa6rt52cm9"
        "r9zqt8r2t7mlcwspyetp5h2tztugp9lfyql"
    )
    for text, request in {
        "checksum failed. Expected ": good[:-1] + ("q" if good[-1] != "q" else "p"),
        "string not all lowercase or all uppercase": good[:-1] + good[-1].upper()
        if good[-1].isalpha()
        else good[:10] + good[10:].upper(),
        "invoice is too large": "l" * 8000,
        "invoice not for current active network 'regtest'": mainnet,
    }.items():
        refused(UNKNOWN, text, decode, ln.PayReqString(pay_req=request), exact=False)


def test_settlements_live_and_replayed(pair):
    alice, bob, _ = pair
    live = Stream(bob.lightning.SubscribeInvoices(ln.InvoiceSubscription()))
    bob.ready()
    added = [bob.invoice(1000 * (n + 1)) for n in range(3)]
    assert [live.next().add_index for _ in added] == [1, 2, 3]
    for n in (2, 0):
        assert statuses(pay(alice, added[n].payment_request).rest())[-1] == SUCCEEDED
    settled = [live.next(), live.next()]
    assert [(i.add_index, i.settle_index) for i in settled] == [(3, 1), (1, 2)]
    assert all(i.state == ln.Invoice.SETTLED and i.settled for i in settled)
    assert settled[0].amt_paid_msat == 3000 and settled[0].settle_date > 0

    bob.invoices.CancelInvoice(inv.CancelInvoiceMsg(payment_hash=added[1].r_hash))
    live.assert_nothing(bob)

    replay = Stream(
        bob.lightning.SubscribeInvoices(ln.InvoiceSubscription(add_index=1, settle_index=1))
    )
    assert [(i.add_index, i.settle_index) for i in (replay.next(), replay.next())] == [
        (3, 1),
        (1, 2),
    ]
    replay.assert_nothing(bob)


def test_cancel_and_expiry(pair):
    alice, bob, network = pair
    added = bob.invoice(1000, expiry=60)
    single = Stream(
        bob.invoices.SubscribeSingleInvoice(inv.SubscribeSingleInvoiceRequest(r_hash=added.r_hash))
    )
    assert single.next().state == ln.Invoice.OPEN
    network.control.AdvanceTime(ctl.AdvanceTimeRequest(seconds=61))
    assert single.next().state == ln.Invoice.CANCELED
    assert single.next() is None
    refused(
        UNKNOWN,
        "invoice expired. Valid until ",
        lambda: list(
            alice.router.SendPaymentV2(
                rt.SendPaymentRequest(payment_request=added.payment_request, timeout_seconds=5)
            )
        ),
        exact=False,
    )
    cancel = bob.invoices.CancelInvoice
    cancel(inv.CancelInvoiceMsg(payment_hash=added.r_hash))
    refused(
        UNKNOWN,
        "unable to locate invoice",
        cancel,
        inv.CancelInvoiceMsg(payment_hash=b"h" * 32),
    )
    paid = bob.invoice(1000)
    pay(alice, paid.payment_request).rest()
    refused(
        UNKNOWN,
        "invoice already settled",
        cancel,
        inv.CancelInvoiceMsg(payment_hash=paid.r_hash),
    )


def test_hold_invoices(pair):
    alice, bob, _ = pair
    preimage = os.urandom(32)
    hash = hashlib.sha256(preimage).digest()
    added = bob.invoices.AddHoldInvoice(inv.AddHoldInvoiceRequest(hash=hash, value_msat=5000))
    single = Stream(
        bob.invoices.SubscribeSingleInvoice(inv.SubscribeSingleInvoiceRequest(r_hash=hash))
    )
    assert single.next().r_preimage == b""
    settle = bob.invoices.SettleInvoice
    refused(UNKNOWN, "invoice still open", settle, inv.SettleInvoiceMsg(preimage=preimage))
    payment = pay(alice, added.payment_request)
    assert single.next().state == ln.Invoice.ACCEPTED
    assert [payment.next().status for _ in range(2)] == [IN_FLIGHT, IN_FLIGHT]
    payment.assert_nothing(alice)
    settle(inv.SettleInvoiceMsg(preimage=preimage))
    settle(inv.SettleInvoiceMsg(preimage=preimage))
    last = payment.next()
    assert (last.status, last.payment_preimage) == (SUCCEEDED, preimage.hex())
    assert payment.next() is None
    assert single.next().state == ln.Invoice.SETTLED and single.next() is None

    other = os.urandom(32)
    hash = hashlib.sha256(other).digest()
    added = bob.invoices.AddHoldInvoice(inv.AddHoldInvoiceRequest(hash=hash, value_msat=5000))
    payment = pay(alice, added.payment_request)
    assert [payment.next().status for _ in range(2)] == [IN_FLIGHT, IN_FLIGHT]
    bob.invoices.CancelInvoice(inv.CancelInvoiceMsg(payment_hash=hash))
    last = payment.rest()[-2]
    assert last.failure_reason == ln.FAILURE_REASON_INCORRECT_PAYMENT_DETAILS
    refused(UNKNOWN, "invoice already canceled", settle, inv.SettleInvoiceMsg(preimage=other))
    refused(
        UNKNOWN, "unable to locate invoice", settle, inv.SettleInvoiceMsg(preimage=os.urandom(32))
    )


# --- payments


def test_a_payment_and_its_updates(pair):
    alice, bob, _ = pair
    added = bob.invoice(57_355)
    updates = pay(alice, added.payment_request, fee_limit_msat=0).rest()
    assert updates[-1] is None
    assert statuses(updates) == [IN_FLIGHT, IN_FLIGHT, SUCCEEDED]
    assert [u.payment_preimage for u in updates[:2]] == ["0" * 64] * 2
    last = updates[-2]
    assert hashlib.sha256(bytes.fromhex(last.payment_preimage)).digest() == added.r_hash
    assert last.payment_hash == added.r_hash.hex()
    assert (last.value_msat, last.fee_msat, last.failure_reason) == (57_355, 0, 0)
    assert (alice.local_msat(), bob.local_msat()) == (1_000_000_000 - 57_355, 57_355)
    channel = bob.lightning.ListChannels(ln.ListChannelsRequest(peer=alice.key)).channels[0]
    assert channel.active and channel.capacity == 1_000_000 and channel.local_balance == 57
    assert [
        p.payment_hash for p in alice.lightning.ListPayments(ln.ListPaymentsRequest()).payments
    ] == [added.r_hash.hex()]

    def again():
        return list(
            alice.router.SendPaymentV2(
                rt.SendPaymentRequest(payment_request=added.payment_request, timeout_seconds=5)
            )
        )

    refused(StatusCode.ALREADY_EXISTS, "invoice is already paid", again)


def test_only_the_final_update_on_demand(pair):
    alice, bob, _ = pair
    updates = pay(alice, bob.invoice(1000).payment_request, no_inflight_updates=True).rest()
    assert statuses(updates) == [SUCCEEDED]


def test_a_route_over_a_third_node_costs_its_fee(simnet):
    network = simnet(
        "--node=alice",
        "--node=bob",
        "--node=carol",
        "--channel=alice:carol:1000000",
        "--channel=carol:bob:1000000",
    )
    alice, bob, carol = (network.node(n) for n in ("alice", "bob", "carol"))
    added = bob.invoice(5_000_000)
    poor = pay(alice, added.payment_request, fee_limit_msat=1004).rest()[-2]
    assert (poor.status, poor.failure_reason) == (FAILED, ln.FAILURE_REASON_NO_ROUTE)
    rich = pay(alice, added.payment_request, fee_limit_msat=1005).rest()[-2]
    assert (rich.status, rich.fee_msat) == (SUCCEEDED, 1005)
    assert [h.pub_key for h in rich.htlcs[0].route.hops] == [carol.pubkey, bob.pubkey]
    assert carol.local_msat() == 1_000_000_000 + 1005
    status = network.control.GetStatus(ctl.StatusRequest())
    assert status.total_msat == 2_000_000_000


def test_refused_payments(pair):
    alice, bob, _ = pair
    request = bob.invoice(1000).payment_request

    def send_payment(**fields):
        return list(alice.router.SendPaymentV2(rt.SendPaymentRequest(timeout_seconds=5, **fields)))

    for text, fields in {
        "dest and payment_request cannot appear together": {"dest": bob.key},
        "amount must not be specified when paying a non-zero amount invoice": {"amt": 1},
        "sat and msat arguments are mutually exclusive": {"fee_limit_sat": 1, "fee_limit_msat": 1},
        "amount cannot be negative": {"fee_limit_sat": -1},
    }.items():
        refused(UNKNOWN, text, lambda: send_payment(payment_request=request, **fields))
    own = alice.invoice(1000).payment_request
    refused(UNKNOWN, "self-payments not allowed", lambda: send_payment(payment_request=own))
    too_much = bob.invoice(2_000_000_000).payment_request
    last = pay(alice, too_much).rest()[-2]
    assert last.failure_reason == ln.FAILURE_REASON_INSUFFICIENT_BALANCE


def test_tracking(pair):
    alice, bob, network = pair

    def track(hash):
        return Stream(alice.router.TrackPaymentV2(rt.TrackPaymentRequest(payment_hash=hash)))

    unknown = track(b"h" * 32).next()
    assert (unknown.code(), unknown.details()) == (
        StatusCode.NOT_FOUND,
        "payment isn't initiated",
    )
    network.control.FailPayments(ctl.FailPaymentsRequest(node="alice", hang=True))
    added = bob.invoice(1000)
    payment = pay(alice, added.payment_request)
    assert [payment.next().status for _ in range(2)] == [IN_FLIGHT, IN_FLIGHT]
    payment.call.cancel()
    refused(
        StatusCode.ALREADY_EXISTS,
        "payment is in transition",
        lambda: list(
            alice.router.SendPaymentV2(
                rt.SendPaymentRequest(payment_request=added.payment_request, timeout_seconds=5)
            )
        ),
    )
    tracker = track(added.r_hash)
    assert tracker.next().status == IN_FLIGHT
    network.control.ReleasePayments(ctl.ReleasePaymentsRequest(node="alice", succeed=True))
    assert statuses(tracker.rest()) == [SUCCEEDED]
    assert statuses(track(added.r_hash).rest()) == [SUCCEEDED]


@pytest.mark.parametrize("reason", range(1, 7))
def test_every_failure_reason(pair, reason):
    alice, bob, network = pair
    network.control.FailPayments(ctl.FailPaymentsRequest(node="alice", failure_reason=reason))
    request = bob.invoice(1000).payment_request
    last = pay(alice, request).rest()[-2]
    assert (last.status, last.failure_reason) == (FAILED, reason)
    # A failed payment may be tried again.
    assert pay(alice, request).rest()[-2].status == SUCCEEDED


# --- faults of the service


def test_a_payment_goes_on_when_its_stream_breaks(pair):
    alice, bob, network = pair
    network.control.FailPayments(ctl.FailPaymentsRequest(node="alice", break_stream_after=1))
    added = bob.invoice(1000)
    payment = pay(alice, added.payment_request)
    assert payment.next().status == IN_FLIGHT
    assert payment.next().code() == StatusCode.UNAVAILABLE
    assert bob.lookup(added.r_hash).state == ln.Invoice.SETTLED


def test_streams_stall_and_break(pair):
    alice, bob, network = pair
    stream = Stream(bob.lightning.SubscribeCustomMessages(ln.SubscribeCustomMessagesRequest()))
    bob.ready()
    kind = ctl.CUSTOM_MESSAGES
    network.control.StallStreams(ctl.StallStreamsRequest(node="bob", kind=kind, stall=True))
    for payload in (b"1", b"2"):
        send(alice, bob.key, data=payload)
    stream.assert_nothing(bob)
    network.control.StallStreams(ctl.StallStreamsRequest(node="bob", kind=kind))
    assert [stream.next().data for _ in range(2)] == [b"1", b"2"]
    broken = network.control.BreakStreams(
        ctl.BreakStreamsRequest(node="bob", kind=kind, code=2, message="shutdown")
    )
    assert broken.count == 1
    error = stream.next()
    assert (error.code(), error.details()) == (UNKNOWN, "shutdown")


def test_a_restarted_node_loses_streams_and_keeps_money(pair):
    alice, bob, network = pair
    stream = Stream(bob.lightning.SubscribeCustomMessages(ln.SubscribeCustomMessagesRequest()))
    events = Stream(alice.lightning.SubscribePeerEvents(ln.PeerEventSubscription()))
    bob.ready()
    alice.ready()
    added = bob.invoice(1000)
    network.control.RestartNode(ctl.RestartNodeRequest(node="bob"))
    assert stream.next().code() == StatusCode.UNAVAILABLE
    assert [events.next().type for _ in range(2)] == [1, 0]
    states = Stream(bob.state.SubscribeState(state.SubscribeStateRequest(), wait_for_ready=True))
    while states.next().state != state.SERVER_ACTIVE:
        pass
    assert pay(alice, added.payment_request).rest()[-2].status == SUCCEEDED
    assert bob.local_msat() == 1000


def test_everything_survives_sigkill(simnet):
    network = simnet("--node", "alice", "--node", "bob", "--channel", "alice:bob:1000000")
    alice, bob = network.node("alice"), network.node("bob")
    paid, unpaid = bob.invoice(5000), bob.invoice(7000)
    pay(alice, paid.payment_request).rest()
    network.kill()
    network.start()
    again, payee = network.node("alice"), network.node("bob")
    assert (again.pubkey, again.macaroon, again.entry) == (
        alice.pubkey,
        alice.macaroon,
        alice.entry,
    )
    assert payee.local_msat() == 5000
    assert payee.lookup(paid.r_hash).state == ln.Invoice.SETTLED
    assert len(again.lightning.ListChannels(ln.ListChannelsRequest()).channels) == 1
    track = again.router.TrackPaymentV2(rt.TrackPaymentRequest(payment_hash=paid.r_hash))
    assert [p.status for p in track] == [SUCCEEDED]
    assert pay(again, unpaid.payment_request).rest()[-2].status == SUCCEEDED
    assert payee.lookup(unpaid.r_hash).settle_index == 2


@pytest.mark.parametrize("payments_before_kill", [1, 20, 60])
def test_a_kill_in_the_middle_of_payments_loses_nothing(simnet, payments_before_kill):
    network = simnet("--node=alice", "--node=bob", "--channel=alice:bob:1000000")
    alice, bob = network.node("alice"), network.node("bob")
    invoices = [bob.invoice(1000) for _ in range(100)]
    payments = [pay(alice, added.payment_request) for added in invoices]
    for payment in payments[:payments_before_kill]:
        while payment.next().status != SUCCEEDED:
            pass
    network.kill()
    network.start()
    alice, bob = network.node("alice"), network.node("bob")
    settled = 0
    for number, added in enumerate(invoices):
        invoice = bob.lookup(added.r_hash)
        settled += invoice.state == ln.Invoice.SETTLED
        track = alice.router.TrackPaymentV2(rt.TrackPaymentRequest(payment_hash=added.r_hash))
        try:
            assert [p.status for p in track][-1] == SUCCEEDED
            assert invoice.state == ln.Invoice.SETTLED
        except grpc.RpcError as error:
            # The call had not arrived; then nobody was told of a success.
            assert error.code() == StatusCode.NOT_FOUND
            assert invoice.state == ln.Invoice.OPEN and number >= payments_before_kill
    assert settled >= payments_before_kill
    assert bob.local_msat() == settled * 1000
    status = network.control.GetStatus(ctl.StatusRequest())
    assert status.total_msat == 1_000_000_000


def test_the_same_seed_gives_the_same_nodes(simnet):
    arguments = ("--node", "alice", "--seed", "5")
    one, other = simnet(*arguments).node("alice"), simnet(*arguments).node("alice")
    assert one.pubkey == other.pubkey and one.macaroon == other.macaroon
    assert one.invoice(1000).payment_addr == other.invoice(1000).payment_addr


def test_calls_are_counted(pair):
    alice, bob, network = pair
    for _ in range(3):
        bob.invoice(1000)
    nodes = {n.name: n for n in network.control.GetStatus(ctl.StatusRequest()).nodes}
    assert nodes["bob"].calls["/lnrpc.Lightning/AddInvoice"] == 3
    assert nodes["bob"].wallet_state == ctl.SERVER_ACTIVE
