"""Every attack is refused at the tier of this machine, and by each layer that claims to stop it, alone.

Without a sandbox it succeeds.
"""

import ctypes
import errno
import fcntl
import os
import platform
import socket
import struct
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from clozekit.sandbox import landlock
from clozekit.sandbox.syscalls import NEWEST, NUMBERS

LIBC = ctypes.CDLL(None, use_errno=True)
MACHINE = platform.machine()
UPROBES = (335, 336) if MACHINE == "x86_64" else ()  # the kernel asks no filter; who calls them gets SIGILL
LAYERS = ("namespaces", "landlock", "seccomp")
PTRACE_SEIZE = 0x4206
# System calls that only attacks make, on x86_64 and aarch64.
CALLS = {
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "rt_sigqueueinfo": (129, 138),
    "tkill": (200, 130),
    "pidfd_send_signal": (424, 424),
    "utimensat": (280, 88),
    "memfd_create": (319, 279),
}


def call(name: str, *args: Any) -> int:
    """A system call by name."""
    whole = [ctypes.c_long(arg) if isinstance(arg, int) else arg for arg in args]
    return checked(LIBC.syscall(CALLS[name][MACHINE == "aarch64"], *whole))


def checked(result: int) -> int:
    if result == -1:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


class Attack(NamedTuple):
    """What to do, and the layers that stop it, each without the others. `version` of Landlock from which it does."""

    stops: str
    does: Callable[[Any], Any]
    version: int = 1


def read_memory_of(pid: int) -> int:
    """A byte of the judge's memory; it has the same addresses as we have, being our parent."""
    secret = ctypes.create_string_buffer(b"secret")
    ours, theirs = (ctypes.create_string_buffer(struct.pack("PN", ctypes.addressof(secret), 1)) for _ in range(2))
    return call("process_vm_readv", pid, ours, 1, theirs, 1, 0)


def truncate_by_reading(path: str) -> None:
    os.close(os.open(path, os.O_RDONLY | os.O_TRUNC))
    assert not os.stat(path).st_size


def own_signals(pid: int) -> None:
    read, _ = os.pipe()
    fcntl.fcntl(read, fcntl.F_SETOWN, pid)


def fork() -> None:
    if os.fork() == 0:
        os._exit(0)


def clone(flags: int) -> None:
    """A raw fork, which libc does not see."""
    if checked(LIBC.syscall(NUMBERS[MACHINE]["clone"], flags | 17, 0, 0, 0, 0)) == 0:
        os._exit(0)


def connect(place: Any, family: int, address: Any) -> None:
    with socket.socket(family) as ours:
        ours.connect(tuple(address) if isinstance(address, list) else address)


