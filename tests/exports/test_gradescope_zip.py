"""The autograder for Gradescope as Gradescope uses it: unpacked, set up once, run for each submission; in a directory of ours."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import clozekit

RIGHT = "def square(x, scale=2.0):\n    return scale * x * x\n"
WRONG = "def square(x, scale=2.0):\n    return scale * x\n"
GRADER = """\
import pytest


def test_plain(check):
    check("square", 3.0, 2.0, returns=18.0)


@pytest.mark.hidden
def test_large(check):
    check("square", 4.0, 0.5, returns=8.0)
"""
CLOZE = (
    f'#!/bin/sh\nexport PYTHONPATH="{Path(clozekit.__file__).parents[1]}"\nexec "{sys.executable}" -m clozekit "$@"\n'
)


@pytest.fixture(scope="module")
def course(author):
    return author(grader=GRADER, seconds=0.5).root


def program(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


@pytest.fixture
def autograder(cloze, course, tmp_path):
    """autograder(options): /autograder as Gradescope makes it of the zip for lab/square, in a directory of ours."""

    def autograder(*options):
        result = cloze("gradescope", "a.zip", "--content", course, "--exercise", "lab/square", "--lang", "en", *options)
        assert (result.exit_code, result.output) == (0, "a.zip is written; upload it under Configure Autograder\n")
        root = tmp_path / "autograder"
        with zipfile.ZipFile("a.zip") as archive:
            for entry in archive.infolist():
                Path(archive.extract(entry, root / "source")).chmod(entry.external_attr >> 16)
        shutil.copy2(root / "source/run_autograder", root)
        (root / "submission").mkdir()
        program(root / "venv/bin/cloze", CLOZE)
        return root

    return autograder


def run(root, script="run_autograder", **variables):
    env = {"AUTOGRADER_ROOT": str(root), "PATH": os.environ["PATH"], "HOME": str(root), "LANG": "C.UTF-8"} | variables
    done = subprocess.run([root / script], env=env, cwd=root, capture_output=True, text=True, check=False)
    results = root / "results/results.json"
    return done, json.loads(results.read_text("utf-8")) if results.exists() else None


def hand_in(root, files):
    for name, content in files.items():
        path = root / "submission" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)


def test_a_submission_is_judged_and_hidden_cases_wait_for_publication(autograder, errors):
    root = autograder()
    hand_in(root, {"square.py": WRONG, "notes.py": "", "lab/other.py": ""})
    done, told = run(root)
    assert done.returncode == 0, done.stderr
    assert errors("gradescope", json.dumps(told)) == []
    assert [(test["status"], test["visibility"]) for test in told["tests"]] == [
        ("failed", "visible"),
        ("failed", "after_published"),
    ]
    assert told["score"] == 0
    assert "expected 18" in told["tests"][0]["output"]


def test_hidden_cases_stay_hidden_where_that_is_wanted(autograder, errors):
    root = autograder("--hidden-cases", "hidden")
    hand_in(
        root, {"lab/square.py": RIGHT, "square.py": WRONG}
    )  # as a repository has it counts before what lies at its top
    _, told = run(root)
    assert (told["score"], [test["visibility"] for test in told["tests"]]) == (2.0, ["visible", "hidden"])


def test_a_file_that_is_missing_is_named(autograder, errors):
    root = autograder("--exercise", "normalization/rms_norm")
    hand_in(root, {"Square.py": RIGHT})
    _, told = run(root)
    assert errors("gradescope", json.dumps(told)) == []
    assert (told["score"], [test["name"] for test in told["tests"]]) == (0, ["lab/square", "normalization/rms_norm"])
    assert told["tests"][0]["output"].startswith("square.py is missing: hand in a file of this name, or square.ipynb")


def test_one_that_is_missing_does_not_cost_the_others(autograder):
    root = autograder("--exercise", "normalization/rms_norm")
    hand_in(root, {"square.py": RIGHT})
    _, told = run(root)
    assert (told["score"], told["tests"][-1]["name"], told["tests"][-1]["score"]) == (2.0, "normalization/rms_norm", 0)


def test_a_link_is_not_followed(autograder):
    """It could lead to the solution, which lies beside the graders."""
    root = autograder()
    (root / "submission/square.py").symlink_to(root / "source/content/0/solutions/lab/square.py")
    (root / "submission/lab").symlink_to(root / "source/content/0/solutions/lab")
    assert (root / "submission/lab/square.py").is_file()
    _, told = run(root)
    assert (told["score"], told["tests"][0]["status"]) == (0, "failed")


def test_a_judge_that_breaks_down_leaves_no_score(autograder):
    root = autograder()
    hand_in(root, {"square.py": RIGHT})
    program(root / "venv/bin/cloze", "#!/bin/sh\nexit 3\n")
    done, told = run(root)
    assert (done.returncode, told) == (1, None)
    assert "cloze grade ended with status 3 and wrote nothing" in done.stderr


def test_the_setup_installs_the_kit_in_the_versions_of_this_machine(autograder, tmp_path):
    root = autograder()
    log = tmp_path / "log"
    pip = f'#!/bin/sh\necho "pip $* in $PWD" >> {log}\n'
    python = f'#!/bin/sh\necho "python $*" >> {log}\nmkdir -p "$3/bin"\ncp {tmp_path}/pip "$3/bin/pip"\n'
    program(tmp_path / "pip", pip)
    program(tmp_path / "bin/python3.13", python)
    done, _ = run(root, "source/setup.sh", PATH=f"{tmp_path}/bin:{os.environ['PATH']}")
    assert done.returncode == 0, done.stderr
    source = root / "source"
    assert log.read_text().splitlines() == [
        f"python -m venv {root}/venv",
        f"pip install -c constraints.txt torch in {source}",
        f"pip install -c constraints.txt -r requirements.txt in {source}",
    ]
    assert (source / "requirements.txt").read_text() == f"clozekit=={clozekit.__version__}\n"
    pinned = dict(line.split("==") for line in (source / "constraints.txt").read_text().splitlines())
    assert set(pinned) == {"numpy", "pytest", "torch", "triton"}
    assert "+" not in "".join(pinned.values())


def test_a_wheel_of_the_kit_goes_into_the_zip(autograder, tmp_path):
    wheel = tmp_path / "clozekit-0.1.0-py3-none-any.whl"
    wheel.write_bytes(b"a wheel")
    root = autograder("--wheel", wheel)
    assert (root / "source" / wheel.name).read_bytes() == b"a wheel"
    assert (root / "source/requirements.txt").read_text() == f"./{wheel.name}\n"


def test_the_zip_holds_the_course_and_is_the_same_when_written_again(cloze, course, tmp_path):
    (course / "graders/.git").mkdir()
    (course / "graders/.git/config").write_text("")
    for name in ("a.zip", "b.zip"):
        cloze("gradescope", name, "--content", course, "--exercise", "lab/square")
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    entries = zipfile.ZipFile(tmp_path / "a.zip").infolist()
    assert {entry.date_time[0] for entry in entries} == {1980}
    names = [entry.filename for entry in entries]
    assert {
        "setup.sh",
        "run_autograder",
        "content/0/graders/lab/test_square.py",
        "content/0/exercises/contents.toml",
    } <= set(names)
    assert not [name for name in names if ".git" in name or "__pycache__" in name]


def test_exercises_of_the_kit_are_not_packed(cloze, tmp_path):
    cloze("gradescope", "a.zip", "--exercise", "normalization/rms_norm")
    assert not [name for name in zipfile.ZipFile(tmp_path / "a.zip").namelist() if name.startswith("content")]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ([], "Missing option '--exercise'"),
        (["--exercise", "normalization/rms"], "did you mean normalization/rms_norm?"),
        (["--exercise", "normalization/rms_norm", "--content", "nowhere"], "nowhere"),
        (["--exercise", "normalization/rms_norm", "--wheel", "kit.whl"], "'kit.whl' does not exist"),
    ],
)
def test_wrong_usage_is_told_and_nothing_is_written(options, says, cloze, tmp_path):
    result = cloze("gradescope", "a.zip", *options)
    assert (result.exit_code, says in result.output) == (2, True), result.output
    assert not (tmp_path / "a.zip").exists()
