"""A class run: every submission of a directory on one warm judge, each report written down as soon as it is there.

    submissions/ada/normalization/rms_norm.py  ->  OUT/results.jsonl   {"student": "ada", "file": "normalization/rms_norm.py", …}
                                                   OUT/grades.csv      student,normalization/rms_norm
                                                                       ada,15.0

OUT may be graded into again: a report stays as long as nothing that it follows from has changed. What could not be checked
is tried again.
"""

import contextlib
import csv
import fcntl
import hashlib
import io
import json
import os
import platform
import secrets
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from datetime import UTC
from importlib import metadata
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from clozekit import __version__, render
from clozekit.catalog import Catalog
from clozekit.cells import answer_to
from clozekit.classroom.handed import Handed, Line
from clozekit.engine import Engine
from clozekit.errors import ClozeError, ContentError
from clozekit.files import put
from clozekit.report import Problem, Report
from clozekit.submission import Unreadable, Upload, read


@contextlib.contextmanager
def alone(out: Path) -> Iterator[None]:
    """Nobody else writes to OUT meanwhile.

    Raises:
        ClozeError: somebody does.
    """
    out.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(out, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ClozeError(f"another `cloze grade` writes to {out}; wait for it, or give another --out") from None
        yield
    finally:
        os.close(descriptor)


def seed_of(out: Path) -> int:
    """The secret seed of OUT, drawn when first asked for. Who knows it can foresee every hidden case.

    Raises:
        ClozeError: the file is there, and is no seed.
    """
    path = out / ".seed"
    if not path.exists():
        put(path, f"{secrets.randbits(62)}\n".encode(), 0o600)
    try:
        return int(path.read_text("utf-8"))
    except ValueError:
        raise ClozeError(f"{path} is not a number; delete it and all will be graded again") from None


class Ledger:
    """OUT/results.jsonl. Lines are added while the run lasts and put in order at its end; of two on a file the later counts."""

    def __init__(self, path: Path):
        self.path = path
        self.lines: dict[tuple[str, str], Line] = {}
        raw = path.read_bytes() if path.exists() else b""
        whole = raw[: raw.rfind(b"\n") + 1]  # a run that was cut off may leave half a line
        for text in whole.split(b"\n"):
            with contextlib.suppress(ValueError, TypeError, KeyError):
                line = json.loads(text)
                self.lines[line["student"], line["file"]] = line
        self.file = open(path, "ab")  # noqa: SIM115  (closed in `close`)
        self.file.truncate(len(whole))

    def known(self, handed: Handed, key: str) -> Line | None:
        """What an earlier run has decided of the same file under the same circumstances."""
        line = self.lines.get((handed.student, handed.file))
        decided = line and line.get("key") == key and line.get("verdict") in ("passed", "failed")
        return line if decided else None

    def add(self, line: Line) -> None:
        """From here on no crash loses it."""
        self.file.write(encoded(line))
        self.file.flush()
        os.fsync(self.file.fileno())

    def close(self, lines: Iterable[Line]) -> list[Line]:
        """Put these lines in order, with what was decided of files that are not here any more. All that OUT holds now."""
        gone = {place: line for place, line in self.lines.items() if line.get("verdict") in ("passed", "failed")}
        held = gone | {(line["student"], line["file"]): line for line in lines}
        ordered = sorted(held.values(), key=lambda line: (line["student"], line["exercise"], line["file"]))
        self.file.close()
        put(self.path, b"".join(map(encoded, ordered)))
        return ordered


def encoded(line: Line) -> bytes:
    return json.dumps(line, ensure_ascii=False).encode() + b"\n"


class ClassRun:
    """One run over a class.

    context: what all its reports follow from, beside the file and its exercise. contents: digests of each exercise's files.
    broken: exercises that cannot be loaded, and why: found out once, told of every file. free: processors, one a submission.
    In a container the kernel shares time among threads: a submission that starts hundreds would leave its neighbours none.
    """

    def __init__(self, engine: Engine, catalog: Catalog, ledger: Ledger, language: str, reveal: render.Reveal):
        self.engine, self.ledger, self.language, self.reveal = engine, ledger, language, reveal
        versions = [_version(package) for package in ("torch", "triton", "pytest")]
        self.context = (__version__, versions, platform.python_version(), engine.tier(), engine.seed, language, reveal)
        self.exercises = {exercise.id: exercise for exercise in catalog}
        self.contents: dict[str, list[str]] = {}
        self.broken: dict[str, str] = {}
        self.free: SimpleQueue[int] = SimpleQueue()
        for processor in os.sched_getaffinity(0):
            self.free.put(processor)
        for exercise in self.exercises.values():
            ours = (exercise.grader_path, exercise.words_path, exercise.solution_path)
            try:
                self.contents[exercise.id] = [hashlib.sha256(path.read_bytes()).hexdigest() for path in ours]
            except OSError as error:
                self.broken[exercise.id] = f"{error.filename} cannot be read: {error.strerror}"

    def run(self, handed: list[Handed], workers: int, tell: Callable[[Line], None]) -> list[Line]:
        """Grade what is not decided yet, `workers` at a time; `tell` hears of every file as soon as it is decided."""
        lines = []
        pool = ThreadPoolExecutor(min(workers, self.free.qsize()))
        try:
            for future in as_completed([pool.submit(self.judge, each) for each in handed]):
                line, new = future.result()
                if new:
                    self.ledger.add(line)
                lines.append(line)
                tell(line)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)  # interrupted: what still runs ends with the engine
        return lines

    def judge(self, handed: Handed) -> tuple[Line, bool]:
        """The line on one file, and whether it is a new one. Nothing that a file does, or is, raises."""
        if handed.problem:
            return self.line(handed, self.nothing(handed, handed.problem)), True
        try:
            upload = read(handed.path, links=False)  # one may have taken its place since it was found
        except OSError as error:
            problem = Problem("unreadable", {"reason": error.strerror or str(error)})
            return self.line(handed, self.nothing(handed, problem)), True
        key = self.key(handed, upload.raw)
        if known := self.ledger.known(handed, key):
            return known, False
        return self.line(handed, self.grade(handed, upload), key), True

    def grade(self, handed: Handed, upload: Upload) -> Report:
        id = handed.exercise
        if id not in self.broken:
            processor = self.free.get()
            try:
                if upload.name.endswith(".ipynb"):
                    upload = answer_to(id, self.engine.open(upload.raw, processor)).upload(upload.name)
                return self.engine.grade(self.exercises[id], upload, processor=processor)
            except Unreadable as unreadable:
                return self.nothing(handed, unreadable.problem)
            except ContentError as error:
                self.broken[id] = str(error)
            except Exception as error:  # a bug of ours costs this file its report, not the class its run
                return self.nothing(handed, Problem("engine", {"error": f"{type(error).__name__}: {error}"}))
            finally:
                self.free.put(processor)
        return self.nothing(handed, Problem("grader", {"error": self.broken[id]}))

    def nothing(self, handed: Handed, problem: Problem) -> Report:
        """The report on what could not be graded."""
        return Report(handed.exercise, "could not check", self.engine.found.layers.tier, problem=problem)

    def key(self, handed: Handed, raw: bytes) -> str:
        """A digest of everything that a report follows from."""
        whole = (handed.exercise, hashlib.sha256(raw).hexdigest(), self.contents.get(handed.exercise), self.context)
        return hashlib.sha256(repr(whole).encode()).hexdigest()[:32]

    def line(self, handed: Handed, report: Report, key: str = "") -> Line:
        exercise = None if handed.exercise in self.broken else self.exercises.get(handed.exercise)
        told = render.as_json(report, exercise, self.language, self.reveal)
        when = handed.handed_in.astimezone(UTC).isoformat() if handed.handed_in else ""
        whose = {"student": handed.student, "file": handed.file, "attempt": handed.attempt, "handed_in": when}
        return {**whose, **told, "key": key}


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


def write_grades(path: Path, lines: list[Line], order: Iterable[str]) -> None:
    """A row a student, a column an exercise in learning order: points, ? where it could not be checked, else nothing.

    Who hands in a file and a notebook for one exercise has the better of both: the other is often the starter as it came.
    """
    cells: dict[str, dict[str, Any]] = {line["student"]: {} for line in lines if line["student"]}
    for line in lines:
        row = cells.get(line["student"], {})
        if line["verdict"] != "could not check":
            known = row.get(line["exercise"])
            row[line["exercise"]] = line["points"] if known in (None, "?") else max(known, line["points"])
        else:
            row.setdefault(line["exercise"], "?")
    columns = [id for id in order if any(id in row for row in cells.values())]
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["student", *columns])
    table.writerows([student, *(row.get(id, "") for id in columns)] for student, row in cells.items())
    put(path, text.getvalue().encode())
