"""A class run: every submission of a directory on one warm judge, each report in the store before it is told.

    submissions/ada/normalization/rms_norm.py  ->  Job("5e0c…", "normalization/rms_norm", Upload("rms_norm.py", b"…"))
                                               ->  {"schema": 1, "exercise": "normalization/rms_norm", "verdict": "passed", …}

A run may be repeated: a report stays as long as nothing that it follows from has changed, and equal files share one. What could
not be checked is tried again. A job is plain data: an executor may have it judged anywhere.
"""

import hashlib
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, wait

from clozekit.classroom.decided import Decision, in_utc, line_of, place_of
from clozekit.classroom.executors import Executor
from clozekit.classroom.handed import Handed, Line
from clozekit.classroom.judging import Job, Judging
from clozekit.classroom.store import Store
from clozekit.report import Problem
from clozekit.submission import Upload, read

TOGETHER = 100  # decisions that are written in one transaction, at most


class ClassRun:
    """One run over a class: what is decided already comes from the store, the rest from a judge."""

    def __init__(self, judging: Judging, store: Store):
        self.judging, self.store = judging, store

    def run(self, handed: Iterable[Handed], executor: Executor, tell: Callable[[Line], None]) -> None:
        """Grade what is not decided yet. `tell` hears of every file as soon as it is decided.

        One exercise after the other, as a few graders at a time stay in memory. What is decided together is written together. A
        crash costs the jobs that were under way, and nothing else.
        """
        submit, ahead = executor
        current = self.store.current()
        waiting: dict[str, list[Decision]] = {}  # of each job the files that it decides
        jobs: dict[Future[Line], str] = {}
        files, more = iter(sorted(handed, key=lambda each: each.exercise)), True
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
                tell(line_of(decision))

    def look(self, handed: Handed) -> tuple[Decision, Job | None]:
        """What is decided of a file already, or the job that will decide it."""
        problem = handed.problem
        if not problem:
            try:
                upload = read(handed.path, links=False)  # one may have taken its place since it was found
            except OSError as error:
                problem = Problem("unreadable", {"reason": error.strerror or str(error)})
        if problem:
            return Decision(handed, "", "", self.judging.told(self.judging.nothing(handed.exercise, problem))), None
        digest = hashlib.sha256(upload.raw).hexdigest()
        suffix = ".ipynb" if upload.name.endswith(".ipynb") else ".py"
        key = self.judging.key(handed.exercise, digest, suffix)
        if known := self.store.result(key):
            return Decision(handed, digest, key, known), None
        name = handed.exercise.rpartition("/")[2] + suffix  # reports may name the file: the same for all
        return Decision(handed, digest, key, {}), Job(key, handed.exercise, Upload(name, upload.raw))


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
