"""The trusted side of a grading: loads one grader, collects it once, forks a child for each submission.

front ──Collect──> tester ──Collected──> front      then for each submission
front ──Job + descriptor──> tester ─fork─> child ──NeedWorker / EndWorker / Graded──> front

The cases of a course pack are collected and graded in the same way, see `replaying`.
"""

import gc
import os
import signal
import socket
import sys
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest
import torch
from _pytest.runner import runtestprotocol

from clozekit.errors import CannotCheck, why
from clozekit.grading import replaying, tape
from clozekit.grading.borrowed import Front
from clozekit.grading.check import GraderError, Refused, Undecided
from clozekit.grading.evidence import Device, Solution
from clozekit.grading.grading import Grading, Source, measures
from clozekit.grading.plugin import GRADING, case_name
from clozekit.grading.questions import Truth
from clozekit.pack import versions
from clozekit.protocol import Case, Collect, Collected, Graded, Job, Limits, Recorded
from clozekit.report import Margin, Picture, Problem, Result
from clozekit.wire import Channel, Gone

UNWANTED = "cacheprovider logging terminal doctest junitxml debugging faulthandler".split()  # plugins of pytest
OPTIONS = [*(f"-pno:{plugin}" for plugin in UNWANTED), "--capture=no"]
PLUGINS = ["-pclozekit.grading.plugin", "-pclozekit.grading.replaying"]

PREPARE_SECONDS = 120.0  # to load a grader and evaluate its references; a loop in them that never ends, ends the tester


def run(fd: int) -> None:
    """Serve the front until it closes. Never returns."""
    channel = Channel(socket.socket(fileno=fd))
    request, _, _ = channel.receive(Collect)
    null = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1):
        os.dup2(null, stream)
    sys.dont_write_bytecode = True
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    torch.default_generator.manual_seed(
        request.seed
    )  # a grader that draws while it is imported must not draw what a worker can foresee
    grader = Path(request.grader)
    arguments = [
        str(grader),
        *OPTIONS,
        "--import-mode=importlib",
        "-c",
        os.devnull,
        "--rootdir",
        str(grader.parent),
    ]
    tester = Tester(channel, request)
    signal.setitimer(signal.ITIMER_REAL, PREPARE_SECONDS)
    try:
        pytest.main([*arguments, *PLUGINS], plugins=[tester])
        channel.send(Collected(error=tester.error or "no test was collected"))
    except Gone:
        pass
    os._exit(0)


class Tester:
    """A pytest plugin that runs the collected tests once for each Job, in a fork."""

    def __init__(self, channel: Channel, request: Collect):
        self.channel, self.request = channel, request
        self.error = ""
        self.memory: dict[bytes, Truth] = {}
        self.measures = measures(request.solution, request.thresholds, request.kernel, request.seed)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.error = str(report.longrepr)[-4000:]

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        if not session.items or session.testsfailed:
            return True
        cases = [Case(case_name(item), hidden(item), points(item)) for item in session.items]
        if self.request.record:
            self.channel.send(Collected(cases))
            self.record(session.items)
            return True
        notes, thresholds = [], self.request.thresholds
        if played := replaying.tape_of(session.items):
            self.measures = replaying.measures(played, thresholds, self.request.kernel)
            notes = replaying.notes(played, thresholds)
        self.channel.send(Collected(cases, notes=notes))
        self.rehearse(session.items)
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        gc.collect()
        gc.freeze()
        while True:
            job, _, fds = self.channel.receive(Job)
            if os.fork() == 0:
                self.channel.close()
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                self.grade(session.items, job, fds[0])
            os.close(fds[0])

    def record(self, items: list[pytest.Item]) -> None:
        """Write down what the visible cases ask. Hidden ones are not even run."""
        visible = [item for item in items if not hidden(item)]
        if not visible:
            self.channel.send(Recorded("all cases are hidden; a pack needs a visible one"))
            return
        scripts = self.rehearse(visible).scripts
        if self.error:
            self.channel.send(Recorded(self.error))
            return
        solution = self.measures[0]
        bills = {text: bill.costs for text, bill in solution.bills.items()} if solution else {}
        cases = [tape.Case(item.name, points(item), scripts[case_name(item)]) for item in visible]
        hidden_ones = len(items) - len(visible)
        try:
            raw = tape.write(tape.Tape(versions(), self.request.seed, hidden_ones, cases, bills))
        except tape.Unrecordable as error:
            self.channel.send(Recorded(str(error)))
            return
        self.channel.send(Recorded(), [raw])

    def rehearse(self, items: list[pytest.Item]) -> Grading:
        """Evaluate every reference once, here, so that no child has to. What fails here fails there, and is told."""
        grading = Grading(no_worker, Source("", ""), Limits(), self.request.seed, self.memory, *self.measures)
        grading.rehearsal = True
        items[0].config.stash[GRADING] = grading
        for item in items:
            for report in runtestprotocol(item, log=False):
                if not report.passed:
                    self.error = self.error or f"{case_name(item)}: {report.longreprtext}"[-4000:]
        return grading

    def grade(self, items: list[pytest.Item], job: Job, fd: int) -> None:
        """In the child: run every test on one submission and report. Never returns."""
        signal.setitimer(signal.ITIMER_REAL, 2 * job.seconds)  # the last resort; the deadline below is the rule
        front = Front(Channel(socket.socket(fileno=fd)))
        source = Source(job.source, job.name, job.mistaken, frozenset(job.rounding), frozenset(job.forbidden))
        device = on_device(front, job, self.measures[0])
        grading = Grading(front.spawn, source, job.limits, self.request.seed, self.memory, *self.measures, device)
        run = Run(grading, job)
        try:
            graded = run.all(items)
        except BaseException as error:
            graded = Graded(run.results, error=f"{type(error).__name__}: {error}"[:2000])
        try:
            front.channel.send(graded)
        finally:
            os._exit(0)


