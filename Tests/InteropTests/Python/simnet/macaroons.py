"""Macaroons: who may call what."""

import os

import grpc

import invoicesrpc.invoices_pb2 as inv
import lightning_pb2 as ln
import routerrpc.router_pb2 as router
import stateservice_pb2 as state
import verrpc.verrpc_pb2 as verrpc

from .harness import (
    Code, Failure, Stream, check, describe, equal, eventually, expect, network, refused, sha256,
)

L, R, I = "/lnrpc.Lightning/", "/routerrpc.Router/", "/invoicesrpc.Invoices/"

# What each method needs, and a call of it that changes nothing.
METHODS = {
    L + "GetInfo": ("info:read", lambda c: c.lightning.GetInfo(ln.GetInfoRequest())),
    L + "ListPeers": ("peers:read", lambda c: c.lightning.ListPeers(ln.ListPeersRequest())),
    L + "ConnectPeer": ("peers:write", lambda c: c.lightning.ConnectPeer(ln.ConnectPeerRequest())),
    L + "DisconnectPeer": (
        "peers:write", lambda c: c.lightning.DisconnectPeer(ln.DisconnectPeerRequest())
    ),
    L + "SubscribePeerEvents": (
        "peers:read", lambda c: c.lightning.SubscribePeerEvents(ln.PeerEventSubscription())
    ),
    L + "SendCustomMessage": (
        "offchain:write", lambda c: c.lightning.SendCustomMessage(ln.SendCustomMessageRequest())
    ),
    L + "SubscribeCustomMessages": (
        "offchain:read",
        lambda c: c.lightning.SubscribeCustomMessages(ln.SubscribeCustomMessagesRequest()),
    ),
    L + "AddInvoice": ("invoices:write", lambda c: c.lightning.AddInvoice(ln.Invoice(value=-1))),
    L + "LookupInvoice": ("invoices:read", lambda c: c.lightning.LookupInvoice(ln.PaymentHash())),
    L + "ListInvoices": (
        "invoices:read", lambda c: c.lightning.ListInvoices(ln.ListInvoiceRequest())
    ),
    L + "SubscribeInvoices": (
        "invoices:read", lambda c: c.lightning.SubscribeInvoices(ln.InvoiceSubscription())
    ),
    L + "DecodePayReq": ("offchain:read", lambda c: c.lightning.DecodePayReq(ln.PayReqString())),
    L + "ListPayments": (
        "offchain:read", lambda c: c.lightning.ListPayments(ln.ListPaymentsRequest())
    ),
    L + "ChannelBalance": (
        "offchain:read", lambda c: c.lightning.ChannelBalance(ln.ChannelBalanceRequest())
    ),
    L + "ListChannels": (
        "offchain:read", lambda c: c.lightning.ListChannels(ln.ListChannelsRequest())
    ),
    L + "BakeMacaroon": (
        "macaroon:generate", lambda c: c.lightning.BakeMacaroon(ln.BakeMacaroonRequest())
    ),
    L + "CheckMacaroonPermissions": (
        "macaroon:read",
        lambda c: c.lightning.CheckMacaroonPermissions(ln.CheckMacPermRequest()),
    ),
    R + "SendPaymentV2": (
        "offchain:write", lambda c: c.router.SendPaymentV2(router.SendPaymentRequest())
    ),
    R + "TrackPaymentV2": (
        "offchain:read",
        lambda c: c.router.TrackPaymentV2(router.TrackPaymentRequest(payment_hash=bytes(32))),
    ),
    I + "CancelInvoice": (
        "invoices:write", lambda c: c.invoices.CancelInvoice(inv.CancelInvoiceMsg())
    ),
    I + "SubscribeSingleInvoice": (
        "invoices:read",
        lambda c: c.invoices.SubscribeSingleInvoice(
            inv.SubscribeSingleInvoiceRequest(r_hash=bytes(32))
        ),
    ),
    I + "LookupInvoiceV2": (
        "invoices:write", lambda c: c.invoices.LookupInvoiceV2(inv.LookupInvoiceMsg())
    ),
    I + "AddHoldInvoice": (
        "invoices:write",
        lambda c: c.invoices.AddHoldInvoice(inv.AddHoldInvoiceRequest(value=-1)),
    ),
    I + "SettleInvoice": (
        "invoices:write", lambda c: c.invoices.SettleInvoice(inv.SettleInvoiceMsg())
    ),
    "/verrpc.Versioner/GetVersion": (
        "info:read", lambda c: c.versioner.GetVersion(verrpc.VersionRequest())
    ),
}

