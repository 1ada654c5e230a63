"""One visible case on the learner's own file, in this very process: print, breakpoint() and pdb work, nothing is confined.

rehearsed = rehearse(exercise, "values: odd width")      its calls, with what is expected: the grader runs, nobody is asked
run(exercise, path, rehearsed, "en")                     each of them is made here, and whatever the file does is seen

It looks and decides nothing: the source rules, the hidden cases, the calls that are asked again and the costs are the judge's.
"""

import bdb
import difflib
import importlib.util
import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import msgspec
import pytest
import torch
from _pytest.runner import runtestprotocol

from clozekit import calls, values
from clozekit.describe import describe
from clozekit.errors import ClozeError, ContentError, NotFound
from clozekit.exercise import Exercise
from clozekit.grading import replaying
from clozekit.grading.candidate import Answer, decode
from clozekit.grading.grading import Grading, Source, measures
from clozekit.grading.plugin import GRADING, case_name
from clozekit.grading.questions import Question
from clozekit.grading.tolerance import Expected
from clozekit.grading.trees import is_floating, mapped
from clozekit.phrases import say
from clozekit.protocol import Limits
from clozekit.report import Problem
from clozekit.tester import OPTIONS, PLUGINS, hidden, no_worker
from clozekit.worker import MODULE, Missing, Worker

SEED = 0  # whoever looks for a bug wants to meet the same numbers again


class Rehearsal:
    """A plugin of pytest that collects one grader and runs one of its cases without asking anybody."""

    def __init__(self, exercise: Exercise, wanted: str = ""):
        self.exercise, self.wanted = exercise, wanted
        self.cases: dict[str, bool] = {}  # by name, whether it is hidden
        self.questions: list[Question] = []
        self.skipped = self.error = ""

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.error = str(report.longrepr)

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        self.cases = {case_name(item): hidden(item) for item in session.items}
        name = self.named(self.wanted)
        for item in session.items:
            if case_name(item) == name and not hidden(item):
                self._rehearse(item)
        return True

    def named(self, typed: str) -> str:
        """The name of a case, which may be typed as it is shown in any language."""
        for words in (self.exercise.sheet.zh, self.exercise.sheet.en):
            typed = next((name for name, title in words.cases.items() if title == typed), typed)
        return typed

    def _rehearse(self, item: pytest.Item) -> None:
        policy, thresholds = self.exercise.sheet.policy, self.exercise.sheet.thresholds
        played = replaying.tape_of([item])
        measured = (
            replaying.measures(played, thresholds, policy.kernel)
            if played
            else measures(self.exercise.measure, thresholds, policy.kernel, SEED)
        )
        grading = Grading(no_worker, Source("", ""), Limits(), SEED, {}, *measured)
        grading.rehearsal = True
        item.config.stash[GRADING] = grading
        for report in runtestprotocol(item, log=False):
            if report.skipped and isinstance(report.longrepr, tuple):
                self.skipped = report.longrepr[2].removeprefix("Skipped: ")
            elif report.failed:
                self.error = report.longreprtext
        self.questions = grading.trials.get(case_name(item), [])


def collect(exercise: Exercise, case: str = "") -> Rehearsal:
    """Load the grader of an exercise; rehearse a case, if one is named.

    Raises:
        ContentError: the grader fails.
        ClozeError: a course pack's is not what was released.
    """
    if exercise.pack:
        exercise.pack.read(exercise.grader_path)
    rehearsal = Rehearsal(exercise, case)
    grader = str(exercise.grader_path)
    where = ["--import-mode=importlib", "-c", os.devnull, "--rootdir", os.path.dirname(grader)]
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    try:
        pytest.main([grader, *OPTIONS, *where, *PLUGINS], plugins=[rehearsal])
    finally:
        del os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"]
    if rehearsal.error:
        raise ContentError(f"{grader} fails:\n{rehearsal.error}")
    return rehearsal


def visible_cases(exercise: Exercise) -> list[str]:
    """The names of those that may be looked at."""
    return [name for name, veiled in collect(exercise).cases.items() if not veiled]


