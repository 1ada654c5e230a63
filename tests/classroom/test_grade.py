"""cloze grade: a class in, one line a file out, and none is lost, graded twice or able to spoil another's."""

import json
import os
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from clozekit import submission
from clozekit.catalog import Catalog
from clozekit.classroom import databases, outputs
from clozekit.exercise import Exercise
from clozekit.report import Report
from clozekit.submission import LIMIT, Upload

RIGHT = "def square(x, scale=2.0):\n    return scale * x * x\n"
WRONG = "def square(x, scale=2.0):\n    return scale * x\n"
NOTEBOOK = json.dumps({"nbformat": 4, "cells": [{"cell_type": "code", "source": "# cloze: lab/square\n%s"}]})
OTHER = NOTEBOOK.replace("square", "cube")


def verdicts(lines):
    return {f"{line['student']}/{line['file']}": line["verdict"] for line in lines}


def test_a_class_in_a_line_a_file_out(handed, cloze_grade, tmp_path):
    handed({"bob/lab/square.py": WRONG, "ada/lab/square.py": RIGHT, "cyd/lab/square.py": "def ("})
    result, lines = cloze_grade()
    assert result.exit_code == 0
    assert [(line["student"], line["verdict"], line["points"]) for line in lines] == [
        ("ada", "passed", 3.0),
        ("bob", "failed", 0.0),
        ("cyd", "failed", 0.0),
    ]
    assert list(lines[0])[:6] == ["student", "file", "attempt", "handed_in", "schema", "exercise"]
    assert (tmp_path / "out/grades.csv").read_text() == "student,lab/square\nada,3.0\nbob,0.0\ncyd,0.0\n"
    assert "3 files: passed 1, failed 2, could not check 0" in result.stdout
    assert "3/3  " in result.stderr


ODD = {
    "no submission in the directory": ("ada/notes.txt", "", "nothing was handed in"),
    "no such exercise": ("ada/lab/squares.py", RIGHT, "there is no exercise lab/squares"),
    "no notebook": ("ada/lab/square.ipynb", "{}", "the file is no notebook: "),
    "a notebook without an answer": ("ada/lab/square.ipynb", OTHER, "no cell of the notebook answers lab/square"),
    "no exercise by its name": ("ada/deep/a/b.py", RIGHT, "which exercise deep/a/b.py is for cannot be told"),
    "no such exercise, deeper": ("ada/homework/lab/squares.py", RIGHT, "there is no exercise lab/squares"),
    "of another suffix": ("ada/lab/square.py.txt", RIGHT, "lab/square.py.txt lies where no submission"),
    "in capitals": ("ada/lab/square.PY", RIGHT, "lab/square.PY lies where no submission"),
    "beside the students": ("square.py", RIGHT, "square.py lies where no submission"),
}


@pytest.mark.parametrize("name", ODD)
def test_what_is_no_submission_is_a_line_that_says_why(name, handed, cloze_grade):
    file, content, why = ODD[name]
    handed({file: content, "zoe/lab/square.py": RIGHT})
    result, lines = cloze_grade()
    assert result.exit_code == 3
    assert [line["verdict"] for line in lines] == ["could not check", "passed"]
    assert why in lines[0]["message"]
    assert why in result.stderr


def test_a_notebook_is_handed_in_like_a_file(handed, cloze_grade, graded, tmp_path):
    """Of a notebook and a file for one exercise the better counts: the other is often the starter as it came."""
    right, wrong = (NOTEBOOK % json.dumps(source)[1:-1] for source in (RIGHT, WRONG))
    handed({"ada/lab/square.ipynb": right, "bob/lab/square.ipynb": wrong})
    handed({"cyd/lab/square.ipynb": right, "cyd/lab/square.py": WRONG})
    handed({"dan/lab/square.ipynb": wrong, "dan/lab/square.py": RIGHT})
    result, lines = cloze_grade()
    assert result.exit_code == 0
    assert [line["points"] for line in lines] == [3.0, 0.0, 3.0, 0.0, 0.0, 3.0]
    assert [line.get("cell") for line in lines] == ["1", "1", "1", None, "1", None]
    assert (tmp_path / "out/grades.csv").read_text() == "student,lab/square\nada,3.0\nbob,0.0\ncyd,3.0\ndan,3.0\n"
    assert len(graded) == 4
    cloze_grade()
    assert len(graded) == 4


def test_files_that_are_nobodys_submission_are_not_mentioned(handed, cloze_grade):
    names = ["README.md", "lab/__init__.py", "lab/square.py.bak", "lab/.square.py", ".git/lab/square.py", "venv/a/b.py"]
    handed({"ada/lab/square.py": RIGHT, ".old/lab/square.py": WRONG} | {f"ada/{name}": RIGHT for name in names})
    assert verdicts(cloze_grade()[1]) == {"ada/lab/square.py": "passed"}


