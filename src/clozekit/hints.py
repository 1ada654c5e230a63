"""Hints in steps: first the mistake that the last check found, at the place where it shows, then the exercise's own hints.

take(exercise, workspace.progress(id), workspace.last_report(id), "en")
    Hint("✗ values: rows as small as eps\n    rms_norm(…)\n    at [1, 2]: yours …\nCould it be this? eps belongs …", left=3)
    Hint("How large is one row of x? …", left=2)
"""

from typing import NamedTuple

from clozekit.describe import clean, describe
from clozekit.exercise import Exercise
from clozekit.phrases import say
from clozekit.report import Report, Result
from clozekit.state import Progress


class Hint(NamedTuple):
    """One step, and how many hints of the exercise are still to come."""

    text: str
    left: int

    def next_step(self, id: str, language: str) -> str:
        """How to get the next one."""
        if self.left:
            return say(language, "hints-left", left=self.left, id=id)
        return say(language, "hints-done", id=id)


def take(exercise: Exercise, progress: Progress, report: Report | None, language: str) -> Hint:
    """The next hint, which `progress` then remembers as given; after the last one the last again."""
    hints = exercise.words(language).hints
    diagnosed = about_mistake(exercise, report, language)
    if diagnosed and report and report.mistake != progress.explained:
        progress.explained = report.mistake or ""
        return Hint(diagnosed, max(0, len(hints) - progress.hints))
    given = min(progress.hints, len(hints) - 1)
    progress.hints = given + 1
    return Hint(hints[given], len(hints) - progress.hints)


def everything(exercise: Exercise, report: Report | None, language: str) -> list[str]:
    """All of them."""
    diagnosed = about_mistake(exercise, report, language)
    return [*([diagnosed] if diagnosed else []), *exercise.words(language).hints]


def about_mistake(exercise: Exercise, report: Report | None, language: str) -> str:
    """The mistake that a report found, and where to see it; "" if it found none that the exercise still knows."""
    words = exercise.words(language)
    if not report or not report.mistake or report.mistake not in words.mistakes:
        return ""
    question = say(language, "hint-mistake", text=words.mistakes[report.mistake], name=report.mistake)
    shown = where_it_shows(report)
    return "\n".join([*(told(shown, exercise, language) if shown else ()), question])


def where_it_shows(report: Report) -> Result | None:
    """The first visible test that was failed, if there is one."""
    failed = (test for test in report.tests if test.verdict == "failed" and test.problem and not test.hidden)
    return next(failed, None)


def told(test: Result, exercise: Exercise, language: str) -> list[str]:
    """A failed test by title, with the call and the place."""
    title = exercise.words(language).cases.get(test.name, test.name)
    lines = describe(test.problem, language).split("\n") if test.problem else []
    return [f"✗ {clean(title)}", *(f"    {line}" for line in lines)]