PROVIDER = [
    L + "GetInfo", "/verrpc.Versioner/GetVersion", L + "ListPeers", L + "SubscribePeerEvents",
    L + "SendCustomMessage", L + "SubscribeCustomMessages", L + "AddInvoice", L + "LookupInvoice",
    L + "SubscribeInvoices", I + "CancelInvoice",
]
REQUESTER = [
    L + "GetInfo", "/verrpc.Versioner/GetVersion", L + "ListPeers", L + "SubscribePeerEvents",
    L + "ConnectPeer", L + "SendCustomMessage", L + "SubscribeCustomMessages", L + "DecodePayReq",
    R + "SendPaymentV2", R + "TrackPaymentV2",
]
DENIED = "permission denied"


def bake(node, *permissions, **fields):
    """Bakes from `entity:action` and `uri:/path` texts; gives hex."""
    request = ln.BakeMacaroonRequest(
        permissions=[
            ln.MacaroonPermission(entity=e, action=a)
            for e, a in (p.split(":", 1) for p in permissions)
        ],
        **fields,
    )
    return node.lightning.BakeMacaroon(request).macaroon


def is_permitted(simnet, client, method):
    """Whether the macaroon lets the call through; what the method then thinks of it is no matter."""
    answer = None
    try:
        answer = METHODS[method][1](client)
        if not hasattr(answer, "__next__"):
            return True
        stream = Stream(answer)
        # Nothing may come for hours; so the simulator ends all streams until this one has ended.
        def over():
            simnet.ctl("break", "alice")
            return not stream.items.empty()

        eventually(over, f"{method} ends")
        error = stream.ended()
    except grpc.RpcError as failure:
        error = failure
    if error is None or error.details() != DENIED:
        return True
    equal(error.code(), Code.UNKNOWN, f"status of {method}")
    return False


@check("a call needs exactly one macaroon")
def _():
    with network() as (_, alice, _bob):
        for count in (0, 2, 3):
            client = alice.using(*[alice.macaroon] * count)
            text = f"expected 1 macaroon, got {count}"
            for method in (L + "GetInfo", L + "SubscribeCustomMessages", R + "SendPaymentV2"):
                refused(Code.UNKNOWN, text, lambda: METHODS[method][1](client))
        equal(alice.using(alice.macaroon.upper()).lightning.GetInfo(
            ln.GetInfoRequest()).identity_pubkey, alice.pubkey, "upper-case hex")


@check("the State service needs no macaroon, and does not mind one that is nonsense")
def _():
    with network() as (_, alice, _bob):
        for client in (alice.using(), alice.using("nonsense"), alice):
            equal(client.state.GetState(state.GetStateRequest()).state, 4, "state")
            stream = Stream(client.state.SubscribeState(state.SubscribeStateRequest()))
            equal(stream.next("the state").state, 4, "streamed state")


@check("a forged, foreign, cut or outdated macaroon is refused with Unknown")
def _():
    with network() as (simnet, alice, bob):
        good = bytes.fromhex(alice.macaroon)
        forged = {
            "signature": good[:-1] + bytes([good[-1] ^ 1]),
            "identifier": good[:20] + bytes([good[20] ^ 1]) + good[21:],
            "cut": good[:-5],
            "empty": b"",
            "a version 1": b"0021" + good[4:],
            "garbage": os.urandom(60),
        }
        for what, data in forged.items():
            client = alice.using(data.hex())
            try:
                client.lightning.GetInfo(ln.GetInfoRequest())
            except grpc.RpcError as error:
                equal(error.code(), Code.UNKNOWN, f"status of {what}: {error.details()}")
                expect(error.details(), f"no text for {what}")
            else:
                raise Failure(f"{what} was accepted")
        for text in (forged["signature"].hex(), bob.macaroon):
            refused(
                Code.UNKNOWN, "verification failed: signature mismatch after caveat verification",
                lambda: alice.using(text).lightning.GetInfo(ln.GetInfoRequest()), match="part",
            )
        # Of a root key that only bob has.
        stale = bake(bob, "info:read", root_key_id=7)
        refused(
            Code.UNKNOWN, "cannot get macaroon: ",
            lambda: alice.using(stale).lightning.GetInfo(ln.GetInfoRequest()), match="start",
        )
        equal(bob.using(stale).lightning.GetInfo(ln.GetInfoRequest()).alias, "bob", "bob's own")
        refused(
            Code.UNKNOWN, "", lambda: alice.using("no hex").lightning.GetInfo(ln.GetInfoRequest()),
            match="part",
        )
        equal(good[0], 2, "admin.macaroon is a version 2 macaroon in binary")


