"""A running `cloze watch` grades for others in its workspace: its judge is warm, so nobody waits for torch again.

.cloze/judge.json      {"socket": "/run/user/1000/cloze-x1y2z3/judge"}      written by the watch, gone when it ends
client ──Ask, the file──> watch         watch ──Busy, again and again, then Judged──> client

    report = warm.grade(workspace, exercise, submission.read(path))      None: start your own Engine

Nobody may answer, or not in time, or not with the same kit: then its socket is closed and nothing is said about it.
"""

import hashlib
import importlib.util
import os
import socket
import struct
import sys
import time
from pathlib import Path

import msgspec
from msgspec import Struct

import clozekit
from clozekit.exercise import Exercise, file_stamp
from clozekit.report import Report
from clozekit.submission import Upload
from clozekit.wire import Channel, Gone, TimedOut, Violation
from clozekit.workspace import Workspace

PLACE = Path(".cloze") / "judge.json"
SILENCE = 1.0  # seconds after which a watch that says nothing is no longer waited for
CREDENTIALS = struct.Struct("3i")  # process, user, group


class Place(Struct, frozen=True):
    """The content of judge.json."""

    socket: str


class Ask(Struct, tag=True, frozen=True):
    """Grade the file in the payload. `kit`: what the client would judge with; `root`: where it has the exercise from."""

    kit: str
    root: str
    exercise: str
    name: str


class Busy(Struct, tag=True, frozen=True):
    """It takes longer, but goes on."""


class Judged(Struct, tag=True, frozen=True):
    report: Report


def grade(workspace: Workspace, exercise: Exercise, upload: Upload) -> Report | None:
    """The report of the watch that runs in this workspace, if one does, of the same kit and with this exercise."""
    ask = Ask(fingerprint(), str(exercise.root.resolve()), exercise.id, upload.name)
    try:
        place = msgspec.json.decode((workspace.root / PLACE).read_bytes(), type=Place)
        with socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(SILENCE)
            sock.connect(place.socket)
            if not is_ours(sock):
                return None
            channel = Channel(sock)
            channel.send(ask, [upload.raw], deadline=time.monotonic() + SILENCE)
            while True:
                answer = channel.receive(Judged | Busy, time.monotonic() + SILENCE)[0]
                if isinstance(answer, Judged):
                    return answer.report
    except (OSError, msgspec.DecodeError, Gone, TimedOut, Violation):
        return None


def is_ours(sock: socket.socket) -> bool:
    """Whether the other end belongs to the same user, as the kernel says."""
    _, user, _ = CREDENTIALS.unpack(sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, CREDENTIALS.size))
    return bool(user == os.getuid())


def fingerprint() -> str:
    """Of what a judge is made of: this Python, our own files, torch and triton as they are installed."""
    files = sorted(Path(clozekit.__file__).parent.rglob("*.py"))
    specs = [importlib.util.find_spec(name) for name in ("torch", "triton", "pytest")]
    files += [Path(spec.origin) for spec in specs if spec and spec.origin]
    parts = [sys.version, sys.prefix, *(f"{path} {file_stamp(path)}" for path in files)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
