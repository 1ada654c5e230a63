"""The judge's processes, as their owner sees them: starts the zygote, asks it to fork, replaces it if it dies.

    with Processes() as processes:
        worker = processes.spawn_worker(Limits())      a process that is confined, and two descriptors to speak with it
        worker.end()                                   0, or -9, or None where it had to be killed

No torch here. Any number of threads may ask.
"""

import contextlib
import os
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self

from clozekit.errors import CannotCheck, why
from clozekit.protocol import Ended, EndWorker, Found, Limits, NeedBench, NeedWorker, Ready, Reap, Spawn, Started
from clozekit.report import Problem, Tier
from clozekit.wire import Channel, Gone, TimedOut

KEPT = (
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "PYTHONPATH",
    "PYTHONHOME",
    "VIRTUAL_ENV",
    "LD_LIBRARY_PATH",
    "TMPDIR",
    "OPENBLAS_CORETYPE",
    "CUDA_VISIBLE_DEVICES",
    "CUDA_DEVICE_ORDER",
)
START_SECONDS = 120.0
BENCH = "clozekit.bench.runner"  # drives a device
LAST_SECONDS = 5.0  # that a process which is killed has to die: a driver may hold on to it
GRACE = 0.25  # seconds that a worker has to end by itself before it is killed, so that its true status is known


@dataclass
class Worker:
    """A running worker: its descriptors (ours to close), its process, its scratch directory."""

    processes: "Processes"
    pid: int
    channel: int
    output: int
    scratch: str

    def end(self, at_once: bool = True) -> int | None:
        """Reap it. Exit status, -signal, or None where it had to be killed."""
        status = self.processes.reap(self.pid, 0.0 if at_once else GRACE)
        shutil.rmtree(self.scratch, ignore_errors=True)
        return status

    def is_there(self) -> bool:
        """Whether it still has its end of the channel."""
        poll = select.poll()
        poll.register(self.channel, 0)
        return not poll.poll(0)

    def said(self) -> str:
        """What it has written so far, or the end of it."""
        os.set_blocking(self.output, False)
        with contextlib.suppress(BlockingIOError):
            return os.read(self.output, 65536).decode("utf-8", "replace").strip()[-1000:]
        return ""

    def discard(self) -> None:
        """End it and close its descriptors, which nobody else has."""
        os.close(self.channel)
        self.close()

    def close(self) -> None:
        """End it, where its channel has another owner."""
        os.close(self.output)
        self.end()


