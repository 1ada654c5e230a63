"""A submission seen from the trusted side: a worker that is asked, and a record of everything it was asked.

    candidate.ask(Call(...))  ->  Answer(value=...) or Answer(problem=Problem("raised", ...))

A dead worker is a problem of that one call; the next call gets a fresh worker.
"""

import os
import re
import secrets
import signal
import socket
import string
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

import msgspec

from clozekit import calls, values
from clozekit.errors import CannotCheck
from clozekit.kernels.plan import Counts, Plan
from clozekit.meters.costs import Launch
from clozekit.meters.counts import Counts as TorchCounts
from clozekit.phrases import table
from clozekit.protocol import Limits, Ready
from clozekit.report import Problem
from clozekit.wire import Channel, Gone, TimedOut, Violation


class WorkerHandle(Protocol):
    """What `spawn_worker` hands out: two descriptors, and a way to learn how the process ended."""

    channel: int
    output: int

    def end(self, at_once: bool) -> int | None:
        """Exit status, or -signal, or None where it had to be killed."""


START_SECONDS = 30.0
KEPT = 4000  # bytes of what one test prints
HURRY = 0.1  # the share of its time that a call gets once another one has had no answer

DEVICES = re.compile(r"on the same device|device type|cuda\S* and weight type")  # what torch says of two devices

Spawn = Callable[[], WorkerHandle]


@dataclass
class Answer:
    """One answer of the worker, decoded. `problem` is set where there is no value."""

    value: Any = None
    changed: list[str] = field(default_factory=list)
    inputs: list[Any] = field(default_factory=list)
    parameters: dict[str, Any] = field(default_factory=dict)
    used: frozenset[str] = frozenset()
    steps: int = 0
    disturbed: list[calls.Earlier] = field(default_factory=list)
    threads: int = 0
    plan: Plan | None = None
    counts: Counts | None = None
    launches: list[Launch] = field(default_factory=list)
    cost: TorchCounts | None = None
    problem: Problem | None = None


@dataclass
class Patience:
    """How long the workers of one file are waited for: a call in full, after one without an answer others briefly, then none.

    late: the call that had no answer. over: why nobody is asked any more.
    """

    late: Problem | None = None
    over: Problem | None = None

    def share(self, seconds: float) -> float:
        """What a call gets of its time."""
        return HURRY * seconds if self.late else seconds

    def lose(self, seconds: float) -> Problem:
        """A call had no answer within that time."""
        if self.late is None:
            self.late = Problem("timeout", {"seconds": f"{seconds:g}"})
            return self.late
        self.over = Problem("unasked", self.late.facts)
        return self.over


@dataclass
class Candidate:
    """One source under test and the worker that runs it. `alone`: of the source only the kernels are loaded."""

    spawn: Spawn
    source: str
    name: str
    limits: Limits
    alone: bool = False
    patience: Patience = field(default_factory=Patience)
    worker: WorkerHandle | None = None
    channel: Channel | None = None
    broken: Problem | None = None  # the file cannot be executed: no call needs to be tried
    output: bytearray = field(default_factory=bytearray)
    silent: int = 0

    def ask(self, request: calls.Request, buffers: list[Any], seconds: float | None = None) -> Answer:
        """Send one request, starting a worker where there is none. Nothing that the learner's code does raises.

        Raises:
            CannotCheck: no worker starts, which is never the learner's fault.
        """
        if refused := self.broken or self.patience.over:
            return Answer(problem=refused)
        if self.channel is None:
            self._start()
            self._load()
            if self.broken:
                return Answer(problem=self.broken)
        return self._exchange(request, buffers, self.patience.share(seconds or self.limits.call_seconds))

    def become(self, source: str) -> None:
        """Run another source from now on, in the same worker if it lives."""
        self.source, self.broken, self.patience = source, None, Patience()
        self.renew()

    def renew(self) -> None:
        """Execute the source once more, so that nothing is left of what earlier calls changed in the module."""
        if self.channel:
            self._load()

    def _load(self) -> None:
        loaded = self._exchange(calls.Load(0, self.source, self.name, self.alone), [], self.limits.load_seconds)
        if loaded.problem:
            self.broken = loaded.problem
            if loaded.problem.kind == "timeout":  # and would be no faster in another worker
                self.patience.over = loaded.problem
            self.stop()

    def stop(self) -> None:
        """End the worker."""
        if self.worker:
            self._end(at_once=True)

    def printed(self) -> str:
        """What the learner's code printed since the last question, capped."""
        self._hear()
        text = self.output.decode("utf-8", "replace")
        if self.silent:
            text += f"\n… (+{self.silent} bytes)"
        self.output.clear()
        self.silent = 0
        return clean(text)

    @contextmanager
    def unheard(self) -> Iterator[None]:
        """What is printed meanwhile is dropped, unless what happens meanwhile fails."""
        self._hear()
        output, silent = bytes(self.output), self.silent
        yield
        self._hear()
        self.output[:], self.silent = output, silent

    def _hear(self) -> None:
        if self.channel and self.channel.drain:
            self._drain()

    def _start(self) -> None:
        self.worker = self.spawn()
        os.set_blocking(self.worker.output, False)
        sock = socket.socket(fileno=self.worker.channel)
        self.channel = Channel(sock, drain=(self.worker.output, self._drain))
        try:
            self.channel.receive(Ready, time.monotonic() + START_SECONDS, payload_limit=0)
        except (Gone, TimedOut, Violation):
            self.stop()
            raise CannotCheck(Problem("worker-start", {"output": self.printed()[-1000:] or "-"})) from None

    def _exchange(self, request: calls.Request, buffers: list[Any], seconds: float) -> Answer:
        assert self.channel is not None
        nonce = secrets.randbits(60)
        deadline = time.monotonic() + seconds
        try:
            self.channel.send(msgspec.structs.replace(request, nonce=nonce), buffers, deadline=deadline)
            reply, payload, fds = self.channel.receive(calls.Reply, deadline)
            for fd in fds:
                os.close(fd)
            if fds or reply.nonce != nonce:
                raise Violation("an answer to another question")
            if isinstance(reply, calls.Raised) and reply.lost:
                self._end(at_once=True)
            return decode(reply, payload, self.limits.device is not None)
        except TimedOut:
            self._end(at_once=True)
            return Answer(problem=self.patience.lose(seconds))
        except Gone:
            return Answer(problem=how_it_ended(self._end(at_once=False)))
        except Violation as error:
            self._end(at_once=True)
            return Answer(problem=Problem("protocol", {"reason": clean(str(error))[:200]}))

    def _end(self, at_once: bool) -> int | None:
        assert self.worker is not None
        assert self.channel is not None
        status = self.worker.end(at_once)
        self._drain()
        self.channel.close()
        os.close(self.worker.output)
        self.worker = self.channel = None
        return status

    def _drain(self) -> bool:
        """Read what was printed; keep the first part, count the rest. False once the pipe is closed."""
        assert self.worker is not None
        for _ in range(64):
            try:
                more = os.read(self.worker.output, 65536)
            except BlockingIOError:
                return True
            if not more:
                return False
            room = max(0, KEPT - len(self.output))
            self.output += more[:room]
            self.silent += len(more) - len(more[:room])
        return True


