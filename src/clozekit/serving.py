"""The other end of `warm.py`: what a `cloze watch` does for `cloze check` and notebooks in its workspace.

    with Serving(workspace.root, engine, spare, catalog, warm.fingerprint()):

The socket (mode 0600) has a directory of its own (mode 0700), under $XDG_RUNTIME_DIR or where temporary files are: so it is
never on a network drive, and its path never longer than that of a socket may be. Who connects must be the same user.
"""

import contextlib
import os
import socket
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from typing import Self

import msgspec

from clozekit.catalog import Catalog
from clozekit.engine import Engine, worker_limits
from clozekit.errors import ClozeError
from clozekit.exercise import Exercise
from clozekit.report import Report
from clozekit.spare import Spare
from clozekit.submission import LIMIT, Upload
from clozekit.warm import PLACE, SILENCE, Ask, Busy, Judged, Place, is_ours
from clozekit.wire import Channel, Gone, Stop, TimedOut, Violation

PULSE = SILENCE / 4  # seconds between two signs of life


class Serving:
    """Answers as long as it is entered. Where no socket can be made, nobody is served, and that is all.

    kit: the fingerprint of what this process was started with; who has another one is not served.
    """

    def __init__(self, root: Path, engine: Engine, spare: Spare, catalog: Catalog, kit: str):
        self.announced, self.engine, self.spare, self.catalog, self.kit = root / PLACE, engine, spare, catalog, kit
        self.listener = socket.socket(socket.AF_UNIX)
        self.place = Place("")

    def __enter__(self) -> Self:
        if killed := self._announcement():
            remove(killed)
        with contextlib.suppress(OSError):
            self.place = bind(self.listener)
            threading.Thread(target=self._accept, daemon=True).start()
            draft = self.announced.with_suffix(".tmp")
            draft.write_bytes(msgspec.json.encode(self.place))
            os.replace(draft, self.announced)
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)  # wakes who waits for clients
        self.listener.close()
        remove(self.place)
        if self._announcement() == self.place:  # not that of another watch in the same workspace
            self.announced.unlink(missing_ok=True)

    def _announcement(self) -> Place | None:
        try:
            return msgspec.json.decode(self.announced.read_bytes(), type=Place)
        except (OSError, msgspec.DecodeError):
            return None

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        """Answer one client, or close without an answer."""
        with contextlib.closing(Channel(client)) as channel, contextlib.suppress(Gone, TimedOut, Violation, ClozeError):
            if not is_ours(client):
                return
            ask, file, _ = channel.receive(Ask, time.monotonic() + SILENCE, LIMIT + 1)
            exercise = self.catalog[ask.exercise]
            if ask.kit != self.kit or ask.root != str(exercise.root.resolve()):
                return
            report = self._grade(exercise, Upload(ask.name, bytes(file)), channel)
            if not (report.problem and report.problem.kind == "engine"):  # let the client's own judge try
                channel.send(Judged(report), deadline=time.monotonic() + SILENCE)
                self.spare.prepare(worker_limits(exercise))

    def _grade(self, exercise: Exercise, upload: Upload, channel: Channel) -> Report:
        """Grade while the client is there, and show it that we are."""
        with contextlib.closing(Stop()) as stop, ThreadPoolExecutor(1) as grader:
            grading = grader.submit(self.engine.grade, exercise, upload, stop=stop, spawn=self.spare.take)
            try:
                while not wait([grading], PULSE).done:
                    channel.send(Busy(), deadline=time.monotonic() + SILENCE)
            except (Gone, TimedOut):
                stop.set()
                raise
            return grading.result()


def bind(listener: socket.socket) -> Place:
    """Listen where nobody else can come.

    Raises:
        OSError: there is no such place.
    """
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    home = tempfile.mkdtemp(prefix="cloze-", dir=runtime if os.access(runtime, os.W_OK) else None)
    place = Place(os.path.join(home, "judge"))
    try:
        listener.bind(place.socket)
        os.chmod(place.socket, 0o600)
        listener.listen()
    except OSError:
        remove(place)
        raise
    return place


def remove(place: Place) -> None:
    """Delete a socket and its directory."""
    for delete, path in ((os.unlink, place.socket), (os.rmdir, os.path.dirname(place.socket))):
        with contextlib.suppress(OSError):
            delete(path)
