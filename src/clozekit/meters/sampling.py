"""Which programs of a large grid are run, and how many each stands for.

    choose((4096, 1, 1), 4)     [((0, 0, 0), 1365.0), ((2047, 0, 0), 1365.0), ((4094, 0, 0), 1365.0), ((4095, 0, 0), 1.0)]

The last program of an axis has the ragged edge and stands for itself. The others of that axis are represented by some at
equal distances, the first and the last of them included, so that a cost that grows steadily along the axis (causal
attention) comes out right. Counts are exact for every kernel whose cost along each axis is constant or linear, but for
the last program.
"""

import itertools
import math

Program = tuple[int, int, int]
Chosen = list[tuple[Program, float]]

BUDGET = 6000  # block operations of one launch, at some 50 µs each
MOST = 64  # programs, however cheap they are: what repeats teaches nothing


def choose(grid: Program, most: int) -> Chosen:
    """At most `most` programs, yet at least one or two along each axis; all of them where they are so few."""
    if math.prod(grid) <= most:
        return [((x, y, z), 1.0) for x, y, z in itertools.product(*map(range, grid))]
    inner = 1
    while math.prod(len(_axis(size, inner + 1)) for size in grid) <= most and inner < max(grid):
        inner += 1
    axes = [_axis(size, inner) for size in grid]
    return [((x[0], y[0], z[0]), x[1] * y[1] * z[1]) for x, y, z in itertools.product(*axes)]


def _axis(size: int, inner: int) -> list[tuple[int, float]]:
    """Positions along one axis with their weights, which add up to `size`: `inner` for all but the last, and the last."""
    if size <= inner + 1:
        return [(position, 1.0) for position in range(size)]
    others = size - 1
    ends = others - 1
    positions = [round(i * ends / (inner - 1)) for i in range(inner)] if inner > 1 else [ends // 2]
    return [*((position, others / inner) for position in positions), (size - 1, 1.0)]
