"""What a student has handed in: which of the files are submissions, and to which exercise.

normalization/rms_norm.py  ->  Handed("ada", "normalization/rms_norm", "normalization/rms_norm.py", …)
homework/top_p.py          ->  Handed("ada", "sampling/top_p", "homework/top_p.py", …): no other exercise has that name
README.md                  ->  nothing

By the folder and the name, else by a name that only one exercise has, else by a first line `# cloze: TRACK/NAME`; a notebook of
another name answers each exercise of which it has that line. What is meant as a submission and is none is told with its reason.
"""

import os
import re
from collections import defaultdict
from collections.abc import Collection, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from clozekit.cells import ID
from clozekit.report import Problem
from clozekit.submission import read

SOURCES = (".py", ".ipynb")
PACKED = (".zip", ".tar", ".gz", ".tgz", ".xz", ".txz", ".zst", ".tzst", ".bz2", ".tbz2", ".rar", ".7z")
IGNORED = (".", "__")  # .git, __pycache__, __init__.py
LIBRARIES = ("node_modules", "site-packages", "venv")  # folders of what others wrote
PRACTICE = ("review", "interview")  # folders of a workspace for what is solved again: see workspace.py
FIRST = re.compile(rf"(?:\xef\xbb\xbf)?# cloze: ({ID})[ \t\r]*(?:\n|$)".encode("latin-1"))
MARKED = re.compile(rf'"# cloze: ({ID})[ \t]*(?:\\r)?(?:\\n|")'.encode())  # as JSON writes the first line of a cell
# Of results.jsonl: the report as JSON, with `student`, `file`, `attempt`, `handed_in` (ISO 8601 in UTC, or "") and `key`.
Line = dict[str, Any]


class Entry(NamedTuple):
    """A file that was found. path: where its bytes lie, if anybody may want them. problem: why they cannot be had."""

    name: str
    path: Path | None = None
    problem: Problem | None = None


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


class Exercises:
    """Those of a course, by what the files of a student may call them.

    patterns: names of files, as `fnmatch` has them, and the exercise that a teacher says they are for.
    """

    def __init__(self, known: Collection[str], patterns: dict[re.Pattern, str] | None = None):
        self.known = set(known)
        self.tracks = {id.partition("/")[0] for id in known}
        self.patterns = patterns or {}
        self.named = defaultdict(list)
        for id in sorted(known):
            self.named[id.partition("/")[2]].append(id)

    def submissions(self, files: list[Entry]) -> list[tuple[Entry, str, Problem | None]]:
        """The files of one attempt that count, each with its exercise, "" if that cannot be told, and what is wrong.

        Of several files for one exercise the one counts that lies less deep than all others.
        """
        found = [(file, id, file.problem or problem) for file in files for id, problem in self._meant(file)]
        rivals = defaultdict(list)
        for file, id, problem in found:
            if not problem:
                rivals[id, file.name.endswith(".ipynb")].append((file.name.count("/"), file.name))
        first = {key: sorted(each)[:2] for key, each in rivals.items()}
        return [
            (file, id, problem or _twice(file.name, first[id, file.name.endswith(".ipynb")]))
            for file, id, problem in found
        ]

    def _meant(self, file: Entry) -> Iterator[tuple[str, Problem | None]]:
        """The exercises that a file is for; nothing if it was not meant as a submission."""
        *folders, name = file.name.split("/")
        if any(folder in PRACTICE for folder in folders[:-1]):
            return
        stem, _, suffix = name.partition(".")
        exercise = "/".join([*folders[-1:], stem])
        patterns = self.patterns.items() if Path(name).suffix in SOURCES else ()
        if told := next((id for pattern, id in patterns if pattern.match(file.name)), ""):
            yield told, None
        elif f".{suffix}" in SOURCES:
            yield from self._of_source(file, exercise)
        elif f".{name.rpartition('.')[2].lower()}" in SOURCES:
            yield (exercise if exercise in self.known else ""), Problem("misplaced", {"file": file.name})
        elif exercise in self.known and not name.endswith(".bak"):
            yield exercise, Problem("misplaced", {"file": file.name})
        elif file.problem and (file.problem.kind != "link" or name in self.tracks or packed(name)):
            yield "", None

    def _of_source(self, file: Entry, exercise: str) -> Iterator[tuple[str, Problem | None]]:
        folder, _, stem = exercise.rpartition("/")
        named = self.named.get(stem, [])
        if exercise in self.known:
            yield exercise, None
        elif len(named) == 1:
            yield named[0], None
        elif marks := self._marks(file):
            for id in marks:
                yield id, None if id in self.known else Problem("unknown-exercise", {"id": id})
        elif named:
            yield "", Problem("ambiguous", {"file": file.name, "ids": ", ".join(named)})
        elif folder in self.tracks:
            yield exercise, Problem("unknown-exercise", {"id": exercise})
        else:
            yield "", Problem("untold", {"file": file.name})

    def _marks(self, file: Entry) -> list[str]:
        """What the file says itself."""
        if file.problem or not file.path:
            return []
        try:
            raw = read(file.path, links=False).raw
        except OSError:
            return []  # whoever reads it to grade it says why
        if file.path.suffix == ".ipynb":
            marks = {mark.decode() for mark in MARKED.findall(raw)}
            return sorted(marks & self.known) or sorted(marks)[:1]
        return [mark[1].decode()] if (mark := FIRST.match(raw)) else []


def _twice(file: str, first: list[tuple[int, str]]) -> Problem | None:
    """What is wrong with a file beside the others for its exercise, of which `first` are those that lie least deep."""
    names = [name for _, name in first]
    if len(first) < 2 or (file == names[0] and first[0][0] < first[1][0]):
        return None
    return Problem("twice", {"file": file, "other": names[file == names[0]]})


def packed(name: str) -> bool:
    """Whether a name is that of an archive."""
    return name.lower().endswith(PACKED)


def ignored(folder: str) -> bool:
    """Whether nothing in a folder of this name was handed in."""
    return folder.startswith(IGNORED) or folder in LIBRARIES


def readable(name: str) -> str:
    """A file name as text; bytes that are not UTF-8 as \\xNN."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")
