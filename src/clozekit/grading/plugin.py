"""The pytest plugin of graders: `pytest graders/normalization/test_rms_norm.py [--submission FILE] [--seed N]`.

An ordinary pytest run, with the submission (the solution by default) in a worker behind it. A tester uses the same
fixture and brings its own Grading. In a learner's workspace, answers are collected, see `pytesting`. Loading this file costs
every pytest run in the environment nothing: no torch here.
"""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from clozekit.grading.check import Check
    from clozekit.grading.grading import Grading

GRADING: pytest.StashKey[Grading] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("clozekit", "clozekit graders")
    group.addoption("--submission", type=Path, metavar="FILE", help="the file to grade; the solution by default")
    group.addoption("--seed", type=int, metavar="N", help="draw the same inputs again")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "hidden: of this case a report tells title and verdict only")
    config.addinivalue_line("markers", "points(n): what this case is worth; 1 by default")
    named = [(config.invocation_params.dir / arg.partition("::")[0]).absolute() for arg in config.args]
    if any(in_workspace(path) for path in named):
        _answers(config, named)


def in_workspace(path: Path) -> bool:
    """Whether a learner's directory contains this path. It is all that a run elsewhere pays for."""
    return any((folder / ".cloze" / "workspace.json").is_file() for folder in (path, *path.parents))


def _answers(config: pytest.Config, named: list[Path]) -> None:
    """Let the learner's answers be tests."""
    from clozekit.cli.common import language
    from clozekit.errors import ClozeError
    from clozekit.pytesting import Answers
    from clozekit.workspace import Workspace

    try:
        workspace = next(filter(None, map(Workspace.around, named)))
        config.pluginmanager.register(Answers(workspace, named, config.getoption("--seed")))
    except ClozeError as error:
        raise pytest.UsageError(error.text(language(None, None))) from None


@pytest.fixture
def check(request: pytest.FixtureRequest) -> Check:
    """check("rms_norm", x, weight): the submission's answer must agree with the grader's reference."""
    hidden = request.node.get_closest_marker("hidden") is not None
    return _grading(request).check(case_name(request.node), request.module, hidden)


def _grading(request: pytest.FixtureRequest) -> Grading:
    """The grading of this run; in an ordinary pytest run one a grader file, made when first needed."""
    if found := request.config.stash.get(GRADING, None):
        return found
    from clozekit.grading.local import local_grading

    if request.config.getoption("--seed") is None:
        request.config.option.seed = secrets.randbits(31)
    return local_grading(request)


def pytest_report_header(config: pytest.Config) -> str | None:
    submission = config.getoption("--submission")
    return f"submission: {submission}" if submission else None


def case_name(item: pytest.Item) -> str:
    """A test's title: `test_values[rows as small as eps]` is "values: rows as small as eps"."""
    name, bracket, case = item.name.partition("[")
    title = name.removeprefix("test_").replace("_", " ")
    return f"{title}: {case[:-1]}" if bracket else title
