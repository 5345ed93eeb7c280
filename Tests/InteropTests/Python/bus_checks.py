"""Drives the Python client library of the bus against a scripted bridge, and prints one JSON line
for each check.

    bus_checks.py IPC_SCHEMA [--only TEXT] [--jobs N] [--list]

IPC_SCHEMA is the folder with the golden frames and the library.
"""

import argparse
import logging
import pathlib
import sys

import checks


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("schema", help="the folder ipc-schema")
    checks.add_options(parser)
    options = parser.parse_args()

    # What the checks provoke is logged.
    logging.disable(logging.CRITICAL)
    sys.dont_write_bytecode = True
    schema = pathlib.Path(options.schema).resolve()
    sys.path.insert(0, str(schema / "python"))
    from bus import clients, golden, observer, scripted, task, worker  # noqa: F401

    scripted.SCHEMA = schema
    checks.main(options)


if __name__ == "__main__":
    main()
