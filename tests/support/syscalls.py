# SPDX-License-Identifier: Apache-2.0
"""Filters of system calls, as systemd puts a service under one."""
import ctypes
import errno
import re
import subprocess
from pathlib import Path

ALLOW = 0x7fff0000
EPERM = 0x00050000 | errno.EPERM  # the call fails, the process goes on
NO_SUCH_CALL = -1  # of libseccomp: not on this architecture


def members(name: str) -> set[str]:
    """The calls of a name in SystemCallFilter: itself, or those of a group."""
    if not name.startswith("@"):
        return {name}
    listing = subprocess.run(["systemd-analyze", "syscall-filter", "--no-pager", name], capture_output=True, text=True,
                             check=True).stdout
    lines = [line.strip() for line in listing.splitlines()[1:]]
    return set().union(*(members(line) for line in lines if line and not line.startswith("#")))


def of_unit(unit: Path) -> list[str]:
    """The calls that a unit allows."""
    allowed = members("@default")
    for minus, names in re.findall(r"^SystemCallFilter=(~?)(.*)$", unit.read_text(), re.M):
        found = set().union(*(members(name) for name in names.split()))
        allowed = allowed - found if minus else allowed | found
    return sorted(allowed)


def only(names: list[str]):
    """For `preexec_fn`: every other call is answered with EPERM."""
    library = ctypes.CDLL("libseccomp.so.2")
    library.seccomp_init.restype = ctypes.c_void_p
    numbers = [library.seccomp_syscall_resolve_name(name.encode()) for name in names]

    def load():
        context = ctypes.c_void_p(library.seccomp_init(EPERM))
        for number in numbers:
            if number != NO_SUCH_CALL:
                library.seccomp_rule_add(context, ALLOW, number, 0)
        if library.seccomp_load(context) != 0:
            raise OSError("the filter cannot be loaded")
    return load
