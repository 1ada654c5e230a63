"""Progress is never lost: not to a crash, a second process, a damaged file, another version of the kit or another machine."""

import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clozekit import files
from clozekit.errors import ClozeError
from clozekit.report import Report, Result
from clozekit.state import KEPT, Attempt, Progress, State, bounded, decode, encode, merged
from clozekit.workspace import Workspace

ID = "normalization/rms_norm"
TIME = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)

# What the kit wrote before it kept a history.
SCHEMA_1 = """\
{
 "schema": 1,
 "language": "zh",
 "level": "scratch",
 "exercises": {
  "normalization/rms_norm": {
   "hints": 2,
   "passed": "2026-11-20"
  },
  "sampling/top_p": {
   "hints": 1,
   "passed": ""
  }
 }
}
"""


@pytest.fixture
def workspace(tmp_path) -> Workspace:
    return Workspace.create(tmp_path / "work", "en", "guided")


def state_file(workspace):
    return workspace.root / ".cloze" / "workspace.json"


def report(verdict="failed", id=ID) -> Report:
    return Report(id, verdict, "A", [Result("a", "passed"), Result("b", verdict)])


# A history


def test_a_check_is_remembered_with_what_came_out_of_it(workspace, monkeypatch):
    monkeypatch.setattr("clozekit.clock.now", lambda: TIME)
    workspace.record(report())
    workspace.record(report("passed"))
    progress = Workspace(workspace.root).state.exercises[ID]
    assert progress.attempts == [
        Attempt("2026-11-22T09:30:00Z", "guided", "failed", 1, 2),
        Attempt("2026-11-22T09:30:00Z", "guided", "passed", 2, 2),
    ]
    assert progress.passed == TIME.astimezone().date().isoformat()
    assert workspace.last_report(ID) == report("passed")


def test_a_check_of_a_file_for_review_leaves_the_last_report_alone(workspace):
    workspace.record(report("passed"), workspace.root / f"{ID}.py")
    workspace.record(report(), workspace.root / "review" / f"{ID}.py")
    workspace.record(report(), workspace.root / "interview/2026-12-01" / f"{ID}.py")
    attempts = Workspace(workspace.root).state.exercises[ID].attempts
    assert [(each.folder, each.level) for each in attempts] == [
        ("", "guided"),
        ("review", "scratch"),
        ("interview/2026-12-01", "scratch"),
    ]
    assert workspace.last_report(ID) == report("passed")


def attempt(minute: int, verdict="failed", folder="") -> Attempt:
    return Attempt(f"2026-11-22T{minute // 60 % 24:02}:{minute % 60:02}:00Z", "guided", verdict, 1, 2, None, folder)


def test_a_long_history_loses_only_failures_that_nothing_depends_on():
    first = [attempt(0), attempt(1, "passed"), attempt(2, "failed", "interview/2026-11-22"), attempt(3)]
    reviews = [attempt(4, "failed", "review"), attempt(5, "passed", "review")]
    many = [attempt(minute) for minute in range(10, 10 + KEPT)]
    assert bounded(first + reviews + many) == [first[1], first[2], reviews[1], *many]
    assert bounded(bounded(first + reviews) + many) == bounded(first + reviews + many)
    assert bounded(many) == many


RECORDS = """
import sys
from pathlib import Path
from clozekit.report import Report
from clozekit.workspace import Workspace

workspace = Workspace(Path(sys.argv[1]))
sys.stdin.readline()
for _ in range(25):
    workspace.record(Report("normalization/rms_norm", "failed", "A"))
"""


def test_no_attempt_is_lost_when_processes_record_at_once(workspace):
    command = [sys.executable, "-c", RECORDS, workspace.root]
    processes = [subprocess.Popen(command, stdin=subprocess.PIPE) for _ in range(3)]
    for process in processes:
        process.stdin.write(b"go\n")
        process.stdin.flush()
    assert [process.wait(60) for process in processes] == [0, 0, 0]
    assert len(Workspace(workspace.root).state.exercises[ID].attempts) == 75


def test_what_another_process_wrote_meanwhile_stays(workspace):
    """`cloze watch` holds its workspace for hours."""
    other = Workspace(workspace.root)
    with other.changing() as state:
        state.goal = "attention"
    workspace.record(report())
    assert Workspace(workspace.root).state.goal == "attention"


