"""What can be told of a known mistake: where it is known, what people write, which case refuses it.

named("eps_outside_sqrt", catalog)     [Exercise("normalization/rms_norm")]
people_write(exercise, "eps_outside_sqrt", "en")       ["What people write in the blank `normalise`:", "    rms = ..."]
refusal(exercise, "eps_outside_sqrt", last_report)     Result("values: rows as small as eps", "failed", ...)
"""

import difflib
from collections.abc import Iterable

from clozekit import blanks, differences
from clozekit.engine import Engine
from clozekit.errors import NotFound
from clozekit.exercise import Exercise
from clozekit.hints import where_it_shows
from clozekit.phrases import say
from clozekit.report import Problem, Report, Result
from clozekit.submission import Upload
from clozekit.workspace import Workspace


def named(mistake: str, exercises: Iterable[Exercise]) -> list[Exercise]:
    """The exercises that know a mistake.

    Raises:
        NotFound: none does; the text offers the nearest.
    """
    exercises = list(exercises)
    found = [exercise for exercise in exercises if mistake in exercise.sheet.en.mistakes]
    if found:
        return found
    names = {name for exercise in exercises for name in exercise.sheet.en.mistakes}
    if near := difflib.get_close_matches(mistake.lower(), sorted(names), 3, 0.5):
        raise NotFound(Problem("no-mistake-near", {"name": repr(mistake), "near": ", ".join(near)}))
    raise NotFound(Problem("no-mistake", {"name": repr(mistake)}))


def last_diagnosed(workspace: Workspace) -> tuple[str, str]:
    """The exercise and the mistake of the last check that found one.

    Raises:
        NotFound: none has yet.
    """
    attempts = [
        (attempt.at, id, attempt.mistake)
        for id, progress in workspace.state.exercises.items()
        for attempt in progress.attempts
        if attempt.mistake
    ]
    if not attempts:
        raise NotFound(Problem("nothing-diagnosed"))
    _, id, mistake = max(attempts)
    return id, mistake


def likeliest(mistake: str, exercises: list[Exercise], workspace: Workspace | None) -> Exercise | None:
    """The one of several exercises that is meant: the only one, or that in which a check found the mistake last."""
    if len(exercises) == 1:
        return exercises[0]
    made = [
        (attempt.at, exercise.id, exercise)
        for exercise in exercises
        for attempt in (workspace.progress(exercise.id).attempts if workspace else ())
        if attempt.mistake == mistake
    ]
    return max(made)[2] if made else None


def people_write(exercise: Exercise, mistake: str, language: str) -> list[str]:
    """The lines of a mistake that the solution has not; where a line is missing, that one is, and not which.

    Raises:
        ClozeError: a pack has no answers.
    """
    made = exercise.mistakes[mistake]
    lines = differences.additions(exercise.mistaken(made), blanks.reveal(exercise.solution))
    if not lines:
        return [say(language, "explain-missing")]
    place = "explain-blank" if made.is_blank else "explain-function"
    return [say(language, place, name=made.target), *(f"    {line}" for line in lines)]


def refusal(exercise: Exercise, mistake: str, report: Report | None) -> Result | None:
    """A visible case that refuses a mistake: of the last report, if that found it, else asked of the judge.

    Raises:
        CannotCheck: the judge does not start.
    """
    if report is None or report.mistake != mistake:
        upload = Upload(f"{exercise.name}.py", exercise.mistaken(exercise.mistakes[mistake]).encode())
        with Engine() as engine:
            report = engine.grade(exercise, upload, diagnose=False, stop_at_first=True)
    return where_it_shows(report)
