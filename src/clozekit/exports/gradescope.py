"""results.json of Gradescope's autograders, for one student's submission.

{"score": 11.0, "execution_time": 2, "stdout_visibility": "hidden", "output": "", "output_format": "text",
 "tests": [{"name": "values: one row", "score": 1.0, "max_score": 1.0, "status": "passed", "visibility": "visible"}, …]}

Hidden cases are for students to see after the grades are published; `cloze gradescope --hidden-cases hidden` never shows them.
Where something could not be checked there is no score: nobody loses points, and Gradescope says that the autograder failed.
"""

import json
import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from clozekit.exports import one_student
from clozekit.exports.faults import CASE, GRADING, faults, verdict

if TYPE_CHECKING:
    from clozekit.classroom.handed import Line


def text(lines: "list[Line]", language: str) -> str:
    one = one_student.of(lines, "gradescope")
    told: dict[str, Any] = {
        "execution_time": math.ceil(sum(line["seconds"] for line in lines)),
        "visibility": "visible",
        "stdout_visibility": "hidden",  # it has the words of `cloze grade`, for teachers
        "output": one_student.summary(one, language),
        "output_format": "text",
        "tests": [test for line in one.lines for test in _tests(line, one, language)],
    }
    if one.decided:
        # a broken rule takes the points of passed tests as well
        told["score"] = sum(line["points"] for line in one.lines)
    return json.dumps(told, ensure_ascii=False, indent=1) + "\n"


def _tests(line: "Line", one: one_student.One, language: str) -> Iterator[dict[str, Any]]:
    """Broken rules, and tests. Gradescope knows no third verdict: what could not be checked has no status and no score."""
    for fault in faults(line, language):
        if fault.code not in (CASE, GRADING) and fault.severity == "error":
            yield _entry(f"{line['exercise']}: {fault.name}", fault.message) | {"score": 0.0, "status": "failed"}
    for test in line["tests"]:
        entry = _entry(one_student.title(test, line, one), test["message"], test["hidden"])
        entry["max_score"] = test["max_points"]
        if test["verdict"] == "could not check":
            yield entry | {"output": f"{verdict(test, language)}\n{test['message']}"}
        else:
            yield entry | {"score": test["points"], "status": test["verdict"]}


def _entry(name: str, output: str, hidden: bool = False) -> dict[str, Any]:
    visibility = "after_published" if hidden else "visible"
    return {"name": name, "output": output, "output_format": "text", "visibility": visibility}
