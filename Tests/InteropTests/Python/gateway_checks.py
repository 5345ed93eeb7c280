"""Uses `lcp-gateway` as OpenAI's clients do, and prints one JSON line for each check.

    gateway_checks.py PROGRAMS [--schema DIRECTORY] [--only TEXT] [--jobs N] [--list]

PROGRAMS is the folder with lcp, lcp-gateway and the others. Each check has a simulated network and
processes of its own.
"""

import argparse
import os
import pathlib

import checks
import lnd_schema


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("programs", help="the folder of the programs to check")
    parser.add_argument("--schema", default=".build/lnd-python", help="where to compile the schema")
    checks.add_options(parser)
    options = parser.parse_args()

    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    # Else a process started by one check shuts the sockets of the others.
    os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"
    lnd_schema.load(options.schema)
    from simnet import harness
    from market import house

    checks.CHECKS.clear()
    from gateway import answers, refusals, retries, routing  # noqa: F401

    house.PROGRAMS = pathlib.Path(options.programs).resolve()
    harness.Simnet.program = str(house.PROGRAMS / "lcp-simnet")
    checks.main(options, harness.describe)


if __name__ == "__main__":
    main()
