"""cloze grade once more: nothing is lost, graded twice, or remembered that was not decided."""

import json
import signal
import subprocess
import sys

import pytest

from clozekit.classroom.store import Store
from clozekit.errors import CannotCheck

RIGHT = "def square(x, scale=2.0):\n    return scale * x * x\n"
WRONG = "def square(x, scale=2.0):\n    return scale * x\n"


def verdicts(lines):
    return {f"{line['student']}/{line['file']}": line["verdict"] for line in lines}


def test_what_is_decided_is_not_graded_again(handed, cloze_grade, graded, tmp_path):
    handed({"ada/lab/square.py": RIGHT, "bob/lab/square.py": WRONG, "cyd/lab/square.ipynb": "{}"})
    cloze_grade()
    before = (tmp_path / "out/results.jsonl").read_bytes()
    assert len(graded) == 2
    assert cloze_grade()[0].exit_code == 3
    assert len(graded) == 2
    assert (tmp_path / "out/results.jsonl").read_bytes() == before
    handed({"bob/lab/square.py": f"{RIGHT}# bob", "dan/lab/square.py": f"{RIGHT}# dan"})
    assert [line["points"] for line in cloze_grade()[1]] == [3.0, 3.0, 0, 3.0]
    assert len(graded) == 4


def test_equal_files_are_graded_once(handed, cloze_grade, graded):
    """Those under way as well as those that were decided earlier; each keeps a line of its own."""
    handed({f"{number:02}/lab/square.py": RIGHT if number % 3 else WRONG for number in range(12)})
    _, lines = cloze_grade()
    assert [line["points"] for line in lines] == [0.0, 3.0, 3.0] * 4
    handed({"zoe/lab/square.py": WRONG})
    assert cloze_grade()[1][-1]["student"] == "zoe"
    assert len(graded) == 2


def test_the_same_bytes_as_python_and_as_a_notebook_are_two_files(handed, cloze_grade, graded):
    """As Python a notebook is a dictionary, and fails."""
    cell = {"cell_type": "code", "source": f"# cloze: lab/square\n{RIGHT}"}
    text = json.dumps({"nbformat": 4, "cells": [cell]})
    handed({"ada/lab/square.py": text, "bob/lab/square.ipynb": text})
    assert [line["verdict"] for line in cloze_grade()[1]] == ["failed", "passed"]
    assert len(graded) == 2


@pytest.mark.parametrize("changed", ["language", "reveal", "grader", "seed"])
def test_what_a_report_follows_from_makes_it_another_one(
    changed, handed, cloze_grade, graded, course, engine, monkeypatch
):
    handed({"ada/lab/square.py": WRONG})
    cloze_grade()
    grader = course / "graders/lab/test_square.py"
    before = grader.read_text()
    if changed == "grader":
        grader.write_text(f"{before}\n# changed\n")
    if changed == "seed":
        monkeypatch.setattr(engine, "seed", engine.seed + 1)
    cloze_grade(*{"language": ["--lang", "zh"], "reveal": ["--reveal", "all"]}.get(changed, []))
    grader.write_text(before)
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


def test_a_file_that_changes_back_counts_again(handed, cloze_grade, graded):
    """Of what was at one place the last counts, not the last that was new."""
    points = []
    for content in (RIGHT, WRONG, RIGHT, "def square(x): (", RIGHT):
        handed({"ada/lab/square.py": content})
        points += [line["points"] for line in cloze_grade()[1]]
    assert points == [3.0, 0.0, 3.0, 0.0, 3.0]
    assert len(graded) == 3


def test_what_an_older_clozekit_left_is_taken_over(handed, cloze_grade, graded, engine, tmp_path):
    """Its seed and its results: nothing is graded again but what a cut-off run left in half, and what was no line at all."""
    handed({f"{student}/lab/square.py": f"{RIGHT}# {student}" for student in ("ada", "bob", "cyd")})
    cloze_grade()
    out = tmp_path / "out"
    first, second, third = (out / "results.jsonl").read_bytes().splitlines(keepends=True)
    (out / "store.db").unlink()
    superseded = first.replace(b"passed", b"failed")
    (out / "results.jsonl").write_bytes(b"no JSON\n[]\n{}\n" + third + superseded + first + second[:-40])
    (out / ".seed").write_text("4711\n")
    _, lines = cloze_grade()
    assert len(graded) == 4
    assert lines[0] == json.loads(first)
    assert [line["student"] for line in lines] == ["ada", "bob", "cyd"]
    assert not (out / ".seed").exists()
    with Store(f"sqlite:///{out}/store.db") as store:
        assert store.seed() == 4711


def test_a_seed_of_an_older_clozekit_that_is_none_is_told(handed, cloze_grade, tmp_path):
    handed({"ada/lab/square.py": RIGHT})
    (tmp_path / "out").mkdir()
    (tmp_path / "out/.seed").write_text("so long")
    result, _ = cloze_grade()
    assert result.exit_code == 2
    assert ".seed is not a number; delete it" in result.stderr
    (tmp_path / "out/.seed").unlink()
    assert cloze_grade()[0].exit_code == 0


