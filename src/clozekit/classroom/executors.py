"""Who judges the jobs of a class run: a place to hand them in, and how many to hand in at a time.

with local(judging, 2) as (submit, ahead):
    submit(job).result()                        {"schema": 1, "exercise": …}
"""

import contextlib
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from clozekit.classroom.handed import Line
from clozekit.classroom.judging import Job, Judging

Executor = tuple[Callable[[Job], Future[Line]], int]


@contextlib.contextmanager
def local(judging: Judging, workers: int) -> Iterator[Executor]:
    """This machine's own judge, `workers` at a time."""
    pool = ThreadPoolExecutor(workers)
    try:
        yield lambda job: pool.submit(judging.judge, job), 2 * workers
    finally:
        pool.shutdown(wait=False, cancel_futures=True)  # interrupted: what still runs ends with the engine
