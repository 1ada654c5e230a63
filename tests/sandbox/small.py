"""A small process that runs functions of the tests, each in a fork: pytest with torch in it would take ten times as long.

    python tests/sandbox/small.py       reads requests from standard input, answers on standard output, JSON, one a line

A request is the code of a function and the file that its names are from; so a function must not have a closure.
"""

import importlib.util
import json
import marshal
import os
import signal
import sys
from collections import ChainMap
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import FunctionType
from typing import Any, NoReturn

from clozekit.protocol import Layers, Limits
from clozekit.sandbox import enter, libc, namespaces, prepare, probe

PR_SET_DUMPABLE = 4


@dataclass
class Place:
    """What an attack may aim at. `scratch` is its own directory; the others are not, nor is the process `judge`."""

    base: Path
    judge: int = 0

    home = property(lambda self: self.base / "home")
    scratch = property(lambda self: self.base / "home" / "ours")
    neighbour = property(lambda self: self.base / "home" / "anothers")
    graders = property(lambda self: self.base / "graders")
    secret = property(lambda self: self.base / "graders" / "test_secret.py")


def main() -> None:
    for line in sys.stdin:
        request = json.loads(line)
        function = FunctionType(marshal.loads(bytes.fromhex(request["code"])), _names(request["file"]))
        read, write = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(read)
            _serve(request, function, write)
        os.close(write)
        with open(read) as said:
            facts = [json.loads(fact) for fact in said.read().splitlines()]
        ended = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        print(json.dumps(dict(ChainMap(*reversed(facts), {"ended": ended}))), flush=True)


def _serve(request: dict[str, Any], function: FunctionType, write: int) -> NoReturn:
    try:
        if request["uid"] is not None:
            become(request["uid"])
        if request["layers"] is None:
            _tell(write, value=function(*request["args"]))
        else:
            _judge(request, function, write)
    except BaseException as error:
        _tell(write, broken=repr(error))
    finally:
        os._exit(0)


@cache
def _names(file: str) -> dict[str, Any]:
    spec = importlib.util.spec_from_file_location("attacks", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return vars(module)


def become(uid: int) -> None:
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    libc.prctl(PR_SET_DUMPABLE, 1)  # as every process that this user starts


def _judge(request: dict[str, Any], function: FunctionType, write: int) -> None:
    """Play the zygote: fork the attack, confined, and tell how it ended."""
    layers = Layers(**request["layers"])
    place = Place(Path(request["place"]))
    if layers.namespaces:
        namespaces.nest()
    place.judge = _bystander()
    prepared = prepare(layers, str(place.home), (), device=request["limits"]["device"] is not None)
    pid, guard = namespaces.fork() if layers.namespaces else (os.fork(), 0)
    if pid == 0:
        try:
            enter(prepared, Limits(**request["limits"]), str(place.scratch))
        except BaseException as error:
            _tell(write, broken=repr(error))
            os._exit(1)
        try:
            _tell(write, value=function(place, *request["args"]))
        except BaseException as error:
            _tell(write, error=type(error).__name__, number=getattr(error, "errno", 0) or 0)
        finally:
            os._exit(0)
    _tell(write, ended=os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    if guard:
        os.kill(guard, signal.SIGKILL)


def _bystander() -> int:
    """A process that sleeps. Its number means nobody in a new pid namespace, which has the numbers 1 and 2."""
    while True:
        ready, tell = os.pipe()
        pid = os.fork()
        if pid == 0:
            libc.prctl(libc.PR_SET_PDEATHSIG, signal.SIGKILL)
            os.write(tell, b".")
            signal.pause()
        os.read(
            ready, 1
        )  # who ends before the child has asked for that signal would leave it behind, with the pipe of the answer
        os.close(ready)
        os.close(tell)
        if pid > 2:
            return pid


def _tell(write: int, **facts: Any) -> None:
    os.write(write, json.dumps(facts, default=repr).encode() + b"\n")


if __name__ == "__main__":
    assert probe  # imported here, not in each fork
    main()
