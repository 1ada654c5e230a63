"""Run a function in a confined process, without torch, in a few milliseconds.

inside(attack)                      attack(place) at the tier of this machine
inside(attack, seccomp=True)        under one layer alone
inside(attack, uid=12345)           as an ordinary user
apart(function, *args)              in a small process, not confined
"""

import json
import marshal
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import asdict

from clozekit.protocol import Found, Layers, Limits

SMALL = Limits(memory=1 << 30, file_size=1 << 20, open_files=64, processes=32)


@dataclass
class Outcome:
    """How a function ended: its value, or the name and number of its error; exit status or -signal of its process."""

    ended: int
    value: Any = None
    error: str = ""
    number: int = 0


@pytest.fixture(scope="session")
def run() -> Iterator[Callable[..., Outcome]]:
    """run(function, *args, uid=None, layers=None, ...): the outcome of a function in a fork of a small process."""
    command = [sys.executable, "-P", str(Path(__file__).with_name("small.py"))]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as small:

        def run(function: Callable, *args: Any, uid: int | None = None, **request: Any) -> Outcome:
            if uid is not None and os.getuid() != 0:
                pytest.skip("only root can become somebody else")
            code = function.__code__
            request = {"layers": None, "uid": uid, "args": args, **request}
            print(
                json.dumps({"code": marshal.dumps(code).hex(), "file": code.co_filename, **request}),
                file=small.stdin,
                flush=True,
            )
            said = json.loads(small.stdout.readline())
            assert "broken" not in said, said["broken"]
            return Outcome(**said)

        yield run
        small.stdin.close()


@pytest.fixture(scope="session")
def apart(run: Callable[..., Outcome]) -> Callable[..., Any]:
    """apart(function, *args): what it returns in a small process, as JSON has it."""
    return lambda function, *args, uid=None: run(function, *args, uid=uid).value


@pytest.fixture(scope="session")
def found(apart: Callable[..., Any]) -> Found:
    """What this machine can do."""
    layers, missing = apart(_find)
    return Found(Layers(**layers), missing)


def _find() -> list[dict]:
    from msgspec.structs import asdict

    from clozekit.sandbox import probe

    found = probe.find()
    return [asdict(found.layers), found.missing]


@pytest.fixture
def need(found: Found) -> Callable[..., None]:
    """need("landlock"): skip a test that needs a layer which this machine lacks."""

    def need(*names: str) -> None:
        for name in names:
            if name in found.missing:
                pytest.skip(f"this machine has no {name}: {found.missing[name]}")

    return need


@pytest.fixture
def place() -> Iterator[Path]:
    """Directories that any user can reach, deleted afterwards; `Place` in small.py has their names."""
    base = Path(tempfile.mkdtemp(prefix="cloze-test-"))
    for folder in ("home/ours", "home/anothers", "graders"):
        (base / folder).mkdir(parents=True)
    (base / "graders/test_secret.py").write_text("EXPECTED = 42\n")
    (base / "home/anothers/notes").write_text("of another submission")
    yield base
    shutil.rmtree(base)


@pytest.fixture
def inside(found: Found, need: Callable[..., None], place: Path, run: Callable[..., Outcome]) -> Callable[..., Outcome]:
    """inside(attack, *args, **layers): attack(place, *args) in a process that has entered these layers.

    Without layers it enters all of this machine.
    """

    def inside(attack: Callable, *args: Any, uid: int | None = None, limits: Limits = SMALL, **layers: bool) -> Outcome:
        need(*(name for name, wanted in layers.items() if wanted))
        if uid is not None:
            for path in (place, *place.rglob("*")):
                os.chown(path, uid, uid)
        wanted = Layers(**layers) if layers else found.layers
        return run(attack, *args, uid=uid, layers=asdict(wanted), place=str(place), limits=asdict(limits))

    return inside


@pytest.fixture(scope="session")
def ordinary() -> int | None:
    """A user without privileges: somebody else if we are root."""
    return None if os.getuid() else 12345


@pytest.fixture
def listener() -> Iterator[dict[str, Any]]:
    """Somebody who listens on this machine: a TCP port and an abstract Unix socket."""
    with socket.create_server(("127.0.0.1", 0)) as tcp, socket.socket(socket.AF_UNIX) as unix:
        name = f"\0cloze-test-{os.getpid()}"
        unix.bind(name)
        unix.listen()
        yield {"tcp": [int(socket.AF_INET), tcp.getsockname()], "unix": [int(socket.AF_UNIX), name]}
