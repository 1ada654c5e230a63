"""A class run: every submission of a directory on one warm judge, each report in the store before it is told.

    submissions/ada/normalization/rms_norm.py  ->  Job("5e0c…", "normalization/rms_norm", Upload("rms_norm.py", b"…"))
                                               ->  {"schema": 1, "exercise": "normalization/rms_norm", "verdict": "passed", …}

A run may be repeated: a report stays as long as nothing that it follows from has changed, and equal files share one. What could
not be checked is tried again. A job is plain data, so that `collect` can have it judged anywhere.
"""

import hashlib
import os
import platform
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from importlib import metadata
from queue import SimpleQueue
from typing import NamedTuple

from clozekit import __version__, render
from clozekit.catalog import Catalog
from clozekit.cells import answer_to
from clozekit.classroom.handed import Handed, Line
from clozekit.classroom.store import Decision, Store, in_utc, line_of, place_of
from clozekit.engine import Engine
from clozekit.errors import ContentError
from clozekit.report import Problem, Report
from clozekit.submission import Unreadable, Upload, read

TOGETHER = 100  # decisions that are written in one transaction, at most


class Job(NamedTuple):
    """What is to be graded, whoever handed it in. key: a digest of everything that the report follows from."""

    key: str
    exercise: str
    upload: Upload


class ClassRun:
    """One run over a class.

    context: what all its reports follow from, beside the file and its exercise. contents: digests of each exercise's files.
    broken: exercises that cannot be loaded, and why: found out once, told of every file. free: processors, one a submission.
    In a container the kernel shares time among threads: a submission that starts hundreds would leave its neighbours none.
    """

    def __init__(self, engine: Engine, catalog: Catalog, store: Store, language: str, reveal: render.Reveal):
        self.engine, self.store, self.language, self.reveal = engine, store, language, reveal
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
        workers = min(workers, self.free.qsize())
        pool = ThreadPoolExecutor(workers)
        try:
            return self.collect(handed, lambda job: pool.submit(self.judge, job), 2 * workers, tell)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)  # interrupted: what still runs ends with the engine

    def collect(
        self, handed: Iterable[Handed], submit: Callable[[Job], Future[Line]], ahead: int, tell: Callable[[Line], None]
    ) -> list[Line]:
        """The lines on all files. `submit` has a job judged somewhere; `ahead`: how many of them at a time.

        What is decided together is written together. A crash costs the jobs that were under way, and nothing else.
        """
        current, lines = self.store.current(), []
        waiting: dict[str, list[Decision]] = {}  # of each job the files that it decides
        jobs: dict[Future[Line], str] = {}
        files, more = iter(handed), True
        while more or jobs:
            decided: list[Decision] = []
            while more and len(jobs) < ahead and len(decided) < TOGETHER:
                if not (each := next(files, None)):
                    more = False
                    break
                decision, job = self.look(each)
                if not job:
                    decided.append(decision)
                elif job.key in waiting:
                    waiting[job.key].append(decision)
                else:
                    waiting[job.key] = [decision]
                    jobs[submit(job)] = job.key
            for future in wait(jobs, 0 if decided else None, FIRST_COMPLETED).done:
                report = future.result()
                decided += [decision._replace(report=report) for decision in waiting.pop(jobs.pop(future))]
            self.store.add([each for each in decided if current.get(place_of(each.handed)) != _counts(each)])
            for decision in decided:
                lines.append(line_of(decision))
                tell(lines[-1])
        return lines

    def look(self, handed: Handed) -> tuple[Decision, Job | None]:
        """What is decided of a file already, or the job that will decide it."""
        problem = handed.problem
        if not problem:
            try:
                upload = read(handed.path, links=False)  # one may have taken its place since it was found
            except OSError as error:
                problem = Problem("unreadable", {"reason": error.strerror or str(error)})
        if problem:
            return Decision(handed, "", "", self.told(self.nothing(handed.exercise, problem))), None
        digest = hashlib.sha256(upload.raw).hexdigest()
        suffix = ".ipynb" if upload.name.endswith(".ipynb") else ".py"
        key = self.key(handed.exercise, digest, suffix)
        if known := self.store.result(key):
            return Decision(handed, digest, key, known), None
        name = handed.exercise.rpartition("/")[2] + suffix  # reports may name the file: the same for all
        return Decision(handed, digest, key, {}), Job(key, handed.exercise, Upload(name, upload.raw))

    def judge(self, job: Job) -> Line:
        """The report on one job. Nothing that a file does, or is, raises."""
        return self.told(self.grade(job.exercise, job.upload))

    def grade(self, id: str, upload: Upload) -> Report:
        if id not in self.broken:
            processor = self.free.get()
            try:
                if upload.name.endswith(".ipynb"):
                    upload = answer_to(id, self.engine.open(upload.raw, processor)).upload(upload.name)
                return self.engine.grade(self.exercises[id], upload, processor=processor)
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


def shard(handed: Iterable[Handed], index: int, count: int) -> list[Handed]:
    """The `index`-th part of `count`, from 1: by content, so that equal files meet; what has none by its place."""
    return [each for each in handed if int(_content(each)[:8], 16) % count == index - 1]


def _content(handed: Handed) -> str:
    if not handed.problem:
        try:
            return hashlib.sha256(read(handed.path, links=False).raw).hexdigest()
        except OSError:
            pass  # the run will say why
    return place_of(handed)


def _counts(decision: Decision) -> tuple[str, str]:
    return decision.key, in_utc(decision.handed.handed_in)


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""
