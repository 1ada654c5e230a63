"""Each format against its published schema, or against what its manual says; and what is true of all of them."""

import csv
import io
import json
import re

import pytest
from junitparser import Error, Failure, JUnitXml

from clozekit.classroom import gradebook
from clozekit.errors import ClozeError
from clozekit.exports import GRADEBOOKS, REPORTS, export, faults

KINDS = [
    "passed",
    "passed with a warning",
    "failed",
    "failed a hidden case only",
    "broke a rule, else right",
    "broke a rule in a notebook",
    "one case could not be checked",
    "failed, and a case could not be checked",
    "could not be checked at all",
    "no test, and no reason",
]


def is_red(form, text):
    """Whether the platform would show that not all is well."""
    told = json.loads(text) if form in ("gitlab", "sarif", "gradescope", "prairielearn") else None
    if form == "junit":
        suites = JUnitXml.fromstring(text.encode())
        suites.update_statistics()
        return bool(suites.failures or suites.errors)
    if form == "markdown":
        return "✗" in text.split("\n\n")[0] or "?" in text.split("\n\n")[0]
    if form == "github":
        return "::error " in text
    if form == "gitlab":
        return any(issue["severity"] in ("major", "critical", "blocker") for issue in told)
    if form == "sarif":
        return any(each["level"] == "error" or each.get("kind") == "open" for each in told["runs"][0]["results"])
    if form == "gradescope":
        return "score" not in told or any(test["status"] == "failed" for test in told["tests"])
    return not told["gradable"] or told["score"] < 1


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("form", REPORTS)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_report_has_the_form_that_the_platform_asks_for(form, kind, language, line, errors):
    assert errors(form, export(form, [line(kind)], language)) == []


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("form", REPORTS)
def test_red_is_what_has_not_passed_and_nothing_else(form, kind, line):
    assert is_red(form, export(form, [line(kind)], "en")) == (not kind.startswith("passed"))


@pytest.mark.parametrize("form", REPORTS)
def test_a_student_who_handed_in_nothing_is_not_green(form, line, errors):
    lost = line("could not be checked at all", exercise="", file="", message="nothing was handed in")
    text = export(form, [lost], "en")
    assert (errors(form, text), is_red(form, text)) == ([], True)
    assert "nothing was handed in" in text


@pytest.mark.parametrize("form", REPORTS)
def test_equal_reports_are_equal_texts(form, line):
    assert export(form, [line("failed")], "en") == export(form, [line("failed")], "en")


# One by one


def test_junit_counts_and_names_what_a_reader_shows(line):
    suites = list(
        JUnitXml.fromstring(
            export("junit", [line("failed, and a case could not be checked"), line("passed")], "en").encode()
        )
    )
    first, second = suites
    assert (first.name, first.tests, first.failures, first.errors) == ("ada/normalization/rms_norm", 2, 1, 1)
    assert (second.tests, second.failures, second.errors) == (1, 0, 0)
    (failure,), (error,) = (case.result for case in first)
    assert (type(failure), type(error)) == (Failure, Error)
    assert failure.text == "f(1.0)\nat [0]: yours 1, expected 2"
    assert failure.message == "f(1.0)"
    assert {each.name: each.value for each in first.properties()}["points"] == "0.0"


def test_junit_has_a_time_that_was_handed_in(line, errors):
    text = export("junit", [line("passed", handed_in="2027-03-01T22:59:00+00:00", attempt="2")], "en")
    assert errors("junit", text) == []
    assert 'timestamp="2027-03-01T22:59:00+00:00"' in text
    assert 'name="ada/normalization/rms_norm/2"' in text


def test_a_finding_is_at_its_line_and_in_a_notebook_says_its_cell(line, annotation):
    (command,) = export("github", [line("broke a rule, else right")], "en").splitlines()
    assert annotation(command)[:5] == ("error", "ada/normalization/rms_norm.py", "5", "12", "CZ001")
    (command,) = export("github", [line("broke a rule in a notebook")], "en").splitlines()
    assert annotation(command)[5].startswith("cell 3, line 5, column 12: `torch.rms_norm`")
    assert annotation(command)[2] == "1"


def test_gitlab_gets_no_two_equal_fingerprints(line):
    """It would drop one: two cases of a name, one file of two attempts."""
    twice = line("failed")
    twice["tests"] *= 2
    issues = json.loads(export("gitlab", [twice, twice | {"attempt": "2"}], "en"))
    assert len({issue["fingerprint"] for issue in issues}) == len(issues) == 4


def test_sarif_names_a_rule_that_the_log_describes(line):
    for kind in KINDS:
        (run,) = json.loads(export("sarif", [line(kind)], "en"))["runs"]
        rules = run["tool"]["driver"]["rules"]
        assert all(rules[each["ruleIndex"]]["id"] == each["ruleId"] for each in run["results"])