def on_device(front: Front, job: Job, solution: Solution | None) -> Device | None:
    """Where kernels are run once more, if that is asked for."""
    if not (job.device and solution):
        return None
    from clozekit.grading.on_device import OnDevice

    return OnDevice(front.bench, solution, job.limits.call_seconds)


def no_worker() -> Any:
    raise GraderError("a rehearsal asks nobody")


class Run:
    """The tests of one grader on one submission."""

    def __init__(self, grading: Grading, job: Job):
        self.grading, self.job = grading, job
        self.deadline = time.monotonic() + job.seconds
        self.results: list[Result] = []

    def all(self, items: list[pytest.Item]) -> Graded:
        """Run, then diagnose. Hidden cases come last, so that nothing that is learned there can show in a visible one."""
        config = items[0].config
        config.stash[GRADING] = self.grading
        config.pluginmanager.register(self)
        places = {case_name(item): place for place, item in enumerate(items)}
        items = sorted(items, key=hidden)
        for item, following in zip(items, [*items[1:], None], strict=True):
            if time.monotonic() > self.deadline:
                self.results.append(self._result(item, self.job.late, Problem("budget")))
            else:
                config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if self.job.stop_at_first and self.results[-1].verdict == "failed":
                break
        self.results.sort(key=lambda result: places[result.name])
        mistake = self.grading.diagnose()
        for result in self.results:
            if mistake and result.verdict == "failed":
                result.mistake = mistake
        self.grading.close()
        graded = Graded(
            self.results,
            self.grading.meters(),
            mistake=mistake,
            growths=self.grading.growths(),
            rooflines=self.grading.rooflines(),
        )
        if not self.job.margins:
            return graded
        asked = [
            (test, each, each.truth)
            for questions_of in (self.grading.trials, self.grading.unasked)
            for test, questions in questions_of.items()
            for each in questions
            if each.truth
        ]
        margins = [Margin(test, question.excess()) for test, question, _ in asked]
        unstable = [f"{test}: {where}" for test, _, truth in asked for where in truth.answer.unstable]
        return msgspec.structs.replace(graded, margins=margins, unstable=unstable)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo) -> pytest.TestReport:
        """Judge, and spare pytest the rendering of a traceback that nobody would see (20 ms each)."""
        if call.excinfo:
            self.results.append(self._judge(item, call.excinfo.value))
        elif call.when == "call":
            self.results.append(self._result(item, "passed", None))
        outcome = "failed" if call.excinfo else "passed"
        return pytest.TestReport(item.nodeid, item.location, {}, outcome, None, call.when, duration=call.duration)

    def _judge(self, item: pytest.Item, error: BaseException) -> Result:
        """Only the trusted side decides: a Refused or a failed assertion is the learner's, anything else is ours."""
        if isinstance(error, Refused):
            return self._result(item, "failed", error.problem, error.picture)
        if isinstance(error, pytest.skip.Exception):
            return self._result(item, "could not check", Problem("skipped", {"reason": str(error)}))
        if isinstance(error, Undecided):
            return self._result(item, "could not check", error.problem)
        if isinstance(error, CannotCheck):
            return self._result(item, "could not check", Problem("engine", why(error)))
        if isinstance(error, AssertionError):
            return self._result(item, "failed", Problem("assertion", {"text": str(error)[:1000]}))
        return self._result(
            item, "could not check", Problem("grader", {"error": f"{type(error).__name__}: {error}"[:1000]})
        )

    def _result(
        self, item: pytest.Item, verdict: Any, problem: Problem | None, picture: Picture | None = None
    ) -> Result:
        candidate = self.grading.hidden if hidden(item) else self.grading.visible
        said = candidate.printed()
        return Result(case_name(item), verdict, hidden(item), points(item), problem, output=said, picture=picture)


def hidden(item: pytest.Item) -> bool:
    return item.get_closest_marker("hidden") is not None


def points(item: pytest.Item) -> float:
    mark = item.get_closest_marker("points")
    return float(mark.args[0]) if mark else 1.0