FILES = {
    "reads a grader": Attack("landlock", lambda place: place.secret.read_text()),
    "lists the graders": Attack("landlock", lambda place: os.listdir(place.graders)),
    "reads /etc/passwd": Attack("landlock", lambda place: open("/etc/passwd").read()),
    "lists the root directory": Attack("landlock", lambda place: os.listdir("/")),
    "lists its neighbours": Attack("landlock", lambda place: os.listdir(place.home)),
    "reads what a neighbour wrote": Attack("landlock", lambda place: (place.neighbour / "notes").read_text()),
    "writes to a neighbour": Attack("landlock", lambda place: (place.neighbour / "notes").write_text("mine")),
    "appends to a grader": Attack("landlock", lambda place: open(place.secret, "a").close()),
    "creates a file outside": Attack("landlock", lambda place: (place.graders / "conftest.py").write_text("")),
    "creates a directory outside": Attack("landlock", lambda place: (place.graders / "new").mkdir()),
    "deletes a grader": Attack("landlock", lambda place: place.secret.unlink()),
    "moves a grader to its scratch": Attack("landlock", lambda place: place.secret.rename(place.scratch / "stolen")),
    "moves its file over a grader": Attack(
        "landlock", lambda place: open("mine", "w").close() or os.rename("mine", place.secret)
    ),
    "links a grader": Attack("landlock seccomp", lambda place: os.link(place.secret, place.graders / "copy")),
    "makes a symbolic link outside": Attack(
        "landlock seccomp", lambda place: (place.graders / "link").symlink_to("/etc")
    ),
    "makes a FIFO outside": Attack("landlock seccomp", lambda place: os.mkfifo(place.graders / "fifo")),
    "truncates a grader": Attack("landlock seccomp", lambda place: os.truncate(place.secret, 0), version=3),
    "truncates a grader by reading it": Attack("landlock seccomp", lambda place: truncate_by_reading(place.secret)),
    "truncates a grader without reading it": Attack(
        "landlock seccomp", lambda place: os.close(os.open(place.secret, os.O_ACCMODE | os.O_TRUNC)), version=3
    ),
    "reads its judge's environment": Attack("landlock", lambda place: open(f"/proc/{place.judge}/environ").read()),
    "reads its judge's memory map": Attack("landlock", lambda place: open(f"/proc/{place.judge}/maps").read()),
    "opens its judge's memory": Attack("landlock", lambda place: open(f"/proc/{place.judge}/mem", "rb").close()),
    "reads its own memory map": Attack("landlock", lambda place: open("/proc/self/maps").read()),
    "changes the mode of a grader": Attack("seccomp", lambda place: place.secret.chmod(0o777)),
    "changes the owner of a grader": Attack("seccomp", lambda place: os.chown(place.secret, os.getuid(), -1)),
    "changes the times of a grader": Attack("seccomp", lambda place: os.utime(place.secret, (0, 0))),
    "sets an attribute of a grader": Attack("seccomp", lambda place: os.setxattr(place.secret, "user.mark", b"1")),
    "keeps a file that has no name": Attack("seccomp", lambda place: call("memfd_create", b"hidden", 0)),
}

PROCESSES = {
    "forks": Attack("seccomp", lambda place: fork()),
    "forks without libc": Attack("seccomp", lambda place: clone(0)),
    "forks in a user namespace": Attack("seccomp", lambda place: clone(0x10000000)),
    "starts a program": Attack("seccomp", lambda place: os.posix_spawn("/bin/true", ["true"], {})),
    "becomes a program": Attack("seccomp", lambda place: os.execv("/bin/true", ["true"])),
    "looks for its judge": Attack("namespaces seccomp landlock", lambda place: os.kill(place.judge, 0), version=6),
    "signals its judge's thread": Attack(
        "namespaces seccomp landlock", lambda place: call("tkill", place.judge, 0), version=6
    ),
    "signals its group": Attack("seccomp", lambda place: os.killpg(0, 0)),
    "queues a signal to its judge": Attack(
        "namespaces seccomp",
        lambda place: call("rt_sigqueueinfo", place.judge, 0, struct.pack("iiii", 0, 0, -1, 0) + bytes(112)),
    ),
    "holds its judge": Attack("namespaces seccomp", lambda place: os.pidfd_open(place.judge)),
    "traces its judge": Attack(
        "namespaces seccomp landlock", lambda place: call("ptrace", PTRACE_SEIZE, place.judge, None, None)
    ),
    "reads its judge's memory": Attack("namespaces seccomp landlock", lambda place: read_memory_of(place.judge)),
    "has a signal sent to its judge": Attack("namespaces seccomp", lambda place: own_signals(place.judge)),
    "slows its judge down": Attack(
        "namespaces seccomp", lambda place: os.setpriority(os.PRIO_PROCESS, place.judge, 19)
    ),
    "binds its judge to a processor": Attack(
        "namespaces seccomp", lambda place: os.sched_setaffinity(place.judge, os.sched_getaffinity(place.judge))
    ),
    "joins its judge's group": Attack("namespaces seccomp", lambda place: os.setpgid(0, os.getpgid(place.judge))),
    "means to outlive its judge": Attack("seccomp", lambda place: checked(LIBC.prctl(1, 0, 0, 0, 0))),
}

