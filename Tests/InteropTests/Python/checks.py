"""Named checks, and a runner that prints one JSON line for each."""

import concurrent.futures
import json
import os
import sys
import traceback

# How long anything may take before a check gives up; nothing is expected to come close.
PATIENCE = 120

CHECKS = []


def check(sentence):
    """Registers a function as a check; the sentence is its name."""

    def register(function):
        CHECKS.append((sentence, function))
        return function

    return register


class Failure(AssertionError):
    """What a check found wrong."""


def expect(condition, detail):
    if not condition:
        raise Failure(detail)


def equal(found, wanted, what):
    if found != wanted:
        raise Failure(f"{what}: {found!r}, not {wanted!r}")


def add_options(parser):
    parser.add_argument("--only", default="", help="checks whose name contains this")
    parser.add_argument("--jobs", type=int, default=4)
    parser.add_argument("--list", action="store_true", help="print the names and end")


def main(options, describe=repr):
    """Runs what the options ask for, and ends the process."""
    checks = [c for c in CHECKS if options.only in c[0]]
    if options.list:
        print("\n".join(json.dumps({"check": name}) for name, _ in checks))
        return
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for done in concurrent.futures.as_completed(
            pool.submit(_verdict, *c, describe) for c in checks
        ):
            print(json.dumps(done.result()), flush=True)
    # Threads that still read a stream must not keep the program alive.
    sys.stdout.flush()
    os._exit(0)


def _verdict(name, function, describe):
    try:
        function()
        return {"check": name, "passed": True}
    except Failure as failure:
        line = traceback.extract_tb(failure.__traceback__)
        line = next(
            f for f in reversed(line) if not f.filename.endswith(("harness.py", "checks.py"))
        )
        place = f"{os.path.basename(line.filename)}:{line.lineno}"
        return {"check": name, "passed": False, "detail": f"{str(failure)[:600]} ({place})"}
    except BaseException as error:
        places = " ".join(
            f"{os.path.basename(f.filename)}:{f.lineno}"
            for f in traceback.extract_tb(error.__traceback__)
            if f.filename.startswith(os.path.dirname(os.path.abspath(__file__)))
        )
        detail = f"{type(error).__name__} {describe(error)[:600]} ({places})"
        return {"check": name, "passed": False, "detail": detail}
