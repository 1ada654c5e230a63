"""A learner's directory: starters to fill in, and a little state in .cloze/.

work/
  normalization/rms_norm.py       what `cloze init` or `cloze start` wrote and the learner edits
  review/normalization/rms_norm.py              a blank one more, to be solved again
  interview/2026-12-01/sampling/top_p.py        and one against the clock
  .cloze/workspace.json           progress, see state.py; workspace.json.schema1 or .damaged-TIME is an older or broken one
  .cloze/reports/normalization/rms_norm.msgpack    the last Report, whole; under review/ that of the last review
  .cloze/starters/normalization/rms_norm.guided.en.py    the starter as it was written, for `cloze update`
  .cloze/lock                     held while workspace.json is read, changed and written; watch.lock by the watch that runs

To go on with another machine, copy the directory, or take `cloze progress --export` there.
"""

import contextlib
import os
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import click
import msgspec

from clozekit import clock, files, phrases
from clozekit.errors import ClozeError, NotFound
from clozekit.exercise import Exercise
from clozekit.report import Problem, Report
from clozekit.state import SCHEMA, Attempt, Damaged, Newer, Progress, State, decode, encode, salvage

STATE = Path(".cloze") / "workspace.json"


class Starter(NamedTuple):
    """A starter as it was written."""

    level: str
    language: str
    content: bytes


