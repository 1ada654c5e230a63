"""Every file in honest/ passes: honest/<track>/<exercise>/<style>.py, one way a person may write it, named in its docstring."""

from pathlib import Path

import pytest

from clozekit import submission
from clozekit.catalog import builtin_root
from clozekit.engine import Engine
from clozekit.exercise import Exercise
from clozekit.kernels import private
from clozekit.render import as_text

ROOT = Path(__file__).parent / "honest"
FILES = sorted(path.relative_to(ROOT) for path in ROOT.glob("*/*/*.py"))

# Refused today, though right; when it is fixed, its entry goes.
REFUSED: dict[str, str] = {}
GONE = set() if private.BLOCK_POINTERS else {"block_pointers"}  # styles that the Triton that is installed has no more


@pytest.fixture(scope="session")
def exercises() -> dict[str, Exercise]:
    return {path.parent.as_posix(): Exercise(builtin_root(), path.parent.as_posix()) for path in FILES}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.with_suffix("").as_posix())
def test_an_honest_answer_passes(
    path: Path, engine: Engine, exercises: dict[str, Exercise], request: pytest.FixtureRequest
) -> None:
    if reason := REFUSED.get(path.with_suffix("").as_posix()):
        request.applymarker(pytest.mark.xfail(strict=True, reason=reason))
    if path.stem in GONE:
        pytest.skip(f"this Triton has no {path.stem}")
    exercise = exercises[path.parent.as_posix()]
    report = engine.grade(exercise, submission.read(ROOT / path), diagnose=False)
    assert report.verdict == "passed", as_text(report, exercise, "en", "all").plain


def test_every_exercise_has_honest_answers_that_say_their_style() -> None:
    assert {path.parent.as_posix() for path in FILES} == {
        path.relative_to(builtin_root() / "exercises").with_suffix("").as_posix()
        for path in (builtin_root() / "exercises").glob("*/*.toml")
    }
    assert not REFUSED.keys() - {path.with_suffix("").as_posix() for path in FILES}
    for path in FILES:
        assert (ROOT / path).read_text("utf-8-sig").startswith('"""'), path
