"""Solving again, after days. No test waits: the clock is a list of moments."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clozekit.reviewing import INTERVALS, due
from clozekit.state import Attempt, Progress
from clozekit.workspace import Workspace

ID = "normalization/rms_norm"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def here() -> Workspace:
    workspace = Workspace.around(Path.cwd())
    assert workspace
    return workspace


# The schedule


def on(day: int, verdict: str, folder: str = "review") -> Attempt:
    moment = NOON + timedelta(day - 1)
    return Attempt(moment.strftime("%Y-%m-%dT%H:%M:%SZ"), "scratch", verdict, 1, 1, None, folder)


# What was checked on which day of March (32 is 1 April), solved on the first; and when it is due again.
SCHEDULE = {
    "three days after it was solved": ([], 4),
    "longer after each review": ([on(4, "passed")], 14),
    "and longer": ([on(4, "passed"), on(14, "passed")], 44),
    "and longest": ([on(4, "passed"), on(14, "passed"), on(44, "passed"), on(134, "passed")], 224),
    "a review that is late counts from its day": ([on(20, "passed")], 30),
    "shorter after a failure": ([on(4, "passed"), on(14, "failed")], 17),
    "never shorter than three days": ([on(4, "failed"), on(7, "failed")], 10),
    "a day counts as it ended": ([on(4, "failed"), on(4, "failed"), on(4, "passed")], 14),
    "a pass too early moves nothing": ([on(2, "passed")], 4),
    "a failure too early does": ([on(4, "passed"), on(6, "failed")], 9),
    "an interview is a review as well": ([on(4, "passed", "interview/2026-03-04")], 14),
    "the exercise's own file is none": ([on(4, "passed", ""), on(14, "failed", "")], 4),
    "what could not be checked counts for nothing": ([on(4, "could not check")], 4),
}


@pytest.mark.parametrize("name", SCHEDULE)
def test_when_an_exercise_is_due_again(name):
    attempts, day = SCHEDULE[name]
    assert due(Progress(passed="2026-03-01", attempts=attempts)) == date(2026, 3, 1) + timedelta(day - 1)


def test_what_is_not_solved_is_not_due():
    assert due(Progress(attempts=[on(1, "failed", "")])) is None


@given(st.lists(st.tuples(st.integers(1, 400), st.sampled_from(["passed", "failed"])), max_size=12))
def test_a_review_is_due_after_the_last_one_and_within_the_longest_interval(days):
    attempts = [on(day, verdict) for day, verdict in sorted(days)]
    found = due(Progress(passed="2026-03-01", attempts=attempts))
    last = attempts[-1].day if attempts else date(2026, 3, 1)
    assert last < found <= max(last, date(2026, 3, 1)) + timedelta(INTERVALS[-1])


# review


@pytest.fixture
def solved(cloze, clock, solution) -> str:
    """rms_norm was solved at noon of 1 March; we are in the workspace. Its source."""
    cloze("init", ".", "--track", "normalization")
    Path(f"{ID}.py").write_text(solution)
    assert cloze("check", ID).exit_code == 0
    return solution


def test_review_lists_what_is_due_and_list_marks_it(cloze, clock, solved):
    assert "Nothing is due. The next is normalization/rms_norm, on 2026-03-04." in cloze("review").output
    assert f"✓ {ID}" in cloze("list").output
    clock.passes(days=5)
    assert f"↻ {ID}  due since 2026-03-04  RMSNorm" in cloze("review").output
    assert json.loads(cloze("review", "--json").output) == [
        {"id": ID, "title": "RMSNorm", "due": "2026-03-04", "days": 2}
    ]
    assert f"↻ {ID}" in cloze("list").output
    assert {row["id"]: row["due"] for row in json.loads(cloze("list", "--json").output)}[ID] is True
    assert json.loads(cloze("progress", "--json").output)["due"] == [ID]
    assert f"due for review: {ID}" in cloze("progress").output


def test_a_review_is_solved_from_scratch_beside_the_old_solution(cloze, clock, solved, rms_norm):
    clock.passes(days=3)
    assert f"review/{ID}.py" in cloze("review", ID).output
    file = Path("review", f"{ID}.py")
    assert file.read_text("utf-8") == rms_norm.render("scratch")
    assert cloze("check", file).exit_code == 1
    file.write_text(solved)
    assert "under way" in cloze("review", ID).output
    assert file.read_text() == solved, "a review that is under way goes on"
    assert cloze("check", file).exit_code == 0
    assert Path(f"{ID}.py").read_text() == solved
    assert [(each.folder, each.verdict) for each in here().state.exercises[ID].attempts] == [
        ("", "passed"),
        ("review", "failed"),
        ("review", "passed"),
    ]
    assert "The next is normalization/rms_norm, on 2026-03-14" in cloze("review").output
    clock.passes(days=10)
    cloze("review", ID)
    assert file.read_text("utf-8") == rms_norm.render("scratch"), "the next review begins anew"
    assert file.with_name("rms_norm.py.bak").read_text() == solved


def test_begin_gives_a_new_blank_and_keeps_what_was_there(cloze, solved, rms_norm):
    cloze("review", ID)
    file = Path("review", f"{ID}.py")
    file.write_text("half of it\n")
    assert cloze("review", ID, "--begin").exit_code == 0
    assert file.read_text("utf-8") == rms_norm.render("scratch")
    assert file.with_name("rms_norm.py.bak").read_text() == "half of it\n"


def test_while_a_review_is_under_way_its_file_is_the_one_that_help_is_about(cloze, clock, solved, rms_norm):
    words, file = rms_norm.sheet.en, Path("review", f"{ID}.py")
    assert cloze("hint", ID).output.startswith(words.hints[0])
    cloze("review", ID)
    file.write_text(rms_norm.mistaken(rms_norm.mistakes["eps_outside_sqrt"]))
    cloze("check", file)
    assert words.mistakes["eps_outside_sqrt"] in cloze("hint", ID).output
    assert cloze("hint", ID).output.startswith(words.hints[0]), "they begin anew"
    asked = cloze("diff", ID)
    assert (asked.exit_code, f"The review of {ID} is not solved yet" in asked.output) == (1, True)
    assert cloze("solution", ID).exit_code == 1
    assert f"--- yours: {file.absolute()}\n" in cloze("diff", ID, "--yes").output
    for path in (file, Path(f"{ID}.py")):  # that of the review stays, solved, until another is checked
        path.write_text(f"{solved}\n\nshown = '{path}'\n")
        assert cloze("check", path).exit_code == 0
        assert f"-shown = '{path}'" in cloze("diff", ID).output


def test_a_case_of_a_review_is_debugged_in_its_file(cloze, solved, monkeypatch):
    cloze("review", ID)
    ran = []
    monkeypatch.setattr("clozekit.debugging.rehearse", lambda *_: [])
    monkeypatch.setattr("clozekit.debugging.run", lambda _, path, *__: ran.append(path) or True)
    assert cloze("debug", ID, "values: one row").exit_code == 0
    assert ran == [Path("review", f"{ID}.py").absolute()]


def test_a_new_review_knows_nothing_of_what_the_last_one_found(cloze, clock, solved, rms_norm):
    file = Path("review", f"{ID}.py")
    for source in (rms_norm.mistaken(rms_norm.mistakes["eps_outside_sqrt"]), solved):
        cloze("review", ID)
        file.write_text(source)
        cloze("check", file)
    cloze("review", ID)
    assert cloze("hint", ID).output.startswith(rms_norm.sheet.en.hints[0])


def test_what_cannot_be_reviewed_is_told(cloze, clock):
    assert cloze("review").exit_code == 2
    cloze("init", ".", "--track", "normalization")
    assert "what you solve comes back here" in cloze("review").output
    for arguments, message in (
        ([ID], "not solved yet"),
        (["rms"], "no exercise 'rms'"),
        (["--begin"], "needs an EXERCISE"),
    ):
        done = cloze("review", *arguments)
        assert (done.exit_code, message in done.output) == (2, True)
