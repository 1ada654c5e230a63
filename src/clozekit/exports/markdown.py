"""A report for people, in the Markdown of GitHub and GitLab: a summary of a workflow's step, a comment.

| student | exercise | verdict | points |
| --- | --- | --- | --- |
| `ada` | `normalization/rms_norm` | ✗ failed | 11 of 18 points |

<details><summary>ada/normalization/rms_norm</summary> … each fault, its message in a fence … </details>

What students wrote is text here, never markup.
"""

import re
from collections.abc import Iterator
from html import escape
from typing import TYPE_CHECKING

from clozekit.exports.faults import Fault, faults, verdict, whose
from clozekit.phrases import say

if TYPE_CHECKING:
    from clozekit.classroom.handed import Line

HEADS = ("export-student", "export-exercise", "export-verdict", "export-points")
MARKS = {"passed": "✓", "failed": "✗", "could not check": "?"}
SIGNS = {"error": "✗", "warning": "!", "undecided": "?"}
MARKUP = re.compile(r"[\\`*_{}\[\]<>#|&~!@]|:(?=//)|(?<=www)\.")
LIMIT = 900_000  # bytes; GitHub refuses a summary of more than 1 MiB


def text(lines: "list[Line]", language: str) -> str:
    heads = [say(language, key) for key in HEADS]
    parts = [f"| {' | '.join(heads)} |\n| --- | --- | --- | --- |\n", *(_row(line, language) for line in lines)]
    room, untold = LIMIT - _size(*parts), 0
    for line in lines:
        if told := "".join(_details(line, language)):
            room -= _size(told)
            untold += room < 0
            parts += [told] if room >= 0 else []
    if untold:
        parts.append(f"\n{say(language, 'export-untold', count=untold)}\n")
    return "".join(parts)


def _row(line: "Line", language: str) -> str:
    points = say(language, "points", points=line["points"], max_points=line["max_points"])
    outcome = f"{MARKS[line['verdict']]} {verdict(line, language)}"
    return f"| {_code(line['student'])} | {_code(line['exercise'] or line['file'])} | {outcome} | {points} |\n"


def _details(line: "Line", language: str) -> Iterator[str]:
    found = list(faults(line, language))
    if found:
        yield f"\n<details><summary>{escape(_flat(whose(line)))}</summary>\n\n"
        yield from map(_fault, found)
        yield "</details>\n"


def _fault(fault: Fault) -> str:
    place = f" {fault.line}:{fault.column}" if (fault.line, fault.column) != (1, 1) else ""
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", fault.message)), default=0))
    return f"{SIGNS[fault.severity]} **{_inline(fault.name)}**{place}\n\n{fence}text\n{fault.message}\n{fence}\n\n"


def _code(text: str) -> str:
    """A code span, or text where it could not hold what is in it."""
    flat = _flat(text)
    return _inline(flat) if not flat.strip() or set("`|\\") & set(flat) else f"`{flat}`"


def _inline(text: str) -> str:
    return MARKUP.sub(lambda found: f"&#{ord(found[0])};", _flat(text))


def _flat(text: str) -> str:
    return " ".join(text.split())


def _size(*parts: str) -> int:
    return sum(len(part.encode()) for part in parts)
