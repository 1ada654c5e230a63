"""What is wrong in a report, in one row: findings, tests that did not pass, why nothing could be graded.

    {"student": "ada", "verdict": "failed", "findings": [{"code": "CZ001", …}], "tests": [{"verdict": "failed", …}], …}
    ->  Fault("CZ001", "CZ001", "error", 5, 12, "`torch.rms_norm` is what …"), Fault("case", "values: one row", "error", 1, 1, …)

A report that has not passed has at least one that is no warning: no format can turn it green.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal, NamedTuple

from clozekit.phrases import say

if TYPE_CHECKING:
    from clozekit.classroom.handed import Line

CASE, GRADING = "case", "grading"


class Fault(NamedTuple):
    """code: of the rule, or CASE, or GRADING where it is about the whole file. undecided: it could not be checked."""

    code: str
    name: str
    severity: Literal["error", "warning", "undecided"]
    line: int
    column: int
    message: str


def faults(line: "Line", language: str) -> Iterator[Fault]:
    """Every fault of one report. In a notebook lines are counted in a cell, which no platform can show: its place is in words."""
    red = False
    for found in line["findings"]:
        row, column, message = found["line"], found["column"], found["message"]
        if cell := line.get("cell"):
            message = f"{say(language, 'cell-place', cell=cell, line=row, column=column)} {message}"
            row = column = 1
        red |= found["severity"] == "error"
        yield Fault(found["code"], found["code"], found["severity"], row, column, message)
    for test in line["tests"]:
        if test["verdict"] != "passed":
            red = True
            message = test["message"] or verdict(test, language)
            yield Fault(CASE, test["name"], _severity(test["verdict"]), 1, 1, message)
    if line["verdict"] != "passed" and ("message" in line or not red):
        message = line.get("message") or verdict(line, language)
        yield Fault(GRADING, verdict(line, language), _severity(line["verdict"]), 1, 1, message)


def place(line: "Line") -> str:
    """The file below the directory that was graded, or as `cloze check` was given it."""
    return "/".join(part for part in (line["student"], line["file"]) if part)


def whose(line: "Line") -> str:
    """ada/normalization/rms_norm, of several attempts with its name; what names no exercise by its file."""
    what = line["exercise"] or line["file"]
    return "/".join(part for part in (line["student"], what, line["attempt"]) if part)


def verdict(told: dict, language: str) -> str:
    """Of a report or of one of its tests, in words."""
    return say(language, told["verdict"].replace(" ", "-"))


def _severity(verdict: str) -> Literal["error", "undecided"]:
    return "error" if verdict == "failed" else "undecided"
