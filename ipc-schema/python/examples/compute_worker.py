"""Sells two things: a prompt in capitals, and the SHA-256 of anything.

    LCP_BUS_DIR=/run/lcp python compute_worker.py

Stop it with SIGTERM or Ctrl-C: it finishes what it has.
"""

import hashlib
import logging

from lcp_bus import Bus, ComputeWorker, Task, TaskFailed

logging.basicConfig(level=logging.INFO)
worker = ComputeWorker(Bus.from_environment(), program="example 1.0", concurrency=4)


@worker.handles("llm.chat", profile="shout")
def shout(task: Task) -> str:
    try:
        prompt = task.input.decode()
    except UnicodeDecodeError:
        raise TaskFailed("input-not-text", "the input is not UTF-8") from None
    words = prompt.split(" ")
    return " ".join(word.upper() for word in task.alive(words))


@worker.handles("sha256")
def digest(task: Task) -> bytes:
    return hashlib.sha256(task.input).digest()


worker.run()