def test_results_inside_the_directory_are_no_student(handed, cloze_grade):
    folder = handed({"ada/lab/square.py": RIGHT})
    for _ in range(2):
        result, lines = cloze_grade(out=folder / "results")
        assert (result.exit_code, verdicts(lines)) == (0, {"ada/lab/square.py": "passed"})


def test_a_link_is_not_followed(handed, cloze_grade, course, tmp_path):
    """Else a student could hand in the solution, a neighbour's file, or what never ends."""
    folder = handed({"bob/lab/square.py": RIGHT})
    for student, target in {"ada": course / "solutions/lab/square.py", "eve": "../../bob/lab/square.py"}.items():
        (folder / student / "lab").mkdir(parents=True)
        (folder / student / "lab/square.py").symlink_to(target)
    (folder / "mal").mkdir()
    (folder / "mal/lab").symlink_to("../bob/lab")
    _, lines = cloze_grade()
    assert verdicts(lines) == {
        "ada/lab/square.py": "could not check",
        "bob/lab/square.py": "passed",
        "eve/lab/square.py": "could not check",
        "mal/lab": "could not check",
    }
    assert {line["message"] for line in lines if line["student"] == "mal"} == {
        "lab is a link, which is not followed; hand in the file itself"
    }
    with pytest.raises(OSError, match="symbolic links"):  # nor is one that takes a file's place after it was found
        submission.read(folder / "eve/lab/square.py", links=False)


def test_a_pipe_a_huge_an_empty_and_a_binary_file(handed, cloze_grade):
    folder = handed({"bin/lab/square.py": b"\0", "emp/lab/square.py": "", "hug/lab/square.py": ""})
    os.truncate(folder / "hug/lab/square.py", 1 << 40)
    (folder / "fif/lab").mkdir(parents=True)
    os.mkfifo(folder / "fif/lab/square.py")
    _, lines = cloze_grade()
    told = {line["student"]: line.get("message") or line["tests"][0]["message"] for line in lines}
    assert told == {
        "bin": "the file is not text: it contains NUL bytes",
        "emp": "the file is empty",
        "fif": "the file cannot be read: not a regular file",
        "hug": f"the file has more than {LIMIT} bytes",
    }


def test_names_of_any_bytes(handed, cloze_grade, tmp_path):
    folder = handed({"a,b\x1b[2J/lab/square.py": RIGHT, "李雷/lab/square.py": RIGHT})
    os.makedirs(os.fsencode(folder) + b"/\xff/lab")
    Path(os.fsdecode(os.fsencode(folder) + b"/\xff/lab/square.py")).write_text(RIGHT)
    result, lines = cloze_grade()
    assert [line["student"] for line in lines] == ["\\xff", "a,b\x1b[2J", "李雷"]
    assert "\x1b" not in result.output
    assert '"a,b\x1b[2J",3.0' in (tmp_path / "out/grades.csv").read_text()


# One of many


def test_neighbours_order_and_number_of_workers_change_nothing(handed, cloze_grade, tmp_path):
    files = {f"{i:02}/lab/square.py": RIGHT if i % 2 else WRONG for i in range(8)}
    files["05/lab/square.py"] = "import os\nos._exit(0)\n"
    files["06/lab/square.py"] = "while True: pass\n"
    handed(files)
    reports = []
    for workers in (1, 4):
        _, lines = cloze_grade("--workers", workers, out=tmp_path / f"out{workers}")
        reports.append([line | {"seconds": 0} for line in lines])
    assert reports[0] == reports[1]
    assert [line["verdict"] for line in reports[0]] == ["failed", "passed"] * 2 + ["failed"] * 3 + ["passed"]


def test_a_submission_has_a_processor_of_its_own(handed, cloze_grade, engine, monkeypatch):
    """In a container the kernel shares time among threads: one that starts hundreds would starve all others."""
    processors = os.sched_getaffinity(0)
    handed({f"{number:03}/lab/square.py": f"# {number}" for number in processors})
    together = threading.Barrier(len(processors))
    used = set()

    def grade(exercise, upload, processor, device):
        together.wait(60)
        used.add(processor)
        return Report(exercise.id, "failed", "A")

    monkeypatch.setattr(engine, "grade", grade)
    assert cloze_grade("--workers", 500)[0].exit_code == 0
    assert used == processors


