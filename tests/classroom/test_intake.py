"""cloze grade on what a platform hands over, from the command line to the line in results.jsonl."""

import json
import os
import zipfile

import pytest

RIGHT = "def square(x, scale=2.0):\n    return scale * x * x\n"
NOTEBOOK = json.dumps({"nbformat": 4, "cells": [{"cell_type": "code", "source": f"# cloze: lab/square\n{RIGHT}"}]})
GRADER = 'def test_plain(check):\n    check("square", 3.0, 2.0, returns=18.0)\n'


@pytest.fixture(scope="module")
def course(author):
    return author(grader=GRADER, seconds=0.5).root


@pytest.fixture
def grade(cloze, course, tmp_path, monkeypatch):
    """grade(options): how it ended, and the lines. Nothing may be left of what was unpacked for it."""
    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(place))

    def grade(*options):
        done = cloze("grade", *options, "--out", "out", "--content", course, "--lang", "en")
        assert list(place.iterdir()) == []
        results = tmp_path / "out/results.jsonl"
        return done, [json.loads(line) for line in results.read_text().splitlines()] if results.exists() else []

    return grade


def archive(path, files):
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)


def test_an_export_is_graded_from_its_archive(grade, tmp_path):
    """With a notebook of any name, a file that is told by its name, one that is damaged, and whoever is in no table."""
    archive(tmp_path / "hw.zip", {"lab/square.py": RIGHT})
    folder = "_assignsubmission_file"
    files = {f"Ada L_1{folder}/week1.ipynb": NOTEBOOK, f"Li 雷_2{folder}/homework/square.py": RIGHT}
    files |= {
        f"Bob_3{folder}/hw.zip": (tmp_path / "hw.zip").read_bytes(),
        f"Cyd_4{folder}/hw.zip": "PK",
        f"Zoe_5{folder}/x.py": "",
    }
    archive(tmp_path / "LLM-hw1-77.zip", files)
    (tmp_path / "students.csv").write_text("account,student\nAda L,s1\nLi 雷_2,s2\nBob,s3\nCyd,s4\n", "utf-8")
    done, lines = grade("LLM-hw1-77.zip", "--map", "students.csv")
    assert done.exit_code == 3
    assert "read as moodle: 5 students" in done.stderr
    assert [(line["student"], line["verdict"], line["file"]) for line in lines] == [
        ("Zoe", "could not check", ""),
        ("s1", "passed", "week1.ipynb"),
        ("s2", "passed", "homework/square.py"),
        ("s3", "passed", "hw.zip/lab/square.py"),
        ("s4", "could not check", "hw.zip"),
    ]
    assert "hw.zip cannot be unpacked" in lines[-1]["message"]
    assert (tmp_path / "out/grades.csv").read_text() == "student,lab/square\nZoe,\ns1,1.0\ns2,1.0\ns3,1.0\ns4,\n"


def test_when_and_which_attempt_are_in_the_line(grade, tmp_path):
    archive(tmp_path / "inbound.zip", {"ada+ps1+2027-03-01 23:59:00.5 UTC/square.ipynb": NOTEBOOK})
    done, [line] = grade("inbound.zip", "--layout", "nbgrader")
    assert done.exit_code == 0
    assert line["attempt"] == "2027-03-01 23:59:00.5 UTC"
    assert line["handed_in"] == "2027-03-01T23:59:00.500000+00:00"


WRONG = {
    "another layout": (["class", "--layout", "moodle"], "class is not arranged like --layout moodle"),
    "no such layout": (["class", "--layout", "canvas"], "'canvas' is not one of"),
    "no such table": (["class", "--map", "nowhere.csv"], "nowhere.csv"),
    "no such archive": (["class.zip"], "class.zip does not exist"),
    "no archive": (["class/ada/lab/square.py"], "it is neither a zip file nor a tar file"),
    "a pipe": (["pipe"], "pipe cannot be unpacked: it is no file"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_read_is_wrong_usage_and_nothing_is_graded(name, grade, tmp_path):
    options, why = WRONG[name]
    (tmp_path / "class/ada/lab").mkdir(parents=True)
    (tmp_path / "class/ada/lab/square.py").write_text(RIGHT)
    os.mkfifo(tmp_path / "pipe")
    done, lines = grade(*options)
    assert (done.exit_code, lines) == (2, [])
    assert why in done.stderr
