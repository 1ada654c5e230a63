"""Commands in a workspace, and those of an author, as they are typed."""

import json
import textwrap
from pathlib import Path

import pytest

from clozekit import blanks
from clozekit.catalog import builtin_root, open_catalog
from clozekit.exercise import Exercise

ID = "normalization/rms_norm"


# init, hint, reset, solution: a workspace


@pytest.fixture
def workspace(cloze, tmp_path, monkeypatch) -> Path:
    """What `cloze init work --track normalization` makes; we are in it."""
    assert cloze("init", "work", "--track", "normalization").exit_code == 0
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "work"


def test_init_writes_every_starter(cloze, tmp_path):
    done = cloze("init", "all")
    assert done.exit_code == 0
    written = {
        path.relative_to(tmp_path / "all").with_suffix("").as_posix() for path in (tmp_path / "all").glob("*/*.py")
    }
    assert written == {entry.id for entry in open_catalog().entries()}
    assert f"{len(written)} starters written, 0 files kept" in done.output
    assert "cloze check all/" in done.output


def test_init_keeps_what_is_there(cloze, workspace, rms_norm):
    file = workspace / f"{ID}.py"
    assert file.read_text("utf-8") == rms_norm.render()
    file.write_text("mine\n")
    again = cloze("init", ".", "--track", "normalization")
    assert "0 starters written, " in again.output
    assert file.read_text() == "mine\n"
    assert cloze("init", ".", "--track", "cooking").exit_code == 2


def test_init_where_it_cannot_write_says_so(cloze):
    Path("normalization").write_text("a file where a directory must be")
    done = cloze("init", ".", "--track", "normalization")
    assert done.exit_code == 2
    assert "normalization: File exists" in done.output


def test_init_in_the_other_language_and_level(cloze, tmp_path, rms_norm):
    cloze("init", "zh", "--track", "normalization", "--lang", "zh", "--level", "scratch")
    assert (tmp_path / "zh" / f"{ID}.py").read_text("utf-8") == rms_norm.render("scratch", "zh")


def test_solving_is_remembered(cloze, workspace, solution):
    assert cloze("check", ID).exit_code == 1
    assert f"· {ID}" in cloze("list").output
    (workspace / f"{ID}.py").write_text(solution)
    assert cloze("check", ID).exit_code == 0
    assert f"✓ {ID}" in cloze("list").output
    assert {row["id"]: row["passed"] for row in json.loads(cloze("list", "--json").output)}[ID] is True
    assert cloze("solution", ID).output == blanks.reveal(Exercise(builtin_root(), ID).solution)


def test_the_solution_is_asked_for_twice(cloze, workspace):
    refused = cloze("solution", ID, input="n\n")
    assert refused.exit_code == 1
    assert "rsqrt" not in refused.output
    assert "rsqrt" in cloze("solution", ID, "--yes").output


def test_hints_go_one_step_further_each_time(cloze, workspace, rms_norm):
    hints = rms_norm.sheet.en.hints
    given = [cloze("hint", ID).output for _ in range(len(hints) + 1)]
    assert [text.splitlines()[0] for text in given] == [hint.splitlines()[0] for hint in [*hints, hints[-1]]]
    assert "more: run `cloze hint" in given[0]
    assert "That was the last hint" in given[-1]
    assert cloze("hint", ID, "--all").output == "\n\n".join(hints) + "\n"


def test_hints_outside_a_workspace_start_anew(cloze, rms_norm):
    assert cloze("hint", ID).output == cloze("hint", ID).output
    assert rms_norm.sheet.zh.hints[0] in cloze("hint", ID, "--lang", "zh").output


def test_reset_keeps_the_old_file_beside_the_new(cloze, workspace, rms_norm):
    file = workspace / f"{ID}.py"
    file.write_text("mine\n")
    assert cloze("reset", ID, input="n\n").exit_code == 1
    assert file.read_text() == "mine\n"
    for _ in range(2):
        assert cloze("reset", ID, "--yes").exit_code == 0
        assert file.read_text("utf-8") == rms_norm.render()
        assert file.with_name("rms_norm.py.bak").read_text() == "mine\n"


