"""Grades as a table for a gradebook's import: a row a student, a column an exercise.

A cell that a spreadsheet would take for a formula has an apostrophe before it: a student may be called =HYPERLINK(…).
"""

import csv
import io
from collections.abc import Iterable
from typing import TYPE_CHECKING

from clozekit.classroom.gradebook import is_final
from clozekit.exports import plain

if TYPE_CHECKING:
    from clozekit.classroom.gradebook import Grade

FORMULA = tuple("=+-@＝＋－＠")


def exercises(grades: "Iterable[Grade]") -> dict[str, float]:
    """The points that there are for each, as they come."""
    return {grade.exercise: grade.max_points for grade in grades}


def students(grades: "Iterable[Grade]") -> dict[str, dict[str, str]]:
    """The cells of each: points by exercise. What could not be checked has none: an import leaves such a grade as it is."""
    found: dict[str, dict[str, str]] = {}
    for grade in grades:
        row = found.setdefault(grade.student, {})
        if is_final(grade):
            row[grade.exercise] = number(grade.points)
    return found


def number(points: float) -> str:
    return f"{points:.6f}".rstrip("0").rstrip(".")


def table(rows: Iterable[Iterable[str]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows([_cell(cell) for cell in row] for row in rows)
    return text.getvalue()


def _cell(text: str) -> str:
    """In one line."""
    return harmless(plain(text).replace("\n", " "))


def harmless(text: str) -> str:
    """What is blank before a formula does not stop every spreadsheet."""
    return f"'{text}" if text.lstrip().startswith(FORMULA) else text
