"""Drives lcp-simnet as any client of lnd would, and prints one JSON line for each check.

    simnet_checks.py PROGRAM [--schema DIRECTORY] [--only TEXT] [--jobs N] [--list]

What is right follows from lnd's documented behaviour, never from what the simulator does.
Each check starts networks of its own, because some have to kill them.
"""

import argparse
import concurrent.futures
import json
import os
import sys
import traceback

import lnd_schema


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", help="the lcp-simnet to check")
    parser.add_argument("--schema", default=".build/lnd-python", help="where to compile the schema")
    parser.add_argument("--only", default="", help="checks whose name contains this")
    parser.add_argument("--jobs", type=int, default=4)
    parser.add_argument("--list", action="store_true", help="print the names and end")
    options = parser.parse_args()

    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    # Else a process started by one check shuts the sockets of the others.
    os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"
    lnd_schema.load(options.schema)
    from simnet import harness
    from simnet import faults, invoices, macaroons, messages, payments  # noqa: F401
    from simnet import peers, persistence, startup, transport  # noqa: F401

    harness.Simnet.program = os.path.abspath(options.program)
    checks = [c for c in harness.CHECKS if options.only in c[0]]
    if options.list:
        print("\n".join(json.dumps({"check": name}) for name, _ in checks))
        return

    def run(name, function):
        try:
            function()
            return {"check": name, "passed": True}
        except harness.Failure as failure:
            line = traceback.extract_tb(failure.__traceback__)
            line = next(f for f in reversed(line) if not f.filename.endswith("harness.py"))
            place = f"{os.path.basename(line.filename)}:{line.lineno}"
            return {"check": name, "passed": False, "detail": f"{str(failure)[:600]} ({place})"}
        except BaseException as error:
            places = " ".join(
                f"{os.path.basename(f.filename)}:{f.lineno}"
                for f in traceback.extract_tb(error.__traceback__)
                if f.filename.startswith(os.path.dirname(os.path.abspath(__file__)))
            )
            detail = f"{type(error).__name__} {harness.describe(error)[:600]} ({places})"
            return {"check": name, "passed": False, "detail": detail}

    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for done in concurrent.futures.as_completed(pool.submit(run, *c) for c in checks):
            print(json.dumps(done.result()), flush=True)
    # Threads that still read a stream must not keep the program alive.
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
