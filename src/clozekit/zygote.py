"""Imports torch, triton, numpy and pytest once, then only forks. Holds no grader, no job, no secret.

    python -m clozekit.zygote FD        FD: a stream socket to the front

A fork costs 7 ms where an import costs 1 s. Three rules keep forks sound (measured, see docs/judge.md): one thread, so no
OpenMP pool is ever inherited; no device is touched; everything imported is frozen out of the garbage collector.
"""

import ctypes
import gc
import importlib
import os
import signal
import socket
import sys
import time

from clozekit.protocol import Ended, Ready, Reap, Spawn, Started
from clozekit.wire import Channel, Gone

SYMBOLS = "torch.fx.experimental.symbolic_shapes"  # the first backward imports it, and sympy with it: 0.25 s
PRELOAD = ("numpy", "torch", "pytest", "_pytest.assertion.rewrite", "clozekit.worker", "clozekit.tester", SYMBOLS)
OPTIONAL = ("triton", "triton.language", "clozekit.kernels.interpret")
GRACE = 0.25  # seconds that a child has to end by itself before it is killed, so that its true status is known
PR_SET_PDEATHSIG = 1


def main(fd: int) -> None:
    """Serve the front until it closes its end; then take every child along."""
    for name in PRELOAD:
        importlib.import_module(name)
    for name in OPTIONAL:
        try:
            importlib.import_module(name)
        except ImportError:
            break
    import torch

    torch.set_num_threads(1)
    gc.collect()
    gc.freeze()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    channel = Channel(socket.socket(fileno=fd))
    children: set[int] = set()
    channel.send(Ready())
    try:
        while True:
            request, _, fds = channel.receive(Spawn | Reap)
            if isinstance(request, Spawn):
                pid = os.fork()
                if pid == 0:
                    channel.close()
                    become(request, fds)
                children.add(pid)
                for each in fds:
                    os.close(each)
                channel.send(Started(pid))
            else:
                channel.send(
                    Ended(end(request.pid, 0 if request.at_once else GRACE) if request.pid in children else None)
                )
                children.discard(request.pid)
    except Gone:
        for pid in children:
            end(pid, 0)
        os._exit(0)  # no interpreter shutdown: there is nothing to save, and torch complains


def become(request: Spawn, fds: list[int]) -> None:
    """Turn this fork into what was asked for. Never returns."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    try:
        if request.kind == "worker":
            from clozekit import worker

            worker.run(fds[0], fds[1], request.limits, request.scratch)
        else:
            from clozekit import tester

            tester.run(fds[0])
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        os._exit(70)


def end(pid: int, grace: float) -> int | None:
    """Reap a child, killing it once its grace is over. Its exit status, -signal, or None where it had to be killed."""
    deadline = time.monotonic() + grace
    while True:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() >= deadline:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            return None
        time.sleep(0.001)


if __name__ == "__main__":
    main(int(sys.argv[1]))
