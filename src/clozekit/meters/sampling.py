"""Which programs of a large grid are run, and what may be said of all after a look at some.

    choose((4096, 1, 1), 4, draw)       Sample([(4094, 0, 0), (4095, 0, 0)], 2047.0,
                                               [[(913, 0, 0), (3180, 0, 0)], [(12, 0, 0), (4081, 0, 0)]])
    surely_above([2e6] * 40, 1e6)       True: by luck alone, once in a million times

The last program along an axis has the ragged edge: it is never represented by others. The rest are, by programs that are drawn,
so that no kernel can tell which of its programs will be looked at; and in pairs that mirror each other, so that a cost that
grows steadily along an axis (causal attention) comes out right. Counts are exact for every kernel whose cost is constant or
linear along each axis, but for the last program. Of others each look is an estimate without bias, and independent of the rest.
"""

import itertools
import math
import random
from collections.abc import Sequence
from typing import NamedTuple

Program = tuple[int, int, int]
Weighted = tuple[Program, float]  # and how many programs it stands for

BUDGET = 1000  # loads, stores and floating operations on blocks, of one launch; around each there are others, some 300 µs in all
MOST = 96  # programs, however cheap they are
SURE = 1e6
BETS = (0.25, 0.5, 0.75, 1.0)


class Sample(NamedTuple):
    """Programs that stand for themselves, and looks: in each, programs that stand for all others."""

    certain: list[Program]
    looks: Sequence[list[Weighted]] = ()


def choose(grid: Program, most: int, draw: random.Random, least: int = 1) -> Sample:
    """About `most` programs; all of them where they are so few, and no less than `least` looks where they are too dear."""
    if math.prod(grid) <= most:
        return Sample(_all([range(size) for size in grid]))
    # for each axis: at its end, or before it
    ends = itertools.product(*((True, False) if size > 1 else (True,) for size in grid))
    kinds = [
        [range(size - 1, size) if end else range(size - 1) for size, end in zip(grid, at_end, strict=True)]
        for at_end in ends
    ]
    large = sum(_count(axes) > 2 for axes in kinds)
    looks: list[list[Weighted]] = [[] for _ in range(max(least, most // (2 * max(1, large))))]
    certain: list[Program] = []
    for axes in kinds:
        total = _count(axes)
        pairs = total // 2
        if pairs <= len(looks):
            certain += _all(axes)
            continue
        if total % 2:
            certain.append(_program(pairs, axes))
        for look, place in zip(looks, draw.sample(range(pairs), len(looks)), strict=True):
            look += [(_program(each, axes), float(pairs)) for each in (place, total - 1 - place)]
    return Sample(certain, looks if looks[0] else ())


def _count(axes: Sequence[range]) -> int:
    return math.prod(map(len, axes))


def _all(axes: Sequence[range]) -> list[Program]:
    return [_program(place, axes) for place in range(_count(axes))]


def _program(place: int, axes: Sequence[range]) -> Program:
    """One of all programs along these axes. What stands as far from the end of all mirrors it along each axis."""
    found = []
    for axis in reversed(axes):
        place, at = divmod(place, len(axis))
        found.append(axis[at])
    z, y, x = found
    return x, y, z


def surely_above(looks: Sequence[float], bar: float, sure: float = SURE) -> bool:
    """Whether it is no bad luck that these estimates, each of which may be far too high and none below 0, are above the bar.

    Somebody who bets on each look to be above the bar, at odds that are fair if the truth is at the bar, gets `sure` times the
    stake with a chance of at most 1 / `sure` (Ville's inequality), whatever the estimates are distributed like.
    """
    if not bar:
        return any(looks)
    gains = (math.prod(1 + bet * (look / bar - 1) for look in looks) for bet in BETS)
    return sum(gains) / len(BETS) >= sure
