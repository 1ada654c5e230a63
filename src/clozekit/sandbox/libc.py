"""Calls that Python has no name for. What fails becomes an OSError that names the call.

    call("unshare", CLONE_NEWUSER)                      PermissionError: [Errno 1] unshare: Operation not permitted
    syscall("landlock_create_ruleset", None, 0, 1)      8, the newest version that this kernel knows

Numbers of system calls are in `syscalls.py`.
"""

import ctypes
import os
import platform
from typing import Any

from clozekit.sandbox.syscalls import NUMBERS

LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.syscall.restype = ctypes.c_long

PR_SET_PDEATHSIG = 1
PR_SET_NO_NEW_PRIVS = 38
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_CLEAR_ALL = 4


def call(name: str, *args: Any) -> int:
    """A function of libc that returns -1 where it fails."""
    return _checked(name, getattr(LIBC, name, None), args)


def syscall(name: str, *args: Any) -> int:
    """A system call by the name that it has in `syscalls.py`."""
    number = NUMBERS.get(platform.machine(), {}).get(name)
    return _checked(name, LIBC.syscall if number is not None else None, (number, *args))


def prctl(*args: int) -> None:
    call("prctl", *args, *[0] * (5 - len(args)))


def _checked(name: str, function: Any, args: tuple[Any, ...]) -> int:
    if function is None:
        raise OSError(f"{name}: there is no such call on {platform.system()} {platform.machine()}")
    whole = [ctypes.c_long(arg) if isinstance(arg, int) else arg for arg in args]  # ctypes would pass 32 bits of an int
    result = function(*whole)
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{name}: {os.strerror(error)}")
    return result
