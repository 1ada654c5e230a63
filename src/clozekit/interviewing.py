"""Exercises against the clock: a set that fits into the time, from scratch, without hints, and a report at the end.

    interview/2026-12-01/sampling/top_p.py             a blank; `cloze check` judges it like any file
    interview/2026-12-01/report.json                   what came of it; written at the end, and again if something passes late

No process waits: what time it is decides, whenever a command looks at it.
"""

import json
import random
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from msgspec import Struct, to_builtins

from clozekit import clock, files
from clozekit.catalog import Catalog, Entry
from clozekit.errors import ClozeError
from clozekit.report import Problem
from clozekit.state import Attempt, Interview
from clozekit.workspace import Workspace


class Outcome(Struct, frozen=True):
    """What came of one exercise. `late`: what passed was saved after the end. `points`: the best until the end.

    minutes_to_pass: from the beginning to the first pass. mistakes: what was diagnosed, in the order of the checks.
    """

    exercise: str
    verdict: Literal["passed", "failed", "not tried"]
    late: bool
    points: float
    max_points: float
    minutes_to_pass: float | None
    checks: int
    mistakes: list[str]

    @property
    def in_time(self) -> bool:
        return self.verdict == "passed" and not self.late


def draw(entries: Sequence[Entry], minutes: int, seed: int | None) -> list[Entry]:
    """A random set that fits into the time, with as many different difficulties as there are, the easiest first.

    Raises:
        ClozeError: not one fits.
    """
    pool, chosen = list(entries), list[Entry]()
    random.Random(seed).shuffle(pool)
    while fitting := [entry for entry in pool if entry not in chosen and entry.minutes <= minutes]:
        taken = Counter(entry.difficulty for entry in chosen)
        chosen.append(min(fitting, key=lambda entry: taken[entry.difficulty]))
        minutes -= chosen[-1].minutes
    if not chosen:
        shortest = min((entry.minutes for entry in entries), default=0)
        raise ClozeError(Problem("interview-short", {"minutes": str(minutes), "shortest": str(shortest)}))
    return sorted(chosen, key=lambda entry: entry.difficulty)


def begin(workspace: Workspace, catalog: Catalog, chosen: Sequence[Entry], minutes: int) -> Interview:
    """Write the blanks and start the clock."""
    with workspace.changing() as state:
        now = clock.now()
        folder = _free_folder(workspace, now)
        for entry in chosen:
            path = workspace.root / folder / f"{entry.id}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(catalog[entry.id].render("scratch", state.language), "utf-8")
        interview = Interview(clock.stamp(now), minutes, folder, [entry.id for entry in chosen])
        state.interviews.append(interview)
    return interview


def _free_folder(workspace: Workspace, now: datetime) -> str:
    """interview/DATE, or interview/DATE-2 for the second of a day."""
    first = f"interview/{now.astimezone().date()}"
    names = [first, *(f"{first}-{number}" for number in range(2, 1000))]
    return next(name for name in names if not (workspace.root / name).exists())


def running(workspace: Workspace) -> Interview | None:
    """The interview that nobody has ended, its time over or not."""
    return next((each for each in workspace.state.interviews if not each.ended), None)


def deadline(interview: Interview) -> datetime:
    end = clock.parse(interview.begun) + timedelta(minutes=interview.minutes)
    return min(end, clock.parse(interview.ended)) if interview.ended else end


def time_left(interview: Interview) -> timedelta:
    """Negative once the time is over."""
    return deadline(interview) - clock.now()


def end(workspace: Workspace) -> Interview | None:
    """End the interview that is running, if one is, and write its report."""
    with workspace.changing():
        if interview := running(workspace):
            interview.ended = clock.stamp(min(clock.now(), deadline(interview)))
            write_report(workspace, interview)
    return interview


def is_over(workspace: Workspace) -> bool:
    """Whether an interview runs on after its time."""
    interview = running(workspace)
    return interview is not None and time_left(interview) <= timedelta(0)


def asks(workspace: Workspace | None, id: str) -> bool:
    """Whether an exercise is part of an interview whose time is not over: there is no help with it."""
    current = running(workspace) if workspace else None
    return current is not None and id in current.exercises and time_left(current) > timedelta(0)


def refresh(workspace: Workspace, id: str, path: Path) -> None:
    """Write the report again if an answer was checked after the end of its interview."""
    folder = workspace.folder(id, path)
    for interview in workspace.state.interviews:
        if interview.ended and interview.folder == folder:
            write_report(workspace, interview)


def outcomes(workspace: Workspace, interview: Interview) -> list[Outcome]:
    done = workspace.state.exercises
    return [_outcome(interview, id, done[id].attempts if id in done else []) for id in interview.exercises]


def _outcome(interview: Interview, id: str, attempts: list[Attempt]) -> Outcome:
    mine = [attempt for attempt in attempts if attempt.folder == interview.folder]
    in_time = [attempt for attempt in mine if attempt.moment <= deadline(interview)]
    passed = next((attempt for attempt in mine if attempt.verdict == "passed"), None)
    taken = (
        (passed.moment - clock.parse(interview.begun)) / timedelta(minutes=1) if passed else None
    )  # of an old file < 0
    return Outcome(
        id,
        "passed" if passed else "failed" if mine else "not tried",
        late=passed is not None and passed not in in_time,
        points=max((attempt.points for attempt in in_time), default=0.0),
        max_points=max((attempt.max_points for attempt in mine), default=0.0),
        minutes_to_pass=None if taken is None else max(0.0, round(taken, 1)),
        checks=len(mine),
        mistakes=list(dict.fromkeys(attempt.mistake for attempt in mine if attempt.mistake)),
    )


def as_json(workspace: Workspace, interview: Interview) -> dict[str, Any]:
    """The report as an object. `review`: what was not solved in time."""
    found = outcomes(workspace, interview)
    return {
        "schema": 1,
        **to_builtins(interview),
        "seconds_left": max(0, round(time_left(interview).total_seconds())) if not interview.ended else 0,
        "exercises": to_builtins(found),
        "review": [outcome.exercise for outcome in found if not outcome.in_time],
    }


def report_path(workspace: Workspace, interview: Interview) -> Path:
    return workspace.root / interview.folder / "report.json"


def write_report(workspace: Workspace, interview: Interview) -> None:
    path = report_path(workspace, interview)
    path.parent.mkdir(parents=True, exist_ok=True)
    files.put(path, json.dumps(as_json(workspace, interview), indent=1).encode() + b"\n")