def test_an_interrupted_run_writes_what_it_has(handed, cloze_grade, engine, monkeypatch, tmp_path):
    handed({f"{student}/lab/square.py": f"{RIGHT}# {student}" for student in ("ada", "bob", "cyd")})

    def interrupted(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("clozekit.cli.teacher._progress", interrupted)
        result, lines = cloze_grade("--workers", 1)
    assert result.exit_code == 130
    assert 1 <= len(lines) < 3
    assert (tmp_path / "out/grades.csv").read_text().startswith("student,lab/square\nada,3.0\n")
    assert len(cloze_grade()[1]) == 3


# Shards


def without_seconds(lines):
    return [line | {"seconds": 0} for line in lines]


def test_merged_shards_are_the_whole(handed, cloze_grade, cloze, course, graded, tmp_path):
    """Equal files meet in one of them; what cannot be graded is in one of them too."""
    files = {f"{number:02}/lab/square.py": f"{RIGHT if number % 2 else WRONG}# {number // 2}" for number in range(10)}
    handed(files | {"odd/lab/square.py.txt": RIGHT, "nil/notes.txt": "", "two/lab/square.ipynb": "{}"})
    _, whole = cloze_grade("--seed", 7)
    assert len(graded) == 10
    parts = [tmp_path / f"part{index}" for index in (1, 2, 3)]
    counts = [len(cloze_grade("--seed", 7, "--shard", f"{i}/3", out=part)[1]) for i, part in enumerate(parts, 1)]
    assert sum(counts) == 13
    assert max(counts) < 13
    assert len(graded) == 20
    for _ in range(2):  # a second time changes nothing
        done = cloze("gradebook", "merge", *parts, "--out", tmp_path / "all", "--content", course)
        assert done.exit_code == 0, done.output
        merged = [json.loads(line) for line in (tmp_path / "all/results.jsonl").read_text().splitlines()]
        assert without_seconds(merged) == without_seconds(whole)
        assert (tmp_path / "all/grades.csv").read_text() == (tmp_path / "out/grades.csv").read_text()


def test_a_shard_needs_the_seed_of_the_others(handed, cloze_grade, database, monkeypatch):
    handed({"ada/lab/square.py": RIGHT})
    result, lines = cloze_grade("--shard", "1/1")
    assert (result.exit_code, lines) == (2, [])
    assert "give all of them one --seed, CLOZE_SEED or --store" in result.stderr
    assert cloze_grade("--shard", "1/1", "--store", database)[0].exit_code == 0
    monkeypatch.setenv("CLOZE_SEED", "7")
    assert cloze_grade("--shard", "1/1")[0].exit_code == 0


@pytest.mark.parametrize("shard", ["0/3", "4/3", "1/0", "3", "a/b", "-1/3"])
def test_a_part_that_there_is_not_is_wrong_usage(shard, handed, cloze_grade):
    handed({"ada/lab/square.py": RIGHT})
    result, _ = cloze_grade("--seed", 7, "--shard", shard)
    assert result.exit_code == 2
    assert "the parts of three are 1/3, 2/3 and 3/3" in result.stderr


# Killed


def test_a_run_that_is_killed_loses_nothing_that_was_graded(handed, author, course, tmp_path):
    """Killed as by a cluster that wants its machine back, while one file hangs and the others are done."""
    course = author(grader=(course / "graders/lab/test_square.py").read_text(), seconds=60).root
    hang = "def square(x, scale=2.0):\n    while True: pass\n"
    handed({"ada/lab/square.py": RIGHT, "bob/lab/square.py": WRONG, "zoe/lab/square.py": hang})
    command = [sys.executable, "-m", "clozekit", "grade", "class", "--out", "out", "--content", str(course)]
    options = {"cwd": tmp_path, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen([*command, "--workers", "1"], **options) as run:
        for line in run.stderr:
            if line.startswith("2/3"):
                break
        run.send_signal(signal.SIGKILL)
    with Store(f"sqlite:///{tmp_path}/out/store.db") as store:
        lines = store.lines()
    assert verdicts(lines) == {"ada/lab/square.py": "passed", "bob/lab/square.py": "failed"}
    (tmp_path / "class/zoe/lab/square.py").write_text(f"{RIGHT}# at last")
    done = subprocess.run(command, **options, check=False)
    assert done.returncode == 0
    again = [json.loads(line) for line in (tmp_path / "out/results.jsonl").read_text().splitlines()]
    assert again[:2] == lines  # with their seconds: they were not graded again
    assert again[2]["verdict"] == "passed"


def test_another_seed_is_not_taken_in_silence(handed, cloze_grade):
    """It asks other questions: everything is graded again, and points may change."""
    handed({"ada/lab/square.py": RIGHT})
    assert "with another seed" not in cloze_grade("--seed", 1)[0].stderr
    forgotten, _ = cloze_grade()
    assert forgotten.exit_code == 2
    assert "was graded with a seed that was given: give it again" in forgotten.stderr
    assert "every file is graded again" in cloze_grade("--seed", 2)[0].stderr
