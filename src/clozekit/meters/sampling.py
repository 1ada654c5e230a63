"""Which programs of a large grid are run, and how many each stands for.

    choose((4096, 1, 1), 5, draw)   [((913, 0, 0), 1023.75), ((3181, 0, 0), 1023.75), ..., ((4095, 0, 0), 1.0)]

The last program along an axis has the ragged edge: it is never represented by others. The rest are, by programs that are drawn,
so that no kernel can tell which of its programs will be looked at; and in pairs that mirror each other, so that a cost that
grows steadily along an axis (causal attention) comes out right. Counts are exact for every kernel whose cost is constant or
linear along each axis, but for the last program.
"""

import itertools
import math
import random

Program = tuple[int, int, int]
Chosen = list[tuple[Program, float]]

BUDGET = 1000  # loads, stores and floating operations on blocks, of one launch; around each there are others, some 300 µs in all
MOST = 64  # programs, however cheap they are: what repeats teaches nothing


def choose(grid: Program, most: int, draw: random.Random) -> Chosen:
    """About `most` programs; all of them where they are so few, and a pair of each kind where they are too dear."""
    if math.prod(grid) <= most:
        return [((x, y, z), 1.0) for x, y, z in itertools.product(*map(range, grid))]
    # for each axis: at its end, or before it
    kinds = list(itertools.product(*((True, False) if size > 1 else (True,) for size in grid)))
    pairs = max(1, most // (2 * len(kinds)))
    return [program for kind in kinds for program in _represent(grid, kind, pairs, draw)]


def _represent(grid: Program, at_end: tuple[bool, ...], pairs: int, draw: random.Random) -> Chosen:
    """The programs of one kind, or `pairs` pairs that stand for them."""
    axes = [range(size - 1, size) if end else range(size - 1) for size, end in zip(grid, at_end, strict=True)]
    total = math.prod(map(len, axes))
    if total <= 2 * pairs:
        return [((x, y, z), 1.0) for x, y, z in itertools.product(*axes)]
    found: set[Program] = set()
    while len(found) < 2 * pairs:
        x, y, z = (draw.choice(axis) for axis in axes)
        found |= {(x, y, z), (_mirrored(axes[0], x), _mirrored(axes[1], y), _mirrored(axes[2], z))}
    return [(program, total / len(found)) for program in sorted(found)]


def _mirrored(axis: range, position: int) -> int:
    return axis[0] + axis[-1] - position
