"""Code Quality of GitLab: what it shows in the widget and in the diff of a merge request.

[{"check_name": "CZ001", "description": "…", "fingerprint": "9f…", "severity": "major",
  "location": {"path": "ada/normalization/rms_norm.py", "lines": {"begin": 5}}}]
"""

import hashlib
import json
from typing import TYPE_CHECKING, Any

from clozekit.exports.faults import Fault, faults, place

if TYPE_CHECKING:
    from clozekit.classroom.handed import Line

SEVERITIES = {"error": "major", "warning": "minor", "undecided": "critical"}


def text(lines: "list[Line]", language: str) -> str:
    issues = [
        _issue(place(line), line["attempt"], number, fault)
        for line in lines
        for number, fault in enumerate(faults(line, language))
    ]
    return json.dumps(issues, ensure_ascii=False, indent=1) + "\n"


def _issue(path: str, attempt: str, number: int, fault: Fault) -> dict[str, Any]:
    """GitLab drops all but one of equal fingerprints."""
    unique = repr((path, attempt, number, fault.code, fault.name))
    return {
        "check_name": fault.code,
        "description": f"{fault.name}: {fault.message}" if fault.name != fault.code else fault.message,
        "fingerprint": hashlib.sha256(unique.encode()).hexdigest(),
        "severity": SEVERITIES[fault.severity],
        "location": {"path": path, "lines": {"begin": fault.line}},
    }
