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
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from msgspec import structs

from clozekit import calls
from clozekit.errors import CannotCheck, ContentError
from clozekit.exercise import Exercise
from clozekit.protocol import (
    Case,
    Collect,
    Collected,
    Ended,
    EndWorker,
    Found,
    Graded,
    Job,
    Limits,
    NeedWorker,
    Ready,
    Reap,
    Spawn,
    Started,
)
from clozekit.report import Problem, Report, Tier, Verdict, worst
from clozekit.submission import Upload
from clozekit.wire import Channel, Gone, TimedOut, Violation

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
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}  # of the zygote; a pool of threads survives no fork
START_SECONDS = 120.0
ANALYSIS_SECONDS = 20.0  # to parse a file and apply the rules, which are bounded; ordinary ones take milliseconds
GRACE = 0.25  # seconds that a worker has to end by itself before it is killed, so that its true status is known


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
        status = self.engine.reap(self.pid, 0.0 if at_once else GRACE)
        shutil.rmtree(self.scratch, ignore_errors=True)
        return status

    def said(self) -> str:
        """What it has written so far, or the end of it."""
        os.set_blocking(self.output, False)
        with contextlib.suppress(BlockingIOError):
            return os.read(self.output, 65536).decode("utf-8", "replace").strip()[-1000:]
        return ""

    def discard(self) -> None:
        """End it and close its descriptors, which nobody else has."""
        os.close(self.channel)
        os.close(self.output)
        self.end()


@dataclass
class Tester:
    """A tester that has collected one grader."""

    channel: Channel
    cases: list[Case]
    lock: threading.Lock = field(default_factory=threading.Lock)


