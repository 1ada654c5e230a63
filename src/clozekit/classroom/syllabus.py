"""What a teacher decides about a course: one file, course.toml, read by `cloze release` and `cloze gradebook`.

title = "LLM systems, spring 2027"
exercises = ["normalization/rms_norm", "attention/*"]
level = "scratch"

[deadlines]
"normalization/rms_norm" = 2027-03-01T23:59:00+01:00

[grades]
keep = "best"          # of several attempts; or "latest"
grace_minutes = 15     # nobody is late until then
late_per_day = 0.1     # of the points, for each day begun
late_days = 3          # what comes later counts for nothing
drop_lowest = 1        # exercises left out of a student's sum
"""

from collections.abc import Iterable
from datetime import datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta, Struct

from clozekit.errors import ContentError
from clozekit.typed_toml import read_toml


class Policy(Struct, forbid_unknown_fields=True, frozen=True):
    """[grades]: what becomes of several attempts, of late ones, and of the worst exercises."""

    keep: Literal["best", "latest"] = "best"
    grace_minutes: Annotated[float, Meta(ge=0)] = 0.0
    late_per_day: Annotated[float, Meta(ge=0, le=1)] = 0.0
    late_days: Annotated[int, Meta(ge=0)] | None = None
    drop_lowest: Annotated[int, Meta(ge=0)] = 0


class Syllabus(Struct, forbid_unknown_fields=True, frozen=True):
    """The whole of course.toml. `exercises` are ids or patterns of them, all by default."""

    title: str = ""
    exercises: tuple[str, ...] = ("*",)
    level: Literal["guided", "scratch"] = "guided"
    deadlines: dict[str, datetime] = {}
    grades: Policy = Policy()

    def chosen(self, known: Iterable[str]) -> list[str]:
        """The ids of the course, in the order of `known`."""
        return [id for id in known if any(fnmatchcase(id, pattern) for pattern in self.exercises)]


def read(path: Path, known: Iterable[str]) -> Syllabus:
    """A course.toml, held against the exercises that there are.

    Raises:
        NotFound: no such file.
        ContentError: not TOML, a misspelt key, an exercise that does not exist, a deadline without its time zone.
    """
    syllabus, known = read_toml(path, Syllabus), list(known)
    for pattern in syllabus.exercises:
        if not any(fnmatchcase(id, pattern) for id in known):
            raise ContentError(f"{path}: exercises: no exercise is called `{pattern}`; `cloze list` shows them all")
    for id, deadline in syllabus.deadlines.items():
        if id not in known:
            raise ContentError(f"{path}: deadlines: no exercise is called `{id}`; `cloze list` shows them all")
        if deadline.tzinfo is None:
            raise ContentError(f"{path}: deadlines.{id}: say in which time zone: {deadline.isoformat()}+01:00")
    return syllabus
