"""A newer kit comes to a workspace: what it changed arrives, what the learner wrote stays."""

import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clozekit import updating
from clozekit.catalog import Catalog
from clozekit.exercise import Exercise
from clozekit.skeleton import write_skeleton
from clozekit.workspace import Workspace

ANSWER = "return scale * x * x"
OLD, NEW = "Say what is computed", "Say exactly what is computed"


@pytest.fixture
def kit(tmp_path) -> Exercise:
    """A kit with one exercise, lab/square; `renew` makes the next version."""
    write_skeleton(tmp_path / "kit", "lab/square")
    return Exercise(tmp_path / "kit", "lab/square")


@pytest.fixture
def workspace(kit, tmp_path) -> Workspace:
    workspace = Workspace.create(tmp_path / "work", "en", "guided")
    with workspace.changing() as state:
        state.tracks = [kit.track]
    workspace.write_starter(kit)
    return workspace


def renew(kit: Exercise, old: str = OLD, new: str = NEW) -> None:
    text = kit.words_path.read_text("utf-8")
    assert old in text
    kit.words_path.write_text(text.replace(old, new), "utf-8")


def update(workspace: Workspace, kit: Exercise, **options: bool) -> list[tuple[str, str]]:
    changes = updating.update(workspace, Catalog([kit.root]), **options)
    return [(change.what, change.path.relative_to(workspace.root).as_posix()) for change in changes]


def solve(workspace: Workspace, newline: str = "\n") -> Path:
    path = workspace.root / "lab/square.py"
    text = path.read_text("utf-8").replace('raise NotImplementedError("square")', ANSWER)
    assert ANSWER in text
    path.write_text(text, "utf-8", newline=newline)
    return path


def test_nothing_changed_nothing_happens(kit, workspace):
    assert update(workspace, kit) == []
    solve(workspace)
    assert update(workspace, kit) == []


def test_an_untouched_file_becomes_the_new_starter(kit, workspace):
    renew(kit)
    assert update(workspace, kit) == [("replaced", "lab/square.py")]
    assert NEW in (workspace.root / "lab/square.py").read_text("utf-8")
    assert not list(workspace.root.rglob("*.bak")), "an older one may hold the learner's work"
    assert update(workspace, kit) == []


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_an_answer_and_a_new_statement_come_together(kit, workspace, newline):
    path = solve(workspace, newline)
    before = path.read_bytes()
    renew(kit)
    assert update(workspace, kit) == [("merged", "lab/square.py")]
    text = path.read_bytes().decode()
    assert NEW in text
    assert ANSWER in text
    assert text.count("\r\n") == (text.count("\n") if newline == "\r\n" else 0)
    assert path.with_name("square.py.bak").read_bytes() == before
    assert update(workspace, kit) == []


@pytest.mark.parametrize("why", ["both changed the same lines", "there is no git"])
def test_what_cannot_be_merged_is_put_beside(kit, workspace, why, monkeypatch):
    path = solve(workspace)
    if why == "there is no git":
        monkeypatch.setattr(shutil, "which", lambda _: None)
        renew(kit)
    else:
        renew(kit, "multiply the square of x by `scale`", "multiply x² by `scale`")
        path.write_text(path.read_text("utf-8").replace("multiply the square", "I multiply the square"), "utf-8")
    before = path.read_bytes()
    for _ in range(2):  # it is named until the learner has dealt with it
        assert update(workspace, kit) == [("look", "lab/square.py")]
        assert path.read_bytes() == before
        assert path.with_name("square.py.new").read_text("utf-8") == Exercise(kit.root, kit.id).render()
    path.with_name("square.py.new").unlink()
    assert update(workspace, kit) == []


def test_a_file_from_before_starters_were_kept_needs_a_look_once_it_differs(kit, workspace):
    shutil.rmtree(workspace.root / ".cloze/starters")
    assert update(workspace, kit) == []
    shutil.rmtree(workspace.root / ".cloze/starters")
    path = solve(workspace)
    assert update(workspace, kit) == [("look", "lab/square.py")]
    assert ANSWER in path.read_text("utf-8")