class Processes:
    """The zygote and what it forked. One that dies is replaced; what it was asked fails.

    Args:
        without: layers of the sandbox to do without, for tests that look at a worker from inside.

    Raises:
        CannotCheck: no process can be started, or there is no place for its files.
    """

    def __init__(self, without: Collection[str] = ()):
        self.lock = threading.Lock()  # held while the zygote is asked
        self.without = without
        self.found = Found()
        self.home = ""
        self.closed = False
        try:
            self.errors = tempfile.TemporaryFile()  # noqa: SIM115  (closed with the processes)
            self._start()
        except OSError as error:
            shutil.rmtree(self.home, ignore_errors=True)
            raise CannotCheck(Problem("judge-start", why(error))) from None

    def _start(self) -> None:
        self.home = tempfile.mkdtemp(prefix="cloze-")  # of all scratch directories
        ours, theirs = socket.socketpair()
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "clozekit.zygote", str(theirs.fileno()), self.home, *self.without],
            pass_fds=[theirs.fileno()],
            env={name: os.environ[name] for name in KEPT if name in os.environ},
            stdin=subprocess.DEVNULL,
            stdout=self.errors,
            stderr=self.errors,
            start_new_session=True,  # Ctrl-C is ours to handle
        )
        theirs.close()
        self.zygote = Channel(ours)
        self.ready = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End every process, delete every scratch directory. A thread that still asks is told that it cannot be."""
        self.closed = True
        with contextlib.suppress(OSError):  # it has died, which nobody noticed
            self.zygote.sock.shutdown(socket.SHUT_RDWR)  # wakes who waits for an answer
        with self.lock:
            self._stop()
            self.errors.close()

    def _stop(self) -> None:
        """End the zygote, which takes all others along. One that still imports has none."""
        self.zygote.close()
        try:
            self.process.wait(5 if self.ready else 0)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.home, ignore_errors=True)

    def tier(self) -> Tier:
        """How well its workers are confined, known once the zygote has started."""
        with self.lock:
            self._ask(Reap(0), Ended, [])  # a number that nobody has
        return self.found.layers.tier

    def spawn_tester(self, control: int) -> None:
        """Fork a tester, which is asked by the other end of the socket `control`."""
        with self.lock:
            self._ask(Spawn("tester"), Started, [control])

    def spawn_worker(self, limits: Limits) -> Worker:
        """The only place that knows how a worker starts."""
        self.tier()  # a zygote that died is replaced now, and with it the place for scratch directories
        scratch = tempfile.mkdtemp(dir=self.home)
        ours, theirs = socket.socketpair()
        read, write = os.pipe()
        try:
            with self.lock:
                started = self._ask(Spawn("worker", limits, scratch), Started, [theirs.fileno(), write])
        except BaseException:
            os.close(read)
            raise
        finally:
            theirs.close()
            os.close(write)
        return Worker(self, started.pid, ours.detach(), read, scratch)

    def lend(self, channel: Channel, limits: Limits, answer: type, deadline: float, spare: Worker | None = None) -> Any:
        """Give a trusted process the workers that it asks for, `spare` to begin with, and a bench, until it answers.

        Raises:
            Gone, TimedOut, Violation: it does not.
        """
        workers: dict[int, Worker] = {}
        bench = contextlib.ExitStack()
        try:
            while True:
                request, _, _ = channel.receive(NeedWorker | EndWorker | NeedBench | answer, deadline)
                if isinstance(request, answer):
                    return request
                if isinstance(request, NeedWorker):
                    worker, spare = spare or self.spawn_worker(limits), None
                    workers[worker.pid] = worker
                    channel.send(Started(worker.pid), fds=[worker.channel, worker.output])
                    os.close(worker.channel)
                    os.close(worker.output)
                elif isinstance(request, NeedBench):
                    bench.close()
                    theirs = bench.enter_context(started(BENCH))
                    channel.send(Started(0), fds=[theirs.sock.fileno()])
                    theirs.close()
                else:
                    channel.send(Ended(workers.pop(request.pid).end(request.at_once)))
        finally:
            bench.close()
            channel.close()
            if spare:
                spare.discard()
            for worker in workers.values():
                worker.end()

    def reap(self, pid: int, grace: float) -> int | None:
        """How a worker ended. When its grace is over it is killed, and nobody waits for that."""
        deadline = time.monotonic() + grace
        with contextlib.suppress(CannotCheck):
            while True:
                over = time.monotonic() >= deadline
                with self.lock:
                    ended = self._ask(Reap(pid, kill=over), Ended, [])
                if over or not ended.running:
                    return ended.status
                time.sleep(0.001)
        return None

    def _ask(self, request: object, answer: type, fds: list[int]) -> Any:
        """Ask the zygote; one that died is replaced and asked again, unless it did not even start."""
        started = True
        while started and not self.closed:
            deadline = time.monotonic() + START_SECONDS
            started = self.ready
            try:
                if not self.ready:
                    self.found = self.zygote.receive(Ready, deadline)[0].found
                    self.ready = True
                self.zygote.send(request, fds=fds, deadline=deadline)
                return self.zygote.receive(answer, deadline)[0]
            except (Gone, TimedOut):
                if self.closed:
                    break
                said = self._said()
                self._stop()
                self._start()
        if self.closed:
            raise CannotCheck(Problem("judge-closed"))
        raise CannotCheck(Problem("judge-silent", {"output": said or "-"}))

    def _said(self) -> str:
        """The end of what our processes wrote to standard error."""
        self.errors.seek(max(0, self.errors.seek(0, os.SEEK_END) - 2000))
        said = self.errors.read().decode("utf-8", "replace").strip()
        self.errors.seek(0)
        self.errors.truncate()
        return said


@contextmanager
def started(module: str) -> Iterator[Channel]:
    """A trusted process that no zygote forks, `python -m MODULE FD`, for as long as we speak with it."""
    ours, theirs = socket.socketpair()
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", module, str(theirs.fileno())],
        pass_fds=[theirs.fileno()],
        env={name: os.environ[name] for name in KEPT if name in os.environ},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    theirs.close()
    channel = Channel(ours)
    try:
        yield channel
    finally:
        channel.close()
        process.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(LAST_SECONDS)
