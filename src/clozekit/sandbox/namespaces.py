"""Namespaces: what is not in them cannot be named from inside.

    nest()                  the zygote, while it is small: goes on as the first process of a pid namespace
    pid, guard = fork()     the zygote: like os.fork(), but the child is in a pid namespace of its own
    enter(scratch, size)    the worker: own users, network, IPC, host name and mounts; on scratch an empty disk

The processes, and the pid namespaces around them:

    front
      └─ outer process          waits, and ends as the zygote ends; without it the zygote dies
         ┌──────────────────────────────────────────────┐
         │ zygote               the first process: all others die with it, however it ends
         │  ├─ tester           sees the zygote, the testers and the workers
         │  │  ┌──────────────┐
         │  ├──│ guard        │ the first process of a worker's namespace: sleeps; whoever kills it kills all inside
         │  └──│ worker       │ a child of the zygote, which therefore knows its number and how it ended
         │     └──────────────┘

A worker is never the first process of a namespace itself: signals that are not handled would not end it.
"""

import contextlib
import ctypes
import os
import signal
from typing import NoReturn

from clozekit.sandbox import libc
from clozekit.sandbox.libc import call, prctl

CLONE_VM, CLONE_FS, CLONE_FILES = 0x100, 0x200, 0x400
CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC = 0x20000, 0x4000000, 0x8000000
CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET = 0x10000000, 0x20000000, 0x40000000
MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REC, MS_SLAVE = 2, 4, 8, 1 << 14, 1 << 19
NOBODY = 65534  # who the worker is in its own eyes
CAPABILITY_VERSION = 0x20080522

STACK = ctypes.create_string_buffer(16384)  # for all guards: none of them returns from its first call


def nest() -> None:
    """Go on as the first process of a new pid namespace, in a new user namespace too unless we are privileged.

    Call it while the process is small: what it was stays outside and waits. /proc is that of the new namespace, where
    the machine allows (in a container it may not).

    Raises:
        OSError: the machine allows no namespaces.
    """
    try:
        call("unshare", CLONE_NEWPID | CLONE_NEWNS)
    except PermissionError:
        identity = os.geteuid(), os.getegid()
        call("unshare", CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS)
        _map(identity, identity)
    if pid := os.fork():
        _wait(pid)
    prctl(libc.PR_SET_PDEATHSIG, signal.SIGKILL)
    call("mount", b"none", b"/", None, MS_REC | MS_SLAVE, None)
    with contextlib.suppress(OSError):
        call("mount", b"proc", b"/proc", b"proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, None)


def _wait(pid: int) -> NoReturn:
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    _, status = os.waitpid(pid, 0)
    code = os.waitstatus_to_exitcode(status)
    os._exit(code if code >= 0 else 128 - code)


def fork() -> tuple[int, int]:
    """os.fork() into a new pid namespace: the pids of the child and of the namespace's first process, both our children.

    That one is no fork, which would cost as much again: it shares our memory, and sleeps in libc's pause().
    """
    start = ctypes.cast(libc.LIBC.pause, ctypes.c_void_p)
    top = ctypes.c_void_p(ctypes.addressof(STACK) + len(STACK) - 64)
    guard = call("clone", start, top, CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_NEWPID | signal.SIGCHLD, None)
    ours, inner = os.pidfd_open(os.getpid()), os.pidfd_open(guard)
    pid = -1
    try:
        call("setns", inner, CLONE_NEWPID)  # for children only
        pid = os.fork()
    finally:
        if pid:
            call("setns", ours, CLONE_NEWPID)
        if pid < 0:
            os.kill(guard, signal.SIGKILL)
        os.close(ours)
        os.close(inner)
    return pid, guard


def enter(scratch: str, size: int) -> None:
    """Into new namespaces, with a disk of `size` bytes, in memory, on `scratch`, which becomes the current directory."""
    identity = os.geteuid(), os.getegid()
    call("unshare", CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS)
    _map(identity, (NOBODY, NOBODY))
    call("mount", b"none", b"/", None, MS_REC | MS_SLAVE, None)
    options = f"size={size},nr_inodes=2048,mode=700".encode()
    call("mount", b"tmpfs", os.fsencode(scratch), b"tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, options)
    os.chdir(scratch)


def _map(outside: tuple[int, int], inside: tuple[int, int]) -> None:
    """Say who we are in the user namespace that we just made."""
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{inside[0]} {outside[0]} 1"),
        ("gid_map", f"{inside[1]} {outside[1]} 1"),
    ):
        descriptor = os.open(f"/proc/self/{name}", os.O_WRONLY)
        try:
            os.write(descriptor, text.encode())
        finally:
            os.close(descriptor)


def drop_capabilities() -> None:
    """Of all privileges leave none; no_new_privs sees to it that there will be none again."""
    prctl(libc.PR_CAP_AMBIENT, libc.PR_CAP_AMBIENT_CLEAR_ALL)
    call("capset", CAPABILITY_VERSION.to_bytes(4, "little") + bytes(4), bytes(24))
