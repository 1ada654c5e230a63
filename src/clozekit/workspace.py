"""A learner's directory: starters to fill in, and a little state in .cloze/.

work/
  normalization/rms_norm.py       what `cloze init` wrote and the learner edits
  .cloze/workspace.json           {"schema": 2, "language": "zh", "level": "guided",
                                   "exercises": {"normalization/rms_norm": {"hints": 1, "passed": "2026-11-22",
                                       "attempts": [{"at": "2026-11-22T09:30:00Z", "verdict": "failed", "points": 3, ...}]}}}
  .cloze/reports/normalization/rms_norm.msgpack    the last Report, whole
"""

import datetime
import os
from pathlib import Path

import msgspec
from msgspec import Struct, field

from clozekit.errors import ClozeError, NotFound
from clozekit.exercise import Exercise
from clozekit.report import Problem, Report, Verdict

STATE = Path(".cloze") / "workspace.json"


class Attempt(Struct, frozen=True):
    """One check: when (UTC), at which level, and what came out of it."""

    at: str
    level: str
    verdict: Verdict
    points: float
    max_points: float
    mistake: str | None = None


class Progress(Struct):
    """What happened with one exercise. `passed`: the day on which it was first solved; "" if it was not.

    hints: how many of the exercise's own were given. explained: the mistake that a hint was last about.
    """

    hints: int = 0
    explained: str = ""
    passed: str = ""
    attempts: list[Attempt] = field(default_factory=list)


class State(Struct):
    """The content of workspace.json."""

    schema: int = 2
    language: str = "en"
    level: str = "guided"
    exercises: dict[str, Progress] = field(default_factory=dict)


class Workspace:
    """One directory that `cloze init` made."""

    def __init__(self, root: Path):
        self.root = root
        self.state = self._read()

    @classmethod
    def around(cls, path: Path) -> "Workspace | None":
        """The workspace that contains `path`, if any."""
        path = path.absolute()
        for root in (path, *path.parents):
            if (root / STATE).is_file():
                return cls(root)
        return None

    @classmethod
    def create(cls, root: Path, language: str, level: str) -> "Workspace":
        """Make `root` a workspace, or change the language and level of the one that is there."""
        (root / STATE.parent).mkdir(parents=True, exist_ok=True)
        workspace = cls(root)
        workspace.state.language, workspace.state.level = language, level
        workspace.save()
        return workspace

    def _read(self) -> State:
        path = self.root / STATE
        try:
            return msgspec.json.decode(path.read_bytes(), type=State)
        except FileNotFoundError:
            return State()
        except msgspec.DecodeError as error:
            raise ClozeError(Problem("damaged-workspace", {"path": str(path), "reason": str(error)})) from None

    def save(self) -> None:
        """Write the state whole or not at all."""
        _replace(self.root / STATE, msgspec.json.format(msgspec.json.encode(self.state), indent=1) + b"\n")

    def file(self, exercise: Exercise) -> Path:
        return self.root / f"{exercise.id}.py"

    def write_starter(self, exercise: Exercise, *, overwrite: bool = False) -> bool:
        """Write the starter in the workspace's level and language; a file that is there stays unless `overwrite`."""
        path = self.file(exercise)
        if path.exists() and not overwrite:
            return False
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(exercise.render(self.state.level, self.state.language), "utf-8")
        return True

    def progress(self, id: str) -> Progress:
        return self.state.exercises.setdefault(id, Progress())

    def record(self, report: Report) -> None:
        """Remember a check: in the history, and, if it could be judged, as the exercise's last report."""
        progress = self.progress(report.exercise)
        now = datetime.datetime.now(datetime.UTC)
        progress.attempts.append(
            Attempt(
                now.strftime("%Y-%m-%dT%H:%M:%SZ"),
                self.state.level,
                report.verdict,
                report.points,
                report.max_points,
                report.mistake,
            )
        )
        if report.verdict == "passed" and not progress.passed:
            progress.passed = now.astimezone().date().isoformat()
        self.save()
        _replace(self.report_file(report.exercise), msgspec.msgpack.encode(report))

    def report_file(self, id: str) -> Path:
        return self.root / ".cloze" / "reports" / f"{id}.msgpack"

    def last_report(self, id: str) -> Report | None:
        """What the last check of an exercise said; None if there was none, or by another version of the kit."""
        try:
            return msgspec.msgpack.decode(self.report_file(id).read_bytes(), type=Report)
        except (FileNotFoundError, msgspec.DecodeError):
            return None


def _replace(path: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".tmp")
    draft.write_bytes(content)
    os.replace(draft, path)


def need_workspace(path: Path) -> Workspace:
    """The workspace around `path`.

    Raises:
        NotFound: there is none.
    """
    if found := Workspace.around(path):
        return found
    raise NotFound(Problem("no-workspace", {"path": str(path.absolute())}))
