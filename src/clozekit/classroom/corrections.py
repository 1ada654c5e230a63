"""Points that a teacher corrected in a spreadsheet: a table of the form of grades.csv, back again.

student,normalization/rms_norm,total
ada,14.0,14.0                           ->  {("ada", "normalization/rms_norm"): 14.0}, if it was another number
"""

import csv
import io
import math
from collections.abc import Collection, Iterable

from clozekit.classroom.gradebook import Grade, is_final
from clozekit.errors import ClozeError

SAME = 1e-6  # points that differ by less are the same, shown with fewer digits
UNCHANGED = ("", "?")
DERIVED = "total"  # a column of our own table that follows from the others


def has_sums(raw: bytes) -> bool:
    """Whether the table has the sums that only our own has, made for a course.toml or for none."""
    return DERIVED.encode() in raw.partition(b"\n")[0].strip().split(b",")


def read(
    raw: bytes, name: str, found: Iterable[Grade], students: Collection[str], known: Collection[str]
) -> dict[tuple[str, str], float]:
    """What the table changes, by student and exercise. An empty cell, or one with a ?, changes nothing.

    Raises:
        ClozeError: a line that cannot be meant; nothing of the table counts then.
    """
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise ClozeError(f"{name}: line {line} is not UTF-8; save it as CSV in UTF-8") from None
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    points = {(grade.student, grade.exercise): grade.points for grade in found if is_final(grade)}
    changed: dict[tuple[str, str], float] = {}
    seen: set[str] = set()
    try:
        columns = _header(next(reader, []), name, known)
        for row in reader:
            place = f"{name}: line {reader.line_num}"
            if not any(row):
                continue
            student = row[0] if row[0] in students else row[0].removeprefix("'")
            if student not in students:
                raise ClozeError(f"{place}: nobody is called `{student}` here; `cloze gradebook OUT` shows who is")
            if student in seen:
                raise ClozeError(f"{place}: `{student}` has a line already")
            if len(row) > len(columns) + 1:
                raise ClozeError(
                    f"{place}: {len(row)} cells under {len(columns) + 1} columns; a decimal point is a `.`"
                )
            seen.add(student)
            for exercise, cell in zip(columns, row[1:], strict=False):
                if exercise == DERIVED or cell.strip() in UNCHANGED:
                    continue
                given = _points(cell, f"{place}, {exercise}")
                if abs(given - points.get((student, exercise), math.inf)) > SAME:
                    changed[student, exercise] = given
    except csv.Error as error:
        raise ClozeError(f"{name}: line {reader.line_num}: no CSV: {error}") from None
    return changed


def _header(row: list[str], name: str, known: Collection[str]) -> list[str]:
    """The columns after the first."""
    if not row or row[0] != "student":
        hint = "; it is divided by `;`, save it with commas" if row and row[0].startswith("student;") else ""
        raise ClozeError(f"{name}: line 1: the first column has to be `student`, as in grades.csv{hint}")
    for number, column in enumerate(row[1:], 1):
        if column not in known and column != DERIVED:
            raise ClozeError(f"{name}: line 1: no exercise is called `{column}`; `cloze list` shows them all")
        if column in row[1:number]:
            raise ClozeError(f"{name}: line 1: `{column}` has two columns")
    return row[1:]


def _points(cell: str, place: str) -> float:
    try:
        points = float(cell)
    except ValueError:
        points = math.nan
    if not (math.isfinite(points) and points >= 0):
        raise ClozeError(f"{place}: `{cell}` is no number of points; write 2.5, or leave it empty")
    return points