def test_reset_never_loses_what_was_written(cloze, workspace):
    """An untouched starter is not worth a backup, and an older backup is not overwritten."""
    path = workspace / f"{ID}.py"
    for text in ("# mine", "# mine too"):
        path.write_text(text)
        for level in ("guided", "scratch", "guided"):
            assert cloze("reset", ID, "--yes", "--level", level).exit_code == 0
    kept = {each.name: each.read_text() for each in path.parent.glob("rms_norm.py.bak*")}
    assert kept == {"rms_norm.py.bak": "# mine", "rms_norm.py.bak.1": "# mine too"}


def test_a_report_that_cannot_be_written_is_shown_all_the_same(cloze, workspace, solution):
    (workspace / f"{ID}.py").write_text(solution)
    done = cloze("check", ID, "--json", "nowhere/r.json")
    assert done.exit_code == 2
    assert f"passed  {ID}" in done.output


def test_reset_outside_a_workspace_says_what_to_do(cloze):
    done = cloze("reset", ID)
    assert done.exit_code == 2
    assert "`cloze init` makes one here" in done.output


# new, build, verify


def test_an_author_starts_with_new(cloze, tmp_path):
    content = "--content", tmp_path / "course"
    new = cloze("new", "lab/cube", *content)
    assert new.exit_code == 0
    assert "Now: cloze verify lab/cube" in new.output
    assert cloze("build", "--check", *content).exit_code == 0
    assert cloze("new", "lab/cube", *content).exit_code == 2
    assert "use lower case" in cloze("new", "Lab/Cube", *content).output
    proof = cloze("verify", "lab/cube", "--no-mutants", *content)
    assert proof.exit_code == 0
    assert "3 mistakes named" in proof.output
    assert cloze("list", "--track", "lab", *content).output.count("lab/cube") == 1


def test_build_tells_what_is_stale_and_what_is_stray(cloze, tmp_path):
    content = "--content", tmp_path / "course"
    cloze("new", "lab/cube", *content)
    exercise = Exercise(tmp_path / "course", "lab/cube")
    exercise.solution_path.write_text(exercise.solution.replace("# END", "# END\n    # a comment"))
    stale = cloze("build", "--check", *content)
    assert stale.exit_code == 1
    assert f"stale: {exercise.starter_path}" in stale.output
    assert cloze("build", *content).exit_code == 0
    assert cloze("build", "--check", *content).exit_code == 0
    exercise.starter_path.with_name("other.py").write_text("")
    stray = cloze("build", "--check", *content)
    assert stray.exit_code == 1
    assert "other.py has no .toml beside it" in stray.output


def test_verify_tells_what_an_author_has_to_do(cloze, author):
    exercise = author(
        grader=textwrap.dedent("""\
        from clozekit.grading import mistake, reference
        import torch

        def test_ones(check):
            check("square", torch.ones(3))

        @reference("square")
        def definition(x, scale=2.0):
            return scale * x * x

        @mistake(blank="square")
        def forgets_scale(x):
            return 2.0 * x * x

        @mistake(blank="square")
        def forgets_square(x, scale):
            return scale * x

        @mistake(blank="square")
        def scales_first(x, scale):
            return (scale * x) ** 2

        @mistake(blank="square")
        def calls_a_list(x, scale):
            return [scale](x)
        """)
    )
    done = cloze("verify", exercise.id, "--content", exercise.root, "--json")
    (proof,) = json.loads(done.stdout)
    complaints = "\n".join(proof["complaints"])
    assert done.exit_code == 1
    assert "mistake forgets_square is not refused: passed" in complaints
    assert "a mutant passes, line " in complaints
    assert "[zh.cases] lacks 'ones'" in complaints
    assert "mistake calls_a_list raises in every test" in complaints
    assert "mistake scales_first" not in complaints
