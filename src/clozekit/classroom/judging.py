"""One judge of a class, wherever it runs: a job in, the report on it out, as JSON.

Judging(engine, catalog, "en", "visible").judge(Job("5e0c…", "normalization/rms_norm", Upload("rms_norm.py", b"…")))
->  {"schema": 1, "exercise": "normalization/rms_norm", "verdict": "passed", …}
"""

import hashlib
import os
import platform
from collections.abc import Iterable
from importlib import metadata
from queue import SimpleQueue
from typing import NamedTuple

from clozekit import __version__, render
from clozekit.catalog import Catalog
from clozekit.cells import answer_to
from clozekit.classroom.handed import Line
from clozekit.engine import Engine
from clozekit.errors import ContentError
from clozekit.report import Problem, Report
from clozekit.submission import Unreadable, Upload


class Job(NamedTuple):
    """What is to be graded, whoever handed it in. key: a digest of everything that the report follows from."""

    key: str
    exercise: str
    upload: Upload


class Judging:
    """A warm judge and what its reports follow from, beside the file and its exercise.

    context: versions, tier, seed and how it is told. contents: digests of each exercise's files. broken: exercises that cannot
    be loaded, and why: found out once, told of every file. free: `processors`, one a submission, None for any; by default all
    that there are. In a container the kernel shares time among threads: a submission that starts hundreds would leave its
    neighbours none.
    """

    def __init__(
        self,
        engine: Engine,
        catalog: Catalog,
        language: str,
        reveal: render.Reveal,
        device: str | None = None,
        processors: Iterable[int | None] = (),
    ):
        self.engine, self.language, self.reveal, self.device = engine, language, reveal, device
        versions = [_version(package) for package in ("torch", "triton", "pytest")]
        circumstances = (__version__, versions, platform.python_version(), engine.tier(), engine.seed, language, reveal)
        self.context: tuple = circumstances + ((device,) if device else ())
        self.exercises = {exercise.id: exercise for exercise in catalog}
        self.contents: dict[str, list[str]] = {}
        self.broken: dict[str, str] = {}
        self.free: SimpleQueue[int | None] = SimpleQueue()
        for processor in processors or sorted(os.sched_getaffinity(0)):
            self.free.put(processor)
        for exercise in self.exercises.values():
            ours = (exercise.grader_path, exercise.words_path, exercise.solution_path)
            try:
                self.contents[exercise.id] = [hashlib.sha256(path.read_bytes()).hexdigest() for path in ours]
            except OSError as error:
                self.broken[exercise.id] = f"{error.filename} cannot be read: {error.strerror}"

    def follows(self) -> tuple[tuple, dict[str, list[str]]]:
        """All that a report follows from, beside the file: where it is the same, so are reports."""
        return self.context, self.contents

    def judge(self, job: Job) -> Line:
        """The report on one job. Nothing that a file does, or is, raises."""
        return self.told(self.grade(job.exercise, job.upload))

    def grade(self, id: str, upload: Upload) -> Report:
        if id not in self.broken:
            processor = self.free.get()
            try:
                if upload.name.endswith(".ipynb"):
                    upload = answer_to(id, self.engine.open(upload.raw, processor)).upload(upload.name)
                return self.engine.grade(self.exercises[id], upload, processor=processor, device=self.device)
            except Unreadable as unreadable:
                return self.nothing(id, unreadable.problem)
            except ContentError as error:
                self.broken[id] = str(error)
            except Exception as error:  # a bug of ours costs this file its report, not the class its run
                return self.nothing(id, Problem("engine", {"error": f"{type(error).__name__}: {error}"}))
            finally:
                self.free.put(processor)
        return self.nothing(id, Problem("grader", {"error": self.broken[id]}))

    def nothing(self, id: str, problem: Problem) -> Report:
        """The report on what could not be graded."""
        return Report(id, "could not check", self.engine.found.layers.tier, problem=problem)

    def key(self, id: str, digest: str, suffix: str) -> str:
        """Of everything that a report follows from. The same bytes say something else as a notebook and as Python."""
        whole = (id, digest, self.contents.get(id), self.context) + ((suffix,) if suffix == ".ipynb" else ())
        return hashlib.sha256(repr(whole).encode()).hexdigest()[:32]

    def told(self, report: Report) -> Line:
        exercise = None if report.exercise in self.broken else self.exercises.get(report.exercise)
        return render.as_json(report, exercise, self.language, self.reveal)


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""
