"""The content of .cloze/workspace.json: what a learner has done, in one readable file of a numbered schema.

    {"schema": 2, "language": "zh", "level": "guided", "goal": "attention", "tracks": ["normalization"],
     "content": ["../course"],
     "exercises": {"normalization/rms_norm": {"hints": 1, "passed": "2026-11-22", "reviewing": "", "attempts": [
         {"at": "2026-11-22T09:30:00Z", "level": "guided", "verdict": "failed", "points": 3, "max_points": 12, ...}]}},
     "interviews": [{"begun": "2026-12-01T18:00:00Z", "minutes": 45, "folder": "interview/2026-12-01", "exercises": [...]}]}

`decode` reads every schema up to ours, `salvage` what is left of a damaged file, `merged` joins the files of two machines.
Nothing in it is absolute, unless --content was: a workspace may be moved, and the file alone carries the progress.
"""

import contextlib
import json
import re
from collections import Counter
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

import msgspec
from msgspec import Struct, convert, field, to_builtins

from clozekit import clock
from clozekit.exercise import LANGUAGES, LEVELS
from clozekit.report import Report, Verdict

SCHEMA = 2  # 1 had no attempts
KEPT = 100  # attempts of one exercise that are remembered whatever they were


class Damaged(Exception):
    """The file cannot be read as a state."""


class Newer(Exception):
    """The file was written by a kit that knows more; `schema` is its number."""

    def __init__(self, schema: int):
        super().__init__(str(schema))
        self.schema = schema


class Attempt(Struct, frozen=True):
    """One check: when (UTC; of an answer in an interview, when that was saved), at which level, and what came out of it.

    folder: what holds TRACK/NAME.py within the workspace: "" for the exercise itself, "review", "interview/2026-12-01".
    """

    at: str
    level: str
    verdict: Verdict
    points: float
    max_points: float
    mistake: str | None = None
    folder: str = ""

    def __post_init__(self) -> None:
        clock.parse(self.at)

    @classmethod
    def of(cls, report: Report, moment: datetime, level: str, folder: str = "") -> "Attempt":
        return cls(clock.stamp(moment), level, report.verdict, report.points, report.max_points, report.mistake, folder)

    @property
    def moment(self) -> datetime:
        return clock.parse(self.at)

    @property
    def day(self) -> date:
        return self.moment.astimezone().date()


class Progress(Struct):
    """What happened with one exercise. `passed`: the day on which it was first solved; "" if it was not.

    hints: how many of the exercise's own were given. explained: the mistake that a hint was last about.
    reviewing: when the review began that is under way; "" if none is.
    """

    hints: int = 0
    explained: str = ""
    passed: str = ""
    reviewing: str = ""
    attempts: list[Attempt] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.passed:
            date.fromisoformat(self.passed)

    def add(self, attempt: Attempt) -> None:
        self.attempts = bounded([*self.attempts, attempt])
        if attempt.verdict == "passed":
            self.passed = self.passed or attempt.day.isoformat()
            if attempt.folder == "review":
                self.reviewing = ""


class Interview(Struct):
    """Some exercises against the clock. `folder` holds their files; `ended`: when, "" while it runs."""

    begun: str
    minutes: int
    folder: str
    exercises: list[str]
    ended: str = ""

    def __post_init__(self) -> None:
        clock.parse(self.begun)
        if self.ended:
            clock.parse(self.ended)


class State(Struct):
    """The whole file. `tracks`: those of which `cloze init` wrote every exercise.

    content: where exercises besides the kit's come from, seen from the workspace.
    """

    schema: int = SCHEMA
    language: str = "en"
    level: str = "guided"
    goal: str = ""
    tracks: list[str] = field(default_factory=list)
    content: list[str] = field(default_factory=list)
    exercises: dict[str, Progress] = field(default_factory=dict)
    interviews: list[Interview] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.language not in LANGUAGES or self.level not in LEVELS:
            raise ValueError(f"{self.language} or {self.level} is none that we know")


def decode(raw: bytes) -> tuple[State, dict[str, Any]]:
    """The state in a file of any schema up to ours, and all of the file, with what only a later kit understands.

    Raises:
        Damaged, Newer
    """
    try:
        data = msgspec.json.decode(raw, type=dict[str, Any])
        schema = convert(data.get("schema"), int)
        if schema > SCHEMA:
            raise Newer(schema)
        if schema < 1:
            raise Damaged(f"schema {schema}")
        return convert(data | {"schema": SCHEMA}, State), data  # what schema 1 lacks has defaults
    except (ValueError, RecursionError) as error:  # a DecodeError, or a key that is not UTF-8
        raise Damaged(str(error)) from None


def encode(state: State, before: dict[str, Any]) -> bytes:
    """The state as a file; what stood in the one `before` under keys that we do not know stays.

    Attempts and interviews are written by us alone: lists have no keys to find an old entry by.
    """
    return msgspec.json.format(msgspec.json.encode(_over(before, to_builtins(state))), indent=1) + b"\n"


def _over(before: Any, ours: Any) -> Any:
    if isinstance(before, dict) and isinstance(ours, dict):
        return before | {key: _over(before.get(key), value) for key, value in ours.items()}
    return ours


def bounded(attempts: list[Attempt]) -> list[Attempt]:
    """The last KEPT attempts; of the older ones those that later questions need.

    These are the first pass, the last of each day of review, and all of interviews: some a year, not some a minute.
    """
    older, recent = attempts[:-KEPT], attempts[-KEPT:]
    needed = {id(each) for each in older if each.folder.startswith("interview/")}
    needed |= {id(each) for each in {each.day: each for each in older if each.folder == "review"}.values()}
    needed |= {id(each) for each in [each for each in attempts if each.verdict == "passed"][:1]}
    return [each for each in older if id(each) in needed] + recent


def salvage(text: str, reports: Iterable[tuple[datetime, Report]]) -> State:
    """What can still be read of a damaged file: its settings, each exercise that is whole. Of all others, the last report.

    reports: the last one of each exercise, and when it was written.
    """
    state = State()
    for name in ("language", "level", "goal"):
        if found := re.search(rf'"{name}":\s*"(\w+)"', text):
            with contextlib.suppress(ValueError):
                state = convert(to_builtins(state) | {name: found[1]}, State)
    for found in re.finditer(r'"(\w+/\w+)":\s*(?=\{)', text):
        with contextlib.suppress(ValueError, RecursionError):
            state.exercises[found[1]] = convert(json.JSONDecoder().raw_decode(text, found.end())[0], Progress)
    for moment, report in reports:
        if report.exercise not in state.exercises:
            state.exercises[report.exercise] = progress = Progress()
            progress.add(Attempt.of(report, moment, state.level))
    return state


def merged(ours: State, theirs: State) -> State:
    """What was done on either machine; settings, and the review or interview that is under way, stay ours."""
    exercises = {id: msgspec.structs.replace(progress) for id, progress in ours.exercises.items()}
    for id, there in theirs.exercises.items():
        here = exercises.setdefault(id, Progress())
        here.hints = max(here.hints, there.hints)
        here.passed = min(filter(None, (here.passed, there.passed)), default="")
        both = Counter(here.attempts) | Counter(there.attempts)
        here.attempts = bounded(sorted(both.elements(), key=lambda each: (each.at, repr(each))))
    known = {interview.begun for interview in ours.interviews}
    others = [interview for interview in theirs.interviews if interview.ended and interview.begun not in known]
    interviews = sorted([*others, *ours.interviews], key=lambda each: each.begun)
    return msgspec.structs.replace(ours, exercises=exercises, interviews=interviews)