@check("the admin macaroon may call everything")
def _():
    with network() as (simnet, alice, _bob):
        for method in METHODS:
            expect(is_permitted(simnet, alice, method), f"{method} is denied")


@check("the provider's least-privilege macaroon opens its methods and no other")
def _():
    with network() as (simnet, alice, _bob):
        client = alice.using(bake(alice, *(f"uri:{method}" for method in PROVIDER)))
        for method in METHODS:
            found = is_permitted(simnet, client, method)
            equal(found, method in PROVIDER, f"{method} permitted")


@check("the requester's least-privilege macaroon opens its methods and no other")
def _():
    with network() as (simnet, alice, _bob):
        client = alice.using(bake(alice, *(f"uri:{method}" for method in REQUESTER)))
        for method in METHODS:
            found = is_permitted(simnet, client, method)
            equal(found, method in REQUESTER, f"{method} permitted")


@check("each method needs lnd's entity and action")
def _():
    with network() as (simnet, alice, _bob):
        rights = sorted({right for right, _ in METHODS.values()})
        clients = {right: alice.using(bake(alice, right)) for right in rights}
        for method, (needed, _) in METHODS.items():
            for right in rights:
                found = is_permitted(simnet, clients[right], method)
                equal(found, right == needed, f"{method} with {right} permitted")


@check("macaroons can't do more than they say, also when they work as payments")
def _():
    with network("bob:alice:1000000") as (_, alice, bob):
        provider = bob.using(bake(bob, *(f"uri:{method}" for method in PROVIDER)))
        made = alice.add(value=1000)
        request = router.SendPaymentRequest(
            payment_request=made.payment_request, timeout_seconds=5
        )
        refused(Code.UNKNOWN, DENIED, lambda: provider.router.SendPaymentV2(request))
        equal(alice.lookup(made.r_hash).state, 0, "the invoice is unpaid")
        requester = bob.using(bake(bob, *(f"uri:{method}" for method in REQUESTER)))
        last = Stream(requester.router.SendPaymentV2(request)).all()[-1]
        equal(last.status, 2, "payment")


@check("BakeMacaroon refuses what it can't grant")
def _():
    with network() as (_, alice, _bob):
        refused(Code.UNKNOWN, "", lambda: bake(alice), match="part")
        refused(
            Code.UNKNOWN,
            "invalid permission action, must be an existing URI in the format "
            "/package.Service/MethodName",
            lambda: bake(alice, "uri:/lnrpc.Lightning/NoSuchMethod"), match="part",
        )
        for wrong in ("nonsense:read", "info:nonsense", ":"):
            refused(Code.UNKNOWN, "", lambda: bake(alice, wrong), match="part")
        expect(bake(alice, "info:read") != bake(alice, "info:read"), "nonces repeat")
        other = bake(alice, "info:read", root_key_id=7)
        client = alice.using(other)
        expect(client.lightning.GetInfo(ln.GetInfoRequest()), "another root key")


@check("CheckMacaroonPermissions says valid, or InvalidArgument")
def _():
    with network() as (_, alice, _bob):
        def ask(macaroon, *permissions, **fields):
            request = ln.CheckMacPermRequest(
                macaroon=bytes.fromhex(macaroon),
                permissions=[
                    ln.MacaroonPermission(entity=e, action=a)
                    for e, a in (p.split(":", 1) for p in permissions)
                ],
                **fields,
            )
            return alice.lightning.CheckMacaroonPermissions(request)

        by_uri = bake(alice, f"uri:{L}GetInfo")
        by_right = bake(alice, "info:read", "peers:read")
        expect(ask(by_right, "info:read").valid, "info:read")
        expect(ask(by_right, "info:read", "peers:read").valid, "both")
        expect(ask(by_uri, "info:read", fullMethod=L + "GetInfo").valid, "by uri")
        expect(
            ask(by_right, fullMethod=L + "GetInfo", check_default_perms_from_full_method=True).valid,
            "the method's own list",
        )
        for call in (
            lambda: ask(by_right, "info:read", "info:write"),
            lambda: ask(by_uri, "info:read"),
            lambda: ask(by_uri, "peers:read", fullMethod=L + "ListPeers"),
            lambda: ask(
                by_uri, fullMethod=L + "ListPeers", check_default_perms_from_full_method=True
            ),
            lambda: ask(by_right[:-2] + ("00" if by_right[-2:] != "00" else "01"), "info:read"),
            lambda: ask(
                by_right, "info:read", fullMethod=L + "GetInfo",
                check_default_perms_from_full_method=True,
            ),
        ):
            refused(Code.INVALID_ARGUMENT, "", call, match="part")
