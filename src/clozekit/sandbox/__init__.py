"""Confine a worker before the learner's first line, in layers that do not rely on each other.

    namespaces      own processes, users, network, IPC and mounts: what is outside has no name; a disk of its own
    landlock        files: read the interpreter and named packages, write one directory
    seccomp         system calls: no sockets, no processes, no exec, no ptrace, no way to name another process
    limits          memory, processor time, files, threads; no privileges. At every tier

The zygote prepares what is the same for all; each worker enters, and there is no way back:

    prepared = prepare(probe.find().layers, home, readable())
    enter(prepared, limits, scratch=f"{home}/a")
"""

import os
import platform
import signal
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from clozekit.protocol import Layers, Limits
from clozekit.sandbox import landlock, libc, namespaces, seccomp
from clozekit.sandbox import limits as resources
from clozekit.sandbox.grants import DRIVER, WRITABLE, devices, holds


class Prepared(NamedTuple):
    """What all workers of a zygote share.

    rules: a Landlock ruleset, open, that allows what all may read, and `home`. around: directories that hold what all
    may read, and nothing of `home`. program: the filter of system calls. devices: nodes of GPUs, for a worker that uses one.
    """

    layers: Layers
    rules: int = -1
    around: tuple[str, ...] = ()
    program: bytes = b""
    devices: tuple[str, ...] = ()


def prepare(layers: Layers, home: str, readable: Iterable[str], device: bool = False) -> Prepared:
    """Do once what every worker would have to. `home` will hold all their scratch directories; `device`: they use a GPU."""
    readable, home = (*readable, *(DRIVER if device else ())), os.path.realpath(home)
    nodes = devices() if device else ()
    return Prepared(
        layers,
        landlock.ruleset(readable, (home, *WRITABLE), devices=nodes) if layers.landlock else -1,
        tuple(dict.fromkeys(_around(readable, home))),
        seccomp.program(platform.machine(), device) if layers.seccomp else b"",
        nodes,
    )


def _around(paths: Iterable[str], home: str) -> Iterator[str]:
    """Of each path the outermost directory that does not hold `home`."""
    for path in paths:
        while not holds(os.path.dirname(path), {home}):
            path = os.path.dirname(path)
        yield path


def enter(prepared: Prepared, limits: Limits, scratch: str) -> None:
    """Confine this process, which must have one thread, for good. `scratch` becomes its current directory.

    At tier A call it in a child of `namespaces.fork()`.

    Raises:
        OSError: a layer cannot be entered. Then nothing of the learner's may run.
    """
    if len(os.listdir("/proc/self/task")) != 1:
        raise OSError("only a process with one thread can be confined")
    if prepared.layers.namespaces:
        namespaces.enter(scratch, limits.file_size)
    os.chdir(scratch)
    resources.apply(limits, apart=prepared.layers.namespaces)
    namespaces.drop_capabilities()
    libc.prctl(libc.PR_SET_PDEATHSIG, signal.SIGKILL)  # a change of privileges may have cleared it
    libc.prctl(libc.PR_SET_NO_NEW_PRIVS, 1)
    if prepared.layers.landlock:
        # The rules for what all may read are many (3 ms) and the same for all, so there is no worker's scratch among
        # them, but `home`. A second ruleset takes the scratches of the others away again.
        landlock.confine(prepared.rules)
        landlock.confine(landlock.ruleset(prepared.around, (scratch, *WRITABLE), devices=prepared.devices))
    if prepared.layers.seccomp:
        seccomp.confine(prepared.program)
