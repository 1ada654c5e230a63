"""cloze grade: a class in, one line a file out, and none is lost, graded twice or able to spoil another's."""

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from click.testing import CliRunner

from clozekit import submission
from clozekit.catalog import Catalog
from clozekit.classroom import running
from clozekit.cli import main
from clozekit.errors import CannotCheck, ClozeError
from clozekit.exercise import Exercise
from clozekit.report import Report
from clozekit.submission import LIMIT, Upload

RIGHT = "def square(x, scale=2.0):\n    return scale * x * x\n"
WRONG = "def square(x, scale=2.0):\n    return scale * x\n"
NOTEBOOK = json.dumps({"nbformat": 4, "cells": [{"cell_type": "code", "source": "# cloze: lab/square\n%s"}]})
OTHER = NOTEBOOK.replace("square", "cube")
GRADER = textwrap.dedent("""\
    import pytest


    def test_plain(check):
        check("square", 3.0, 2.0, returns=18.0)


    @pytest.mark.hidden
    @pytest.mark.points(2)
    def test_large(check):
        check("square", 4.0, 0.5, returns=8.0)
    """)


@pytest.fixture(scope="module")
def course(author):
    """The content root of a course with one quick exercise, lab/square."""
    return author(grader=GRADER, seconds=0.5).root


@pytest.fixture
def handed(tmp_path):
    """handed({"ada/lab/square.py": text}): the directory that holds what a class has handed in."""

    def handed(files):
        for name, content in files.items():
            path = tmp_path / "class" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        return tmp_path / "class"

    return handed


@pytest.fixture
def cloze_grade(engine, monkeypatch, course, tmp_path):
    """cloze_grade(options): how it ended, and the lines of results.jsonl. Seeds are drawn, but the warm judge has its own."""

    def cloze_grade(*options, judge=engine, out=tmp_path / "out"):
        monkeypatch.setattr("clozekit.engine.Engine", lambda seed: contextlib.nullcontext(judge))
        arguments = ["grade", tmp_path / "class", "--out", out, "--content", course, "--lang", "en", *options]
        result = CliRunner().invoke(main, [str(argument) for argument in arguments])
        assert result.exception is None or isinstance(result.exception, SystemExit), result.output
        results = out / "results.jsonl"
        return result, [json.loads(line) for line in results.read_text().splitlines()] if results.exists() else []

    return cloze_grade


@pytest.fixture
def graded(engine, monkeypatch):
    """The files that the judge is asked about from here on."""
    asked = []
    grade = engine.grade

    def counted(exercise, upload, processor):
        asked.append(upload.raw)
        return grade(exercise, upload, processor=processor)

    monkeypatch.setattr(engine, "grade", counted)
    return asked


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
    assert len(graded) == 6
    cloze_grade()
    assert len(graded) == 6


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


# Once more


def test_what_is_decided_is_not_graded_again(handed, cloze_grade, graded, tmp_path):
    handed({"ada/lab/square.py": RIGHT, "bob/lab/square.py": WRONG, "cyd/lab/square.ipynb": "{}"})
    cloze_grade()
    before = (tmp_path / "out/results.jsonl").read_bytes()
    assert len(graded) == 2
    assert cloze_grade()[0].exit_code == 3
    assert len(graded) == 2
    assert (tmp_path / "out/results.jsonl").read_bytes() == before
    handed({"bob/lab/square.py": RIGHT, "dan/lab/square.py": RIGHT})
    assert [line["points"] for line in cloze_grade()[1]] == [3.0, 3.0, 0, 3.0]
    assert len(graded) == 4


@pytest.mark.parametrize("changed", ["language", "reveal", "grader", "seed"])
def test_what_a_report_follows_from_makes_it_another_one(
    changed, handed, cloze_grade, graded, course, engine, monkeypatch
):
    handed({"ada/lab/square.py": WRONG})
    cloze_grade()
    grader = course / "graders/lab/test_square.py"
    if changed == "grader":
        grader.write_text(f"{GRADER}\n# changed\n")
    if changed == "seed":
        monkeypatch.setattr(engine, "seed", engine.seed + 1)
    cloze_grade(*{"language": ["--lang", "zh"], "reveal": ["--reveal", "all"]}.get(changed, []))
    grader.write_text(GRADER)
    assert len(graded) == 2


def test_what_could_not_be_checked_is_tried_again(handed, cloze_grade, engine, monkeypatch):
    handed({"ada/lab/square.py": RIGHT})
    with monkeypatch.context() as broken:
        broken.setattr(engine, "analyse", lambda *_: exec("raise error", {"error": CannotCheck("no memory")}))
        result, lines = cloze_grade()
    assert (result.exit_code, lines[0]["verdict"]) == (3, "could not check")
    assert "no memory" in lines[0]["message"]
    result, lines = cloze_grade()
    assert (result.exit_code, lines[0]["verdict"]) == (0, "passed")


