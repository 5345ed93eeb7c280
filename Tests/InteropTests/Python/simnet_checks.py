"""Drives lcp-simnet as any client of lnd would, and prints one JSON line for each check.

    simnet_checks.py PROGRAM [--schema DIRECTORY] [--only TEXT] [--jobs N] [--list]

What is right follows from lnd's documented behaviour, never from what the simulator does.
Each check starts networks of its own, because some have to kill them.
"""

import argparse
import os

import checks
import lnd_schema


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", help="the lcp-simnet to check")
    parser.add_argument("--schema", default=".build/lnd-python", help="where to compile the schema")
    checks.add_options(parser)
    options = parser.parse_args()

    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    # Else a process started by one check shuts the sockets of the others.
    os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"
    lnd_schema.load(options.schema)
    from simnet import harness
    from simnet import faults, invoices, macaroons, messages, payments  # noqa: F401
    from simnet import peers, persistence, startup, transport  # noqa: F401

    harness.Simnet.program = os.path.abspath(options.program)
    checks.main(options, harness.describe)


if __name__ == "__main__":
    main()
