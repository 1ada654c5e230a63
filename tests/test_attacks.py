"""Every file in attacks/ is refused: attacks/<track>/<exercise>/<idea>.py, one idea a file, told in its docstring.

    Seconds: 0.5                where a call must answer sooner than in the real exercise
    Verdict: failed, timeout    what becomes of it, and a finding's code or a problem's kind where that matters

What is in HOLES passes today; when a hole is closed, its entry goes.
"""

import contextlib
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

import clozekit
from clozekit.catalog import builtin_root
from clozekit.describe import describe
from clozekit.exercise import Exercise
from clozekit.report import Problem, Report
from clozekit.submission import Upload

ROOT = Path(__file__).parent / "attacks"
PACKAGE = str(Path(clozekit.__file__).parent)
SAYS = {"Seconds": re.compile(rb"^Seconds: ([\d.]+)$", re.M), "Verdict": re.compile(rb"^Verdict: (.+)$", re.M)}

# Why each passes, or is refused badly, today.
HOLES = {
    "gradients in half precision are not asked for: the bar is that of float32, which honest roundings in half exceed": """
        normalization/rms_norm/no_gradient_in_half
    """,
}


@dataclass(frozen=True)
class Attack:
    """One file, and what it says of itself."""

    path: Path
    raw: bytes

    @property
    def name(self) -> str:
        return str(self.path.relative_to(ROOT).with_suffix(""))

    @property
    def exercise(self) -> str:
        return self.name.rpartition("/")[0]

    def says(self, key: str) -> str:
        found = SAYS[key].search(self.raw)
        return found[1].decode() if found else ""


def attacks() -> list:
    found = [Attack(path, path.read_bytes()) for path in sorted(ROOT.rglob("*.py"))]
    marks = {name: pytest.mark.xfail(strict=True, reason=why) for why, names in HOLES.items() for name in names.split()}
    unknown = marks.keys() - {attack.name for attack in found}
    assert not unknown, f"no such attack: {unknown}"
    return [pytest.param(each, id=each.name, marks=marks.get(each.name, ())) for each in found]


@pytest.fixture(scope="module")
def exercise(tmp_path_factory):
    """exercise(id, seconds): the real one, or a private copy in which a call may take only so long."""
    made: dict[tuple[str, str], Exercise] = {}

    def find(id: str, seconds: str) -> Exercise:
        if (id, seconds) not in made:
            real = Exercise(builtin_root(), id)
            made[id, seconds] = hurried(real, seconds) if seconds else real
        return made[id, seconds]

    def hurried(real: Exercise, seconds: str) -> Exercise:
        copy = Exercise(tmp_path_factory.mktemp("content"), real.id)
        for name in ("words_path", "solution_path", "grader_path"):
            target = getattr(copy, name)
            target.parent.mkdir(parents=True)
            shutil.copy(getattr(real, name), target)
        words = re.sub(r"^seconds = .*\n", "", copy.words_path.read_text("utf-8"), flags=re.M)
        copy.words_path.write_text(words.replace("[policy]\n", f"[policy]\nseconds = {seconds}\n"), "utf-8")
        return copy

    return find


def outcome(report: Report) -> set[str]:
    """Codes of findings and kinds of problems."""
    problems = [report.problem, *(test.problem for test in report.tests)]
    return {problem.kind for problem in problems if problem} | {finding.code for finding in report.findings}


def told(report: Report) -> str:
    """All that a learner reads."""
    problems: list[Problem | None] = [report.problem]
    problems += [each.problem for each in (*report.tests, *report.findings)]
    return "\n".join([*(describe(each, "en") for each in problems if each), *(test.output for test in report.tests)])


@pytest.mark.parametrize("attack", attacks())
def test_refused(attack, exercise, engine):
    verdict, *kinds = attack.says("Verdict").split(", ")
    answer = Upload("answer.py", attack.raw)
    report = engine.grade(exercise(attack.exercise, attack.says("Seconds")), answer, diagnose=False, stop_at_first=True)
    assert report.verdict == verdict, outcome(report)
    assert set(kinds) <= outcome(report)
    text = told(report)
    assert PACKAGE not in text, text
    assert not re.search(r"<clozekit\.|OpOverload", text), text  # an error of ours, told as the learner's
    assert all(character in "\n\t" or character.isprintable() for character in text)


def test_each_says_what_it_does():
    paths = sorted(ROOT.rglob("*.py"))
    assert len(paths) >= 130
    for path in paths:
        docstring = re.search(r'"""(.+?)\n"""', path.read_bytes().decode(), re.S)
        assert docstring, path
        first, *_, last = docstring[1].split("\n")
        assert first.endswith("."), path
        assert last.startswith("Verdict: "), path
        assert path.parent.parent.parent == ROOT


# After all of them; it stays the last test of this file.


def processes_in(homes: set[str]) -> list[int]:
    """Processes, dead or alive, that work in one of these directories, deleted or not."""
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdecimal() and os.readlink(entry / "cwd").startswith(tuple(homes)):
                found.append(int(entry.name))
    return found


def test_afterwards_the_judge_is_as_before(grade, solution, engine):
    report = grade(solution)
    assert report.verdict == "passed"
    assert not any(test.output for test in report.tests)
    assert os.listdir(engine.home) == []
    assert not processes_in({engine.home})
    marks = [Path("/tmp"), Path("/dev/shm"), Path.home(), Path(pytest.__file__).parents[1], Path.cwd()]
    assert not [found for place in marks for found in place.glob("zz_clozekit_attack*")]
