"""Plain pytest in a workspace, and everywhere else."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from clozekit import blanks
from clozekit.catalog import open_catalog
from clozekit.cli import main
from clozekit.pytesting import is_untouched
from clozekit.workspace import Workspace

ID = "normalization/rms_norm"
OTHER = "attention/kv_cache"
HERE = {name: value for name, value in os.environ.items() if not name.startswith(("CLOZE", "LC_", "PYTEST"))}
ENVIRONMENT = HERE | {"LANG": "C.UTF-8", "COLUMNS": "120"}


STARTERS = sum(entry.track in ("normalization", "attention") for entry in open_catalog().entries())


@pytest.fixture
def work(tmp_path, monkeypatch) -> Path:
    """A workspace of two tracks in which nothing was touched."""
    for name in set(os.environ) - set(HERE):
        monkeypatch.delenv(name)
    main(["init", str(tmp_path), "--track", "normalization", "--track", "attention"], standalone_mode=False)
    return tmp_path


@pytest.fixture
def mistaken(rms_norm) -> str:
    return rms_norm.mistaken(rms_norm.mistakes["eps_outside_sqrt"])


def run(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "pytest", "--seed", "7", *arguments]  # the same inputs, so the same cases fail
    return subprocess.run(command, cwd=folder, env=ENVIRONMENT | variables, capture_output=True, text=True, check=False)


def test_a_workspace_in_which_nothing_was_touched_has_no_tests(work):
    done = run(work, "-q")
    assert done.returncode == pytest.ExitCode.NO_TESTS_COLLECTED
    assert f"nobody has touched were left out: {STARTERS}" in done.stdout


def test_a_right_answer_passes_every_case_and_what_no_case_shows(work, solution, rms_norm):
    (work / f"{ID}.py").write_text(solution)
    done = run(work, "-v")
    assert done.returncode == 0, done.stdout
    for case in rms_norm.visible_cases:
        assert f"{ID}.py::{case} PASSED" in done.stdout
    assert f"{ID}.py::rules and hidden cases PASSED" in done.stdout
    assert "sizes drawn anew" not in done.stdout
    assert Workspace(work).progress(ID).passed


def test_a_mistake_fails_with_the_words_of_a_report_and_no_traceback(work, mistaken):
    (work / f"{ID}.py").write_text(f"print('from the file')\n{mistaken}")
    done = run(work, f"{ID}.py::values: large eps", CLOZE_LANG="en")
    assert done.returncode == 1
    assert "1 failed" in done.stdout
    assert "at [" in done.stdout
    assert "eps belongs inside the square root" in done.stdout
    assert "from the file" in done.stdout
    assert "clozekit/" not in done.stdout
    assert "Traceback" not in done.stdout
    assert Workspace(work).last_report(ID).mistake == "eps_outside_sqrt"


def test_in_chinese_all_of_it_is(work, mistaken):
    (work / f"{ID}.py").write_text(mistaken)
    done = run(work, "-q", "-x", CLOZE_LANG="zh")
    assert "eps 应在根号内" in done.stdout
    assert "数值：" in done.stdout
    assert f"尚未动过的练习文件未列入：{STARTERS - 1} 个" in done.stdout


def test_it_can_be_cut_to_some_cases_and_stopped_at_the_first(work, mistaken):
    (work / f"{ID}.py").write_text(mistaken)
    assert "1 failed, 1 passed" in run(work, "-q", "-k", "large or gradients").stdout
    assert "1 failed" in run(work, "-q", "-x").stdout


def test_an_untouched_starter_that_is_named_is_run(work):
    done = run(work, "-q", "-x", f"{OTHER}.py")
    assert done.returncode == 1
    assert "the blank `append` is not filled in yet" in done.stdout
    assert "left out" not in done.stdout


def test_green_means_no_less_than_a_pass(work, solution):
    """What only a source rule or a hidden case refuses is red as well."""
    (work / f"{ID}.py").write_text(f"import subprocess\n{solution}")
    done = run(work, "-q")
    assert done.returncode == 1
    assert "1:8 CZ102" in done.stdout
    assert "1 failed" in done.stdout
    by_size = solution.replace("    wide =", "    x = x if x.numel() < 4096 else x + 1\n    wide =")
    (work / f"{ID}.py").write_text(by_size)
    done = run(work, "-q")
    assert "1 failed" in done.stdout
    assert "sizes drawn anew" in done.stdout


def test_an_answer_never_runs_in_the_process_of_pytest(work, solution, tmp_path_factory):
    away = tmp_path_factory.mktemp("away") / "written"
    (work / f"{ID}.py").write_text(f"open({str(away)!r}, 'w')\n{solution}")
    for arguments in ([f"{ID}.py"], ["--doctest-modules"], [f"{ID}.py", "--doctest-modules"]):
        assert run(work, "-q", *arguments).returncode == 1
        assert not away.exists()


def test_a_file_that_is_no_python_says_so(work):
    (work / f"{ID}.py").write_text("def rms_norm(:\n")
    done = run(work, "-q", "-x")
    assert done.returncode == 1
    assert "line 1: invalid syntax" in done.stdout


def test_other_files_of_a_workspace_are_what_they_are(work):
    (work / "test_own.py").write_text("def test_own(): pass\n")
    (work / "normalization" / "test_own.py").write_text("def test_own(): pass\n")
    assert "2 passed" in run(work, "-q", "--import-mode=importlib").stdout


def test_a_workspace_that_cannot_be_read_is_told(work):
    (work / ".cloze/workspace.json").write_text('{"schema": 99}')
    done = run(work, "-q")
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "upgrade the kit" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_run_anywhere_else_loads_nothing_of_it(tmp_path):
    """Neither torch nor the judge: who has the kit installed must not pay for it in every other project."""
    heavy = "torch", "clozekit.pytesting", "clozekit.engine", "clozekit.workspace"
    (tmp_path / "test_other.py").write_text(
        f"import sys\n\n\ndef test_modules():\n    assert not [name for name in {heavy} if name in sys.modules]\n"
    )
    done = run(tmp_path, "-q")
    assert done.returncode == 0, done.stdout


def test_a_workspace_does_without_torch_as_well(work, solution):
    (work / f"{ID}.py").write_text(solution)
    (work / "conftest.py").write_text(
        "import sys\n\n\ndef pytest_unconfigure():\n    print('torch' in sys.modules, 'clozekit.engine' in sys.modules)\n"
    )
    assert "False True" in run(work, "-q").stdout


def test_a_starter_is_known_at_any_level_in_any_language(work, rms_norm):
    file = work / f"{ID}.py"
    for text, untouched in {
        rms_norm.render("scratch", "zh"): True,
        rms_norm.render("guided", "en"): True,
        blanks.reveal(rms_norm.solution): False,
    }.items():
        file.write_text(text, "utf-8")
        assert is_untouched(rms_norm, file) == untouched
    assert not is_untouched(rms_norm, work / "missing.py")


def test_an_answer_for_review_is_judged_and_not_imported(work, solution):
    """As an ordinary module it would run in this process, with all that the learner may do."""
    escaped = work / "escaped"
    answer = work / "review" / f"{ID}.py"
    answer.parent.mkdir(parents=True)
    answer.write_text(f"open({str(escaped)!r}, 'w').close()\n{solution}")
    done = run(work, "-q", f"review/{ID}.py")
    assert done.returncode == 1, done.stdout
    assert not escaped.exists()


def test_what_could_not_be_checked_is_no_pass(work, solution, rms_norm, tmp_path_factory):
    """A test of the grader that breaks is skipped, and the run does not end as if all were well."""
    root = tmp_path_factory.mktemp("course")
    for source in (rms_norm.words_path, rms_norm.solution_path, rms_norm.grader_path):
        target = root / source.relative_to(rms_norm.root)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(source.read_text("utf-8"), "utf-8")
    (root / "exercises" / "contents.toml").write_text(
        '[[track]]\nname = "normalization"\ntitle = { en = "N", zh = "N" }\n[track.exercises]\nrms_norm = { difficulty = 1 }\n'
    )
    grader = root / "graders" / "normalization" / "test_rms_norm.py"
    grader.write_text(grader.read_text("utf-8") + "\n\ndef test_broken(check):\n    raise RuntimeError\n", "utf-8")
    (work / f"{ID}.py").write_text(solution)
    done = run(work, "-q", f"{ID}.py", CLOZE_CONTENT=str(root))
    assert "1 skipped" in done.stdout
    assert done.returncode == 3


def test_a_broken_exercise_is_told_without_a_traceback(work, tmp_path_factory, rms_norm):
    root = tmp_path_factory.mktemp("course")
    target = root / "exercises" / f"{ID}.toml"
    target.parent.mkdir(parents=True)
    target.write_text("x = [")
    (root / "exercises" / "contents.toml").write_text(
        '[[track]]\nname = "normalization"\ntitle = { en = "N", zh = "N" }\n[track.exercises]\nrms_norm = { difficulty = 1 }\n'
    )
    done = run(work, "-q", CLOZE_CONTENT=str(root))
    assert "Traceback" not in done.stdout + done.stderr
    assert "pluggy" not in done.stdout
    assert "not TOML" in done.stdout