class Workspace:
    """One directory that `cloze init` or `cloze start` made.

    state: as it was when last read; change it within `changing`. before: the file that it came from, keys unknown to us included.
    """

    def __init__(self, root: Path):
        self.root = root
        self.state = State()
        self.before: dict[str, Any] = {}
        try:
            self._read()
        except Damaged:
            try:
                with self.changing():
                    pass  # it is repaired
            except OSError:  # nothing can be written here: do with what can be read
                self._repair(self.root / STATE)

    @classmethod
    def around(cls, path: Path) -> "Workspace | None":
        """The workspace that contains `path`, if any."""
        path = path.absolute()
        for root in (path, *path.parents):
            if (root / STATE).is_file():
                return cls(root)
        return None

    @classmethod
    def create(cls, root: Path, language: str, level: str, content: Sequence[Path] = ()) -> "Workspace":
        """Make `root` a workspace, or change the language and level of the one that is there.

        content: where more exercises come from; without one that stays as it is. One that is relative moves with the workspace.
        """
        (root / STATE.parent).mkdir(parents=True, exist_ok=True)
        workspace = cls(root)
        with workspace.changing() as state:
            state.language, state.level = language, level
            if content:
                state.content = [str(path) if path.is_absolute() else os.path.relpath(path, root) for path in content]
        return workspace

    @contextlib.contextmanager
    def changing(self) -> Iterator[State]:
        """The state as the file has it now; what is done to it is written, and no other process comes between.

        Raises:
            OSError: it cannot be written; the file is as it was.
        """
        path = self.root / STATE
        with files.locked(path.with_name("lock")):
            try:
                self._read()
            except Damaged:
                aside = path.with_name(f"{path.name}.damaged-{clock.now():%Y%m%dT%H%M%SZ}")
                files.put(aside, path.read_bytes())  # a copy: at no moment is there no workspace.json
                self._repair(aside)
            yield self.state
            if (schema := self.before.get("schema", SCHEMA)) < SCHEMA:
                files.put(path.with_name(f"{path.name}.schema{schema}"), path.read_bytes())
            files.put(path, encode(self.state, self.before))

    def _read(self) -> None:
        """Take the state from the file; where there is none, from the reports.

        Raises:
            Damaged
            ClozeError: a later kit wrote it.
        """
        path = self.root / STATE
        try:
            self.state, self.before = decode(path.read_bytes())
        except FileNotFoundError:
            self.state, self.before = salvage("", self._reports()), {}
        except Newer as error:
            facts = {"path": str(path), "theirs": str(error.schema), "ours": str(SCHEMA)}
            raise ClozeError(Problem("newer-workspace", facts)) from None

    def _repair(self, damaged: Path) -> None:
        """Go on with what can be read of a damaged file, and say so."""
        text = damaged.read_bytes().decode("utf-8", "replace")
        self.state, self.before = salvage(text, self._reports()), {}
        tell_once(phrases.say(self.state.language, "state-damaged", file=damaged))

    def _reports(self) -> Iterator[tuple[datetime, Report]]:
        """The last report of each exercise, and when it was written."""
        for path in sorted((self.root / ".cloze" / "reports").glob("*/*.msgpack")):
            if report := self.last_report(f"{path.parent.name}/{path.stem}"):
                yield datetime.fromtimestamp(path.stat().st_mtime, UTC), report

    def file(self, exercise: Exercise) -> Path:
        return self.root / f"{exercise.id}.py"

    def at_work(self, id: str) -> tuple[Path, str]:
        """The file in which an exercise is worked on, and its folder: "review" while a review is under way, or checked last."""
        progress, review = self.progress(id), self.root / "review" / f"{id}.py"
        last = progress.attempts[-1].folder if progress.attempts else ""
        if review.exists() and (progress.reviewing or last == "review"):
            return review, "review"
        return self.root / f"{id}.py", ""

    def folder(self, id: str, path: Path) -> str | None:
        """Where a file is in the workspace that answers an exercise: "review", "interview/DATE", "" for its own file.

        None: it is a copy, of whomever. A notebook is as good as the exercise's own file.
        """
        if path.suffix == ".ipynb":
            return ""
        place = Path(os.path.relpath(path, self.root)).as_posix()
        folder = place.removesuffix(f"{id}.py")
        if folder == place or not re.fullmatch(r"(review/|interview/[^/]+/)?", folder):
            return None
        return folder.rstrip("/")

    def write_starter(self, exercise: Exercise, *, overwrite: bool = False) -> bool:
        """Write the starter in the workspace's level and language; a file that is there stays unless `overwrite`."""
        path = self.file(exercise)
        if path.exists() and not overwrite:
            return False
        path.parent.mkdir(parents=True, exist_ok=True)
        level, language = exercise.offered(self.state.level), self.state.language
        content = exercise.render(level, language).encode()
        path.write_bytes(content)
        self.keep_starter(exercise.id, Starter(level, language, content))
        return True

    def keep_starter(self, id: str, starter: Starter) -> None:
        """Remember which starter a learner's file began as."""
        home = self.root / ".cloze" / "starters"
        path = home / f"{id}.{starter.level}.{starter.language}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        files.put(path, starter.content)
        for other in home.glob(f"{id}.*.py"):
            if other != path:
                other.unlink()

    def starter(self, id: str) -> Starter | None:
        """The starter that a learner's file began as; None if a kit wrote it that kept no copy."""
        for path in (self.root / ".cloze" / "starters").glob(f"{id}.*.py"):
            _, level, language, _ = path.name.split(".")
            return Starter(level, language, path.read_bytes())
        return None

    @property
    def content(self) -> list[Path]:
        """The directories of exercises that it was made with."""
        return [self.root / path for path in self.state.content]

    def progress(self, id: str) -> Progress:
        return self.state.exercises.setdefault(id, Progress())

    def solved(self) -> set[str]:
        return {id for id, progress in self.state.exercises.items() if progress.passed}

    def record(self, report: Report, path: Path | None = None, saved: datetime | None = None) -> None:
        """Remember a check: in the history, and as the last report of the exercise or of its review; of an interview none.

        path: the file that was checked; without one it is the exercise's own. Of a copy elsewhere nothing is remembered.
        saved: when the file was, which counts in an interview: that of the check may be after the bell.

        Raises:
            OSError: nothing can be written here.
        """
        folder = self.folder(report.exercise, path) if path else ""
        if folder is None:
            return
        starter = self.starter(report.exercise)
        level = "scratch" if folder else starter.level if starter else self.state.level
        with self.changing():
            moment = clock.now()
            if saved and folder.startswith("interview/"):
                moment = min(moment, saved)
            self.progress(report.exercise).add(Attempt.of(report, moment, level, folder))
            if folder in ("", "review"):
                target = self.report_file(report.exercise, folder)
                target.parent.mkdir(parents=True, exist_ok=True)
                files.put(target, msgspec.msgpack.encode(report))

    def report_file(self, id: str, folder: str = "") -> Path:
        return self.root / ".cloze" / "reports" / folder / f"{id}.msgpack"

    def last_report(self, id: str, folder: str = "") -> Report | None:
        """What the last check of an exercise or its review said; None if there was none, or by another version of the kit."""
        try:
            return msgspec.msgpack.decode(self.report_file(id, folder).read_bytes(), type=Report)
        except (FileNotFoundError, ValueError):
            return None


@cache
def tell_once(text: str) -> None:
    """On standard error, as the command line says what went wrong; a workspace may be opened, and written, many times."""
    click.echo(f"cloze: {text}", err=True)


def need_workspace(path: Path) -> Workspace:
    """The workspace around `path`.

    Raises:
        NotFound: there is none.
    """
    if found := Workspace.around(path):
        return found
    raise NotFound(Problem("no-workspace", {"path": str(path.absolute())}))
