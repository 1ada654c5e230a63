"""What a class has handed in: every file below a directory that is a submission or was meant as one.

submissions/ada/normalization/rms_norm.py  ->  Handed("ada", "normalization/rms_norm", "normalization/rms_norm.py", …)
"""

import os
from collections.abc import Collection
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from clozekit.report import Problem

SOURCES = (".py", ".ipynb")
IGNORED = (".", "__")  # .git, __pycache__, __init__.py
# Of results.jsonl: the report as JSON, with `student`, `file`, `attempt`, `handed_in` (ISO 8601 in UTC, or "") and `key`.
Line = dict[str, Any]


class Handed(NamedTuple):
    """One file of a student, as it lies in the student's directory.

    problem: why it cannot be graded, if so. handed_in: when, where the layout tells; with a time zone. attempt: the layout's
    own name of it, if a student may hand in more than once.
    """

    student: str
    exercise: str
    file: str
    path: Path
    problem: Problem | None = None
    handed_in: datetime | None = None
    attempt: str = ""


def find(folder: Path, known: Collection[str], out: Path) -> list[Handed]:
    """Every file that is a submission or was meant as one, in order. A student who handed in nothing has an entry too."""
    found: list[Handed] = []
    for entry in folder.iterdir():
        student = readable(entry.name)
        if entry.name.startswith(IGNORED) or entry.resolve() == out.resolve():
            continue
        if entry.is_dir():
            found += _of_student(student, entry, known) or [Handed(student, "", "", entry, Problem("nothing"))]
        elif entry.suffix.lower() in SOURCES:
            found.append(Handed("", "", student, entry, Problem("misplaced", {"file": student})))
    return sorted(found, key=lambda handed: handed[:3])


def _of_student(student: str, home: Path, known: Collection[str]) -> list[Handed]:
    """The files below one student's directory that count. Links are not followed: what they lead to is not the student's."""
    tracks = {id.partition("/")[0] for id in known}
    refused: list[OSError] = []
    found = []
    for place, folders, files in os.walk(home, onerror=refused.append):
        folders[:] = [name for name in folders if not name.startswith(IGNORED)]
        links = [name for name in folders if name in tracks and os.path.islink(os.path.join(place, name))]
        for path in (Path(place, name) for name in [*files, *links] if not name.startswith(IGNORED)):
            file = readable(path.relative_to(home).as_posix())
            exercise, counts, problem = _meant(file, known)
            if path.is_symlink():
                problem = Problem("link", {"file": file})
            if counts or path.name in links:
                found.append(Handed(student, exercise, file, path, problem))
    for error in refused:
        file = readable(os.path.relpath(error.filename, home))
        found.append(Handed(student, "", file, home / file, Problem("unreadable", {"reason": str(error.strerror)})))
    return found


def _meant(file: str, known: Collection[str]) -> tuple[str, bool, Problem | None]:
    """The exercise that a file is for, whether it counts at all, and what is wrong with where it lies."""
    *folders, name = file.split("/")
    stem, _, suffix = name.partition(".")
    exercise = "/".join([*folders[-1:], stem])
    if len(folders) == 1 and suffix in ("py", "ipynb"):
        if exercise not in known:
            return exercise, True, Problem("unknown-exercise", {"id": exercise})
        return exercise, True, None
    source = len(folders) < 2 and f".{name.rpartition('.')[2].lower()}" in SOURCES
    meant = exercise in known and not name.endswith(".bak")
    return (exercise if meant else ""), source or meant, Problem("misplaced", {"file": file})


def readable(name: str) -> str:
    """A file name as text; bytes that are not UTF-8 as \\xNN."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")
