"""Reports of every kind, as the lines of results.jsonl; and what reads the formats."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from sarif_kit.validate import validation_errors
from xmlschema import XMLSchema

from clozekit import render
from clozekit.report import Finding, Problem, Report, Result

CANARY = "73519"  # in what only the grader knows of a hidden case
RULE = Problem("CZ001", {"path": "torch.rms_norm"})
RIGHT, WRONG, UNDECIDED = (
    Result("values: one row", "passed"),
    Result(
        "values: plain rows",
        "failed",
        points=2.0,
        problem=Problem("value", {"call": "f(1.0)", "where": "[0]", "yours": "1", "expected": "2"}),
    ),
    Result("values: odd width", "could not check", problem=Problem("engine", {"error": "no memory"})),
)
HIDDEN = Result(
    "sizes drawn anew", "failed", hidden=True, problem=Problem("value", {"call": f"f({CANARY})"}), mistake="mixes_rows"
)
REPORTS = {
    "passed": {"verdict": "passed", "tests": [RIGHT]},
    "passed with a warning": {
        "verdict": "passed",
        "tests": [RIGHT],
        "findings": [Finding("CZ104", "warning", 3, 1, RULE)],
    },
    "failed": {"verdict": "failed", "tests": [RIGHT, WRONG]},
    "failed a hidden case only": {"verdict": "failed", "tests": [RIGHT, HIDDEN]},
    "broke a rule, else right": {
        "verdict": "failed",
        "tests": [RIGHT],
        "findings": [Finding("CZ001", "error", 5, 12, RULE)],
    },
    "broke a rule in a notebook": {
        "verdict": "failed",
        "findings": [Finding("CZ001", "error", 5, 12, RULE)],
        "cell": "3",
    },
    "one case could not be checked": {"verdict": "could not check", "tests": [RIGHT, UNDECIDED]},
    "failed, and a case could not be checked": {"verdict": "failed", "tests": [WRONG, UNDECIDED]},
    "could not be checked at all": {"verdict": "could not check", "problem": Problem("engine", {"error": "no memory"})},
    "no test, and no reason": {"verdict": "could not check"},
}
SCHEMAS = Path(__file__).with_name("schemas")
XSD = XMLSchema(SCHEMAS / "junit.xsd")
# As the runner of GitHub Actions reads a line: properties are what is between commas, percent signs are escapes.
COMMAND = re.compile(r"::(\w+) file=([^,:]*),line=(\d+),col=(\d+),title=([^,:]*)::(.*)")


@pytest.fixture(scope="session")
def annotation() -> Callable[[str], tuple[str, ...] | None]:
    """annotation(line): command, file, line, column, title, message; None if it is no command."""
    return lambda line: found.groups() if (found := COMMAND.fullmatch(line)) else None


@pytest.fixture(scope="session")
def errors() -> Callable[[str, str], list[str]]:
    """errors(form, text): what a reader of the format has against the text."""

    def errors(form: str, text: str) -> list[str]:
        if form == "junit":
            return [str(error) for error in XSD.iter_errors(text)]
        if form == "github":
            return [line for line in text.split("\n")[:-1] if not COMMAND.fullmatch(line)]
        if form == "markdown":
            return []
        if form == "sarif":
            return validation_errors(json.loads(text))
        schema = json.loads((SCHEMAS / f"{form}.json").read_text("utf-8"))
        return [str(error) for error in Draft202012Validator(schema).iter_errors(json.loads(text))]

    return errors


@pytest.fixture
def line(rms_norm) -> Callable[..., dict[str, Any]]:
    """line("failed", student="ada"): the line of a report of REPORTS."""

    def line(name: str, student: str = "ada", reveal: render.Reveal = "visible", **changes: Any) -> dict[str, Any]:
        report = Report(rms_norm.id, tier="A", seconds=1.5, **REPORTS[name])
        whose = {"student": student, "file": f"{rms_norm.id}.py", "attempt": "", "handed_in": ""}
        return whose | render.as_json(report, rms_norm, "en", reveal) | changes

    return line
