"""Runs a program under the system call filter and the memory rule of a unit file.

    sandbox.py UNIT PROGRAM [ARGUMENT...]

What systemd does with SystemCallFilter=, RestrictAddressFamilies= and MemoryDenyWriteExecute=, for a
machine on which it is not the first process.
"""

import ctypes
import os
import socket
import subprocess
import sys

import seccomp

PR_SET_NO_NEW_PRIVS, PR_SET_MDWE, MDWE_REFUSE_EXEC_GAIN = 38, 65, 1


def call_sets():
    """The sets that `systemd-analyze syscall-filter` lists, by name."""
    text = subprocess.run(
        ["systemd-analyze", "syscall-filter", "--no-pager"],
        capture_output=True, text=True, check=True,
    ).stdout
    sets, members = {}, []
    for line in text.splitlines():
        if line.startswith("@"):
            members = sets.setdefault(line.strip(), [])
        elif line.startswith("    ") and not line.lstrip().startswith("#"):
            members.append(line.strip())
    return sets


def calls(names, sets):
    """The calls behind names, of which those with an @ are sets."""
    found = set()
    for name in names:
        found |= calls(sets[name], sets) if name.startswith("@") else {name}
    return found


def settings(unit, key):
    """The values of a key in a unit file, in order."""
    with open(unit) as lines:
        return [line.strip().split("=", 1)[1] for line in lines if line.startswith(key + "=")]


unit, program = sys.argv[1], sys.argv[2:]
sets = call_sets()
allowed = calls(["@default"], sets)
for value in settings(unit, "SystemCallFilter"):
    names = value.lstrip("~").split()
    allowed = allowed - calls(names, sets) if value[0] == "~" else allowed | calls(names, sets)
assert len(allowed) > 100, "no filter was read"
families = [getattr(socket, name) for name in settings(unit, "RestrictAddressFamilies")[0].split()]

libc = ctypes.CDLL(None)
assert libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
assert settings(unit, "MemoryDenyWriteExecute") == ["yes"]
# Kernels before 6.3 don't know it.
libc.prctl(PR_SET_MDWE, MDWE_REFUSE_EXEC_GAIN, 0, 0, 0)

rules = seccomp.SyscallFilter(seccomp.ERRNO(1))
for name in sorted(allowed - {"socket"}):
    try:
        rules.add_rule(seccomp.ALLOW, name)
    except (RuntimeError, ValueError, OSError):
        pass  # A call of another architecture.
for family in families:
    rules.add_rule(seccomp.ALLOW, "socket", seccomp.Arg(0, seccomp.EQ, int(family)))
rules.load()
os.execv(program[0], program)
