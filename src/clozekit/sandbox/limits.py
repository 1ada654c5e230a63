"""What a worker may use up: memory, processor time, files, threads.

    apply(Limits(memory=4 << 30), apart=True)       from here on bytes(5 << 30) raises MemoryError

The kernel counts threads per user. In a user namespace of its own a worker starts at 0 (`apart`); elsewhere what the
user already runs counts too. Root has no such limit: there the threads of a worker are bounded by their memory.
"""

import contextlib
import os
import resource
import threading
from functools import cache

from clozekit.protocol import Limits


def apply(limits: Limits, apart: bool) -> None:
    """Limit this process, for good."""
    with open("/proc/self/statm") as file:
        sizes = [int(pages) * resource.getpagesize() for pages in file.read().split()]
    memory = (resource.RLIMIT_AS, sizes[0])
    if limits.device:  # CUDA reserves addresses for all memory of the machine and its GPUs, and writes to few of them
        memory = (resource.RLIMIT_DATA, sizes[5])
    for what, limit in (
        (resource.RLIMIT_CORE, 1),  # 0 would not keep a crash from the program that the kernel pipes dumps to
        (memory[0], memory[1] + limits.memory),
        (resource.RLIMIT_FSIZE, limits.file_size),
        (resource.RLIMIT_NOFILE, limits.open_files),
        (resource.RLIMIT_MEMLOCK, 0),
        (resource.RLIMIT_MSGQUEUE, 0),
    ):
        resource.setrlimit(what, (limit, limit))
    soft, hard = limits.cpu_seconds, limits.cpu_seconds + 1  # SIGXCPU comes before SIGKILL
    resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))
    if apart:
        _processes(limits.processes)
    elif os.getuid():
        _more_processes(limits.processes)


def _processes(count: int) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NPROC)
    count = count if hard == resource.RLIM_INFINITY else min(count, hard)
    resource.setrlimit(resource.RLIMIT_NPROC, (count, hard))


def _more_processes(count: int) -> None:
    """Let our user start so many more than it had, if that leaves room for one."""
    _processes(tasks() + count)
    thread = threading.Thread(target=int)
    try:
        thread.start()
        thread.join()
    except RuntimeError:  # the kernel counts what we cannot see: other containers
        _, hard = resource.getrlimit(resource.RLIMIT_NPROC)
        resource.setrlimit(resource.RLIMIT_NPROC, (hard, hard))


@cache
def tasks() -> int:
    """How many processes and threads our user has, as RLIMIT_NPROC counts them. The zygote asks, for all workers."""
    count = 0
    for entry in os.scandir("/proc"):
        with contextlib.suppress(OSError):
            if entry.name.isdecimal() and entry.stat().st_uid == os.getuid():
                count += len(os.listdir(f"/proc/{entry.name}/task"))
    return count
