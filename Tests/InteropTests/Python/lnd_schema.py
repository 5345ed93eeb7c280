"""Compiles the schema beside this file and imports the result.

    import lnd_schema
    lnd_schema.load(".build/lnd-python")
    import lightning_pb2, lightning_pb2_grpc
"""

import hashlib
import os
import pathlib
import sys
import tempfile

SOURCES = pathlib.Path(__file__).parent / "lnd"


def load(directory):
    """Puts the compiled schema on the import path, compiling it when the text has changed."""
    protos = sorted(SOURCES.rglob("*.proto"))
    digest = hashlib.sha256(b"\0".join(p.read_bytes() for p in protos)).hexdigest()[:16]
    target = pathlib.Path(directory).resolve() / digest
    if not target.exists():
        from grpc_tools import protoc

        target.parent.mkdir(parents=True, exist_ok=True)
        # Several programs may compile at once: each makes its own, the first one to finish stays.
        fresh = tempfile.mkdtemp(dir=target.parent)
        arguments = ["protoc", f"-I{SOURCES}", f"--python_out={fresh}", f"--grpc_python_out={fresh}"]
        if protoc.main(arguments + [str(p.relative_to(SOURCES)) for p in protos]) != 0:
            raise SystemExit("the schema does not compile")
        try:
            os.rename(fresh, target)
        except OSError:
            if not target.exists():
                raise
    sys.path.insert(0, str(target))
