"""results.json of PrairieLearn's external graders, for one student's submission.

{"gradable": true, "score": 0.611, "output": "",
 "tests": [{"name": "values: one row", "points": 1.0, "max_points": 1.0, "message": ""}, …]}

What could not be checked is not gradable: it costs the student neither points nor an attempt.
"""

import json
from typing import TYPE_CHECKING, Any

from clozekit.exports import one_student

if TYPE_CHECKING:
    from clozekit.classroom.handed import Line


def text(lines: "list[Line]", language: str) -> str:
    one = one_student.of(lines, "prairielearn")
    told: dict[str, Any] = {"gradable": one.decided}
    if one.decided:
        most = sum(line["max_points"] for line in one.lines)
        told["score"] = round(sum(line["points"] for line in one.lines) / most, 6) if most else 0.0
    else:
        told["format_errors"] = one_student.summary(one, language)
    told["output"] = one_student.summary(one, language)
    told["tests"] = [
        {
            "name": one_student.title(test, line, one),
            "points": test["points"],
            "max_points": test["max_points"],
            "message": test["message"],
        }
        for line in one.lines
        for test in line["tests"]
    ]
    return json.dumps(told, ensure_ascii=False, indent=1) + "\n"