def rehearse(exercise: Exercise, case: str) -> list[Question]:
    """The calls of one case, by its name in any language.

    Raises:
        NotFound: there is no such case, or it is hidden.
        ClozeError: it makes no call that could be looked at.
        ContentError: the grader itself fails.
    """
    rehearsal = collect(exercise, case)
    name = rehearsal.named(case)
    if rehearsal.cases.get(name):
        raise NotFound(Problem("debug-hidden", {"case": repr(case)}))
    if name not in rehearsal.cases:
        titles = [title for words in (exercise.sheet.en, exercise.sheet.zh) for title in words.cases.values()]
        visible = [each for each, veiled in rehearsal.cases.items() if not veiled]
        if near := difflib.get_close_matches(case, [*visible, *titles], 1, 0.4):
            raise NotFound(
                Problem("debug-no-case-near", {"case": repr(case), "near": repr(near[0]), "id": exercise.id})
            )
        raise NotFound(Problem("debug-no-case", {"case": repr(case), "id": exercise.id}))
    if rehearsal.skipped:
        raise ClozeError(Problem("skipped", {"reason": rehearsal.skipped}))
    if not (questions := [each for each in rehearsal.questions if each.priced is None]):
        raise ClozeError(Problem("debug-costs", {"case": repr(case), "id": exercise.id}))
    return questions


def run(exercise: Exercise, path: Path, questions: Sequence[Question], language: str) -> bool:
    """Import the file and make every call, showing what comes. Whether nothing was raised.

    A breakpoint() opens the debugger at the terminal; to quit it ends the run.
    """
    file = str(path.absolute())
    torch.use_deterministic_algorithms(True, warn_only=True)  # torch.empty is NaN, as it is before the judge
    if exercise.sheet.policy.kernel:
        from clozekit.kernels import interpret

        interpret.install()
    worker = Worker()
    worker.name = file
    try:
        _load(worker, file)
        for question in questions:
            click.echo(f"\n▸ {question.text}")
            _show(question, _ask(worker, question), language)
    except KeyboardInterrupt:
        raise
    except bdb.BdbQuit:  # the learner has left the debugger
        return True
    except Missing as missing:
        names = " ".join(vars(worker.module))
        click.echo(f"  {describe(Problem('missing', {'name': str(missing), 'names': names}), language)}")
        return False
    except BaseException as error:
        click.echo(own_traceback(error, file), nl=False)
        return False
    return True


def _load(worker: Worker, file: str) -> None:
    """Import the file as any other, so that a debugger finds its lines."""
    sys.dont_write_bytecode = True  # nothing is left beside the learner's file
    spec = importlib.util.spec_from_file_location(MODULE, file)
    assert spec is not None
    assert spec.loader is not None
    worker.module = sys.modules[MODULE] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(worker.module)


def _ask(worker: Worker, question: Question) -> Answer:
    """One call, by the code that makes it in a worker, without what is counted or recorded there."""
    request = question.request
    if isinstance(request, calls.Call):
        plain: dict[str, Any] = {"count_steps": False, "measure": False, "record": False, "composite": False}
        request = msgspec.structs.replace(request, **plain)
    payload = bytearray().join(bytes(buffer) for buffer in question.buffers)
    buffers: list[Any] = []
    reply = worker.answer(request, values.Reader(payload, worker.held, strided=True), buffers)
    question.bars = None  # nothing was counted
    return decode(reply, bytearray().join(bytes(buffer) for buffer in buffers))


def _show(question: Question, answer: Answer, language: str) -> None:
    """What came, what was expected, and where they part."""
    if question.truth:
        for key, value in (("debug-yours", answer.value), ("debug-expected", _rounded(question.truth.answer))):
            click.echo(f"{say(language, key)}\n{_indented(repr(value))}")
    problem = question.judge(answer)
    if problem:
        said = describe(Problem(problem.kind, problem.facts | {"call": ""}), language)
        click.echo(click.style(_indented(said), fg="red"))
    elif question.truth:
        click.echo(click.style(_indented(say(language, "debug-agrees")), fg="green"))


def _rounded(expected: Expected) -> Any:
    """The exact answer as it would come from the file; with its exact numbers where parts have a dtype of their own."""
    kind = None if expected.dtypes else expected.dtype
    return mapped(lambda leaf: leaf.to(kind) if kind and is_floating(leaf) else leaf, expected.value)


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.split("\n"))


def own_traceback(error: BaseException, file: str) -> str:
    """The traceback from the file's first line on: how it was called is nobody's business."""
    trace = error.__traceback__
    while trace and trace.tb_frame.f_code.co_filename != file:
        trace = trace.tb_next
    return "".join(traceback.format_exception(type(error), error, trace))
