"""Which system calls a worker may make: an allow-list, as a program in classic BPF.

    confine(program(platform.machine()))        from here on socket() raises PermissionError, for good

What is not listed fails with EPERM; what is newer than the list with ENOSYS, so that libc does what it did before.
No sockets, no processes, no exec, no ptrace, no modes and owners of files, and no way to name another process.
"""

import ctypes
import errno
import os
import struct
from functools import cache
from typing import NamedTuple

from clozekit.sandbox import libc
from clozekit.sandbox.syscalls import NEWEST, NUMBERS

ALLOWED = """
    read write readv writev pread64 pwrite64 lseek close close_range dup dup2 dup3 poll ppoll select pselect6
    stat lstat fstat newfstatat statx statfs fstatfs access faccessat faccessat2 readlink readlinkat getcwd chdir
    getdents64 rename renameat renameat2 mkdir mkdirat rmdir unlink unlinkat umask ftruncate fallocate fsync fdatasync
    flock fadvise64
    sendto sendmsg recvfrom recvmsg
    mmap munmap mremap mprotect madvise brk mbind get_mempolicy
    futex set_robust_list rseq membarrier set_tid_address gettid getcpu sched_yield sched_getaffinity
    sched_get_priority_max sched_get_priority_min
    rt_sigaction rt_sigprocmask rt_sigreturn sigaltstack restart_syscall alarm setitimer getitimer
    nanosleep clock_nanosleep clock_gettime clock_getres gettimeofday time times
    getpid getppid getpgrp getuid geteuid getgid getegid uname sysinfo getrusage getrlimit getrandom exit exit_group
"""


FOR_DEVICES = "ioctl eventfd2 pipe2"  # a driver is spoken to by ioctl, with numbers of its own


class Check(NamedTuple):
    """An allowed call's argument, masked, must be one of `values`. Only one half of it is looked at, 32 bits."""

    call: str
    argument: int
    values: tuple[int, ...]
    mask: int = 0xFFFFFFFF
    high: bool = False
    error: int = errno.EPERM


OURSELVES = 0x7FFFFFF1  # stands for our own process number until there is one
THREAD = 0x3D0F00  # pthread_create: CLONE_VM FS FILES SIGHAND THREAD SYSVSEM SETTLS PARENT_SETTID CHILD_CLEARTID
MODE = os.O_ACCMODE | os.O_TRUNC
OPEN = (os.O_RDONLY, os.O_WRONLY, os.O_RDWR, os.O_WRONLY | os.O_TRUNC, os.O_RDWR | os.O_TRUNC)
F_OWN_DESCRIPTOR = (0, 1, 2, 3, 4, 1030)  # F_DUPFD GETFD SETFD GETFL SETFL DUPFD_CLOEXEC
DESCRIPTOR_IOCTLS = (0x5401, 0x541B, 0x5450, 0x5451, 0x5421)  # TCGETS FIONREAD FIONCLEX FIOCLEX FIONBIO
F_LOCK = (5, 6, 7, 36, 37, 38)  # F_GETLK SETLK SETLKW, and those of open file descriptions

CHECKS = [
    Check("clone", 0, (THREAD,)),
    Check("kill", 0, (OURSELVES,)),
    Check("tgkill", 0, (OURSELVES,)),
    # Landlock before 6.2 does not see a truncation on the way: open(file, O_RDONLY | O_TRUNC), or with the mode 3
    Check("open", 1, OPEN, mask=MODE),
    Check("openat", 2, OPEN, mask=MODE),
    Check("fcntl", 1, F_OWN_DESCRIPTOR + F_LOCK),  # not F_SETOWN, which sends signals to others
    Check("ioctl", 1, DESCRIPTOR_IOCTLS, error=errno.ENOTTY),
    Check("prctl", 0, (15, 16, 0x53564D41)),  # PR_SET_NAME, PR_GET_NAME, PR_SET_VMA (a name for memory)
    Check("arch_prctl", 0, (0x1021, 0x1022, 0x1023)),  # oneDNN asks whether there are AMX tiles, and for them
    Check("prlimit64", 2, (0,)),  # to read a limit, not to set one: both halves of the pointer are 0
    Check("prlimit64", 2, (0,), high=True),
]

LOAD, JUMP_EQUAL, JUMP_ABOVE, AND, RETURN = 0x20, 0x15, 0x25, 0x54, 0x06
ALLOW, ERROR, KILL = 0x7FFF0000, 0x00050000, 0x80000000
NUMBER, ARCHITECTURE = 0, 4  # where struct seccomp_data has them; the arguments start at 16
ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
X32 = 0x40000000  # x86_64 calls with this bit belong to another table of numbers
SET_MODE_FILTER, ALL_THREADS = 1, 1


class Unsupported(OSError):
    """There is no table of system calls for this machine."""


@cache
def program(machine: str, device: bool = False) -> bytes:
    """The filter for a machine ("x86_64", "aarch64"). The zygote asks first, for all workers.

    device: of one that uses a GPU.

    Raises:
        Unsupported
    """
    if machine not in ARCHITECTURES:
        raise Unsupported(f"no system call table for {machine}")
    numbers = NUMBERS[machine]
    steps = [
        (LOAD, 0, 0, ARCHITECTURE),
        (JUMP_EQUAL, 1, 0, ARCHITECTURES[machine]),
        (RETURN, 0, 0, KILL),
        (LOAD, 0, 0, NUMBER),
        (JUMP_ABOVE, 0, 1, X32 - 1),
        (RETURN, 0, 0, KILL),
        (JUMP_ABOVE, 1, 0, NEWEST),
        (JUMP_EQUAL, 0, 1, numbers["clone3"]),  # its flags are behind a pointer; libc goes on to clone
        (RETURN, 0, 0, ERROR | errno.ENOSYS),
    ]
    free = [*ALLOWED.split(), *(FOR_DEVICES.split() if device else ())]
    checks = [check for check in CHECKS if check.call in numbers and check.call not in free]
    for name in dict.fromkeys(check.call for check in checks):
        block = [step for check in checks if check.call == name for step in _check(check)]
        block += [(RETURN, 0, 0, ALLOW)]
        steps += [(JUMP_EQUAL, 0, len(block), numbers[name]), *block]
    allowed = [numbers[name] for name in free if name in numbers]
    steps += [(JUMP_EQUAL, len(allowed) - i, 0, number) for i, number in enumerate(allowed)]
    steps += [(RETURN, 0, 0, ERROR | errno.EPERM), (RETURN, 0, 0, ALLOW)]
    return b"".join(struct.pack("=HBBI", *step) for step in steps)


def _check(check: Check) -> list[tuple[int, int, int, int]]:
    """Fall through where the argument is right, else return the error."""
    steps = [(LOAD, 0, 0, 16 + 8 * check.argument + 4 * check.high), (AND, 0, 0, check.mask)]
    steps += [(JUMP_EQUAL, len(check.values) - i, 0, value) for i, value in enumerate(check.values)]
    return [*steps, (RETURN, 0, 0, ERROR | check.error)]


def confine(program: bytes) -> None:
    """Put every thread of this process under a filter, for good. Needs no_new_privs."""
    program = program.replace(OURSELVES.to_bytes(4, "little"), os.getpid().to_bytes(4, "little"))
    code = ctypes.create_string_buffer(program, len(program))
    pointer = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(code))
    if thread := libc.syscall("seccomp", SET_MODE_FILTER, ALL_THREADS, pointer):
        raise OSError(f"seccomp: thread {thread} cannot be confined")
