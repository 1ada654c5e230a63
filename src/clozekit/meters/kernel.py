"""Counts what the programs of each launch load, store and compute, while it is entered.

    with KernelMeter() as meter:
        softmax(x)
    meter.launches      [Launch("softmax_kernel", [4096, 1, 1], load_bytes=16384000, ..., sampled=True)]

A launch of many programs is sampled: what it writes is then incomplete, and only its costs mean anything.
"""

import itertools
import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from clozekit.kernels import builder, interpret
from clozekit.kernels.bounds import Access, Argument
from clozekit.meters import costs, sampling
from clozekit.meters.coalescing import Place, Touched
from clozekit.meters.writers import Writers

BITMAP = 1 << 26  # elements of an argument whose loads are remembered one by one
SAMPLES = 4  # accesses of one line that are kept
SHIFT = np.uint64(costs.SECTOR.bit_length() - 1)


@dataclass
class Sums:
    """What programs did, each times the programs that it stands for: FLOPs of tl.dot by dtype, bytes loaded, all else by name."""

    counts: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    dots: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    loads: defaultdict[Argument, float] = field(default_factory=lambda: defaultdict(float))

    def add(self, other: "Sums", share: float = 1.0) -> None:
        for name in ("counts", "dots", "loads"):
            mine = getattr(self, name)
            for key, value in getattr(other, name).items():
                mine[key] += share * value


@dataclass
class Tally:
    """What one launch has done so far. `into`: the sums that the program which runs belongs to."""

    whole: bool = True
    certain: Sums = field(default_factory=Sums)
    looks: list[Sums] = field(default_factory=list)
    into: Sums = field(default_factory=Sums)
    seen: dict[Argument, np.ndarray] = field(default_factory=dict)  # whether each element was loaded
    own: list[np.ndarray] = field(default_factory=list)  # runs of sectors that the program that runs has loaded
    operations: int = 0  # on blocks, of the programs that ran
    widest: int = 0  # lanes of a block

    def estimates(self) -> list[Sums]:
        """The sums of the whole launch, as each look has it."""
        found = [Sums() for _ in self.looks or [self.certain]]
        for sums in found:
            sums.add(self.certain)
        for sums, look in zip(found, self.looks, strict=False):
            sums.add(look)
        return found

    def unique(self, loads: Mapping[Argument, float]) -> int:
        """Bytes loaded at least once; of what is not remembered, no more than there are."""
        total = 0
        for argument, loaded in loads.items():
            seen = self.seen.get(argument)
            most = argument.stop - argument.start
            total += min(round(loaded), most) if seen is None else int(seen.sum()) * argument.size
        return total


