"""Imports torch, triton, numpy and pytest once, then only forks. Holds no grader, no job, no secret.

    python -m clozekit.zygote FD HOME [LAYER...]

FD: a stream socket to the front; HOME: what to delete when the front is gone; LAYER: of the sandbox, to do without.

A fork costs 7 ms where an import costs 1 s. Three rules keep forks sound (measured, see docs/judge.md): one thread, so no
OpenMP pool is ever inherited; no device is touched; everything imported is frozen out of the garbage collector.

It also buries: nothing that a worker started outlives the worker, and no request ever waits for a process to die.
"""

import contextlib
import ctypes
import functools
import gc
import importlib
import os
import select
import shutil
import signal
import socket
import sys
import time
from collections.abc import Callable
from typing import NoReturn

from clozekit.protocol import Ended, Found, Ready, Reap, Spawn, Started
from clozekit.sandbox import Prepared, grants, limits, namespaces, prepare, probe
from clozekit.wire import Channel, Gone

SYMBOLS = "torch.fx.experimental.symbolic_shapes"  # the first backward imports it, and sympy with it: 0.25 s
PRELOAD = (
    "numpy", "torch", "pytest", "_pytest.assertion.rewrite", "clozekit.worker_process", "clozekit.tester", SYMBOLS,
)  # fmt: skip
OPTIONAL = (
    "triton", "triton.language", "clozekit.kernels.record", "clozekit.kernels.alone", "clozekit.kernels.replay",
    "clozekit.meters.measuring",
)  # fmt: skip
PAUSE = 0.01  # seconds between two looks at processes that are dying
LAST_RITES = 2.0  # seconds that all children together have to die in the end
PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36


def main(fd: int, home: str, without: list[str]) -> NoReturn:
    """Serve the front until it closes its end; then take every child along."""
    found = probe.find(without, home)
    if found.layers.namespaces:
        namespaces.nest()
    for name in PRELOAD:
        importlib.import_module(name)
    for name in OPTIONAL:
        try:
            importlib.import_module(name)
        except ImportError:
            break
    import torch

    from clozekit import worker_process

    torch.set_num_threads(1)
    worker_process.warm()
    gc.collect()
    gc.freeze()
    limits.tasks()
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    prepared = functools.cache(functools.partial(prepare, found.layers, home, grants.readable()))
    prepared(False)
    zygote = Zygote(Channel(socket.socket(fileno=fd)), found, prepared)
    with contextlib.suppress(Gone):
        zygote.serve()
    zygote.end()
    shutil.rmtree(home, ignore_errors=True)
    os._exit(0)  # no interpreter shutdown: there is nothing to save, and torch complains


class Zygote:
    """Forks and buries. A child is living until it ends or is to be killed; all others that are ours are strangers.

    prepared: what confines workers, given whether they use a GPU.
    living: testers and workers. guards: of living workers, the first process of their pid namespace. ended: how those ended
    about which the front has not asked yet.
    """

    def __init__(self, channel: Channel, found: Found, prepared: Callable[[bool], Prepared]):
        self.channel = channel
        self.found = found
        self.prepared = prepared
        self.living: set[int] = set()
        self.guards: dict[int, int] = {}
        self.ended: dict[int, int] = {}
        self.dying: set[int] = set()

    def serve(self) -> None:
        """Answer the front.

        Raises:
            Gone: the front closed its end.
        """
        self.channel.send(Ready(self.found))
        while True:
            if select.select([self.channel.sock], [], [], PAUSE if self.dying else None)[0]:
                request, _, fds = self.channel.receive(Spawn | Reap)
                self.bury()
                self.channel.send(self.spawn(request, fds) if isinstance(request, Spawn) else self.reap(request))
            else:
                self.bury()

    def spawn(self, request: Spawn, fds: list[int]) -> Started:
        guarded = request.kind == "worker" and self.found.layers.namespaces
        prepared = self.prepared(request.limits.device is not None)
        pid, guard = namespaces.fork() if guarded else (os.fork(), 0)
        if pid == 0:
            self.channel.close()
            become(request, fds, prepared)
        self.living.add(pid)
        if guard:
            self.guards[pid] = guard
        self.ended.pop(pid, None)  # of an earlier process with the same number
        for each in fds:
            os.close(each)
        return Started(pid)

    def reap(self, request: Reap) -> Ended:
        if request.pid in self.ended:
            return Ended(self.ended.pop(request.pid))
        running = request.pid in self.living
        if running and request.kill:
            self.forsake(request.pid)
            self.dying.add(request.pid)
            kill(request.pid)
        return Ended(None, running)

    def bury(self) -> None:
        """Reap whoever is dead. Kill what a dead worker leaves: its group, and orphans, which become our children."""
        with contextlib.suppress(ChildProcessError):
            while dead := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                kill(dead.si_pid)  # its group; as long as it is not reaped, its number cannot mean another
                _, status = os.waitpid(dead.si_pid, 0)
                if dead.si_pid in self.living:
                    self.forsake(dead.si_pid)
                    self.ended[dead.si_pid] = os.waitstatus_to_exitcode(status)
                self.dying.discard(dead.si_pid)
        for stranger in children() - self.living - set(self.guards.values()):
            self.dying.add(stranger)
            kill(stranger)

    def forsake(self, pid: int) -> None:
        """A child that is not to live any longer. What is in a namespace with it dies."""
        self.living.remove(pid)
        if guard := self.guards.pop(pid, 0):
            self.dying.add(guard)
            kill(guard)

    def end(self) -> None:
        """Kill every child and wait for it, within reason."""
        deadline = time.monotonic() + LAST_RITES
        for pid in tuple(self.living):
            self.forsake(pid)
            self.dying.add(pid)
            kill(pid)
        self.bury()
        while self.dying and time.monotonic() < deadline:
            time.sleep(0.001)
            self.bury()


def children() -> set[int]:
    """Our children, adopted ones included; none where the kernel does not tell, or tells numbers of another namespace."""
    if os.readlink("/proc/self") != str(os.getpid()):
        return set()
    try:
        with open(f"/proc/self/task/{os.getpid()}/children") as file:
            return set(map(int, file.read().split()))
    except FileNotFoundError:
        return set()


def kill(pid: int) -> None:
    """Kill a process and its group, if it leads one."""
    for send in (os.killpg, os.kill):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            send(pid, signal.SIGKILL)


def become(request: Spawn, fds: list[int], prepared: Prepared) -> NoReturn:
    """Turn this fork into what was asked for, with a session of its own."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    os.setsid()
    if request.limits.processor is not None:
        with contextlib.suppress(OSError):  # it was taken out of service: any other will do
            os.sched_setaffinity(0, {request.limits.processor})
    try:
        if request.kind == "worker":
            from clozekit import worker_process

            worker_process.run(fds[0], fds[1], request.limits, request.scratch, prepared)
        else:
            from clozekit import tester

            tester.run(fds[0])
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        os._exit(70)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3:])
