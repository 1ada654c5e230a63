"""Plain pytest in a workspace: each file that the learner has worked on is a collector, each visible case of it a test.

$ pytest -q                                              also with -k and -x, on one file, or on one case:
$ pytest "normalization/rms_norm.py::values: large eps"

The judge is that of `cloze check`: the file runs in a worker, confined, all of it once, when its first test is asked for.
The last test of a file stands for what no visible case shows: the source rules and the hidden cases. No torch in this process.
"""

from collections.abc import Generator, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from clozekit import render, submission
from clozekit.cli.common import catalog_of, language, remember
from clozekit.describe import describe
from clozekit.engine import Engine
from clozekit.errors import CannotCheck, ClozeError, why
from clozekit.exercise import Exercise
from clozekit.phrases import say
from clozekit.report import EXIT_STATUS, Problem, Report, Verdict
from clozekit.workspace import Workspace


class Answers:
    """The plugin: registered only where pytest runs in a workspace. `named`: what was named at the command line."""

    def __init__(self, workspace: Workspace, named: list[Path], seed: int | None):
        self.workspace, self.named, self.seed = workspace, named, seed
        self.language = language(None, workspace)
        self.exercises = {exercise.id: exercise for exercise in catalog_of(workspace)}
        self.untouched: list[Path] = []
        self.judge: Engine | None = None
        self.undecided = False  # whether a test could not be checked

    @property
    def engine(self) -> Engine:
        """The judge, started when it is first needed."""
        if self.judge is None:
            self.judge = Engine(self.seed)
        return self.judge

    def exercise(self, path: Path) -> Exercise | None:
        """What a file of the workspace is an answer to, if it is one."""
        id = f"{path.parent.name}/{path.stem}"
        if path.suffix != ".py" or self.workspace.folder(id, path) is None:
            return None
        return self.exercises.get(id)

    @pytest.hookimpl(wrapper=True)
    def pytest_collect_file(self, file_path: Path, parent: pytest.Collector) -> Generator[None, Any, Any]:
        """An answer is ours alone: as an ordinary module it would be imported here, with all that the learner may do."""
        found = yield
        if (exercise := self.exercise(file_path)) is None:
            return found
        if not parent.session.isinitpath(file_path) and is_untouched(exercise, file_path):
            self.untouched.append(file_path)
            return []
        return [Answer.from_parent(parent, path=file_path, exercise=exercise, answers=self)]

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        wanted = [path for path in self.untouched if not set(path.parents).isdisjoint(self.named)]  # not beside a file
        if wanted:
            terminalreporter.write_line(say(self.language, "untouched", count=len(wanted)))

    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """What could not be checked is no pass, though pytest takes a skipped test for none of its business."""
        if self.undecided and exitstatus == pytest.ExitCode.OK:
            session.exitstatus = EXIT_STATUS["could not check"]

    def pytest_unconfigure(self) -> None:
        if self.judge:
            self.judge.close()


def is_untouched(exercise: Exercise, path: Path) -> bool:
    """Whether a file is still as `cloze init` writes it; if that cannot be told, `collect` says why."""
    try:
        return exercise.is_starter(path.read_bytes())
    except (OSError, ClozeError):
        return False


class Answer(pytest.File):
    """One file of the workspace."""

    def __init__(self, *, exercise: Exercise, answers: Answers, **rest: Any):
        super().__init__(**rest)
        self.exercise, self.answers = exercise, answers
        self.language = answers.language

    def collect(self) -> Iterator[pytest.Item]:
        try:
            cases = self.answers.engine.tester(self.exercise).cases
        except ClozeError as error:
            raise self.CollectError(error.text(self.language)) from None
        except CannotCheck as error:
            raise self.CollectError(describe(Problem("engine", why(error)), self.language)) from None
        titles = self.exercise.words(self.language).cases
        for case in cases:
            if not case.hidden:
                yield Case.from_parent(self, name=titles.get(case.name, case.name), case=case.name)
        yield Rest.from_parent(self, name=say(self.language, "rules-and-hidden"))

    @cached_property
    def report(self) -> Report:
        """What the judge says of the file; remembered like any check, so that `cloze hint` knows of it."""
        try:
            upload = submission.read(self.path)
        except OSError as error:
            problem = Problem("cannot-read", {"path": str(self.path), **why(error)})
            raise Refused(describe(problem, self.language)) from None
        report = self.answers.engine.grade(self.exercise, upload)
        remember(self.answers.workspace, report, self.path, self.language, upload.saved)
        return report

    @cached_property
    def messages(self) -> dict[str, str]:
        """What is told of each test, by its name."""
        rows = render.as_json(self.report, self.exercise, self.language, "all")["tests"]
        return {test.name: row["message"] for test, row in zip(self.report.tests, rows, strict=True)}


class Refused(Exception):
    """The judge refuses the file; the text says why, and no traceback of ours would add to it."""


class Judged(pytest.Item):
    """A test whose outcome the judge knows."""

    parent: Answer

    def outcome(self) -> tuple[Verdict, str]:
        """The verdict and what is told of it."""
        raise NotImplementedError

    def runtest(self) -> None:
        verdict, message = self.outcome()
        if verdict == "failed":
            raise Refused(message)
        if verdict == "could not check":
            self.parent.answers.undecided = True
            pytest.skip(message)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], *args: Any, **options: Any) -> Any:
        if isinstance(excinfo.value, Refused):
            return str(excinfo.value)
        return super().repr_failure(excinfo, *args, **options)

    def reportinfo(self) -> tuple[Path, None, str]:
        return self.path, None, self.name


class Case(Judged):
    """One visible case."""

    def __init__(self, *, case: str, **rest: Any):
        super().__init__(**rest)
        self.case = case

    def outcome(self) -> tuple[Verdict, str]:
        answer = self.parent
        test = next((test for test in answer.report.tests if test.name == self.case), None)
        if test is None:
            return "could not check", describe(answer.report.problem or Problem("budget"), answer.language)
        if test.output:
            self.add_report_section("call", "stdout", test.output)
        return test.verdict, answer.messages[test.name]


class Rest(Judged):
    """The source rules and the hidden cases: what else stands between these tests and a pass."""

    def outcome(self) -> tuple[Verdict, str]:
        answer, report = self.parent, self.parent.report
        broken = [finding for finding in report.findings if finding.severity == "error"]
        failed = [test for test in report.tests if test.hidden and test.verdict == "failed"]
        titles = answer.exercise.words(answer.language).cases
        told = [
            *(f"{each.line}:{each.column} {each.code} {describe(each.problem, answer.language)}" for each in broken),
            *(f"{titles.get(test.name, test.name)}\n{answer.messages[test.name]}" for test in failed),
        ]
        if told:
            return "failed", "\n".join(told)
        open_ = [test for test in report.tests if test.hidden and test.verdict == "could not check"]
        if open_:
            return "could not check", answer.messages[open_[0].name]
        if report.problem and report.problem.kind == "grader":
            return "could not check", describe(report.problem, answer.language)
        return "passed", ""
