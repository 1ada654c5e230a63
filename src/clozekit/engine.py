"""The front of the judge: starts the zygote, owns every process, hands out jobs, and makes reports of what comes back.

    with Engine() as engine:
        report = engine.grade(exercise, submission.read(path))

No torch here. One Engine serves any number of threads, one submission each.
"""

import contextlib
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field

from clozekit import rules
from clozekit.errors import CannotCheck, ContentError
from clozekit.exercise import Exercise
from clozekit.protocol import (
    Collect,
    Collected,
    Ended,
    EndWorker,
    Graded,
    Job,
    Limits,
    NeedWorker,
    Ready,
    Reap,
    Spawn,
    Started,
)
from clozekit.report import Problem, Report, Result, Verdict, worst
from clozekit.submission import Submission, Unreadable
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
)
START_SECONDS = 120.0


@dataclass
class Worker:
    """A running worker: its descriptors (ours to close), its process, its scratch directory."""

    engine: "Engine"
    pid: int
    channel: int
    output: int
    scratch: str

    def end(self, at_once: bool = True) -> int | None:
        """Reap it. Exit status, -signal, or None where it had to be killed."""
        status = self.engine.reap(self.pid, at_once)
        shutil.rmtree(self.scratch, ignore_errors=True)
        return status


@dataclass
class Tester:
    """A tester that has collected one grader."""

    channel: Channel
    cases: list
    lock: threading.Lock = field(default_factory=threading.Lock)


