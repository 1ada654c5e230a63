"""What the end-to-end tests share: one warm judge, one exercise of the kit, and private ones made for a single test."""

import contextlib
import os
import select
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
import torch
from click.testing import CliRunner, Result

from clozekit import blanks, submission
from clozekit.catalog import builtin_root
from clozekit.cli import main
from clozekit.describe import describe
from clozekit.engine import Engine
from clozekit.exercise import Exercise
from clozekit.protocol import Layers
from clozekit.report import Report
from clozekit.skeleton import write_skeleton

SEED = 20261122
PATIENCE = 120.0  # seconds, however loaded the machine is

# pytest has a process on each core: threads that wait for each other made it four times as slow
torch.set_num_threads(1)


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    """The judge, warm; nothing that one test has graded may matter to the next."""
    with Engine(SEED) as engine:
        yield engine


@pytest.fixture(scope="session")
def bare() -> Iterator[Engine]:
    """Another one, without a sandbox as on a machine that has none: what a worker sees and can do there."""
    with Engine(SEED + 1, without=Layers.__struct_fields__) as engine:
        yield engine


@pytest.fixture
def cloze(engine, monkeypatch, tmp_path) -> Callable[..., Result]:
    """cloze("check", "x.py") in an empty directory, with the warm judge in place of a new one."""
    monkeypatch.setattr("clozekit.engine.Engine", lambda seed=None: contextlib.nullcontext(engine))
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith(("CLOZE", "LC_", "PYTEST"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("LANG", "C.UTF-8")

    def cloze(*arguments: object, **options: str) -> Result:
        result = CliRunner().invoke(main, [str(argument) for argument in arguments], **options)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.output
        return result

    return cloze


@pytest.fixture(scope="session")
def until() -> Callable[[Callable[[], object]], None]:
    """until(condition): look again and again, as nobody tells when a process of somebody else has gone."""

    def until(condition: Callable[[], object]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < deadline
            select.select([], [], [], 0.01)

    return until


class Clock:
    """What `clozekit.clock.now` says: noon of 1 March until someone lets time pass."""

    def __init__(self):
        self.moment = datetime(2026, 3, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.moment

    def passes(self, **time: float) -> None:
        self.moment += timedelta(**time)


@pytest.fixture
def clock(monkeypatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("clozekit.clock.now", clock)
    return clock


@pytest.fixture(scope="session")
def rms_norm() -> Exercise:
    return Exercise(builtin_root(), "normalization/rms_norm")


@pytest.fixture(scope="session")
def solution(rms_norm: Exercise) -> str:
    """A right answer to rms_norm."""
    return blanks.reveal(rms_norm.solution)


@pytest.fixture(scope="session")
def grade(engine: Engine, rms_norm: Exercise) -> Callable[..., Report]:
    """grade(source): the report on a file with this text; `exercise` is rms_norm unless given."""

    def grade(source: str, exercise: Exercise = rms_norm, judge: Engine = engine, **options: bool) -> Report:
        return judge.grade(exercise, submission.Upload("answer.py", source.encode()), **options)

    return grade


@pytest.fixture(scope="session")
def author(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Exercise]:
    """author(grader=..., seconds=0.5): a private exercise `lab/square`, from the skeleton of `cloze new`.

    grader: what its grader says in place of the skeleton's. solution: what stands in its blank.
    """

    def author(grader: str = "", seconds: float = 10.0, solution: str = "") -> Exercise:
        root = tmp_path_factory.mktemp("content")
        write_skeleton(root, "lab/square")
        exercise = Exercise(root, "lab/square")
        words = exercise.words_path.read_text("utf-8")
        exercise.words_path.write_text(words.replace("forbid = []", f"seconds = {seconds}"), "utf-8")
        if grader:
            exercise.grader_path.write_text(grader, "utf-8")
        if solution:
            text = exercise.solution_path.read_text("utf-8").replace("return scale * x * x", solution)
            exercise.solution_path.write_text(text, "utf-8")
        return exercise

    return author


@pytest.fixture(scope="session")
def problems() -> Callable[[Report], dict[str, str]]:
    """problems(report): each failed test's problem as a learner reads it, by the test's name."""
    return lambda report: {test.name: describe(test.problem, "en") for test in report.tests if test.problem}
