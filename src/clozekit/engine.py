"""The front of the judge: hands a file to the processes that read and grade it, and makes a report of what comes back.

    with Engine() as engine:
        report = engine.grade(exercise, submission.read(path))

No torch here. One Engine serves any number of threads, one submission each.
"""

import os
import secrets
import socket
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import TypeVar

from msgspec import structs

from clozekit.cells import Answer
from clozekit.errors import CannotCheck, ContentError, why
from clozekit.exercise import Exercise, FileStamp
from clozekit.processes import START_SECONDS, Processes, Worker
from clozekit.protocol import (
    Analyse,
    Analysed,
    Case,
    Collect,
    Collected,
    Graded,
    Job,
    Limits,
    Open,
    Opened,
    Ready,
    Recorded,
)
from clozekit.report import Problem, Report, Verdict, worst
from clozekit.submission import Unreadable, Upload
from clozekit.wire import Channel, Gone, Stop, TimedOut, Violation

DEVICE_SECONDS = 600.0  # for a file on a device, which has to be started, and waited for
DEVICE_FILES = 1024  # that a worker may hold open: CUDA opens several for each GPU of the machine
WARM = 6  # testers that wait for the next file of their exercise: 40 to 80 MB each
ANALYSIS_SECONDS = 20.0  # to parse a file and apply the rules, which are bounded; ordinary ones take milliseconds
Read = TypeVar("Read", Analysed, Opened)


@dataclass
class Tester:
    """A tester that has collected one grader.

    notes: for each report. stamps: of the exercise's files, as they were then. used: when it was last wanted. jobs: how many it
    grades now.
    """

    channel: Channel
    cases: list[Case]
    notes: list[Problem]
    stamps: list[FileStamp | None]
    lock: threading.Lock = field(default_factory=threading.Lock)
    used: float = 0.0
    jobs: int = 0

    def dismiss(self) -> None:
        """It ends once nobody can ask it any more. What it grades is lost."""
        with self.lock:
            self.channel.close()

    def retire(self) -> bool:
        """Dismiss it, unless it grades something."""
        with self.lock:
            if not self.jobs:
                self.channel.close()
            return not self.jobs


