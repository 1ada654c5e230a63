"""When a solved exercise is due to be solved again: after 3 days, then 10, 30, 90, and every 90 from then on.

    first solved on 1 March        due on 4 March
    passed again on 6 March        due on 16 March
    not passed on 20 March         due on 23 March, one interval shorter

What counts as a review is a day on which a blank file for review, or one of an interview, was checked, and how that day ended.
A pass before the day that is due moves nothing. Expanding intervals keep more in memory all the way than equal ones
(Kang et al. 2014, Psychon. Bull. Rev. 21), and the best gap before a test a year away is some weeks, before one a month away
some days (Cepeda et al. 2008, Psychol. Sci. 19). The numbers themselves are a choice of ours.
"""

import contextlib
from datetime import date, timedelta
from pathlib import Path

from clozekit import clock, files
from clozekit.exercise import Exercise
from clozekit.state import Progress
from clozekit.workspace import Workspace

INTERVALS = (3, 10, 30, 90)  # days


def due(progress: Progress) -> date | None:
    """The day on which to solve an exercise again; None while it is not solved."""
    if not progress.passed:
        return None
    step, next_day = 0, date.fromisoformat(progress.passed) + timedelta(INTERVALS[0])
    days = {
        attempt.day: attempt for attempt in progress.attempts if attempt.folder and attempt.verdict != "could not check"
    }
    for day, last in days.items():
        if day < date.fromisoformat(progress.passed):
            continue
        if last.verdict == "failed":
            step = max(step - 1, 0)
        elif day >= next_day:
            step = min(step + 1, len(INTERVALS) - 1)
        else:
            continue
        next_day = day + timedelta(INTERVALS[step])
    return next_day


def calendar(workspace: Workspace) -> dict[str, date]:
    """When each solved exercise is due, the earliest first."""
    days = {id: day for id, progress in workspace.state.exercises.items() if (day := due(progress))}
    return dict(sorted(days.items(), key=lambda item: item[1]))


def due_now(workspace: Workspace) -> list[str]:
    """What is due today or has been for some time, the longest waiting first."""
    return [id for id, day in calendar(workspace).items() if day <= clock.today()]


def begin(workspace: Workspace, exercise: Exercise, *, anew: bool = False) -> tuple[Path, bool]:
    """The file to solve an exercise in again, and whether it is a new blank.

    A review that is under way goes on, unless `anew`. What stood in the file is kept as NAME.py.bak.
    """
    path = workspace.root / "review" / f"{exercise.id}.py"
    with workspace.changing():
        progress = workspace.progress(exercise.id)
        if progress.reviewing and path.exists() and not anew:
            return path, False
        progress.reviewing = clock.stamp(clock.now())
        progress.hints, progress.explained = 0, ""  # they begin anew
        workspace.report_file(exercise.id, "review").unlink(missing_ok=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            path.replace(files.aside(path))
        path.write_text(exercise.render("scratch", workspace.state.language), "utf-8")
    return path, True