def test_a_starter_stays_in_the_level_and_language_in_which_it_was_written(kit, workspace, tmp_path):
    with workspace.changing() as state:
        state.level, state.language = "scratch", "zh"
    workspace.write_starter(kit, overwrite=True)
    with workspace.changing() as state:
        state.level, state.language = "guided", "en"
    renew(kit, "说明要计算什么", "准确说明要计算什么")
    assert update(workspace, kit) == [("replaced", "lab/square.py")]
    text = (workspace.root / "lab/square.py").read_text("utf-8")
    assert text == Exercise(kit.root, kit.id).render("scratch", "zh")


def test_new_exercises_of_a_track_that_init_wrote_are_written_and_others_stay_away(kit, workspace):
    write_skeleton(kit.root, "lab/cube")
    write_skeleton(kit.root, "kitchen/knife")
    assert update(workspace, kit) == [("written", "lab/cube.py")]
    assert not (workspace.root / "kitchen").exists()


def test_a_file_that_the_learner_deleted_stays_away(kit, workspace):
    write_skeleton(kit.root, "lab/cube")
    update(workspace, kit)
    (workspace.root / "lab/square.py").unlink()
    assert update(workspace, kit) == []
    assert not (workspace.root / "lab/square.py").exists()


def test_what_is_no_exercise_any_more_stays_and_is_named(kit, workspace, tmp_path):
    write_skeleton(tmp_path / "next", "lab/cube")
    (workspace.root / "lab/notes.py").write_text("my own file\n")
    changes = update(workspace, Exercise(tmp_path / "next", "lab/cube"))
    assert changes == [("written", "lab/cube.py"), ("gone", "lab/square.py")]
    assert (workspace.root / "lab/square.py").exists()


def test_a_dry_run_writes_nothing(kit, workspace):
    solve(workspace)
    renew(kit)
    write_skeleton(kit.root, "lab/cube")
    everything = {path: path.read_bytes() for path in workspace.root.rglob("*") if path.is_file()}
    told = update(workspace, kit, dry_run=True)
    assert told == [("merged", "lab/square.py"), ("written", "lab/cube.py")]
    assert {path: path.read_bytes() for path in workspace.root.rglob("*") if path.is_file()} == everything
    assert update(workspace, kit) == told


def test_who_was_led_here_by_start_gets_nothing_that_was_not_picked(cloze):
    cloze("start", "--for", "kernels")
    before = sorted(Path().glob("*/*.py"))
    assert "nothing to do" in cloze("update").output
    assert sorted(Path().glob("*/*.py")) == before
    cloze("init", ".", "--track", "attention")
    Path("attention/kv_cache.py").unlink()
    next(Path(".cloze/starters/attention").glob("kv_cache.*")).unlink()  # as if it had not been in the kit
    assert cloze("update").output == "written    attention/kv_cache.py\n"


def test_update_as_a_learner_types_it(cloze, kit, workspace, monkeypatch):
    monkeypatch.chdir(workspace.root)
    command = "update", "--content", kit.root
    assert cloze(*command).output == "Every starter is the one of this kit; nothing to do.\n"
    solve(workspace)
    renew(kit)
    assert "Nothing was written" in cloze(*command, "--dry-run").output
    assert "merged     lab/square.py" in cloze(*command).output
    assert cloze(*command, "--lang", "zh").output == "所有练习文件均为当前版本，无需更新。\n"


LINES = st.lists(st.sampled_from(["a", "b", "c", "", "    d"]), max_size=6).map(
    lambda lines: "".join(f"{x}\n" for x in lines)
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(base=LINES, theirs=LINES, new=LINES)
def test_no_merge_leaves_a_marker_or_forgets_a_lone_change(base, theirs, new):
    merged = updating.merge(base.encode(), theirs.encode(), new.encode())
    assert merged is None or not any(marker in merged for marker in (b"<<<<", b"====", b">>>>"))
    assert updating.merge(base.encode(), theirs.encode(), base.encode()) == theirs.encode()
    assert updating.merge(base.encode(), base.encode(), new.encode()) == new.encode()
