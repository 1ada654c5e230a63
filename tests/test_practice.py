"""Solving again, after days and against the clock. No test waits: the clock is a list of moments."""

import json
import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clozekit import blanks, interviewing
from clozekit.catalog import Entry, Title, builtin_root
from clozekit.errors import ClozeError
from clozekit.exercise import Exercise
from clozekit.report import Report, Result
from clozekit.reviewing import INTERVALS, due
from clozekit.state import Attempt, Progress
from clozekit.workspace import Workspace

ID = "normalization/rms_norm"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Clock:
    """What `clozekit.clock.now` says: noon of 1 March until someone lets time pass."""

    def __init__(self):
        self.moment = NOON

    def __call__(self) -> datetime:
        return self.moment

    def passes(self, **time: float) -> None:
        self.moment += timedelta(**time)


@pytest.fixture
def clock(monkeypatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("clozekit.clock.now", clock)
    return clock


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


# interview: the set


def entries() -> list[Entry]:
    sizes = [(1, 10), (1, 10), (1, 15), (2, 20), (2, 20), (3, 30), (5, 60)]
    return [
        Entry(f"a/e{n}", "a", Title("", ""), difficulty, minutes, [], [])
        for n, (difficulty, minutes) in enumerate(sizes)
    ]


@given(minutes=st.integers(10, 200), seed=st.integers())
def test_a_set_fits_into_the_time_and_leaves_none_that_would(minutes, seed):
    drawn = interviewing.draw(entries(), minutes, seed)
    left = minutes - sum(entry.minutes for entry in drawn)
    assert drawn
    assert left >= 0
    assert all(entry.minutes > left for entry in entries() if entry not in drawn)
    assert [entry.difficulty for entry in drawn] == sorted(entry.difficulty for entry in drawn)
    assert interviewing.draw(entries(), minutes, seed) == drawn


def test_a_set_has_as_many_difficulties_as_fit():
    for seed in range(20):
        assert len({entry.difficulty for entry in interviewing.draw(entries(), 125, seed)}) == 4


def test_a_set_is_not_always_the_same():
    assert len({tuple(entry.id for entry in interviewing.draw(entries(), 45, seed)) for seed in range(20)}) > 3


def test_where_nothing_fits_the_shortest_is_told():
    with pytest.raises(ClozeError, match="no exercise fits into 5 minutes; the shortest takes 10: --minutes 10"):
        interviewing.draw(entries(), 5, 0)


# interview: against the clock

TOP_P, HEADS = "sampling/top_p", "attention/multi_head_attention"


@pytest.fixture
def folder(cloze, clock, monkeypatch) -> Path:
    """An interview of 45 minutes on top_p and multi_head_attention has begun at noon of 1 March."""
    cloze("init", ".", "--track", "sampling")
    monkeypatch.setattr(
        interviewing, "draw", lambda entries, *_: [each for each in entries if each.id in (TOP_P, HEADS)]
    )
    begun = cloze("interview", "--minutes", "45")
    assert begun.exit_code == 0, begun.output
    return Path("interview", str(NOON.astimezone().date()))


def check(folder: Path, id: str, verdict: str, mistake: str | None = None) -> None:
    """What `cloze check` does once the file has been judged."""
    from clozekit.cli.common import remember

    result = [Result("a", "passed", points=2), Result("b", verdict, points=3)]
    remember(here(), Report(id, verdict, "A", result, mistake=mistake), folder / f"{id}.py", "en")


def test_an_interview_shows_the_time_left_and_what_is_solved(cloze, clock, folder):
    clock.passes(minutes=10, seconds=30)
    check(folder, TOP_P, "passed")
    done = cloze("interview")
    assert done.output.splitlines()[:3] == [
        "35 of 45 minutes left",
        f"· {folder}/{HEADS}.py",
        f"✓ {folder}/{TOP_P}.py",
    ]
    found = json.loads(cloze("interview", "--json").output)
    assert found["seconds_left"] == 34.5 * 60
    assert [each["verdict"] for each in found["exercises"]] == ["not tried", "passed"]


def test_its_files_are_blanks_from_scratch_which_check_takes(cloze, folder):
    assert "raise NotImplementedError" in (folder / f"{TOP_P}.py").read_text("utf-8")
    assert cloze("check", folder / f"{TOP_P}.py").exit_code == 1
    (attempt,) = here().state.exercises[TOP_P].attempts
    assert (attempt.folder, attempt.level) == (folder.as_posix(), "scratch")


@pytest.mark.parametrize("command", [["hint", TOP_P], ["hint", TOP_P, "--all"], ["solution", TOP_P, "--yes"]])
def test_there_is_no_help_until_it_ends(command, cloze, clock, folder):
    refused = cloze(*command)
    assert refused.exit_code == 2
    assert "part of the interview that runs" in refused.output
    assert cloze("hint", ID).exit_code == 0
    clock.passes(minutes=46)
    over = cloze(*command)
    assert over.exit_code == 0
    assert "The time of the interview is over" in over.stderr


REFUSED = ("cloze hint", "cloze solution", "cloze diff", "cloze explain", "cloze debug")


@pytest.mark.parametrize("solved", [False, True])
def test_no_report_advises_what_the_interview_refuses(solved, cloze, clock, folder):
    exercise = Exercise(builtin_root(), TOP_P)
    mistaken = exercise.mistaken(exercise.mistakes["forgets_to_renormalise"])
    source = blanks.reveal(exercise.solution) if solved else mistaken
    for path in (folder / f"{TOP_P}.py", Path(f"{TOP_P}.py")):
        path.write_text(source)
        report = cloze("check", path, "--html", "report.html").output + Path("report.html").read_text()
        assert report.count("shows the time left") == 2
        assert not [each for each in REFUSED if each in report]
    clock.passes(minutes=46)
    assert f"cloze {'solution' if solved else 'hint'} {TOP_P}" in cloze("check", TOP_P).output


def test_what_a_case_expects_is_no_secret_but_in_an_interview(cloze, folder):
    refused = cloze("debug", TOP_P, "values: tiny p")
    assert refused.exit_code == 2
    assert "part of the interview that runs" in refused.output


def test_the_report_tells_what_was_solved_how_fast_and_what_to_look_at_again(cloze, clock, folder):
    clock.passes(minutes=5)
    check(folder, TOP_P, "failed", "keeps_too_few")
    clock.passes(minutes=7)
    check(folder, TOP_P, "passed")
    clock.passes(minutes=8)
    check(folder, HEADS, "failed", "scales_by_d_model")
    done = cloze("interview", "--end")
    assert f"Interview {folder.name}, 45 minutes: 1 of 2 solved in time" in done.output
    assert re.search(rf"✓ {TOP_P} +5 of 5 points  solved after 12 minutes", done.output)
    assert re.search(rf"✗ {HEADS} +2 of 5 points", done.output)
    assert "You divide by √d_model" in done.output
    assert f"Look again at: {HEADS}\n" in done.output
    report = json.loads((folder / "report.json").read_text())
    assert report["review"] == [HEADS]
    assert report["exercises"][1] == {
        "exercise": TOP_P,
        "verdict": "passed",
        "late": False,
        "points": 5.0,
        "max_points": 5.0,
        "minutes_to_pass": 12.0,
        "checks": 2,
        "mistakes": ["keeps_too_few"],
    }
    assert json.loads(cloze("interview", "--end", "--json").output) == report, "the last report can be seen again"


def test_what_passes_after_the_time_is_late_and_earns_nothing(cloze, clock, folder):
    check(folder, TOP_P, "failed")
    clock.passes(minutes=45, seconds=1)
    over = cloze("list")
    assert over.exit_code == 0
    assert over.stderr.count("The time of the interview is over") == 1
    assert cloze("list").stderr == ""
    assert json.loads((folder / "report.json").read_text())["ended"] == "2026-03-01T12:45:00Z"
    clock.passes(minutes=5)
    check(folder, TOP_P, "passed")
    report = json.loads((folder / "report.json").read_text())
    assert [(each["late"], each["points"], each["minutes_to_pass"]) for each in report["exercises"]] == [
        (False, 0.0, None),
        (True, 2.0, 50.0),
    ]
    assert re.search(rf"! {TOP_P} .*late: solved after 50 minutes", cloze("interview", "--end").output)


def test_when_the_time_is_over_interview_shows_the_report_and_begins_no_other(cloze, clock, folder):
    clock.passes(hours=3)
    assert "0 of 2 solved in time" in cloze("interview").output
    assert len(here().state.interviews) == 1
    cloze("interview")
    assert [each.folder for each in here().state.interviews] == [folder.as_posix(), f"{folder.as_posix()}-2"]


def test_a_report_without_an_interview_is_no_report(cloze, clock):
    assert cloze("interview").exit_code == 2
    cloze("init", ".", "--track", "sampling")
    done = cloze("interview", "--end")
    assert (done.exit_code, "there was no interview yet" in done.output) == (2, True)
    for arguments in (["--minutes", "0"], ["--for", "cooking"], ["--minutes", "5", "--for", "kernels"]):
        assert cloze("interview", *arguments).exit_code == 2
    assert not Path("interview").exists()


def test_an_interview_for_a_goal_asks_only_what_serves_it(cloze, clock):
    cloze("start")
    cloze("interview", "--for", "inference", "--minutes", "200", "--lang", "zh")
    assert set(here().state.interviews[0].exercises) >= {TOP_P, "attention/kv_cache"}
    assert HEADS not in here().state.interviews[0].exercises
