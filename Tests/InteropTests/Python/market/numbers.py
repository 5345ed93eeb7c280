"""Prometheus' own parser reads what `lcp metrics` prints."""

import subprocess

from checks import check, equal, expect
from prometheus_client.parser import text_string_to_metric_families

from . import house
from .house import PROFILE
from .selling import market


@check("Prometheus' own parser reads our metrics, and they say what was sold")
def metrics():
    with market() as (_, seller, reference):
        request, response = reference.quote("Say hello in one word.", PROFILE)
        reference.pay(response)
        reference.await_result(response)
        seller.until(lambda: earned(seller) == 57_355, "the sale is in the metrics")

        families = {family.name: family for family in read(seller)}
        for name, family in families.items():
            expect(name.startswith("lcp_"), f"{name} has our prefix")
            expect(family.documentation, f"{name} has a help text")
            expect(family.type in ("counter", "gauge"), f"{name} is a {family.type}")
            labels = [tuple(sorted(sample.labels.items())) for sample in family.samples]
            equal(len(labels), len(set(labels)), f"samples of {name} with labels of their own")
        equal(value(families, "lcp_up"), 1, "lcp_up")
        equal(value(families, "lcp_spent_msat"), 0, "lcp_spent_msat_total")
        done = families["lcp_worker_items_done"].samples
        expect(any(s.labels["role"] == "compute" and s.value == 1 for s in done), "one computation")


def earned(seller):
    return value({family.name: family for family in read(seller)}, "lcp_earned_msat")


def value(families, name):
    (sample,) = families[name].samples
    return sample.value


def read(seller):
    done = subprocess.run(
        [str(house.PROGRAMS / "lcp"), "metrics"],
        env=seller.environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True,
    )
    return list(text_string_to_metric_families(done.stdout))