def test_what_was_decided_of_a_file_that_is_gone_stays(handed, cloze_grade, tmp_path):
    folder = handed({"ada/lab/square.py": RIGHT, "bob/lab/square.py": WRONG, "cyd/lab/squares.py": ""})
    cloze_grade()
    for student in ("ada", "cyd"):
        next((folder / student / "lab").iterdir()).unlink()
        (folder / student / "lab").rmdir()
        (folder / student).rmdir()
    assert verdicts(cloze_grade()[1]) == {"ada/lab/square.py": "passed", "bob/lab/square.py": "failed"}
    assert (tmp_path / "out/grades.csv").read_text() == "student,lab/square\nada,3.0\nbob,0.0\n"


def test_half_a_line_is_dropped_and_its_file_graded_again(handed, cloze_grade, graded, tmp_path):
    handed({f"{student}/lab/square.py": RIGHT for student in ("ada", "bob", "cyd")})
    cloze_grade()
    results = tmp_path / "out/results.jsonl"
    whole = results.read_bytes()
    first, second, third = whole.splitlines(keepends=True)
    results.write_bytes(b"no JSON\n[]\n" + third + first + second[:-40])
    cloze_grade()
    assert len(graded) == 4
    assert [json.loads(line)["student"] for line in results.read_bytes().splitlines()] == ["ada", "bob", "cyd"]


def test_a_run_that_is_killed_loses_nothing_that_was_graded(handed, author, tmp_path):
    """Killed as by a cluster that wants its machine back, while one file hangs and the others are done."""
    course = author(grader=GRADER, seconds=60).root
    hang = "def square(x, scale=2.0):\n    while True: pass\n"
    handed({"ada/lab/square.py": RIGHT, "bob/lab/square.py": WRONG, "zoe/lab/square.py": hang})
    command = [sys.executable, "-m", "clozekit", "grade", "class", "--out", "out", "--content", str(course)]
    options = {"cwd": tmp_path, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen([*command, "--workers", "1"], **options) as run:
        for line in run.stderr:
            if line.startswith("2/3"):
                break
        run.send_signal(signal.SIGKILL)
    lines = [json.loads(line) for line in (tmp_path / "out/results.jsonl").read_text().splitlines()]
    assert verdicts(lines) == {"ada/lab/square.py": "passed", "bob/lab/square.py": "failed"}
    (tmp_path / "class/zoe/lab/square.py").write_text(RIGHT)
    done = subprocess.run(command, **options, check=False)
    assert done.returncode == 0
    again = [json.loads(line) for line in (tmp_path / "out/results.jsonl").read_text().splitlines()]
    assert again[:2] == lines  # with their seconds: they were not graded again
    assert again[2]["verdict"] == "passed"


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
    handed({f"{number:03}/lab/square.py": RIGHT for number in processors})
    together = threading.Barrier(len(processors))
    used = set()

    def grade(exercise, upload, processor):
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


def test_the_seed_is_secret_kept_and_another_for_every_place(tmp_path):
    one, other = (tmp_path / name for name in ("one", "other"))
    for out in (one, other):
        out.mkdir()
    assert running.seed_of(one) == running.seed_of(one) != running.seed_of(other)
    assert (one / ".seed").stat().st_mode & 0o777 == 0o600
    (one / ".seed").write_text("so long")
    with pytest.raises(ClozeError, match=r"\.seed is not a number; delete it"):
        running.seed_of(one)


def test_a_seed_that_is_given_is_not_kept(handed, cloze_grade, tmp_path):
    handed({"ada/lab/square.py": RIGHT})
    cloze_grade("--seed", 7)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["grades.csv", "results.jsonl"]


def test_untrusted_code_is_not_graded_where_nothing_confines_it(handed, cloze_grade, bare):
    handed({"ada/lab/square.py": RIGHT})
    result, lines = cloze_grade(judge=bare)
    assert (result.exit_code, lines) == (3, [])
    assert "`cloze doctor` says what would raise it" in result.stderr
    assert "--trust-submissions" in result.stderr
    result, lines = cloze_grade("--trust-submissions", judge=bare)
    assert (result.exit_code, lines[0]["verdict"], lines[0]["tier"]) == (0, "passed", "C")


def test_two_runs_do_not_write_to_one_place_at_once(handed, cloze_grade, tmp_path):
    handed({"ada/lab/square.py": RIGHT})
    (tmp_path / "out").mkdir()
    descriptor = os.open(tmp_path / "out", os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    result, lines = cloze_grade()
    os.close(descriptor)
    assert (result.exit_code, lines) == (2, [])
    assert "another `cloze grade` writes to" in result.stderr


@pytest.mark.parametrize("missing", [True, False])
def test_an_empty_class_is_wrong_usage(missing, cloze_grade, tmp_path):
    if not missing:
        (tmp_path / "class").mkdir()
    result, lines = cloze_grade()
    assert (result.exit_code, lines) == (2, [])
    assert "give the directory that holds STUDENT/TRACK/NAME.py" in result.stderr
