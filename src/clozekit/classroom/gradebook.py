"""What students get: of the attempts at an exercise the one that counts, what lateness takes off it, what a teacher decided.

    grades(lines, overrides, syllabus)  ->  [Grade("ada", "normalization/rms_norm", points=13.5, max_points=15.0, late_days=1, …)]
    totals(grades, syllabus, students)  ->  [Total("ada", points=40.5, max_points=45.0, dropped=["sampling/top_p"], …)]

Lateness begins where the grace ends, in absolute time: a day is 24 hours, also where clocks are put forward or back. A file of
which nobody knows when it was handed in is in time.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from clozekit.classroom.handed import Line
from clozekit.classroom.syllabus import Syllabus
from clozekit.report import Verdict

LONG_AGO = datetime.min.replace(tzinfo=UTC)
DIGITS = 6  # of points: what a spreadsheet shows and gives back


class Grade(NamedTuple):
    """What one student gets for one exercise.

    points: none where nothing could be checked. verdict: of the attempt that counts; "could not check" if none could be.
    handed_in, late_days: of the same attempt. taken_off: by lateness. reason: of a teacher's override, else "". line: the
    report that counts; None where there is only an override. max_points: 0 where nobody's file has been graded yet.
    """

    student: str
    exercise: str
    points: float
    max_points: float
    verdict: Verdict
    handed_in: datetime | None
    late_days: int
    taken_off: float
    attempts: int
    reason: str
    line: Line | None


class Override(NamedTuple):
    """Points that a teacher gave, and why."""

    points: float
    reason: str


class Total(NamedTuple):
    """A student's sum over the course, and the exercises left out of it. final: everything could be checked."""

    student: str
    points: float
    max_points: float
    dropped: list[str]
    final: bool


class _Scored(NamedTuple):
    """One attempt, with what lateness makes of it."""

    line: Line
    handed_in: datetime | None
    late_days: int
    points: float
    taken_off: float

    @property
    def decided(self) -> bool:
        return self.line["verdict"] != "could not check"


def grades(
    lines: Iterable[Line], overrides: Mapping[tuple[str, str], Override], syllabus: Syllabus | None = None
) -> list[Grade]:
    """A grade for every student and exercise of which there is an attempt or an override, in this order."""
    syllabus = syllabus or Syllabus()
    attempts: dict[tuple[str, str], list[_Scored]] = {}
    best: dict[str, float] = {}  # the points that there are for an exercise
    for line in lines:
        best[line["exercise"]] = max(line["max_points"], best.get(line["exercise"], 0.0))
        if line["student"] and line["exercise"]:
            attempts.setdefault((line["student"], line["exercise"]), []).append(_scored(line, syllabus))
    found = []
    for student, exercise in sorted(attempts.keys() | overrides.keys()):
        tried = attempts.get((student, exercise), [])
        counts = max(tried, key=_latest if syllabus.grades.keep == "latest" else _best, default=None)
        override = overrides.get((student, exercise))
        found.append(
            Grade(
                student=student,
                exercise=exercise,
                points=override.points if override else counts.points if counts else 0.0,
                max_points=best.get(exercise, 0.0),
                verdict=counts.line["verdict"] if counts else "could not check",
                handed_in=counts.handed_in if counts else None,
                late_days=counts.late_days if counts else 0,
                taken_off=counts.taken_off if counts and not override else 0.0,
                attempts=len({scored.line["attempt"] for scored in tried}),
                reason=override.reason if override else "",
                line=counts.line if counts else None,
            )
        )
    return found


def _scored(line: Line, syllabus: Syllabus) -> _Scored:
    handed_in = datetime.fromisoformat(line["handed_in"]) if line["handed_in"] else None
    days = days_late(handed_in, syllabus.deadlines.get(line["exercise"]), syllabus.grades.grace_minutes)
    limit = syllabus.grades.late_days
    share = 1.0 if limit is not None and days > limit else min(1.0, days * syllabus.grades.late_per_day)
    earned = line["points"] if line["verdict"] != "could not check" else 0.0
    points = round(earned * (1 - share), DIGITS)
    return _Scored(line, handed_in, days, points, round(earned - points, DIGITS))


def days_late(handed_in: datetime | None, deadline: datetime | None, grace_minutes: float = 0.0) -> int:
    """Days begun since the grace ended. Exactly at its end nobody is late."""
    if handed_in is None or deadline is None:
        return 0
    # Python subtracts what stands on the clock where both have one time zone, and is off by an hour where clocks change.
    late = handed_in.astimezone(UTC) - deadline.astimezone(UTC) - timedelta(minutes=grace_minutes)
    return max(0, math.ceil(late / timedelta(days=1)))


def _best(scored: _Scored) -> tuple:
    """The most points; of equals the one that was handed in first."""
    handed_in = scored.handed_in or LONG_AGO
    return scored.decided, scored.points, -handed_in.timestamp(), scored.line["verdict"] == "passed"


def _latest(scored: _Scored) -> tuple:
    """The last that could be checked; the layout's own numbers count where there is no time. Of equals the better."""
    name = scored.line["attempt"]
    number = (int(name), "") if name.isdecimal() else (-1, name)
    return scored.decided, scored.handed_in or LONG_AGO, number, scored.points


def totals(grades: Iterable[Grade], syllabus: Syllabus, order: Iterable[str], students: Iterable[str]) -> list[Total]:
    """A sum for every student, over the exercises of the course that anybody has handed in.

    What is not handed in counts as nothing. Of a student's exercises those with the smallest share of their points are left
    out, and their points with them; of equals the later ones.
    """
    found = {(grade.student, grade.exercise): grade for grade in grades}
    worth = {exercise: grade.max_points for (_, exercise), grade in found.items()}
    course = [id for id in syllabus.chosen(order) if id in worth]
    sums = []
    for student in students:
        mine = {id: found[student, id] for id in course if (student, id) in found}
        points = {id: mine[id].points if id in mine else 0.0 for id in course}
        shares = {id: points[id] / worth[id] if worth[id] else 0.0 for id in course}
        ranked = sorted(course, key=lambda id: (shares[id], -course.index(id)))
        dropped = [id for id in course if id in ranked[: syllabus.grades.drop_lowest]]
        kept = [id for id in course if id not in dropped]
        final = all(is_final(grade) for grade in mine.values())
        earned, possible = (round(sum(of[id] for id in kept), DIGITS) for of in (points, worth))
        sums.append(Total(student, earned, possible, dropped, final))
    return sums


def in_order(found: Iterable[Grade], order: Iterable[str]) -> list[str]:
    """Exercises in learning order; behind them those that have grades though nobody gave us their content."""
    order = list(order)
    return [*order, *sorted({grade.exercise for grade in found if is_final(grade)} - {*order})]


def untimed(found: Iterable[Grade], syllabus: Syllabus) -> Counter[str]:
    """Of exercises with a deadline, the answers of which nobody knows when they were handed in."""
    return Counter(
        each.exercise for each in found if each.exercise in syllabus.deadlines and each.line and not each.handed_in
    )


def is_final(grade: Grade) -> bool:
    """Somebody could check it, or decided."""
    return grade.verdict != "could not check" or bool(grade.reason)
