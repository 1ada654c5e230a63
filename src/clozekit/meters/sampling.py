"""Which programs of a large grid are run, and how many each stands for.

    choose((4096, 1, 1), 3)     [((0, 0, 0), 2047.5), ((4094, 0, 0), 2047.5), ((4095, 0, 0), 1.0)]

The last program of an axis has the ragged edge and stands for itself. The others of that axis are represented by pairs
at equal distances from its ends, so that a cost that grows steadily along the axis (causal attention) comes out right.
Counts are exact for every kernel whose cost along each axis is constant or linear, but for the last program; where one
alone stands for the others, it is the middle one.
"""

import itertools
import math

Program = tuple[int, int, int]
Chosen = list[tuple[Program, float]]

BUDGET = 1000  # loads, stores and floating operations on blocks, of one launch; around each there are others, some 300 µs in all
MOST = 64  # programs, however cheap they are: what repeats teaches nothing


def choose(grid: Program, most: int) -> Chosen:
    """At most `most` programs, yet at least one or two along each axis; all of them where they are so few."""
    if math.prod(grid) <= most:
        return [((x, y, z), 1.0) for x, y, z in itertools.product(*map(range, grid))]
    inner, larger = 1, 2
    while math.prod(len(_axis(size, larger)) for size in grid) <= most:
        inner, larger = larger, larger + 2
    axes = [_axis(size, inner) for size in grid]
    return [((x[0], y[0], z[0]), x[1] * y[1] * z[1]) for x, y, z in itertools.product(*axes)]


def _axis(size: int, inner: int) -> list[tuple[int, float]]:
    """Positions along one axis with their weights, which add up to `size`: `inner` for all but the last, and the last.

    `inner` is even, or 1, which is the one in the middle.
    """
    if size <= inner + 1:
        return [(position, 1.0) for position in range(size)]
    ends = size - 2  # the last of the others
    steps = [round(i * ends / max(1, inner - 1)) for i in range(inner // 2)]
    positions = [*steps, *(ends - step for step in reversed(steps))] or [ends // 2]
    return [*((position, (size - 1) / inner) for position in positions), (size - 1, 1.0)]
