"""Have something measured, in a process of its own.

    measured(Compare(reference=..., candidate=..., ...), buffers)       Measured("passed", ratio=1.02, ...)

Nothing of what happens there raises: what could not be measured is an answer too.
"""

import time
from collections.abc import Sequence
from typing import Any

from clozekit.bench.job import Compare
from clozekit.errors import CannotCheck, why
from clozekit.processes import started
from clozekit.protocol import Measured
from clozekit.report import Problem
from clozekit.wire import Gone, TimedOut, Violation

START_SECONDS = 120.0  # to import torch, start CUDA, and wait until others have measured


def measured(request: Compare, buffers: Sequence[Any]) -> Measured:
    """What the bench process says. `buffers`: of the inputs, then the code of the kernels."""
    deadline = time.monotonic() + START_SECONDS + 2 * request.seconds
    with started("clozekit.bench.process") as channel:
        try:
            channel.send(request, buffers, deadline=deadline)
            return channel.receive(Measured, deadline)[0]
        except (Gone, TimedOut, Violation) as error:
            return Measured.impossible(CannotCheck(Problem("bench-silent", why(error))))
