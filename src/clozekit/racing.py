"""`cloze bench --device`: how long a call takes a file beside the solution, measured where it runs.

    with Processes() as processes:
        measure(processes, exercise, upload, parse("rms_norm(float32[4096, 1024], float32[1024])"), "cpu")
            Measured("passed", ratio=1.02, low=0.99, high=1.05, pairs=24, ...)

The referee and what it asks for run elsewhere. No torch in this process.
"""

import os
import time
from typing import Literal

from clozekit import blanks
from clozekit.engine import Engine, worker_limits
from clozekit.errors import CannotCheck, ClozeError, why
from clozekit.exercise import Exercise
from clozekit.meters.callstring import CallString
from clozekit.processes import START_SECONDS, Processes, started
from clozekit.protocol import Contest, Measured
from clozekit.report import Problem
from clozekit.submission import Upload
from clozekit.wire import Gone, TimedOut, Violation

RaceDevice = Literal["cpu", "cuda"]
TIMES = 2.0  # as long as the solution, where an exercise does not say


def bar(exercise: Exercise) -> float:
    """How many times as long as the solution a call may take."""
    return exercise.sheet.thresholds.get("time", TIMES)


def check_device(exercise: Exercise, device: RaceDevice) -> None:
    """Raises ClozeError where what is asked for does not run on such a device."""
    kernel = exercise.sheet.policy.kernel
    if kernel and device == "cpu":
        raise ClozeError(Problem("kernel-on-cpu", {"id": exercise.id}))
    if device == "cuda" and not kernel:
        raise ClozeError(Problem("torch-on-gpu", {"id": exercise.id}))


def measure(processes: Processes, exercise: Exercise, upload: Upload, call: CallString, device: RaceDevice) -> Measured:
    """Have one call measured. Nothing that the file does raises.

    Raises:
        CannotCheck: no worker starts.
    """
    processor = max(os.sched_getaffinity(0)) if device == "cpu" else None
    limits = worker_limits(exercise, processor)
    worker = processes.spawn_worker(limits)
    try:
        analysed = Engine.analyse(worker, exercise, upload)
    finally:
        worker.discard()
    broken = [finding.problem for finding in analysed.findings if finding.severity == "error"]
    if problem := next(iter(broken), analysed.problem):
        return Measured("failed", why=problem)
    solution, grader = blanks.reveal(exercise.solution), str(exercise.grader_path.absolute())
    contest = Contest(call, analysed.source, upload.name, solution, grader, device, bar(exercise), limits)
    deadline = time.monotonic() + 2 * START_SECONDS + 3 * contest.seconds
    with started("clozekit.bench.referee") as channel:
        try:
            channel.send(contest, deadline=deadline)
            return processes.lend(channel, limits, Measured, deadline)
        except (Gone, TimedOut, Violation) as error:
            return Measured.impossible(CannotCheck(Problem("bench-silent", why(error))))
