"""Runs LiteLLM's proxy with a configuration until it is killed.

    litellm.py CONFIG LOG

Prints the port once the proxy answers. Everything the proxy says goes to LOG.
"""

import ctypes
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

PR_SET_PDEATHSIG, SIGKILL = 1, 9


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def answers(port):
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/health/liveliness", timeout=5).close()
        return True
    except (urllib.error.URLError, OSError):
        return False


def main():
    config, log = sys.argv[1:]
    port = free_port()
    program = os.path.join(os.path.dirname(sys.executable), "litellm")
    command = [program, "--config", config, "--host", "127.0.0.1", "--port", str(port)]
    libc = ctypes.CDLL(None)
    # Whatever kills this program, the proxy goes with it.
    with open(log, "wb") as output:
        proxy = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True"},
            preexec_fn=lambda: libc.prctl(PR_SET_PDEATHSIG, SIGKILL),
        )
    while not answers(port):
        if proxy.poll() is not None:
            sys.exit(f"litellm ended with {proxy.returncode}; see {log}")
        time.sleep(0.2)
    print(port, flush=True)
    sys.exit(proxy.wait())


if __name__ == "__main__":
    main()
