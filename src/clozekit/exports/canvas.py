"""Canvas: a CSV for Grades, Import.

Student,ID,SIS User ID,SIS Login ID,Section,normalization/rms_norm
    Points Possible,,,,,18
ada,,ada,ada,,11

Canvas looks for a student by SIS id, then by login, then by name: what stands in for all three is the name of the student's
directory. A column that it knows no assignment for becomes a new one, worth what the second row says.
"""

from typing import TYPE_CHECKING

from clozekit.exports.tables import exercises, number, students, table

if TYPE_CHECKING:
    from clozekit.classroom.gradebook import Grade

HEAD = ("Student", "ID", "SIS User ID", "SIS Login ID", "Section")


def text(grades: "list[Grade]", language: str) -> str:
    worth = exercises(grades)
    rows = [
        [student, "", student, student, "", *(row.get(id, "") for id in worth)]
        for student, row in students(grades).items()
    ]
    return table([[*HEAD, *worth], ["    Points Possible", "", "", "", "", *map(number, worth.values())], *rows])