NETWORK = {
    "makes a TCP socket": Attack("seccomp", lambda place: socket.socket(socket.AF_INET).close()),
    "makes an IPv6 socket": Attack("seccomp", lambda place: socket.socket(socket.AF_INET6).close()),
    "makes a UDP socket": Attack("seccomp", lambda place: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).close()),
    "makes a Unix socket": Attack("seccomp", lambda place: socket.socket(socket.AF_UNIX).close()),
    "makes a pair of sockets": Attack("seccomp", lambda place: [end.close() for end in socket.socketpair()]),
    "makes a netlink socket": Attack(
        "seccomp", lambda place: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW).close()
    ),
}

ATTACKS = FILES | PROCESSES | NETWORK


def refused(outcome: Any) -> bool:
    """Whether the kernel said no, or that there is no such thing."""
    return outcome.error in ("PermissionError", "ProcessLookupError") or (
        outcome.error == "OSError" and outcome.number in (18, 38)
    )


@pytest.mark.parametrize("name", ATTACKS)
def test_refused_at_the_tier_of_this_machine(name, inside, need):
    need("landlock", "seccomp")
    assert refused(outcome := inside(ATTACKS[name].does)), outcome


@pytest.mark.parametrize("name", ATTACKS)
def test_refused_to_an_ordinary_user(name, inside, need, ordinary):
    need("landlock", "seccomp")
    assert refused(outcome := inside(ATTACKS[name].does, uid=ordinary)), outcome


@pytest.mark.parametrize(
    ("name", "layer"), [(name, layer) for name, attack in ATTACKS.items() for layer in attack.stops.split()]
)
def test_refused_by_one_layer_alone(name, layer, inside, need, ordinary):
    need(layer)
    if layer == "landlock" and landlock.version() < ATTACKS[name].version:
        pytest.skip(
            f"Landlock stops this from version {ATTACKS[name].version} on; this machine has {landlock.version()}"
        )
    assert refused(outcome := inside(ATTACKS[name].does, uid=ordinary, **{layer: True})), outcome


@pytest.mark.parametrize("name", ATTACKS)
def test_it_would_succeed(name, inside, ordinary):
    """Otherwise the tests above prove nothing."""
    outcome = inside(ATTACKS[name].does, uid=ordinary, **dict.fromkeys(LAYERS, False))
    assert not outcome.error, outcome


@pytest.mark.parametrize("layer", LAYERS)
def test_what_listens_on_this_machine_cannot_be_reached(layer, inside, need, listener):
    need(layer)
    if layer == "landlock" and landlock.version() < 6:
        pytest.skip(f"Landlock knows sockets from version 4 and 6 on; this machine has {landlock.version()}")
    for family, address in listener.values():
        assert not inside(connect, family, address, **dict.fromkeys(LAYERS, False)).error
        refusal = inside(connect, family, address, **{layer: True}).error
        assert refusal in ("PermissionError", "OSError", "ConnectionRefusedError")


def call_everything(place: Any, numbers: list[int]) -> dict[int, int]:
    """The errors of calls with arguments that no call accepts."""
    return {number: ctypes.get_errno() for number in numbers if LIBC.syscall(number, -1, -1, -1, -1, -1, -1) == -1}


def test_no_other_system_call_gets_through(inside, need):
    """All numbers that there are, and some that there are not, with arguments that no call accepts."""
    need("seccomp")
    listed = {*NUMBERS[MACHINE].values(), *UPROBES}

    numbers = [number for number in range(NEWEST + 100) if number not in listed]
    errors = inside(call_everything, numbers, seccomp=True).value
    assert {int(number): error for number, error in errors.items()} == {
        number: errno.EPERM if number <= NEWEST else errno.ENOSYS for number in numbers
    }
