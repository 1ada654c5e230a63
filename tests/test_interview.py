"""Solving against the clock, which is a list of moments: no test waits."""

import json
import os
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clozekit import blanks, interviewing
from clozekit.catalog import Catalog, Entry, Title, builtin_root
from clozekit.errors import ClozeError
from clozekit.exercise import Exercise
from clozekit.report import Report, Result
from clozekit.workspace import Workspace

ID = "normalization/rms_norm"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def here() -> Workspace:
    workspace = Workspace.around(Path.cwd())
    assert workspace
    return workspace


# The set


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


# Against the clock

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
    remember(here(), Report(id, verdict, "A", result, mistake=mistake), folder / f"{id}.py", "en", None)


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


@pytest.mark.parametrize(("after", "late"), [(-3600, False), (-1, False), (1, True)])
def test_an_answer_is_late_by_its_save_and_not_by_its_check(after, late, cloze, clock, folder):
    file, bell = folder / f"{TOP_P}.py", NOON + timedelta(minutes=45)
    file.write_text(blanks.reveal(Exercise(builtin_root(), TOP_P).solution))
    saved = (bell + timedelta(seconds=after)).timestamp()
    os.utime(file, (saved, saved))
    clock.passes(minutes=50)
    assert cloze("check", file).exit_code == 0
    report = json.loads((folder / "report.json").read_text())
    (found,) = [each for each in report["exercises"] if each["exercise"] == TOP_P]
    assert (found["late"], found["minutes_to_pass"]) == (late, 0.0 if after < -45 * 60 else 45.0)
    (attempt,) = here().state.exercises[TOP_P].attempts
    assert attempt.moment == bell + timedelta(seconds=after)


def test_a_save_that_a_clock_ahead_of_ours_dates_counts_as_checked(cloze, clock, folder):
    file = folder / f"{TOP_P}.py"  # saved today, which is long after the clock of these tests
    assert cloze("check", file).exit_code == 1
    (attempt,) = here().state.exercises[TOP_P].attempts
    assert attempt.moment == NOON


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
    entries = {entry.id: entry for entry in Catalog([builtin_root()]).entries()}
    asked = here().state.interviews[0].exercises
    assert len(asked) > 2
    assert all("inference" in entries[id].goals for id in asked)
