"""course.toml: what is written is what counts, and what cannot be meant is told with its place."""

from datetime import UTC, datetime

import pytest

from clozekit.classroom.syllabus import Policy, Syllabus, read
from clozekit.errors import ContentError, NotFound

KNOWN = ["attention/kv_cache", "attention/multi_head_attention", "normalization/rms_norm"]


@pytest.fixture
def course(tmp_path):
    def course(text):
        (tmp_path / "course.toml").write_text(text)
        return read(tmp_path / "course.toml", KNOWN)

    return course


def test_an_empty_file_is_all_exercises_and_no_deadline(course):
    syllabus = course("")
    assert syllabus == Syllabus("", ("*",), "guided", {}, Policy("best", 0.0, 0.0, None, 0))
    assert syllabus.chosen(KNOWN) == KNOWN


def test_exercises_are_chosen_by_pattern_in_learning_order(course):
    syllabus = course('exercises = ["normalization/rms_norm", "attention/*cache"]')
    assert syllabus.chosen(KNOWN) == ["attention/kv_cache", "normalization/rms_norm"]


def test_a_deadline_keeps_its_time_zone(course):
    syllabus = course('[deadlines]\n"attention/kv_cache" = 2027-03-01T23:59:00+01:00')
    assert syllabus.deadlines["attention/kv_cache"].astimezone(UTC) == datetime(2027, 3, 1, 22, 59, tzinfo=UTC)


WRONG = {
    "no such exercise": ('exercises = ["attention/rope"]', "exercises: no exercise is called `attention/rope`"),
    "a deadline of no exercise": (
        '[deadlines]\n"x/y" = 2027-03-01T23:59:00Z',
        "deadlines: no exercise is called `x/y`",
    ),
    "a deadline of no time zone": ('[deadlines]\n"attention/kv_cache" = 2027-03-01T23:59:00', "say in which time zone"),
    "a misspelt key": ("[grades]\nkep = 1", "did you mean `keep`?"),
    "more than all points": ("[grades]\nlate_per_day = 1.5", "grades.late_per_day: "),
    "no such rule": ('[grades]\nkeep = "bset"', 'grades.keep: invalid enum value .bset.; write "best" or "latest"'),
    "no TOML": ("[grades", "not TOML"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_meant_is_told(name, course, tmp_path):
    text, told = WRONG[name]
    with pytest.raises(ContentError, match=rf"course\.toml: .*{told.replace('?', '[?]')}"):
        course(text)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(NotFound, match=r"course\.toml does not exist"):
        read(tmp_path / "course.toml", KNOWN)
