"""Have something measured, in a process of its own.

    measured(Compare(reference=..., candidate=..., ...), buffers)       Measured("passed", ratio=1.02, ...)

Nothing of what happens there raises: what could not be measured is an answer too.
"""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Any

from clozekit.bench.job import Compare, Measured
from clozekit.processes import KEPT
from clozekit.report import Problem
from clozekit.wire import Channel, Gone, TimedOut, Violation

START_SECONDS = 120.0  # to import torch, start CUDA, and wait until others have measured


def measured(request: Compare, buffers: Sequence[Any]) -> Measured:
    """What the bench process says. `buffers`: of the inputs, then the code of the kernels."""
    ours, theirs = socket.socketpair()
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "clozekit.bench.process", str(theirs.fileno())],
        pass_fds=[theirs.fileno()],
        env={name: os.environ[name] for name in KEPT if name in os.environ},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    theirs.close()
    channel = Channel(ours)
    deadline = time.monotonic() + START_SECONDS + 2 * request.seconds
    try:
        channel.send(request, buffers, deadline=deadline)
        return channel.receive(Measured, deadline)[0]
    except (Gone, TimedOut, Violation) as error:
        reason = f"the bench process did not answer ({type(error).__name__})"
        return Measured("could not check", why=Problem("speed-impossible", {"reason": reason}))
    finally:
        channel.close()
        process.kill()
        process.wait()
