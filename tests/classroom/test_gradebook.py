"""The arithmetic of the gradebook, against tables that were computed by hand."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from clozekit.classroom.gradebook import Override, Total, days_late, grades, totals
from clozekit.classroom.syllabus import Policy, Syllabus

BERLIN, TOKYO = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Tokyo")
DEADLINE = datetime(2027, 3, 1, 23, 59, tzinfo=BERLIN)


def line(points=10.0, handed_in=None, attempt="", verdict="passed", student="ada", exercise="lab/square", of=10.0):
    return {
        "student": student,
        "file": f"{exercise}.py",
        "attempt": attempt,
        "handed_in": handed_in.astimezone(UTC).isoformat() if handed_in else "",
        "exercise": exercise,
        "verdict": verdict,
        "points": points,
        "max_points": of,
    }


def after(**lateness):
    return DEADLINE.astimezone(UTC) + timedelta(**lateness)


def course(**policy):
    return Syllabus(deadlines={"lab/square": DEADLINE}, grades=Policy(**policy))


# handed in, deadline, minutes of grace, days late
LATE = {
    "a day early": (after(days=-1), DEADLINE, 0, 0),
    "exactly at the deadline": (after(), DEADLINE, 0, 0),
    "a second late": (after(seconds=1), DEADLINE, 0, 1),
    "exactly a day late": (after(days=1), DEADLINE, 0, 1),
    "a day and a second": (after(days=1, seconds=1), DEADLINE, 0, 2),
    "at the end of the grace": (after(minutes=15), DEADLINE, 15, 0),
    "a second after the grace": (after(minutes=15, seconds=1), DEADLINE, 15, 1),
    "a day after the grace": (after(days=1, minutes=15), DEADLINE, 15, 1),
    "the same moment elsewhere": (datetime(2027, 3, 2, 7, 59, tzinfo=TOKYO), DEADLINE, 0, 0),
    "a minute later elsewhere": (datetime(2027, 3, 2, 8, 0, tzinfo=TOKYO), DEADLINE, 0, 1),
    # On 28 March at 2:00 it becomes 3:00 in Berlin: from noon to noon are 23 hours. On 31 October 25.
    "noon to noon in spring": (
        datetime(2027, 3, 28, 12, tzinfo=BERLIN),
        datetime(2027, 3, 27, 12, tzinfo=BERLIN),
        0,
        1,
    ),
    "noon to one in spring": (datetime(2027, 3, 28, 13, tzinfo=BERLIN), datetime(2027, 3, 27, 12, tzinfo=BERLIN), 0, 1),
    "noon to noon in autumn": (
        datetime(2027, 10, 31, 12, tzinfo=BERLIN),
        datetime(2027, 10, 30, 12, tzinfo=BERLIN),
        0,
        2,
    ),
    "noon to eleven in autumn": (
        datetime(2027, 10, 31, 11, tzinfo=BERLIN),
        datetime(2027, 10, 30, 12, tzinfo=BERLIN),
        0,
        1,
    ),
    "the hour that comes twice": (
        datetime(2027, 10, 31, 2, 30, tzinfo=BERLIN, fold=1),
        datetime(2027, 10, 31, 2, 30, tzinfo=BERLIN),
        59,
        1,
    ),
    "nobody knows when": (None, DEADLINE, 0, 0),
    "no deadline": (after(days=9), None, 0, 0),
}


@pytest.mark.parametrize("name", LATE)
def test_days_late(name):
    handed_in, deadline, grace, days = LATE[name]
    assert days_late(handed_in, deadline, grace) == days


# policy, days after the deadline, points of 9, taken off
OFF = {
    "in time": ({"late_per_day": 0.1}, 0, 9.0, 0.0),
    "a day": ({"late_per_day": 0.1}, 1, 8.1, 0.9),
    "three days": ({"late_per_day": 0.1}, 3, 6.3, 2.7),
    "as many days as there may be": ({"late_per_day": 0.1, "late_days": 3}, 3, 6.3, 2.7),
    "a day more": ({"late_per_day": 0.1, "late_days": 3}, 4, 0.0, 9.0),
    "no late day at all": ({"late_days": 0}, 1, 0.0, 9.0),
    "late costs nothing": ({}, 30, 9.0, 0.0),
    "more than there is": ({"late_per_day": 0.4}, 3, 0.0, 9.0),
}


@pytest.mark.parametrize("name", OFF)
def test_what_lateness_takes_off(name):
    policy, days, points, taken_off = OFF[name]
    (grade,) = grades([line(9.0, after(days=days))], {}, course(**policy))
    assert (grade.points, grade.taken_off, grade.late_days, grade.max_points) == (points, taken_off, days, 10.0)


# keep, attempts as (points, days after the deadline, verdict), the points that count at 10 percent a day
KEPT = {
    "best": ("best", [(4.0, 0), (9.0, 1), (5.0, 2)], 8.1),
    "best, lateness counted": ("best", [(8.5, 0), (9.0, 1)], 8.5),
    "latest, though worse": ("latest", [(9.0, 0), (5.0, 1)], 4.5),
    "latest of the times, not of the lines": ("latest", [(5.0, 1), (9.0, 0)], 4.5),
}


@pytest.mark.parametrize("name", KEPT)
def test_which_of_several_attempts_counts(name):
    keep, tried, points = KEPT[name]
    lines = [line(each, after(days=days), f"{number}") for number, (each, days) in enumerate(tried)]
    (grade,) = grades(lines, {}, course(keep=keep, late_per_day=0.1))
    assert (grade.points, grade.attempts) == (points, len(tried))


def test_of_equally_good_attempts_the_first_counts():
    tried = [line(9.0, after(days=-days), f"{days}") for days in (1, 2)]
    assert [grade.line["attempt"] for grade in grades(tried, {}, course())] == ["2"]


def test_without_times_the_numbers_of_the_layout_decide_what_is_latest():
    tried = [line(float(number), attempt=f"{number}") for number in (9, 10, 2)]
    assert [grade.points for grade in grades(tried, {}, course(keep="latest"))] == [10.0]


@pytest.mark.parametrize("keep", ["best", "latest"])
def test_a_file_and_a_notebook_of_one_attempt_count_as_the_better(keep):
    tried = [line(3.0), line(9.0), line(5.0)]
    (grade,) = grades(tried, {}, course(keep=keep))
    assert (grade.points, grade.attempts) == (9.0, 1)


@pytest.mark.parametrize("days", [-1, 1])
@pytest.mark.parametrize("keep", ["best", "latest"])
def test_what_could_not_be_checked_counts_only_where_nothing_could(keep, days):
    broken = line(4.0, after(days=days), "2", "could not check")
    (grade,) = grades([broken, line(0.0, after(), "1", "failed")], {}, course(keep=keep))
    assert (grade.verdict, grade.points, grade.attempts) == ("failed", 0.0, 2)
    (grade,) = grades([broken], {}, course(keep=keep))
    assert (grade.verdict, grade.points) == ("could not check", 0.0)


def test_an_override_beats_all():
    given = {("ada", "lab/square"): Override(7.0, "ill"), ("bob", "lab/square"): Override(0.0, "copied")}
    late = course(late_days=0)
    ada, bob = grades([line(9.0, after(days=5))], given, late)
    assert (ada.points, ada.taken_off, ada.late_days, ada.reason, ada.verdict) == (7.0, 0.0, 5, "ill", "passed")
    assert (bob.points, bob.attempts, bob.line, bob.max_points) == (0.0, 0, None, 10.0)


def test_nothing_is_a_grade_without_an_exercise():
    nothing = line(0.0, verdict="could not check", exercise="")
    assert grades([nothing, line(student="")], {}) == []


# Sums: ada 10, 3, 1 of 2; bob nothing in the third; points of 10, 4 and 2
TABLE = [
    line(10.0, exercise="a/one"),
    line(3.0, exercise="a/two", of=4.0),
    line(1.0, exercise="b/one", of=2.0),
    line(5.0, student="bob", exercise="a/one"),
    line(2.0, student="bob", exercise="a/two", of=4.0),
]
ORDER = ["a/one", "a/two", "a/never", "b/one"]
SUMS = {
    "all": ({}, {}, (14.0, 16.0, []), (7.0, 16.0, [])),
    "the smallest share is left out": ({}, {"drop_lowest": 1}, (13.0, 14.0, ["b/one"]), (7.0, 14.0, ["b/one"])),
    "of equal shares the later ones": (
        {},
        {"drop_lowest": 2},
        (10.0, 10.0, ["a/two", "b/one"]),
        (5.0, 10.0, ["a/two", "b/one"]),
    ),
    "more than there are": (
        {},
        {"drop_lowest": 9},
        (0.0, 0.0, ORDER[:2] + ORDER[3:]),
        (0.0, 0.0, ORDER[:2] + ORDER[3:]),
    ),
    "of the course alone": (
        {"exercises": ("a/*",)},
        {"drop_lowest": 1},
        (10.0, 10.0, ["a/two"]),
        (5.0, 10.0, ["a/two"]),
    ),
}


@pytest.mark.parametrize("name", SUMS)
def test_sums(name):
    options, policy, ada, bob = SUMS[name]
    syllabus = Syllabus(**options, grades=Policy(**policy))
    found = totals(grades(TABLE, {}, syllabus), syllabus, ORDER, ["ada", "bob"])
    assert found == [Total("ada", *ada, True), Total("bob", *bob, True)]


def test_a_sum_is_final_once_all_of_it_could_be_checked_or_was_decided():
    lines = [*TABLE, line(0.0, student="bob", exercise="b/one", verdict="could not check", of=2.0)]
    for given, final in (({}, False), ({("bob", "b/one"): Override(1.0, "by hand")}, True)):
        found = totals(grades(lines, given), Syllabus(), ORDER, ["ada", "bob"])
        assert [total.final for total in found] == [True, final]


def test_who_handed_in_nothing_has_a_sum():
    assert totals(grades(TABLE, {}), Syllabus(), ORDER, ["cyd"]) == [Total("cyd", 0.0, 16.0, [], True)]
