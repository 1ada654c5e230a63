"""A workspace remembers the exercises that it was made with, wherever a command is typed, until they have gone."""

import json
import shutil
from pathlib import Path

import pytest

from clozekit import files
from clozekit.cli.common import ExerciseId
from clozekit.cli.study import CaseName
from clozekit.cli.watch import watch
from clozekit.notebook import check
from clozekit.pytesting import Answers
from clozekit.skeleton import write_skeleton
from clozekit.workspace import Workspace

ID = "lab/square"
RIGHT = "def square(x, scale=2.0):\n    return scale * x * x\n"
MADE = ["init", "work", "--track", "lab", "--content"]


@pytest.fixture
def course(cloze, tmp_path) -> Path:
    """A course of one exercise beside the directory `work`."""
    write_skeleton(tmp_path / "course", ID)
    contents = tmp_path / "course/exercises/contents.toml"
    goal = '[goals]\nlab = { en = "Lab", zh = "Lab" }\n\n'
    contents.write_text(goal + contents.read_text("utf-8").replace("goals = []", 'goals = ["lab"]'), "utf-8")
    return tmp_path / "course"


@pytest.fixture
def work(cloze, course, monkeypatch) -> Path:
    """A workspace made with the course, which is the current directory. The exercise is answered."""
    assert cloze(*MADE, "course").exit_code == 0
    monkeypatch.chdir("work")
    Path(f"{ID}.py").write_text(RIGHT)
    return Path.cwd()


def remembered(work: Path) -> list[str]:
    return json.loads((work / ".cloze/workspace.json").read_text())["content"]


# Arguments, and what a command says of the exercise.
COMMANDS = {
    "list": (["list"], ID),
    "show": (["show", ID], "Square"),
    "check": (["check", ID], f"passed  {ID}"),
    "check, a file": (["check", f"{ID}.py"], f"passed  {ID}"),
    "lint": (["lint", f"{ID}.py"], ""),
    "hint": (["hint", ID], "more: run"),
    "explain": (["explain", "forgets_scale"], ID),
    "debug": (["debug", ID], "values"),
    "diff": (["diff", ID, "--yes"], "+++ our solution"),
    "solution": (["solution", ID, "--yes"], "scale * x * x"),
    "reset": (["reset", ID, "--yes"], f"{ID}.py"),
    "notebook": (["notebook", ID], "square.ipynb: written"),
    "report": (["report"], "Lab  0 of 1"),
    "progress": (["progress"], "lab"),
    "update": (["update"], ""),
    "start": (["start"], "square"),
    "init": (["init", "."], ""),
    "interview": (["interview", "--for", "lab"], f"{ID}.py"),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_of_a_learner_knows_them(name, work, cloze):
    arguments, said = COMMANDS[name]
    done = cloze(*arguments)
    assert done.exit_code == 0, done.output
    assert said in done.output
    assert remembered(work) == ["../course"]


def test_what_is_solved_can_be_reviewed(work, cloze):
    assert cloze("check", ID).exit_code == 0
    assert cloze("review", ID).exit_code == 0
    assert Path("review", f"{ID}.py").exists()


def test_a_check_from_elsewhere_finds_them_by_the_file(work, cloze, monkeypatch):
    monkeypatch.chdir("/")
    assert cloze("check", work / f"{ID}.py").exit_code == 0


def test_plain_pytest_and_a_notebook_know_them(work):
    workspace = Workspace(work)
    assert ID in Answers(workspace, [], None).exercises
    assert "works in a notebook only" in str(check(ID)), "the exercise was found"


def test_the_shell_completes_them(work):
    assert ID in [item.value for item in ExerciseId().shell_complete(None, None, "lab")]
    context = watch.make_context("watch", [])
    context.params["exercise"] = ID
    assert CaseName().shell_complete(context, None, "val")


def test_authors_and_teachers_name_their_own(work, cloze):
    """A workspace that somebody hands in must not bring graders along."""
    assert "no exercise 'lab/square'" in cloze("verify", ID).output


# Where they are


def test_what_was_given_relative_moves_with_the_workspace(work, cloze, course, tmp_path, monkeypatch):
    shutil.move(tmp_path / "work", tmp_path / "moved/work")
    shutil.move(course, tmp_path / "moved/course")
    monkeypatch.chdir(tmp_path / "moved/work")
    assert cloze("check", ID).exit_code == 0


def test_what_was_given_absolute_stays_where_it_is(cloze, course, tmp_path, monkeypatch):
    cloze(*MADE, course)
    assert remembered(tmp_path / "work") == [str(course)]
    shutil.move(tmp_path / "work", tmp_path / "moved/work")
    monkeypatch.chdir(tmp_path / "moved/work")
    assert cloze("show", ID).exit_code == 0


def test_start_makes_a_workspace_that_remembers_as_well(cloze, course, tmp_path):
    assert cloze("start", "--content", "course").exit_code == 0
    assert remembered(tmp_path) == ["course"]
    assert cloze("show", ID).exit_code == 0


@pytest.mark.parametrize("command", [["list"], ["check", ID], ["init", "."]])
def test_where_they_have_gone_that_is_told_until_their_new_place_is(command, work, cloze, course):
    shutil.move(course, course.with_name("elsewhere"))
    done = cloze(*command)
    assert done.exit_code == 2
    assert f"{course} has no exercises any more" in done.output
    assert "`cloze init --content DIR`" in done.output
    assert f"{course} 里已没有练习" in cloze(*command, "--lang", "zh").output
    assert cloze("init", ".", "--track", "lab", "--content", "../elsewhere").exit_code == 0
    assert remembered(work) == ["../elsewhere"]
    assert cloze("show", ID).exit_code == 0


def test_a_command_that_is_given_others_remembers_them_not(work, cloze, tmp_path):
    write_skeleton(tmp_path / "other", "other/cube")
    assert "other/cube" in cloze("list", "--content", "../other").output
    assert remembered(work) == ["../course"]


def test_a_workspace_from_before_has_none(cloze, tmp_path, monkeypatch):
    cloze("init", "work", "--track", "normalization")
    state = tmp_path / "work/.cloze/workspace.json"
    old = json.loads(state.read_text())
    del old["content"]
    files.put(state, json.dumps(old).encode())
    monkeypatch.chdir("work")
    assert cloze("list").exit_code == 0
    assert Workspace(tmp_path / "work").content == []