class Engine(Processes):
    """The judge, warm until it is closed.

    Args:
        seed: fixes every input that graders draw; a secret one by default.
        without: see `Processes`.

    Raises:
        CannotCheck: no process can be started, or there is no place for its files.
    """

    def __init__(self, seed: int | None = None, without: Collection[str] = ()):
        self.seed = secrets.randbits(62) if seed is None else seed
        self.collecting = threading.Lock()
        self.testers: dict[str, Tester] = {}
        super().__init__(without)

    def close(self) -> None:
        """End every process, delete every scratch directory."""
        super().close()
        for tester in self.testers.values():
            tester.dismiss()

    def grade(
        self,
        exercise: Exercise,
        upload: Upload,
        *,
        diagnose: bool = True,
        stop_at_first: bool = False,
        margins: bool = False,
        processor: int | None = None,
        device: str | None = None,
        stop: Stop | None = None,
        spawn: Callable[[Limits], Worker] | None = None,
    ) -> Report:
        """Grade one file, by workers that keep to one `processor`, if given. Nothing that the submission does raises.

        device: a GPU, as torch calls it. Answers are computed there; those of kernels on the processor first, then there as well.
        stop: what ends it before its time. spawn: where the first worker comes from, in place of `spawn_worker`.

        Raises:
            ContentError: the exercise itself is broken.
            Stopped: `stop` was set, and the workers are dead.
        """
        began = time.perf_counter()
        report = Report(exercise.id, "could not check", "C")
        cases: list[Case] = []
        try:
            tester = self.tester(exercise)
            cases, report.notes = tester.cases, tester.notes
            kernel = exercise.sheet.policy.kernel
            limits = worker_limits(exercise, processor, None if kernel else device)
            worker = (spawn or self.spawn_worker)(limits)
            try:
                analysed = self.analyse(worker, exercise, upload, stop)
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
                job = structs.replace(job, limits=limits)
                if device:
                    job = structs.replace(job, device=device if kernel else None, seconds=DEVICE_SECONDS)
                graded = self.run(exercise, job, worker, stop)
                report.tests, report.margins, report.mistake = graded.results, graded.margins, graded.mistake
                report.unstable, report.meters = graded.unstable, graded.meters
                report.growths, report.rooflines = graded.growths, graded.rooflines
                if graded.error:
                    report.problem = Problem("grader", {"error": graded.error})
            report.verdict = self.verdict(report)
        except (CannotCheck, Gone, TimedOut, Violation, OSError) as error:
            report.problem = problem = Problem("engine", why(error))
            report.tests = [case.result("could not check", problem) for case in cases]
        report.cell = upload.cell
        report.tier = self.found.layers.tier
        report.seconds = round(time.perf_counter() - began, 3)
        return report

    @staticmethod
    def analyse(worker: Worker, exercise: Exercise, upload: Upload, stop: Stop | None = None) -> Analysed:
        """Have a fresh worker parse a file and hold it against the rules: no file is opened up in this process."""
        try:
            return _ask(worker, Analyse(upload.name, exercise.sheet.policy), upload.raw, Analysed, stop)
        except TimedOut:
            return Analysed(problem=Problem("unreadable-time", {"seconds": f"{ANALYSIS_SECONDS:g}"}))
        except Gone:
            return Analysed(problem=Problem("unreadable-memory"))

    def open(self, raw: bytes, processor: int | None = None) -> list[Answer]:
        """Have a worker find the answers in a notebook, of which each is graded as a file of its own.

        Raises:
            Unreadable: the notebook cannot be taken.
            CannotCheck: the judge itself fails.
        """
        try:
            worker = self.spawn_worker(Limits(processor=processor))
            try:
                opened = _ask(worker, Open(), raw, Opened)
            finally:
                worker.discard()
        except (TimedOut, Gone):
            raise Unreadable(Problem("notebook-heavy")) from None
        except (Violation, OSError) as error:
            raise CannotCheck(Problem("notebook-shut", why(error))) from None
        if opened.problem:
            raise Unreadable(opened.problem)
        return opened.answers

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

    def run(self, exercise: Exercise, job: Job, spare: Worker | None = None, stop: Stop | None = None) -> Graded:
        """Hand one job to the tester of an exercise and give it the workers it asks for, `spare` to begin with."""
        try:
            tester, channel = self._hand_out(exercise, job, stop)
        except BaseException:
            if spare:
                spare.discard()
            raise
        try:
            return self.lend(channel, job.limits, Graded, time.monotonic() + 3 * job.seconds, spare)
        except Gone:
            raise CannotCheck(Problem("tester-died")) from None
        except TimedOut:
            raise CannotCheck(Problem("tester-late", {"seconds": f"{3 * job.seconds:g}"})) from None
        finally:
            with tester.lock:
                tester.jobs -= 1

    def _hand_out(self, exercise: Exercise, job: Job, stop: Stop | None) -> tuple[Tester, Channel]:
        """The channel to the child that grades this job. A tester that died since it was last used is replaced."""
        for _ in range(2):
            tester = self.tester(exercise)
            ours, theirs = socket.socketpair()
            try:
                with tester.lock:
                    tester.channel.send(job, fds=[theirs.fileno()])
                    tester.jobs += 1
                return tester, Channel(ours, stop=stop)
            except (Gone, OSError):  # it has died, or was dismissed
                if self.testers.get(path := str(exercise.grader_path)) is tester:
                    self.testers.pop(path, None)
            finally:
                theirs.close()
        raise CannotCheck(Problem("tester-died"))

    def tester(self, exercise: Exercise) -> Tester:
        """The tester of one exercise, started when first needed, and anew when the exercise's files have changed."""
        path, stamps = str(exercise.grader_path), exercise.stamps()
        found = self.testers.get(path)
        if not found or found.stamps != stamps:  # else no need to wait for another grader that is being loaded
            with self.collecting:
                found = self.testers.get(path)
                if not found or found.stamps != stamps:
                    if found:
                        self.testers.pop(path, None)
                        found.dismiss()
                    channel, collected = self._collect(exercise)
                    self._make_room()
                    found = Tester(channel, collected.cases, collected.notes, stamps, used=time.monotonic())
                    self.testers[path] = found
        found.used = time.monotonic()
        return found

    def _make_room(self) -> None:
        """End testers that grade nothing, those first that were wanted longest ago."""
        for path, tester in sorted(self.testers.items(), key=lambda each: each[1].used):
            if len(self.testers) >= WARM and tester.retire():
                self.testers.pop(path, None)

    def _collect(self, exercise: Exercise, record: bool = False) -> tuple[Channel, Collected]:
        """Have a new tester collect what an exercise is graded by.

        Raises:
            ContentError: it cannot be loaded.
            ClozeError: it is part of a course pack, and not what was released.
        """
        path, sheet = str(exercise.grader_path), exercise.sheet
        if exercise.pack:
            exercise.pack.read(exercise.grader_path)
        ours, theirs = socket.socketpair()
        try:
            self.spawn_tester(theirs.fileno())
        finally:
            theirs.close()
        channel = Channel(ours)
        channel.send(Collect(path, self.seed, sheet.policy.kernel, exercise.measure, sheet.thresholds, record))
        try:
            collected, _, _ = channel.receive(Collected, time.monotonic() + START_SECONDS)
        except (Gone, TimedOut):
            collected = Collected(error=f"its process ended, or took longer than {START_SECONDS:g} s")
        if collected.error:
            channel.close()
            raise ContentError(f"{path} cannot be loaded:\n{collected.error}")
        return channel, collected

    def record(self, exercise: Exercise) -> tuple[list[Case], bytes]:
        """All cases of an exercise by name, and what the visible ones ask, as `grading.tape` writes it down.

        Raises:
            ContentError: the grader does not work, or compares what is no data.
        """
        channel, collected = self._collect(exercise, record=True)
        try:
            recorded, raw, _ = channel.receive(Recorded)  # a tester that takes too long ends itself
        except Gone:
            recorded, raw = Recorded("its process ended, or took too long"), bytearray()
        finally:
            channel.close()
        if recorded.error:
            raise ContentError(f"{exercise.grader_path} cannot be recorded: {recorded.error}")
        return collected.cases, bytes(raw)

    def keep_only(self, exercise: Exercise) -> None:
        """End the testers of all other exercises, which take 40 to 80 MB each. What they are grading is lost."""
        for path in {*self.testers} - {str(exercise.grader_path)}:
            if tester := self.testers.pop(path, None):
                tester.dismiss()


def _ask(worker: Worker, request: object, raw: bytes, answer: type[Read], stop: Stop | None = None) -> Read:
    """Have a fresh worker look into a file.

    Raises:
        CannotCheck: it does not start.
        TimedOut, Gone, Violation: the file hurt it.
        Stopped: `stop` was set.
    """
    channel = Channel(socket.socket(fileno=os.dup(worker.channel)), stop=stop)
    try:
        try:
            channel.receive(Ready, time.monotonic() + START_SECONDS)
        except (Gone, TimedOut, Violation):
            raise CannotCheck(Problem("worker-start", {"output": worker.said() or "-"})) from None
        deadline = time.monotonic() + ANALYSIS_SECONDS
        channel.send(request, [raw], deadline=deadline)
        return channel.receive(answer, deadline)[0]  # type: ignore[no-any-return]
    finally:
        channel.close()


def worker_limits(exercise: Exercise, processor: int | None = None, device: str | None = None) -> Limits:
    """What one worker may spend on an exercise; to import may take twice as long as a call."""
    seconds = exercise.sheet.policy.seconds
    limits = Limits(call_seconds=seconds, load_seconds=2 * seconds, processor=processor)
    return structs.replace(limits, device=device, open_files=DEVICE_FILES) if device else limits