@pytest.mark.parametrize("step", ["os.fsync", "pathlib.Path.replace"])
def test_a_crash_while_writing_leaves_the_old_file(workspace, monkeypatch, step):
    workspace.record(report("passed"))
    before = state_file(workspace).read_bytes()

    def crash(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(step, crash)
        with pytest.raises(KeyboardInterrupt):
            workspace.record(report())
    assert state_file(workspace).read_bytes() == before
    workspace.record(report())
    assert len(Workspace(workspace.root).state.exercises[ID].attempts) == 2
    assert not list(workspace.root.rglob("*.draft"))


def test_a_file_that_is_a_link_stays_one(tmp_path):
    (tmp_path / "far").mkdir()
    (tmp_path / "near").symlink_to("far/file")
    files.put(tmp_path / "near", b"new")
    assert (tmp_path / "near").is_symlink()
    assert (tmp_path / "far/file").read_bytes() == b"new"


def test_a_workspace_may_be_moved(workspace, tmp_path):
    workspace.record(report("passed"), workspace.root / f"{ID}.py")
    moved = workspace.root.rename(tmp_path / "elsewhere")
    assert Workspace(moved).last_report(ID) == report("passed")
    assert str(tmp_path) not in (moved / ".cloze/workspace.json").read_text()


# Other versions


def test_schema_1_is_carried_over_and_kept(workspace):
    state_file(workspace).write_text(SCHEMA_1)
    old = Workspace(workspace.root)
    assert state_file(workspace).read_text() == SCHEMA_1, "only looking changes nothing"
    old.record(report())
    state = Workspace(workspace.root).state
    assert (state.schema, state.language, state.level) == (2, "zh", "scratch")
    assert (state.exercises[ID].hints, state.exercises[ID].passed) == (2, "2026-11-20")
    assert len(state.exercises[ID].attempts) == 1
    assert state.exercises["sampling/top_p"] == Progress(hints=1)
    assert state_file(workspace).with_name("workspace.json.schema1").read_text() == SCHEMA_1


def test_a_newer_schema_is_left_alone(workspace, cloze, monkeypatch):
    monkeypatch.chdir(workspace.root)
    text = '{"schema": 3, "language": {"spoken": "en"}}'
    state_file(workspace).write_text(text)
    with pytest.raises(ClozeError, match=r"newer clozekit \(schema 3, this one knows 2\); upgrade the kit"):
        Workspace(workspace.root)
    for command in (["list"], ["init", "."], ["hint", ID]):
        done = cloze(*command)
        assert (done.exit_code, "upgrade the kit" in done.output) == (2, True)
    assert state_file(workspace).read_text() == text
    assert [path.name for path in state_file(workspace).parent.iterdir()] == ["lock", "workspace.json"]


def test_what_only_a_later_kit_understands_stays(workspace):
    text = json.loads(state_file(workspace).read_text())
    text |= {"theme": "dark", "exercises": {ID: {"hints": 1, "note": "hard"}, "lab/gone": {"note": "mine"}}}
    state_file(workspace).write_text(json.dumps(text))
    Workspace(workspace.root).record(report())
    after = json.loads(state_file(workspace).read_text())
    assert (after["theme"], after["exercises"][ID]["note"]) == ("dark", "hard")
    assert after["exercises"]["lab/gone"]["note"] == "mine"
    assert len(after["exercises"][ID]["attempts"]) == 1


# A damaged file

DAMAGE = {
    "empty": lambda text: "",
    "cut off": lambda text: text[: text.index('"top_p_mistake"')],
    "not JSON": lambda text: text.replace("{", "{,", 1),
    "not an object": lambda text: f"[{text}]",
    "without schema": lambda text: text.replace('"schema"', '"shema"'),
    "of schema 0": lambda text: text.replace('"schema": 2', '"schema": 0'),
    "a language of its own": lambda text: text.replace('"zh"', '"xx"'),
    "a day that there is not": lambda text: re.sub(r'("passed": "2026)-\d\d', r"\1-77", text),
    "a time without zone": lambda text: re.sub(r'("at": "[^"]*)Z', r"\1", text),
    "deeply nested": lambda text: "[" * 100_000,
}


@pytest.fixture
def worked(workspace, monkeypatch) -> Workspace:
    """rms_norm was solved and then failed, top_p failed; hints were taken."""
    with workspace.changing() as state:
        state.language = "zh"
        workspace.progress(ID).hints = 2
    for verdict in ("passed", "failed"):
        workspace.record(report(verdict))
    failed = report(id="sampling/top_p")
    failed.mistake = "top_p_mistake"
    workspace.record(failed)
    return workspace


@pytest.mark.parametrize("name", DAMAGE)
def test_a_damaged_file_is_kept_and_what_is_whole_in_it_or_in_reports_goes_on(worked, name, capsys):
    text = DAMAGE[name](state_file(worked).read_text())
    state_file(worked).write_text(text)
    again = Workspace(worked.root)
    (kept,) = state_file(worked).parent.glob("*damaged*")
    assert re.fullmatch(r"workspace\.json\.damaged-\d{8}T\d{6}Z", kept.name)
    assert kept.read_text() == text
    top_p = again.state.exercises["sampling/top_p"]
    assert [(each.verdict, each.mistake) for each in top_p.attempts] == [("failed", "top_p_mistake")]
    assert again.state.exercises[ID].attempts[-1].verdict == "failed"
    if name in ("cut off", "not JSON", "not an object", "without schema", "of schema 0"):
        assert again.state.language == "zh"
        assert again.state.exercises[ID] == worked.state.exercises[ID], "this one was whole"
    assert capsys.readouterr().err.count(str(kept)) == 1
    assert Workspace(worked.root).state == again.state


def test_a_file_that_is_gone_comes_back_from_reports(worked):
    state_file(worked).unlink()
    again = Workspace.create(worked.root, "en", "guided")
    assert again.state.exercises["sampling/top_p"].attempts[0].mistake == "top_p_mistake"


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(raw=st.binary(max_size=40), place=st.integers(0, 2000), length=st.integers(0, 40))
def test_no_damage_is_too_odd(worked, raw, place, length):
    text = encode(State(exercises=worked.state.exercises), {})
    state_file(worked).write_bytes(text[:place] + raw + text[place + length :])
    Workspace(worked.root).record(report())
    assert Workspace(worked.root).state.exercises[ID].attempts


@pytest.mark.parametrize(("lang", "words"), [("en", "holds progress that could not be read"), ("zh", "无法读取")])
@pytest.mark.parametrize("command", [["list"], ["hint", ID], ["check", ID], ["reset", ID, "--yes"], ["init", "."]])
def test_damage_is_told_once_and_the_command_goes_on(command, lang, words, cloze, monkeypatch):
    cloze("init", "work", "--track", "normalization", "--lang", lang)
    monkeypatch.chdir("work")
    with open(".cloze/workspace.json", "r+") as file:
        file.truncate(60)
    done = cloze(*command)
    assert done.exit_code == (1 if command[0] == "check" else 0)
    assert words in done.stderr
    assert done.stdout
    assert "damaged" not in cloze("list").output


# A directory that cannot be written


@pytest.mark.parametrize("damaged", [False, True])
def test_a_verdict_needs_no_place_to_write(damaged, cloze, monkeypatch, solution):
    cloze("init", ".", "--track", "normalization")
    with open(f"{ID}.py", "w") as file:
        file.write(solution)
    if damaged:
        with open(".cloze/workspace.json", "w") as file:
            file.write("{")

    def refused(path):
        raise OSError(30, "Read-only file system", str(path))

    monkeypatch.setattr("clozekit.files.locked", refused)
    done = cloze("check", ID)
    assert done.exit_code == 0
    assert done.stderr.count("Read-only file system") == 1
    assert ("could not be read" in done.stderr) == damaged
    assert cloze("hint", ID).exit_code == 0
    assert json.loads(cloze("check", ID, "--json", "-").stdout)["verdict"] == "passed"


# Two machines


def states() -> st.SearchStrategy[State]:
    moments = st.integers(0, 30).map(lambda days: (TIME + timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ"))
    attempts = st.builds(
        Attempt,
        at=moments,
        level=st.just("guided"),
        verdict=st.sampled_from(["passed", "failed", "could not check"]),
        points=st.just(1.0),
        max_points=st.just(2.0),
    )
    progress = st.builds(
        Progress,
        hints=st.integers(0, 3),
        passed=st.sampled_from(["", "2026-11-22", "2026-12-01"]),
        attempts=st.lists(attempts, max_size=5).map(
            lambda found: sorted(found, key=lambda each: (each.at, repr(each)))
        ),
    )
    return st.builds(
        State,
        exercises=st.dictionaries(st.sampled_from(["a/b", "c/d"]), progress),
        language=st.just("en"),
        level=st.just("guided"),
        schema=st.just(2),
        goal=st.just(""),
        tracks=st.just([]),
        interviews=st.just([]),
    )


@given(states(), states())
def test_merging_loses_nothing_and_does_not_mind_the_order(here, there):
    both = merged(here, there)
    assert merged(there, here) == both
    assert merged(both, there) == both
    for state in (here, there):
        for id, progress in state.exercises.items():
            assert all(
                both.exercises[id].attempts.count(each) >= progress.attempts.count(each) for each in progress.attempts
            )
            assert bool(both.exercises[id].passed) >= bool(progress.passed)


@given(states())
def test_what_is_written_is_what_is_read(state):
    assert decode(encode(state, {})) == (state, msgspec.to_builtins(state))


PLACES = {  # where a file lies that answers a/b, seen from the workspace; which part of it that is
    "a/b.py": "",
    "review/a/b.py": "review",
    "interview/2026-12-01/a/b.py": "interview/2026-12-01",
    "week1.ipynb": "",
    "submissions/ada/a/b.py": None,
    "b.py": None,
    "a/other.py": None,
    "../elsewhere/a/b.py": None,
    "interview/a/b.py": None,
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("inside", [".", "review", "review/a"])
def test_only_a_learners_own_files_count(place, inside, tmp_path, monkeypatch):
    """From whatever directory they are named: a copy of somebody's answer solves nothing."""
    workspace = Workspace.create(tmp_path / "work", "en", "guided")
    here = workspace.root / inside
    here.mkdir(parents=True, exist_ok=True)
    monkeypatch.chdir(here)
    path = Path(os.path.relpath(workspace.root / place))
    workspace.record(Report("a/b", "passed", "A", [Result("a", "passed")]), path)
    attempts = workspace.progress("a/b").attempts
    assert [attempt.folder for attempt in attempts] == ([] if PLACES[place] is None else [PLACES[place]])
