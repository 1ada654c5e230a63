"""Which layers this machine has: by entering each in a throw-away process and trying to break out, not by versions.

    find()      Found(layers=Layers(namespaces=False, landlock=True, seccomp=True),
                      missing={"namespaces": "unshare: Operation not permitted"})

A few milliseconds. Call it in a small process with one thread, since it forks.
"""

import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Collection
from typing import Any, NoReturn

from clozekit.protocol import Found, Layers, Limits
from clozekit.sandbox import enter, namespaces, prepare

LAYERS = Layers.__struct_fields__


def find(without: Collection[str] = (), home: str | None = None) -> Found:
    """Try all layers at once; if that fails, each by itself. Those in `without` are not tried, which is for tests.

    home: a directory that somebody deletes, should we be killed meanwhile.
    """
    wanted = [name for name in LAYERS if name not in without]
    dropped = {name: "switched off" for name in LAYERS if name in without}
    layers = Layers(**dict.fromkeys(wanted, True))
    if not wanted or not attempt(layers, home):
        return Found(layers, dropped)
    why = {name: attempt(Layers(**{name: True}), home) for name in wanted}
    missing = {name: reason for name, reason in why.items() if reason}
    return Found(Layers(**dict.fromkeys(set(wanted) - set(missing), True)), dropped | missing)


def attempt(layers: Layers, home: str | None = None) -> str:
    """What goes wrong when a process enters these layers; nothing if they hold."""
    if sys.platform != "linux":
        return f"{sys.platform} has no such thing"
    base = tempfile.mkdtemp(prefix="cloze-", dir=home)
    try:
        for folder in ("home/ours", "home/anothers"):
            os.makedirs(f"{base}/{folder}")
        for secret in ("secret", "home/anothers/secret"):
            with open(f"{base}/{secret}", "w") as file:
                file.write("secret")
        return _child(lambda: _nested(layers, base))
    finally:
        shutil.rmtree(base, ignore_errors=True)


def _nested(layers: Layers, base: str) -> str:
    if not layers.namespaces:
        return _tried(layers, base)
    namespaces.nest()
    return _child(lambda: _tried(layers, base), lambda: namespaces.fork()[0])


def _tried(layers: Layers, base: str) -> str:
    """Enter; then do what must work, and what must not."""
    scratch = f"{base}/home/ours"
    disk = os.stat(scratch).st_dev
    enter(prepare(layers, f"{base}/home", ()), Limits(), scratch)
    with open("written", "w") as file:
        file.write("to scratch")
    holds = {
        "namespaces": lambda: os.getpid() == 2 and os.stat(scratch).st_dev != disk,
        "landlock": lambda: _denied(open, f"{base}/secret") and _denied(open, f"{base}/home/anothers/secret", "a"),
        "seccomp": lambda: _denied(os.pidfd_open, os.getpid()),
    }
    for name, held in holds.items():
        if getattr(layers, name) and not held():
            return f"{name} was entered without an error but holds nothing back"
    return ""


def _denied(function: Callable[..., Any], *args: Any) -> bool:
    try:
        function(*args)
    except PermissionError:
        return True
    return False


def _child(work: Callable[[], str], fork: Callable[[], int] = os.fork) -> str:
    """What a fork of this process says when it does some work."""
    read, write = os.pipe()
    try:
        pid = fork()
        if pid == 0:
            _say(work, write)
        os.close(write)
        with open(read, closefd=False) as answer:
            said = answer.read()
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        how = signal.Signals(-code).name if code < 0 else f"status {code}"
        return said.removeprefix("tried: ") if said else f"the trial ended with {how}"
    finally:
        os.close(read)


def _say(work: Callable[[], str], write: int) -> NoReturn:
    said = ""
    try:
        said = work()
    except BaseException as error:
        said = str(error).removeprefix(f"[Errno {getattr(error, 'errno', '')}] ") or type(error).__name__
    finally:
        os.write(write, f"tried: {said}".encode())
        os._exit(0)
