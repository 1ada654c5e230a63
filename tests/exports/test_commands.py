"""The options of `cloze check` and `cloze grade`: where the formats go, and what they tell of hidden cases."""

import contextlib
import json
from xml.etree import ElementTree

import pytest

from clozekit.exports import REPORTS

RIGHT = "def square(x, scale=2.0):\n    return scale * x * x\n"
WRONG = "def square(x, scale=2.0):\n    return scale * x\n"
CANARY = "73519"
GRADER = f"""\
import pytest


def test_plain(check):
    check("square", 3.0, 2.0, returns=18.0)


@pytest.mark.hidden
def test_large(check):
    check("square", 4.0, {CANARY}.0, returns={CANARY}.0 * 16)
"""


@pytest.fixture(scope="module")
def course(author):
    return author(grader=GRADER, seconds=0.5).root


@pytest.fixture
def handed_in(tmp_path):
    """handed_in({"ada/lab/square.py": text})"""

    def handed_in(files):
        for name, content in files.items():
            path = tmp_path / "class" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)

    return handed_in


def test_a_check_writes_what_is_asked_and_no_more_of_hidden_cases_than_a_course_tells(
    cloze, course, handed_in, tmp_path
):
    handed_in({"ada/lab/square.py": WRONG})
    forms = [option for form, file in REPORTS.items() for option in ("--format", f"{form}={file}")]
    result = cloze("check", "class/ada/lab/square.py", "--content", course, *forms)
    assert result.exit_code == 1
    assert CANARY in result.output  # a learner at home sees all
    for file in REPORTS.values():
        text = (tmp_path / file).read_text("utf-8")
        assert CANARY not in text
        assert "a hidden case; it tells no more" in text
        assert "expected 18" in text


def test_a_check_writes_a_format_to_standard_output_alone(cloze, course, handed_in):
    handed_in({"ada/lab/square.py": RIGHT})
    result = cloze("check", "class/ada/lab/square.py", "--content", course, "--format", "junit")
    assert result.exit_code == 0
    (suite,) = ElementTree.fromstring(result.stdout)
    assert (suite.get("name"), suite.get("failures")) == ("lab/square", "0")


def test_a_format_that_there_is_not_is_told(cloze, handed_in):
    handed_in({"ada/lab/square.py": RIGHT})
    result = cloze("check", "class/ada/lab/square.py", "--format", "junot=x")
    assert result.exit_code == 2
    assert "'junot' is not one of 'junit', 'markdown'" in result.stderr


def test_a_format_that_cannot_be_written_is_told(cloze, course, handed_in):
    handed_in({"ada/lab/square.py": RIGHT})
    result = cloze("check", "class/ada/lab/square.py", "--content", course, "--format", "junit=no/where.xml")
    assert (result.exit_code, "no/where.xml" in result.stderr) == (2, True)


@pytest.fixture
def cloze_grade(cloze, course, engine, monkeypatch, tmp_path):
    """cloze_grade(options) of what was handed in, into out/. The warm judge has a seed of its own."""

    def cloze_grade(*options):
        monkeypatch.setattr("clozekit.engine.Engine", lambda seed: contextlib.nullcontext(engine))
        return cloze("grade", "class", "--out", "out", "--content", course, *options)

    return cloze_grade


def test_a_class_is_written_in_each_format_that_is_named(cloze_grade, handed_in, tmp_path):
    handed_in({"ada/lab/square.py": RIGHT, "bob/lab/square.py": WRONG, "cyd/notes.txt": ""})
    assert cloze_grade("--format", "junit", "--format", "sarif", "--format", "markdown").exit_code == 3
    suites = ElementTree.parse(tmp_path / "out/junit.xml").getroot()
    counts = [(suite.get("name"), suite.get("failures"), suite.get("errors")) for suite in suites]
    assert counts == [("ada/lab/square", "0", "0"), ("bob/lab/square", "2", "0"), ("cyd", "0", "1")]
    (run,) = json.loads((tmp_path / "out/report.sarif").read_text())["runs"]
    assert [each["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for each in run["results"]] == [
        "bob/lab/square.py",
        "bob/lab/square.py",
        "cyd",
    ]
    assert not (tmp_path / "out/gradescope.json").exists()
    assert CANARY.encode() not in b"".join(file.read_bytes() for file in (tmp_path / "out").iterdir())


def test_a_format_has_what_an_earlier_run_decided(cloze_grade, handed_in, tmp_path):
    handed_in({"ada/lab/square.py": RIGHT})
    cloze_grade()
    handed_in({"bob/lab/square.py": WRONG})
    cloze_grade("--format", "junit")
    assert len(ElementTree.parse(tmp_path / "out/junit.xml").getroot()) == 2


def test_several_students_do_not_fit_into_gradescope_but_are_graded(cloze_grade, handed_in, tmp_path):
    handed_in({"ada/lab/square.py": RIGHT, "bob/lab/square.py": WRONG})
    result = cloze_grade("--format", "gradescope")
    assert result.exit_code == 2
    assert "gradescope is for one student's submission, and these are 2" in result.stderr
    assert (tmp_path / "out/grades.csv").read_text() == "student,lab/square\nada,2.0\nbob,0.0\n"


def test_formats_and_all_that_is_hidden_do_not_go_together(cloze_grade, handed_in, tmp_path):
    handed_in({"ada/lab/square.py": RIGHT})
    result = cloze_grade("--format", "junit", "--reveal", "all")
    assert (result.exit_code, "leave out --reveal all" in result.stderr) == (2, True)
    assert not (tmp_path / "out").exists()
