"""Which of several providers is asked, and which is paid."""

from checks import check, equal
from market.house import PROFILE, House
from simnet.harness import network

from .front import PRICE, Front


@check("of two providers the cheaper one is paid, and the other's quote is dropped")
def cheapest():
    channels = ("ours:dear:5000000", "ours:cheap:5000000")
    with network(*channels, names=("ours", "dear", "cheap")) as (simnet, ours, dear, cheap):
        sellers = House(dear, sells=(PROFILE,)), House(cheap, sells=(PROFILE,))
        sellers[1].commands["lcp-provider"] = ["--profile", f"{PROFILE}:1000000:1000000"]
        with House(ours, buys=True) as alice, sellers[0], sellers[1]:
            for node in (dear, cheap):
                alice.lcp("peers", "connect", f"{node.pubkey}@{node.p2p_address}")
                alice.await_offer(node)
            arguments = ["--cheapest", "--model", f"mine={PROFILE}@{dear.pubkey}"]
            gateway = Front(simnet, alice, sellers[0], dear, arguments)
            status, headers, _ = gateway.ask()
            equal((status, headers["x-lcp-peer-id"]), (200, cheap.pubkey), "who is paid")
            # 6 tokens of the prompt and 4,096 of the answer at 1 msat each.
            equal(gateway.spent(), 4_102, "what was spent")
            jobs = alice.lcp("jobs")["jobs"]
            stages = sorted(job["stage"] for job in jobs)
            equal(stages, ["cancelled", "cancelled", "done"], "the quotes that were compared")
            # A model of one peer's own is asked of that peer alone.
            status, headers, _ = gateway.ask({"model": "mine"})
            equal((status, headers["x-lcp-peer-id"]), (200, dear.pubkey), "whose model it is")
            equal(gateway.spent(), 4_102 + PRICE, "what was spent then")