class Engine:
    """The judge's machinery, warm until it is closed.

    Args:
        seed: fixes every input that graders draw; a secret one by default.

    Raises:
        CannotCheck: the zygote does not start (torch is missing, for instance).
    """

    def __init__(self, seed: int | None = None):
        self.seed = secrets.randbits(62) if seed is None else seed
        self.lock = threading.Lock()
        self.testers: dict[str, Tester] = {}
        ours, theirs = socket.socketpair()
        environment = {name: os.environ[name] for name in KEPT if name in os.environ}
        command = [sys.executable, "-P", "-m", "clozekit.zygote", str(theirs.fileno())]
        self.errors = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            command,
            pass_fds=[theirs.fileno()],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=self.errors,
            stderr=self.errors,
        )
        theirs.close()
        self.zygote = Channel(ours)
        self.ready = False

    def __enter__(self) -> "Engine":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End every process."""
        for tester in self.testers.values():
            tester.channel.close()
        self.zygote.close()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.errors.close()

    def grade(
        self,
        exercise: Exercise,
        submission: Submission | Unreadable,
        *,
        diagnose: bool = True,
        stop_at_first: bool = False,
        margins: bool = False,
    ) -> Report:
        """Grade one file. Whatever the submission does is in the report; nothing it does raises.

        Raises:
            ContentError: the exercise itself is broken.
        """
        began = time.perf_counter()
        report = Report(exercise.id, "could not check", "C")
        try:
            tester = self.tester(exercise)
            if isinstance(submission, Unreadable):
                report.problem = submission.problem
                report.tests = [
                    Result(case.name, "failed", case.hidden, case.points, submission.problem) for case in tester.cases
                ]
            else:
                report.findings = rules.findings(submission.tree, exercise.sheet)
                job = self.job(exercise, submission, diagnose, stop_at_first, margins)
                graded = self.run(tester, job)
                report.tests, report.margins, report.mistake = graded.results, graded.margins, graded.mistake
                report.unstable = graded.unstable
                if graded.error:
                    report.problem = Problem("grader", {"error": graded.error})
            report.verdict = self.verdict(report)
        except (CannotCheck, Gone, TimedOut) as error:
            report.problem = Problem("engine", {"error": str(error) or type(error).__name__})
        report.seconds = round(time.perf_counter() - began, 3)
        return report

    @staticmethod
    def verdict(report: Report) -> Verdict:
        """Failed wins over could not check, that over passed."""
        verdicts = [test.verdict for test in report.tests]
        if any(finding.severity == "error" for finding in report.findings):
            verdicts.append("failed")
        if report.problem and report.problem.kind == "grader":
            verdicts.append("could not check")
        return worst(verdicts)

    @staticmethod
    def job(exercise: Exercise, submission: Submission, diagnose: bool, stop_at_first: bool, margins: bool) -> Job:
        """What the tester needs to know."""
        mistakes = exercise.mistakes if diagnose else {}
        return Job(
            submission.source,
            submission.name,
            Limits(call_seconds=exercise.sheet.policy.seconds),
            {name: exercise.mistaken(mistake) for name, mistake in mistakes.items()},
            [name for name, mistake in mistakes.items() if mistake.rounding],
            stop_at_first,
            margins,
        )

    def run(self, tester: Tester, job: Job) -> Graded:
        """Hand one job to a tester and give it the workers it asks for."""
        ours, theirs = socket.socketpair()
        with tester.lock:
            tester.channel.send(job, fds=[theirs.fileno()])
        theirs.close()
        channel = Channel(ours)
        workers: dict[int, Worker] = {}
        deadline = time.monotonic() + 3 * job.seconds
        try:
            while True:
                request, _, _ = channel.receive(NeedWorker | EndWorker | Graded, deadline)
                if isinstance(request, Graded):
                    return request
                if isinstance(request, NeedWorker):
                    worker = self.spawn_worker(job.limits)
                    workers[worker.pid] = worker
                    channel.send(Started(worker.pid), fds=[worker.channel, worker.output])
                    os.close(worker.channel)
                    os.close(worker.output)
                else:
                    channel.send(Ended(workers.pop(request.pid).end(request.at_once)))
        except Gone:
            raise CannotCheck("the tester died; run the grader with pytest to see why") from None
        finally:
            channel.close()
            for worker in workers.values():
                worker.end()

    def tester(self, exercise: Exercise) -> Tester:
        """The tester of one exercise, started when first needed."""
        path = str(exercise.grader_path)
        with self.lock:
            if path not in self.testers:
                ours, theirs = socket.socketpair()
                self._ask(Spawn("tester"), Started, [theirs.fileno()])
                theirs.close()
                channel = Channel(ours)
                channel.send(Collect(path, self.seed))
                collected, _, _ = channel.receive(Collected, time.monotonic() + START_SECONDS)
                if collected.error:
                    channel.close()
                    raise ContentError(f"{path} cannot be loaded:\n{collected.error}")
                self.testers[path] = Tester(channel, collected.cases)
            return self.testers[path]

    def spawn_worker(self, limits: Limits) -> Worker:
        """The only place that knows how a worker starts."""
        scratch = tempfile.mkdtemp(prefix="cloze-")
        ours, theirs = socket.socketpair()
        read, write = os.pipe()
        try:
            with self.lock:
                started = self._ask(Spawn("worker", limits, scratch), Started, [theirs.fileno(), write])
        finally:
            theirs.close()
            os.close(write)
        return Worker(self, started.pid, ours.detach(), read, scratch)

    def reap(self, pid: int, at_once: bool) -> int | None:
        """End one child of the zygote."""
        with self.lock, contextlib.suppress(CannotCheck):
            return self._ask(Reap(pid, at_once), Ended, []).status
        return None

    def _ask(self, request: object, answer: type, fds: list[int]):
        deadline = time.monotonic() + START_SECONDS
        try:
            if not self.ready:
                self.zygote.receive(Ready, deadline)
                self.ready = True
            self.zygote.send(request, fds=fds, deadline=deadline)
            return self.zygote.receive(answer, deadline)[0]
        except (Gone, TimedOut):
            self.errors.seek(0)
            said = self.errors.read()[-2000:].decode("utf-8", "replace").strip()
            raise CannotCheck(f"the judge's process does not run; it said: {said or 'nothing'}") from None