def test_a_worker_keeps_to_its_processor(engine, course):
    """The second line fails: seccomp."""
    source = b"import os\nprint(*os.sched_getaffinity(0))\nos.sched_setaffinity(0, range(os.cpu_count()))\n"
    if engine.tier() == "C":
        pytest.skip("at tier C a worker may choose another")
    for processor in sorted(os.sched_getaffinity(0))[:2]:
        report = engine.grade(Exercise(course, "lab/square"), Upload("square.py", source), processor=processor)
        assert report.tests[0].output == f"{processor}\n"
        assert report.tests[0].problem.facts["type"] == "PermissionError"


def test_a_grader_that_takes_long_to_load_holds_up_nobody_else(engine, course):
    exercise = Exercise(course, "lab/square")
    engine.tester(exercise)
    with ThreadPoolExecutor(1) as other, engine.collecting:
        assert other.submit(engine.tester, exercise).result(60)


def test_a_bug_of_ours_costs_one_file_its_report(handed, cloze_grade, engine, monkeypatch):
    grade = engine.grade
    handed({"ada/lab/square.py": "# bug", "bob/lab/square.py": RIGHT})
    monkeypatch.setattr(
        engine, "grade", lambda *args, **options: 1 / 0 if args[1].raw == b"# bug" else grade(*args, **options)
    )
    _, lines = cloze_grade()
    assert [line["verdict"] for line in lines] == ["could not check", "passed"]
    assert "ZeroDivisionError: division by zero" in lines[0]["message"]


def test_an_exercise_that_is_broken_is_tried_once_and_told_to_the_teacher_only(
    handed, cloze_grade, author, graded, monkeypatch
):
    broken = author(grader="canary = 1 / 0\n")
    monkeypatch.setattr("clozekit.cli.teacher.open_catalog", lambda _: Catalog([broken.root]))
    handed({f"{student}/lab/square.py": RIGHT for student in ("ada", "bob")})
    result, lines = cloze_grade("--workers", 1)
    assert result.exit_code == 3
    assert len(graded) == 1
    assert {line["message"] for line in lines} == {"the grader itself failed, which is not your fault"}
    assert "canary = 1 / 0" in result.stderr
    assert "canary" not in json.dumps(lines)


# Seeds, tiers, two at once


def test_a_seed_that_is_given_is_not_kept(handed, cloze_grade, tmp_path):
    handed({"ada/lab/square.py": RIGHT})
    cloze_grade("--seed", 47114711)
    out = tmp_path / "out"
    assert sorted(path.name for path in out.iterdir()) == ["grades.csv", "results.jsonl", "store.db", "store.db.lock"]
    assert b"47114711" not in (out / "store.db").read_bytes()


def test_untrusted_code_is_not_graded_where_nothing_confines_it(handed, cloze_grade, bare):
    handed({"ada/lab/square.py": RIGHT})
    result, lines = cloze_grade(judge=bare)
    assert (result.exit_code, lines) == (3, [])
    assert "`cloze doctor` says what would raise it" in result.stderr
    assert "--trust-submissions" in result.stderr
    result, lines = cloze_grade("--trust-submissions", judge=bare)
    assert (result.exit_code, lines[0]["verdict"], lines[0]["tier"]) == (0, "passed", "C")


@pytest.mark.parametrize("same", ["out", "store"])
def test_two_runs_do_not_write_to_one_place_at_once(same, handed, cloze_grade, tmp_path):
    """Neither to one store nor, with a store for each, to one directory. The second says who is there, as far as it is known."""
    handed({"ada/lab/square.py": RIGHT})
    store = f"sqlite:///{tmp_path}/common.db"
    with outputs.alone(tmp_path / "out") if same == "out" else databases.alone(databases.parsed(store)):
        result, lines = cloze_grade(*(["--store", store] if same == "store" else []))
    assert (result.exit_code, lines) == (2, [])
    who = f"process {os.getpid()} on {socket.gethostname()} " if same == "store" else "another `cloze grade`"
    assert f"cloze: {who}" in result.stderr
    assert "wait for it" in result.stderr
    assert cloze_grade("--store", store)[0].exit_code == 0


@pytest.mark.parametrize("missing", [True, False])
def test_an_empty_class_is_wrong_usage(missing, cloze_grade, tmp_path):
    if not missing:
        (tmp_path / "class").mkdir()
    result, lines = cloze_grade()
    assert (result.exit_code, lines) == (2, [])
    assert "give the directory that holds STUDENT/TRACK/NAME.py" in result.stderr


def test_a_name_begins_no_line_of_the_log(handed, cloze_grade):
    """GitHub obeys lines that begin with ::"""
    handed({"ada/lab/x\n::error::hacked.py": RIGHT, "bob/lab/square.py": RIGHT})
    assert not [line for line in cloze_grade()[0].stderr.splitlines() if line.startswith("::")]
