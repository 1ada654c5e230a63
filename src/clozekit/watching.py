"""Watched files: the latest save alone is graded, and whoever shows it hears the news.

    with Engine() as engine, Spare(engine) as spare, Watching(engine, spare, catalog, targets, tell) as watching:
        watching.look(path)         grade it now, as if it had been saved

tell(Began(...)), then tell(Told(...)) with a report or tell(Failed(...)) with the reason why there is none. A save ends the
grading that is running, wherever it is: its workers are killed, nothing more is told of it. `tell` is called from threads.
"""

import contextlib
import math
import threading
from collections.abc import Callable, Collection, Iterator
from datetime import datetime
from pathlib import Path
from typing import NamedTuple, Self

from clozekit import submission
from clozekit.catalog import Catalog
from clozekit.engine import Engine, worker_limits
from clozekit.errors import ClozeError, why
from clozekit.exercise import Exercise, FileStamp, file_stamp
from clozekit.report import Problem, Report
from clozekit.spare import Spare
from clozekit.submission import Upload
from clozekit.wire import Stop, Stopped

STEP = 5  # milliseconds between two looks at what the kernel has told; if there is more each time, we wait for
GATHER = 50  # milliseconds at most
ROUND = 1000  # milliseconds after which we look ourselves: not every file system tells of changes
REPLACING = 0.2  # seconds in which an editor puts another file in the place of the one that it took away


class Target(NamedTuple):
    """A watched file, and which exercise it is for."""

    path: Path
    id: str


class Began(NamedTuple):
    target: Target


class Told(NamedTuple):
    """`saved`: whether a save was the reason, or a mere look. `at`: when the file was saved."""

    target: Target
    exercise: Exercise
    report: Report
    saved: bool
    at: datetime | None


class Failed(NamedTuple):
    """The file is gone or cannot be read, or the exercise is broken."""

    target: Target
    problem: Problem


News = Began | Told | Failed


class Watching:
    """Waits for the files in one thread and grades in another. What was saved after `since` has not been seen yet."""

    def __init__(
        self,
        engine: Engine,
        spare: Spare,
        catalog: Catalog,
        targets: Collection[Target],
        tell: Callable[[News], None],
        since: float = math.inf,
    ):
        self.engine, self.spare, self.catalog, self.tell = engine, spare, catalog, tell
        self.targets = {target.path: target for target in targets}
        stamps = {path: file_stamp(path) for path in self.targets}
        self.seen: dict[Path, FileStamp | None] = {
            path: stamp for path, stamp in stamps.items() if stamp and stamp.modified < 1e9 * since
        }
        self.lock = threading.Lock()
        self.current: Path | None = None
        self.running: Stop | None = None  # of the grading about which we tell
        self.ended = threading.Event()

    def __enter__(self) -> Self:
        threading.Thread(target=self._follow, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is told any more."""
        self.ended.set()
        with self.lock:
            if self.running:
                self.running.set()
            self.running = None

    def look(self, path: Path) -> None:
        """Grade a file as it is."""
        with self.lock:
            self._start(path, saved=False)

    def _follow(self) -> None:
        self._compare(self.targets)
        for paths in changes(self.targets, self.ended):
            self._compare(paths)

    def _compare(self, paths: Collection[Path]) -> None:
        """Grade the one of these files that was saved last, if any was. Only of the current one it matters that it is gone."""
        with self.lock:
            now = {path: file_stamp(path) for path in paths}
            saved = [path for path in paths if now[path] != self.seen.get(path) and (now[path] or path == self.current)]
            self.seen |= now
            if saved and not self.ended.is_set():
                self._start(max(saved, key=lambda path: stamp.modified if (stamp := now[path]) else 0), saved=True)

    def _start(self, path: Path, saved: bool) -> None:
        """Only with the lock. Each grading has a thread, so that none waits until another has ended."""
        if self.running:
            self.running.set()
        self.current, self.running = path, Stop()
        threading.Thread(target=self._grade, args=(self.targets[path], saved, self.running), daemon=True).start()

    def _grade(self, target: Target, saved: bool, stop: Stop) -> None:
        with contextlib.closing(stop), contextlib.suppress(Stopped):
            self._tell(stop, Began(target))
            outcome = self._outcome(target, saved, stop)
            self._tell(stop, outcome)
            if isinstance(outcome, Told):
                self.spare.prepare(worker_limits(outcome.exercise))

    def _tell(self, stop: Stop, news: News) -> None:
        with self.lock:
            if self.running is stop:
                self.tell(news)

    def _outcome(self, target: Target, saved: bool, stop: Stop) -> Told | Failed:
        try:
            upload = self._read(target.path, stop)
            exercise = self.catalog[target.id]  # anew: an author may have changed it
            with self.lock:
                if self.running is not stop:
                    raise Stopped
                self.engine.keep_only(exercise)  # nobody works at two
            report = self.engine.grade(exercise, upload, stop=stop, spawn=self.spare.take)
            return Told(target, exercise, report, saved, upload.saved)
        except FileNotFoundError:
            return Failed(target, Problem("file-gone", {"file": str(target.path)}))
        except OSError as error:
            return Failed(target, Problem("unreadable", why(error)))
        except ClozeError as error:
            return Failed(target, Problem("grader", {"error": str(error)}))

    def _read(self, path: Path, stop: Stop) -> Upload:
        """The file, if it is there or soon back."""
        with contextlib.suppress(FileNotFoundError):
            return self._take(path)
        if stop.wait(REPLACING):
            raise Stopped
        return self._take(path)

    def _take(self, path: Path) -> Upload:
        with self.lock:
            self.seen[path] = file_stamp(path)  # before it is read: what is saved meanwhile is another save
        return submission.read(path)


def changes(files: Collection[Path], ended: threading.Event) -> Iterator[Collection[Path]]:
    """Files that may have changed: those of which the kernel tells, and now and then all, until it has `ended`.

    Directories are watched, as a file that an editor replaces is another file; and what they are in, as they may come and go.
    """
    from watchfiles import watch

    places = {path.parent for path in files} | {path.parent.parent for path in files}
    while not ended.is_set():
        present = {place for place in places if place.is_dir()}
        try:
            events = watch(
                *present,
                watch_filter=None,
                debounce=GATHER,
                step=STEP,
                rust_timeout=ROUND,
                yield_on_timeout=True,
                stop_event=ended,
                recursive=False,
                raise_interrupt=False,
            )
            for batch in events:
                touched = {Path(path) for _, path in batch}
                if found := touched & set(files):
                    yield found
                if not batch or touched & places:
                    yield files
                    if present != {place for place in places if place.is_dir()}:
                        break
        except (OSError, RuntimeError):  # a directory has just gone, or the kernel watches too many
            ended.wait(ROUND / 1000)
            yield files