class Engine:
    """The judge's machinery, warm until it is closed. A zygote that dies is replaced; what it was asked fails.

    Args:
        seed: fixes every input that graders draw; a secret one by default.
        without: layers of the sandbox to do without, for tests that look at a worker from inside.

    Raises:
        CannotCheck: no process can be started, or there is no place for its files.
    """

    def __init__(self, seed: int | None = None, without: Collection[str] = ()):
        self.seed = secrets.randbits(62) if seed is None else seed
        self.lock = threading.Lock()  # held while the zygote is asked
        self.collecting = threading.Lock()
        self.testers: dict[str, Tester] = {}
        self.without = without
        self.found = Found()
        self.home = ""
        try:
            self.errors = tempfile.TemporaryFile()  # noqa: SIM115  (closed with the engine)
            self._start()
        except OSError as error:
            shutil.rmtree(self.home, ignore_errors=True)
            raise CannotCheck(f"the judge cannot start: {error}") from None

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

    def __enter__(self) -> "Engine":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End every process, delete every scratch directory."""
        for tester in self.testers.values():
            tester.channel.close()
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

    def grade(
        self,
        exercise: Exercise,
        upload: Upload,
        *,
        diagnose: bool = True,
        stop_at_first: bool = False,
        margins: bool = False,
        processor: int | None = None,
    ) -> Report:
        """Grade one file, by workers that keep to one `processor`, if given. Nothing that the submission does raises.

        Raises:
            ContentError: the exercise itself is broken.
        """
        began = time.perf_counter()
        report = Report(exercise.id, "could not check", "C")
        cases: list[Case] = []
        try:
            cases = self.tester(exercise).cases
            limits = worker_limits(exercise, processor)
            worker = self.spawn_worker(limits)
            try:
                analysed = self.analyse(worker, exercise, upload)
            except BaseException:
                worker.discard()
                raise
            if analysed.problem:
                worker.discard()
                report.problem = analysed.problem
                report.tests = [case.result("failed", analysed.problem) for case in cases]
            else:
                report.findings = analysed.findings
                job = self.job(exercise, upload.name, analysed.source, diagnose, stop_at_first, margins)
                graded = self.run(exercise, structs.replace(job, limits=limits), worker)
                report.tests, report.margins, report.mistake = graded.results, graded.margins, graded.mistake
                report.unstable, report.meters = graded.unstable, graded.meters
                if graded.error:
                    report.problem = Problem("grader", {"error": graded.error})
            report.verdict = self.verdict(report)
        except (CannotCheck, Gone, TimedOut, Violation, OSError) as error:
            report.problem = problem = Problem("engine", {"error": str(error) or type(error).__name__})
            report.tests = [case.result("could not check", problem) for case in cases]
        report.tier = self.found.layers.tier
        report.seconds = round(time.perf_counter() - began, 3)
        return report

    @staticmethod
    def analyse(worker: Worker, exercise: Exercise, upload: Upload) -> calls.Analysed:
        """Have a fresh worker parse a file and hold it against the rules: no file is opened up in this process."""
        channel = Channel(socket.socket(fileno=os.dup(worker.channel)))
        try:
            channel.receive(Ready, time.monotonic() + START_SECONDS)
        except (Gone, TimedOut, Violation):
            channel.close()
            raise CannotCheck(f"a worker does not start; it said: {worker.said() or 'nothing'}") from None
        try:
            request = calls.Analyse(upload.name, exercise.sheet.policy)
            deadline = time.monotonic() + ANALYSIS_SECONDS
            channel.send(request, [upload.raw], deadline=deadline)
            return channel.receive(calls.Analysed, deadline)[0]
        except TimedOut:
            return calls.Analysed(problem=Problem("unreadable-time", {"seconds": f"{ANALYSIS_SECONDS:g}"}))
        except Gone:
            return calls.Analysed(problem=Problem("unreadable-memory"))
        finally:
            channel.close()

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
    def job(exercise: Exercise, name: str, source: str, diagnose: bool, stop_at_first: bool, margins: bool) -> Job:
        """What the tester needs to know."""
        mistakes = exercise.mistakes if diagnose else {}
        return Job(
            source,
            name,
            worker_limits(exercise),
            {name: exercise.mistaken(mistake) for name, mistake in mistakes.items()},
            [name for name, mistake in mistakes.items() if mistake.rounding],
            exercise.sheet.policy.forbid,
            stop_at_first,
            margins,
        )

    def run(self, exercise: Exercise, job: Job, spare: Worker | None = None) -> Graded:
        """Hand one job to the tester of an exercise and give it the workers it asks for, `spare` to begin with."""
        try:
            channel = self._hand_out(exercise, job)
        except BaseException:
            if spare:
                spare.discard()
            raise
        workers: dict[int, Worker] = {}
        deadline = time.monotonic() + 3 * job.seconds
        try:
            while True:
                request, _, _ = channel.receive(NeedWorker | EndWorker | Graded, deadline)
                if isinstance(request, Graded):
                    return request
                if isinstance(request, NeedWorker):
                    worker, spare = spare or self.spawn_worker(job.limits), None
                    workers[worker.pid] = worker
                    channel.send(Started(worker.pid), fds=[worker.channel, worker.output])
                    os.close(worker.channel)
                    os.close(worker.output)
                else:
                    channel.send(Ended(workers.pop(request.pid).end(request.at_once)))
        except Gone:
            raise CannotCheck("the tester died; run the grader with pytest to see why") from None
        except TimedOut:
            raise CannotCheck(f"the tester did not end within {3 * job.seconds:g} s") from None
        finally:
            channel.close()
            if spare:
                spare.discard()
            for worker in workers.values():
                worker.end()

    def _hand_out(self, exercise: Exercise, job: Job) -> Channel:
        """The channel to the child that grades this job. A tester that died since it was last used is replaced."""
        for _ in range(2):
            tester = self.tester(exercise)
            ours, theirs = socket.socketpair()
            try:
                with tester.lock:
                    tester.channel.send(job, fds=[theirs.fileno()])
                return Channel(ours)
            except Gone:
                self.testers.pop(str(exercise.grader_path), None)
            finally:
                theirs.close()
        raise CannotCheck("the tester died; run the grader with pytest to see why")

    def tester(self, exercise: Exercise) -> Tester:
        """The tester of one exercise, started when first needed."""
        path = str(exercise.grader_path)
        if known := self.testers.get(path):  # no need to wait for another grader that is being loaded
            return known
        with self.collecting:
            if path not in self.testers:
                ours, theirs = socket.socketpair()
                try:
                    with self.lock:
                        self._ask(Spawn("tester"), Started, [theirs.fileno()])
                finally:
                    theirs.close()
                channel = Channel(ours)
                kernel = exercise.sheet.policy.kernel
                channel.send(
                    Collect(path, self.seed, kernel, exercise.solution if kernel else "", exercise.sheet.thresholds)
                )
                try:
                    collected, _, _ = channel.receive(Collected, time.monotonic() + START_SECONDS)
                except (Gone, TimedOut):
                    collected = Collected(error=f"its process ended, or took longer than {START_SECONDS:g} s")
                if collected.error:
                    channel.close()
                    raise ContentError(f"{path} cannot be loaded:\n{collected.error}")
                self.testers[path] = Tester(channel, collected.cases)
            return self.testers[path]

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
        while started:
            deadline = time.monotonic() + START_SECONDS
            started = self.ready
            try:
                if not self.ready:
                    self.found = self.zygote.receive(Ready, deadline)[0].found
                    self.ready = True
                self.zygote.send(request, fds=fds, deadline=deadline)
                return self.zygote.receive(answer, deadline)[0]
            except (Gone, TimedOut):
                said = self._said()
                self._stop()
                self._start()
        raise CannotCheck(f"the judge's process does not run; it said: {said or 'nothing'}")

    def _said(self) -> str:
        """The end of what our processes wrote to standard error."""
        self.errors.seek(max(0, self.errors.seek(0, os.SEEK_END) - 2000))
        said = self.errors.read().decode("utf-8", "replace").strip()
        self.errors.seek(0)
        self.errors.truncate()
        return said


def worker_limits(exercise: Exercise, processor: int | None = None) -> Limits:
    """What one worker may spend on an exercise; to import may take twice as long as a call."""
    seconds = exercise.sheet.policy.seconds
    return Limits(call_seconds=seconds, load_seconds=2 * seconds, processor=processor)
