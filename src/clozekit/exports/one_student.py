"""What the platforms that grade one submission at a time have in common: the attempts that count, and one text about the whole.

of([line, line])  ->  One(lines=[the line of each exercise that counts], others=[lines that name no exercise], decided=True)
"""

from typing import TYPE_CHECKING, NamedTuple

from clozekit.classroom.gradebook import grades
from clozekit.errors import ClozeError
from clozekit.exports.faults import CASE, GRADING, faults, place
from clozekit.report import Problem

if TYPE_CHECKING:
    from clozekit.classroom.handed import Line


class One(NamedTuple):
    """Of a notebook and a file for one exercise only the better is in `lines`. decided: everything could be checked."""

    lines: "list[Line]"
    others: "list[Line]"
    decided: bool


def of(lines: "list[Line]", form: str) -> One:
    """Raises ClozeError where these are the reports of several students."""
    students = {line["student"] for line in lines}
    if len(students) > 1:
        raise ClozeError(Problem("one-student", {"format": form, "count": str(len(students))}))
    nameless = [line | {"student": "-"} for line in lines if line["exercise"]]
    counted = [grade.line | {"student": ""} for grade in grades(nameless, {}) if grade.line]
    others = [line | {"student": ""} for line in lines if not line["exercise"]]
    decided = bool(counted) and all(line["verdict"] != "could not check" for line in [*counted, *others])
    return One(counted, others, decided)


def summary(one: One, language: str) -> str:
    """Findings, and what could not be checked and why: what a list of tests cannot say, or is not read for."""
    told = []
    for line in [*one.lines, *one.others]:
        for fault in faults(line, language):
            if fault.code == CASE and fault.severity == "undecided":
                told.append(f"{fault.name}: {fault.message}")
            elif fault.code != CASE:
                where = "" if fault.code == GRADING else f":{fault.line}:{fault.column}"
                told.append(f"{place(line)}{where}: {fault.message}")
    return "\n".join(told)


def title(test: dict, line: "Line", one: One) -> str:
    """A test's name, with its exercise where there are several."""
    return f"{line['exercise']}: {test['name']}" if len(one.lines) > 1 else test["name"]
