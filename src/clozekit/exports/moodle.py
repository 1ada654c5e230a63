"""Moodle: a CSV for Grades, Import, CSV file; map its first column to the field of the same name, the others to grade items.

idnumber,normalization/rms_norm
ada,11

The first column is `email` where all students are known by one.
"""

from typing import TYPE_CHECKING

from clozekit.exports.tables import exercises, students, table

if TYPE_CHECKING:
    from clozekit.classroom.gradebook import Grade


def text(grades: "list[Grade]", language: str) -> str:
    worth, found = exercises(grades), students(grades)
    key = "email" if found and all("@" in student.strip("@") for student in found) else "idnumber"
    return table([[key, *worth], *([student, *(row.get(id, "") for id in worth)] for student, row in found.items())])