def test_sarif_calls_open_what_could_not_be_checked(line):
    (run,) = json.loads(export("sarif", [line("one case could not be checked")], "en"))["runs"]
    assert [(each["kind"], each["level"]) for each in run["results"]] == [
        ("open", "none")
    ]  # 3.27.10: none, if not fail


def test_gradescope_shows_hidden_cases_when_grades_are_published(line):
    told = json.loads(export("gradescope", [line("failed a hidden case only")], "en"))
    assert [test["visibility"] for test in told["tests"]] == ["visible", "after_published"]
    assert (told["score"], told["stdout_visibility"], told["execution_time"]) == (1.0, "hidden", 2)


def test_gradescope_and_prairielearn_take_the_points_of_a_broken_rule(line):
    broken = [line("broke a rule, else right")]
    assert json.loads(export("gradescope", broken, "en"))["score"] == 0
    told = json.loads(export("prairielearn", broken, "en"))
    assert told["score"] == 0
    assert told["output"].startswith("normalization/rms_norm.py:5:12: `torch.rms_norm` is what")


@pytest.mark.parametrize("form", ["gradescope", "prairielearn"])
def test_of_a_notebook_and_a_file_the_better_counts(form, line):
    lines = [line("failed"), line("passed", file="normalization/rms_norm.ipynb")]
    told = json.loads(export(form, lines, "en"))
    assert (told["score"], len(told["tests"])) == (1.0, 1)


@pytest.mark.parametrize("form", ["gradescope", "prairielearn"])
def test_several_exercises_of_a_student_add_up(form, line):
    lines = [line("failed"), line("passed", exercise="lab/square", file="lab/square.py")]
    told = json.loads(export(form, lines, "en"))
    assert told["score"] == {"gradescope": 2.0, "prairielearn": 0.5}[form]
    assert told["tests"][0]["name"] == "lab/square: values: one row"


@pytest.mark.parametrize("form", ["gradescope", "prairielearn"])
def test_several_students_do_not_fit_into_one_submission(form, line):
    with pytest.raises(ClozeError) as raised:
        export(form, [line("failed"), line("passed", student="bob")], "en")
    assert raised.value.text("en").startswith(
        f"the format {form} is for one student's submission, and these are 2; junit"
    )


def test_markdown_stops_before_it_is_too_long_for_github(line):
    many = [line("failed", student=f"s{number}") for number in range(200)]
    for each in many:
        each["tests"] = [test | {"message": "x" * 4000} for test in each["tests"]] * 2
    text = export("markdown", many, "en")
    assert 800_000 < len(text.encode()) < 1 << 20
    assert text.count("<details>") + int(re.search(r"(\d+) more reports", text)[1]) == 200
    assert text.count("\n| `s") == 200


# Gradebooks


@pytest.fixture
def grades(line):
    lines = [
        line("failed", student="bob"),
        line("passed"),
        line("passed", student="cyd", exercise="lab/square"),
        line("could not be checked at all", student="dan"),
    ]
    override = {("dan", "lab/square"): gradebook.Override(1 / 3, "an apology")}
    return gradebook.grades(lines, override)


def test_canvas_gets_the_columns_that_its_importer_looks_for(grades):
    """Its importer: `Student` and `ID` first, SIS columns third and fourth, `Section` before the first assignment."""
    text = export("canvas", grades, "en")
    assert text.endswith("\r\n")
    assert list(csv.reader(io.StringIO(text))) == [
        ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "normalization/rms_norm", "lab/square"],
        ["    Points Possible", "", "", "", "", "3", "1"],
        ["ada", "", "ada", "ada", "", "1", ""],
        ["bob", "", "bob", "bob", "", "1", ""],
        ["cyd", "", "cyd", "cyd", "", "", "1"],
        ["dan", "", "dan", "dan", "", "", "0.333333"],
    ]


def test_moodle_gets_students_by_number_or_by_mail(grades):
    rows = list(csv.reader(io.StringIO(export("moodle", grades, "en"))))
    assert rows[0] == ["idnumber", "normalization/rms_norm", "lab/square"]
    assert rows[-1] == ["dan", "", "0.333333"]
    mailed = [grade._replace(student=f"{grade.student}@school.example") for grade in grades]
    assert export("moodle", mailed, "en").splitlines()[0].startswith("email,")
    assert export("moodle", [*mailed, grades[0]], "en").splitlines()[0].startswith("idnumber,")


@pytest.mark.parametrize("form", GRADEBOOKS)
def test_a_class_without_grades_is_a_table_without_rows(form):
    assert export(form, [], "en").count("\r\n") == {"canvas": 2, "moodle": 1}[form]


def test_every_fault_says_something(line):
    for kind in KINDS:
        assert all(fault.message for fault in faults.faults(line(kind), "en"))
