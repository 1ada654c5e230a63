"""A processor that times calls, for torch exercises where a meter cannot tell: the same race as on a GPU.

with Cpu() as device:
    Race(device, Function(solution), Function(answer), draw, differ, threshold=1.5).measure()
"""

import contextlib
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from clozekit.bench.measure import Launch
from clozekit.bench.pace import Pace

CACHES = Path("/sys/devices/system/cpu/cpu0/cache")
FREQUENCY = Path("/sys/devices/system/cpu")
UNITS = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
LARGEST = 64 << 20  # bytes of cache, where the machine does not say


class Cpu:
    """One processor: while it is entered, this thread keeps to it, and torch to this thread."""

    resolution = time.get_clock_info("perf_counter").resolution

    def __init__(self, number: int | None = None, clock: Callable[[], float] = time.perf_counter):
        self.number = max(os.sched_getaffinity(0)) if number is None else number
        self.name = f"cpu{self.number}"
        self.clock = clock
        self.around = torch.zeros(2 * largest_cache(), dtype=torch.uint8)

    def __enter__(self) -> "Cpu":
        self.before = os.sched_getaffinity(0), torch.get_num_threads()
        os.sched_setaffinity(0, {self.number})
        torch.set_num_threads(1)
        return self

    def __exit__(self, *_: object) -> None:
        processors, threads = self.before
        os.sched_setaffinity(0, processors)
        torch.set_num_threads(threads)

    def synchronise(self) -> None:
        """A call has ended when it returns."""

    def flush_cache(self) -> None:
        """Write more than the caches hold."""
        self.around.add_(1)

    def pace(self) -> Pace | None:
        with contextlib.suppress(OSError, ValueError):
            now, full = (
                float((FREQUENCY / self.name / "cpufreq" / name).read_text()) / 1e3
                for name in ("scaling_cur_freq", "cpuinfo_max_freq")
            )
            return Pace(now, full)
        return None

    def timer(self, prepare: Launch, launch: Launch, repeats: int) -> Callable[[], float]:
        def seconds() -> float:
            spent = 0.0
            for _ in range(repeats):
                prepare()
                self.flush_cache()
                began = self.clock()
                launch()
                spent += self.clock() - began
            return spent / repeats

        return seconds


class Function:
    """A function of ours, called with tensors."""

    def __init__(self, function: Callable[..., Any]):
        self.function = function
        self.inputs: Sequence[Tensor] = ()
        self.result: Any = None

    def give(self, inputs: Sequence[Tensor]) -> None:
        self.inputs = [each.clone() for each in inputs]

    def clear(self) -> None:
        self.result = None

    def launch(self) -> None:
        self.result = self.function(*self.inputs)

    def answer(self) -> list[Tensor]:
        return [self.result] if isinstance(self.result, Tensor) else list(self.result)


def largest_cache() -> int:
    """The bytes of the largest cache of a processor."""
    sizes = []
    for file in CACHES.glob("index*/size"):
        with contextlib.suppress(OSError, ValueError, KeyError):
            text = file.read_text().strip()
            sizes.append(int(text[:-1]) * UNITS[text[-1]])
    return max(sizes, default=LARGEST)
