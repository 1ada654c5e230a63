"""Which configuration of an autotuned kernel a GPU would find the fastest, as far as counts can tell.

    with tuned(): matmul(a, b)      @triton.autotune([...]) takes the configuration with the shortest predicted time

A GPU would time them all. Here each is counted on a few programs; whether it spills, only ptxas would know, which a worker cannot
start: a block of more values for a thread than it has registers counts as one that does, and threads without any are idle.
"""

import contextlib
import math
from collections.abc import Callable, Iterator
from typing import Any

from clozekit.kernels import builder, interpret
from clozekit.meters import roofline
from clozekit.meters.costs import Launch
from clozekit.meters.devices import DEVICES
from clozekit.meters.kernel import KernelMeter

DEVICE = DEVICES["H100"]
TRIED = 24  # configurations of one kernel; of a longer list the others are passed over
BUDGET = 200  # block operations of each
ROOM = 128  # values of one block that a thread can hold, among what else it needs
SPILL = 8.0  # how much slower a kernel gets that cannot


@contextlib.contextmanager
def tuned() -> Iterator[None]:
    """Meanwhile autotuned kernels are tuned by the model."""
    tuner = Tuner()
    interpret.tuners.append(tuner)
    try:
        yield
    finally:
        interpret.tuners.remove(tuner)


class Tuner:
    """Predicts how long a launch would take. Nobody else hears of the trial."""

    def __init__(self) -> None:
        self.tried: dict[Any, int] = {}

    def __call__(self, kernel: Any, launch: Callable[[], Any]) -> float:
        self.tried[kernel] = self.tried.get(kernel, 0) + 1
        if self.tried[kernel] > TRIED:
            return math.inf
        try:
            with _unheard(), KernelMeter(budget=BUDGET) as meter:
                launch()
        except Exception:  # a configuration that the kernel was not written for, which no GPU would take either
            return math.inf
        return roofline.predict(meter.launches, {}, DEVICE).seconds * max(map(_burden, meter.launches), default=1.0)


@contextlib.contextmanager
def _unheard() -> Iterator[None]:
    """Nobody who watches launches hears of those that happen meanwhile."""
    hooks: tuple[list[Any], ...] = (interpret.observers, interpret.watchers, interpret.samplers, builder.counters)
    before = [each[:] for each in hooks]
    for each in hooks:
        each.clear()
    try:
        yield
    finally:
        for each, kept in zip(hooks, before, strict=True):
            each[:] = kept


def _burden(launch: Launch) -> float:
    """How much slower a launch is for having too many values for its threads, or too few."""
    values = launch.widest_block / (32 * launch.num_warps)  # for each thread
    return SPILL if values > ROOM else max(1.0, 1 / max(values, 1 / SPILL))
