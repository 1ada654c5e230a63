"""The filter of system calls, as a program: what it answers on both machines, and that its numbers are the kernel's."""

import ctypes
import errno
import fcntl
import mmap
import os
import platform
import re
import signal
import struct
from pathlib import Path

import pytest

from clozekit.sandbox import seccomp
from clozekit.sandbox.syscalls import NEWEST, NUMBERS

MACHINES = tuple(seccomp.ARCHITECTURES)
MACHINE = platform.machine()
HEADERS = {
    "x86_64": [Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"), Path("/usr/include/asm/unistd_64.h")],
    "aarch64": [Path("/usr/include/asm-generic/unistd.h")],
}
SAME = {"fstatat": "newfstatat"}  # the generic header has another name for one call
OURSELVES = seccomp.OURSELVES


def answer(
    machine: str, call: str | int, *args: int, architecture: int | None = None, device: bool = False
) -> int | str:
    """What the filter says to a call: "allow", "kill" or an error number. Runs the program as the kernel does."""
    number = NUMBERS[machine][call] if isinstance(call, str) else call
    arguments = [*args, *[0] * (6 - len(args))]
    data = struct.pack("<IIQ6Q", number, architecture or seccomp.ARCHITECTURES[machine], 0, *arguments)
    steps = list(struct.iter_unpack("<HBBI", seccomp.program(machine, device)))
    at, value = 0, 0
    while True:
        code, true, false, operand = steps[at]
        at += 1
        if code == seccomp.LOAD:
            (value,) = struct.unpack_from("<I", data, operand)
        elif code == seccomp.AND:
            value &= operand
        elif code == seccomp.JUMP_EQUAL:
            at += true if value == operand else false
        elif code == seccomp.JUMP_ABOVE:
            at += true if value > operand else false
        elif code == seccomp.RETURN:
            action = operand & 0xFFFF0000
            return {seccomp.ALLOW: "allow", seccomp.KILL: "kill", seccomp.ERROR: operand & 0xFFFF}[action]
        else:
            raise AssertionError(f"no such instruction: {code:#x}")


THREAD, NEW_USER, NEW_NET = 0x3D0F00, 0x10000000, 0x40000000
FILE = (0, 0)  # a directory's descriptor, a path

ANSWERS = {
    "read": ("read", (0,), "allow"),
    "mmap": ("mmap", (), "allow"),
    "futex": ("futex", (), "allow"),
    "exit_group": ("exit_group", (), "allow"),
    "a thread": ("clone", (THREAD,), "allow"),
    "a process": ("clone", (17,), errno.EPERM),
    "a thread in another network": ("clone", (THREAD | NEW_NET,), errno.EPERM),
    "a process of another user": ("clone", (NEW_USER | 17,), errno.EPERM),
    "a way to clone that hides its flags": ("clone3", (), errno.ENOSYS),
    "a file to read": ("openat", (*FILE, os.O_RDONLY | os.O_CLOEXEC), "allow"),
    "a file to write": ("openat", (*FILE, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), "allow"),
    "a file to read and empty": ("openat", (*FILE, os.O_RDONLY | os.O_TRUNC), errno.EPERM),
    "a file to neither read nor write": ("openat", (*FILE, os.O_ACCMODE), errno.EPERM),
    "a duplicate": ("fcntl", (1, fcntl.F_DUPFD_CLOEXEC), "allow"),
    "a lock": ("fcntl", (1, fcntl.F_SETLKW), "allow"),
    "an owner of signals": ("fcntl", (1, fcntl.F_SETOWN), errno.EPERM),
    "a larger pipe": ("fcntl", (1, 1031), errno.EPERM),
    "whether this is a terminal": ("ioctl", (1, 0x5401), "allow"),
    "keys typed into a terminal": ("ioctl", (1, 0x5412), errno.ENOTTY),
    "an ioctl, its upper half ignored": ("ioctl", (1, 0x5401 | 1 << 32), "allow"),
    "a name": ("prctl", (15,), "allow"),
    "no signal when the judge dies": ("prctl", (1,), errno.EPERM),
    "a core dump": ("prctl", (4, 1), errno.EPERM),
    "a limit to read": ("prlimit64", (0, 7, 0, 1 << 40), "allow"),
    "a limit to set": ("prlimit64", (0, 7, 1 << 12), errno.EPERM),
    "a limit to set from high memory": ("prlimit64", (0, 7, 1 << 40), errno.EPERM),
    "a signal to itself": ("kill", (OURSELVES, 15), "allow"),
    "a signal to another": ("kill", (OURSELVES + 1, 15), errno.EPERM),
    "a signal to all": ("kill", (-1 & 0xFFFFFFFF, 9), errno.EPERM),
    "a signal to its group": ("kill", (0, 9), errno.EPERM),
    "a signal to its thread": ("tgkill", (OURSELVES, 1, 6), "allow"),
    "a signal to another's thread": ("tgkill", (1, 1, 6), errno.EPERM),
    "privileges": ("capset", (), errno.EPERM),
    "another filter": ("seccomp", (), errno.EPERM),
    "other rules": ("landlock_restrict_self", (), errno.EPERM),
    "the newest call that is known": (NEWEST, (), errno.EPERM),
    "a newer call": (NEWEST + 1, (), errno.ENOSYS),
}


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("name", ANSWERS)
def test_the_answer_to(name, machine):
    call, args, expected = ANSWERS[name]
    assert answer(machine, call, *args) == expected


@pytest.mark.parametrize("machine", MACHINES)
def test_a_worker_that_uses_a_gpu_may_speak_to_its_driver_and_else_no_more(machine):
    for call in seccomp.FOR_DEVICES.split():
        assert answer(machine, call, 1, 0x5412, device=True) == "allow"
        assert answer(machine, call, 1, 0x5412) != "allow"
    for call, args, expected in ANSWERS.values():
        if call != "ioctl":
            assert answer(machine, call, *args, device=True) == expected
    assert len(seccomp.program(machine, device=True)) // 8 < 256


def test_another_table_of_numbers_kills():
    x86, arm = (seccomp.ARCHITECTURES[machine] for machine in ("x86_64", "aarch64"))
    assert answer("x86_64", "read", architecture=0x40000003) == "kill"
    assert answer("x86_64", "read", architecture=arm) == "kill"
    assert answer("aarch64", "read", architecture=x86) == "kill"
    assert answer("x86_64", 0x40000000 | NUMBERS["x86_64"]["read"]) == "kill"
    assert answer("x86_64", 0xFFFFFFFF) == "kill"


def test_old_calls_are_checked_as_the_new_ones():
    assert answer("x86_64", "open", 0, os.O_RDONLY) == "allow"
    assert answer("x86_64", "open", 0, os.O_RDONLY | os.O_TRUNC) == errno.EPERM


@pytest.mark.parametrize("machine", MACHINES)
def test_every_listed_call_has_a_number_and_an_answer(machine):
    others = set(NUMBERS["x86_64"]) | set(NUMBERS["aarch64"])
    assert set(seccomp.ALLOWED.split()) | {check.call for check in seccomp.CHECKS} <= others
    assert len(set(NUMBERS[machine].values())) == len(NUMBERS[machine])
    assert len(seccomp.program(machine)) // 8 < 256
    for name in set(seccomp.ALLOWED.split()) & set(NUMBERS[machine]):
        assert answer(machine, name) == "allow"


@pytest.mark.parametrize("machine", MACHINES)
def test_numbers_are_those_of_the_kernels_headers(machine):
    header = next((path for path in HEADERS[machine] if path.exists()), None)
    if header is None:
        pytest.skip(f"no kernel headers for {machine} here (linux-libc-dev)")
    found = re.findall(r"^#define __NR(?:3264)?_(\w+)\s+(\d+)$", header.read_text(), re.M)
    numbers = {SAME.get(name, name): int(number) for name, number in found}
    assert {name: numbers.get(name) for name in NUMBERS[machine]} == NUMBERS[machine]


def test_there_is_no_filter_for_a_machine_that_is_not_known():
    with pytest.raises(seccomp.Unsupported, match="no system call table for riscv64"):
        seccomp.program("riscv64")


def run_code(place, code):
    """Run machine code, which the sandbox does not forbid: it can do nothing more than Python."""
    memory = mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    memory.write(bytes.fromhex(code))
    address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    return ctypes.CFUNCTYPE(ctypes.c_int)(address)()


@pytest.mark.skipif(MACHINE != "x86_64", reason="machine code for x86_64")
@pytest.mark.parametrize(
    ("code", "ended"),
    {
        "b827000000 0f05 c3": 0,  # mov eax, 39 (getpid); syscall; ret
        "b814000000 cd80 c3": -signal.SIGSYS,  # mov eax, 20 (getpid of 32 bits); int 0x80; ret
        "b827000040 0f05 c3": -signal.SIGSYS,  # mov eax, 39 of x32; syscall; ret
    }.items(),
)
def test_machine_code_is_under_the_filter(code, ended, inside, need):
    need("seccomp")
    assert inside(run_code, code, seccomp=True).ended == ended