class KernelMeter:
    """`whole`: run all programs of every launch. Otherwise one may cost `effort` times `budget` operations on
    blocks, or as many looks if one of its programs costs more.

    observe: called with each launch and its bound arguments, before its programs run; for a compiler.
    writers: hears who writes and reads what, of launches whose programs all run. keep: remember a few accesses of each
    line, by launch. seed: of the draw which programs those are.
    """

    def __init__(
        self,
        whole: bool = False,
        budget: int = sampling.BUDGET,
        observe: Callable[[costs.Launch, Any, dict[str, Any]], None] | None = None,
        writers: Writers | None = None,
        keep: bool = False,
        seed: int = 0,
        effort: int = 1,
    ):
        self.keep, self.draw = keep, random.Random(seed)
        self.kept: list[dict[Place, list[Touched]]] = []
        self.whole, self.budget, self.effort, self.observe, self.writers = whole, budget, effort, observe, writers
        self.program = 0  # of those that run, in turn
        self.launches: list[costs.Launch] = []
        self.tally = Tally()
        self.weight = 1.0
        self._hooks: list[tuple[list[Any], Any]] = [
            (interpret.observers, self.launched),
            (interpret.watchers, self.touched),
            (interpret.samplers, self.programs),
            (builder.counters, self.computed),
        ]

    def __enter__(self) -> "KernelMeter":
        for hooks, hook in self._hooks:
            hooks.append(hook)
        return self

    def __exit__(self, *error: Any) -> None:
        for hooks, hook in self._hooks:
            hooks.remove(hook)
        self._finish()

    def launched(self, kernel: Any, grid: interpret.Grid, given: dict[str, Any], **options: int) -> None:
        """A launch begins, so that the one before it has ended."""
        self._finish()
        self.tally, self.weight = Tally(), 1.0
        line = kernel.fn.__code__.co_firstlineno
        launch = costs.Launch(kernel.__name__[:200], list(grid), line, options["num_warps"], options["num_stages"])
        self.launches.append(launch)
        self.kept.append({})
        if self.writers:
            self.writers.launched()
        if self.observe:
            self.observe(launch, kernel, given)

    def programs(self, grid: interpret.Grid) -> Iterator[interpret.Grid]:
        """The programs to run. What one in the middle costs says how many can be afforded."""
        total = grid[0] * grid[1] * grid[2]
        most = total
        if not self.whole and total > 1:
            self.weight, self.tally.whole = 0.0, False
            yield grid[0] // 2, grid[1] // 2, grid[2] // 2
            operations = self.effort * self.budget // max(1, self.tally.operations)
            most = min(self.effort * sampling.MOST, max(1, operations))
            self.tally = Tally()
        sample = sampling.choose(grid, most, self.draw, self.effort)
        tally = self.tally
        tally.whole, tally.looks = len(sample.certain) == total, [Sums() for _ in sample.looks]
        if self.writers and not tally.whole:
            self.writers.blank.clear()  # the programs that do not run may have written it all
        certain = [(program, 1.0) for program in sample.certain]
        numbers = itertools.count(1)
        groups = [(tally.certain, certain), *zip(tally.looks, sample.looks, strict=True)]
        for tally.into, programs in groups:
            for program, self.weight in programs:
                self.program = next(numbers)
                yield program
                self._ended()

    def _finish(self) -> None:
        """Write the counts of the last launch down."""
        if not self.launches:
            return
        launch, tally = self.launches[-1], self.tally
        launch.sampled = not tally.whole
        launch.widest_block = tally.widest
        estimates, total = tally.estimates(), Sums()
        for each in estimates:
            total.add(each, 1 / len(estimates))
        launch.unique_load_bytes = tally.unique(total.loads)
        launch.dots = {name: round(flops) for name, flops in sorted(total.dots.items())}
        launch.dot_flops = sum(launch.dots.values())
        if self.writers and tally.whole:
            launch.unwritten_bytes, launch.write_conflicts = self.writers.unwritten, self.writers.conflicts
        for name, value in total.counts.items():
            setattr(launch, name, round(value))
        launch.looks = [_look(each) for each in estimates] if tally.looks else []

    def _ended(self) -> None:
        """A program has: what it loaded more than once is now known."""
        self.tally.into.counts["own_sectors"] += self.weight * united(self.tally.own)
        self.tally.own.clear()

    def touched(self, access: Access) -> None:
        """One load, store or atomic of a block."""
        tally = self.tally
        tally.operations += 1
        shape = access.pointers.shape
        if self.keep and access.line:
            samples = self.kept[-1].setdefault((access.kind, access.line, shape), [])
            if len(samples) < SAMPLES:
                samples.append((access.pointers, access.mask, access.size))
        tally.widest = max(tally.widest, access.pointers.size)
        lanes = access.pointers.ravel()
        if access.mask is not None:
            shape = np.broadcast_shapes(shape, access.mask.shape)
            mask = np.broadcast_to(access.mask, shape)
            taken = int(np.count_nonzero(mask))
            if taken < mask.size:
                tally.into.counts["masked_lanes"] += self.weight * (mask.size - taken)
                lanes = np.broadcast_to(access.pointers, shape)[mask.astype(bool, copy=False)]
        if not lanes.size:
            return
        size = self.weight * lanes.size * access.size
        tally.into.counts[f"{access.kind}_bytes"] += size
        pieces = sectors(lanes, access.size)
        many = self.weight * counted(pieces)
        tally.into.counts["sectors"] += many
        if access.kind == "load":
            tally.into.counts["load_sectors"] += many
            tally.own.append(pieces)
        if self.writers and tally.whole and self.weight:
            self.writers.touched(self.program, access, lanes)
        if access.kind != "store" and access.argument is not None:
            self._remember(access.argument, lanes, size)

    def _remember(self, argument: Argument, lanes: np.ndarray, size: float) -> None:
        self.tally.into.loads[argument] += size
        elements = (argument.stop - argument.start) // argument.size
        if not self.tally.whole or elements > BITMAP:
            return
        seen = self.tally.seen.get(argument)
        if seen is None:
            seen = self.tally.seen[argument] = np.zeros(elements, bool)
        at = (lanes - np.uint64(argument.start)) // np.uint64(argument.size)
        low, high = int(at[0]), int(at[-1])
        if high - low + 1 == at.size and _consecutive(lanes, argument.size):
            seen[low : high + 1] = True
        else:
            seen[at] = True

    def computed(self, arithmetic: builder.Arithmetic) -> None:
        """One operation on a block."""
        tally = self.tally
        tally.operations += 1
        flops = self.weight * arithmetic.flops
        if arithmetic.kind == "dot":
            precision = f" {arithmetic.precision.lower()}" if arithmetic.inputs == "fp32" else ""
            tally.into.dots[arithmetic.inputs + precision] += flops
        else:
            tally.into.counts["plain_flops"] += flops
            tally.widest = max(tally.widest, arithmetic.flops)
        if arithmetic.kind == "special":
            tally.into.counts["special"] += flops


def _look(sums: Sums) -> costs.Look:
    """The counts that somebody may have to be sure of."""
    names = [name for name in costs.Look.__struct_fields__ if name in sums.counts]
    dots = {name: round(flops) for name, flops in sums.dots.items()}
    return costs.Look(**{name: round(sums.counts[name]) for name in names}, dots=dots)


def sectors(lanes: np.ndarray, size: int) -> np.ndarray:
    """Runs of 32-byte pieces of memory that these lanes of `size` bytes touch: the first and the last of each, shape [2, n]."""
    if _consecutive(lanes, size):
        return np.array([[int(lanes[0])], [int(lanes[-1]) + size - 1]]) // costs.SECTOR
    touched = np.unique(lanes >> SHIFT).astype(np.int64)
    ends = np.flatnonzero(np.diff(touched) > 1)
    return np.array([touched[np.r_[0, ends + 1]], touched[np.r_[ends, -1]]])


def counted(runs: np.ndarray) -> int:
    """How many pieces there are in runs that do not overlap."""
    return int((runs[1] - runs[0] + 1).sum())


def united(runs: list[np.ndarray]) -> int:
    """How many pieces there are in runs that may overlap, each once."""
    if not runs:
        return 0
    together = np.concatenate(runs, axis=1)
    first, last = together[:, together[0].argsort()]
    before = np.maximum.accumulate(np.r_[first[0] - 1, last[:-1]])
    return int(np.maximum(0, last - np.maximum(first - 1, before)).sum())


def _consecutive(lanes: np.ndarray, size: int) -> bool:
    span = int(lanes[-1]) - int(lanes[0])
    return span == (lanes.size - 1) * size and bool((lanes[1:] - lanes[:-1] == size).all())
