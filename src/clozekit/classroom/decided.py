"""What a class run decides of one file, and the line of results.jsonl that it becomes.

Decision(Handed("ada", "normalization/rms_norm", …), digest, key, {"verdict": "passed", …})
->  {"student": "ada", "file": "normalization/rms_norm.py", …, "verdict": "passed", …, "key": "5e0c…"}
"""

import hashlib
from datetime import UTC, datetime
from typing import NamedTuple

from clozekit.classroom.handed import Handed, Line

WHOSE = ("student", "file", "attempt", "handed_in")  # of a line of results.jsonl, before the report; `key` is after it


class Decision(NamedTuple):
    """What is known of one file. report: a line of results.jsonl without what says whose it is."""

    handed: Handed
    digest: str
    key: str
    report: Line


def is_decided(line: Line) -> bool:
    return line["verdict"] in ("passed", "failed")


def place_of(handed: Handed) -> str:
    whole = "\0".join((handed.student, handed.exercise, handed.file, handed.attempt))
    return hashlib.sha256(whole.encode()).hexdigest()[:32]


def line_of(decision: Decision) -> Line:
    """As it stands in results.jsonl."""
    handed = decision.handed
    whose = (handed.student, handed.file, handed.attempt, in_utc(handed.handed_in))
    return dict(zip(WHOSE, whose, strict=True)) | decision.report | {"key": decision.key}


def in_utc(moment: datetime | None) -> str:
    return moment.astimezone(UTC).isoformat() if moment else ""