def decode(reply: calls.Reply, payload: bytearray, on_device: bool = False) -> Answer:
    """What a worker sent. `on_device`: from one that has a GPU.

    Raises:
        Violation: it is not what it says it is.
    """
    if isinstance(reply, calls.Raised):
        return Answer(problem=raised(reply, on_device))
    if isinstance(reply, calls.Mismatched):
        shapes = {clean(name): str(shape) for name, shape in reply.shapes.items()}
        return Answer(problem=Problem("parameters", shapes))
    reader = values.Reader(payload)
    answer = Answer(
        value=reader.decode(reply.value),
        changed=reply.changed,
        inputs=[reader.decode(value) for value in reply.inputs or []],
        parameters={name: reader.decode(value) for name, value in (reply.parameters or {}).items()},
        used=frozenset(reply.used),
        steps=reply.steps,
        disturbed=reply.disturbed,
        threads=reply.threads,
        plan=reply.plan,
        counts=reply.counts,
        launches=reply.launches,
        cost=reply.cost,
    )
    reader.finish()
    return answer


def raised(reply: calls.Raised, on_device: bool = False) -> Problem:
    """An exception in the learner's code, as facts. On a device others may have taken the memory; here nobody has."""
    facts = {"type": clean(reply.error), "text": clean(reply.text)[:1000], "frames": clean(reply.frames).rstrip()}
    facts = refusal(reply.refusal) | facts
    if reply.missing:
        return Problem("missing", {"name": facts["text"], "names": " ".join(clean(name) for name in reply.names)})
    if reply.error == "NotImplementedError" and "raise NotImplementedError" in reply.frames.rpartition("File ")[2]:
        return Problem("blank", {"blank": facts["text"] or "?", "frames": facts["frames"]})
    if reply.error in ("SystemExit", "KeyboardInterrupt", "GeneratorExit"):
        return Problem("exit", facts)
    if reply.error in ("RecursionError", "MemoryError"):
        return Problem(reply.error, facts)
    if on_device and reply.error == "OutOfMemoryError":
        return Problem("device-memory", facts)
    if DEVICES.search(reply.text):
        return Problem("devices", facts)
    return Problem("raised", facts)


def refusal(problem: Problem | None) -> dict[str, str]:
    """What an interpreter refused, as facts of its exception: no more than its phrases ask for, and no other phrases."""
    causes = [problem.kind, *problem.facts.get("cause", "").split()] if problem else []
    if not problem or not all(cause.startswith("kernel-") and cause in table("en") for cause in causes):
        return {}
    wanted = {name for cause in causes for _, name, _, _ in string.Formatter().parse(table("en")[cause])}
    facts = {name: clean(value)[:500] for name, value in problem.facts.items() if name in wanted}
    return facts | {"cause": " ".join(causes)}


def how_it_ended(status: int | None) -> Problem:
    """A worker that is gone, as facts."""
    if status is not None and status < 0:
        name = signal.Signals(-status).name
        kind = {"SIGXCPU": "cpu", "SIGSEGV": "segfault", "SIGKILL": "killed"}.get(name, "signal")
        return Problem(kind, {"signal": name})
    return Problem("exited", {"status": "?" if status is None else str(status)})


def clean(text: str) -> str:
    """Text from the untrusted side without control characters, so that it cannot paint the terminal."""
    return "".join(c if c in "\n\t" or c.isprintable() else "\ufffd" for c in text)
