"""A worker that waits for the next file: to fork and confine one takes a while, which nobody then has to wait for.

    with Spare(engine) as spare:
        spare.prepare(worker_limits(exercise))                      after a grading, once the report is told
        engine.grade(exercise, upload, spawn=spare.take)            the next one, by whoever comes first

It is used once, as any worker. Any number of threads may ask.
"""

import contextlib
import threading
from typing import Self

from clozekit.engine import Engine
from clozekit.errors import CannotCheck
from clozekit.processes import Worker
from clozekit.protocol import Limits


class Spare:
    """At most one worker, and what it may spend."""

    def __init__(self, engine: Engine):
        self.engine = engine
        self.lock = threading.Lock()
        self.ready: tuple[Limits, Worker] | None = None
        self.closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """No other is prepared, not even by a thread that is at it."""
        with self.lock:
            self.closed = True
        self._put_by(None)

    def prepare(self, limits: Limits) -> None:
        """Have a worker with these limits wait, in place of the one that does."""
        with contextlib.suppress(CannotCheck, OSError):  # the next grading will say so
            self._put_by((limits, self.engine.spawn_worker(limits)))

    def take(self, limits: Limits) -> Worker:
        """The one that waits, if it has these limits and has not died meanwhile; else a new one."""
        with self.lock:
            ready, self.ready = self.ready, None
        if ready and ready[0] == limits and ready[1].is_there():
            return ready[1]
        if ready:
            ready[1].discard()
        return self.engine.spawn_worker(limits)

    def _put_by(self, ready: tuple[Limits, Worker] | None) -> None:
        with self.lock:
            if self.closed:
                former, self.ready = ready or self.ready, None
            else:
                former, self.ready = self.ready, ready
        if former:
            former[1].discard()
