"""What a refused tensor looks like, small enough for a message.

draw(leaf)      of attention weights whose mask lets each row see one key too many
Picture(shape=[2, 6, 6], errors=["990000", "899000", ...], row="[0, 2]", yours=[0.21, 0.38, ...], expected=[0.27, ...])
"""

import math

from torch import Tensor, stack, where

from clozekit.grading.compare import Leaf, index
from clozekit.grading.tolerance import BAR
from clozekit.report import Picture

ROWS, COLUMNS = 24, 48  # cells of a map, at most; and a longer row is not shown either
DIGITS = 4  # of a value


def draw(leaf: Leaf) -> Picture | None:
    """The picture of a leaf that is more than BAR spreads off somewhere; None where a sentence says all of it."""
    errors = _map(leaf.off) if (leaf.off > BAR).sum() > 1 else []
    picture = Picture(list(leaf.off.shape), errors, *_worst_row(leaf))
    return picture if picture.errors or picture.yours else None


def _map(off: Tensor) -> list[str]:
    plane = off.flatten(0, -3).amax(0) if off.ndim > 2 else off.reshape(-1, off.shape[-1])  # (rows, columns)
    height, width = (math.ceil(length / most) for length, most in zip(plane.shape, (ROWS, COLUMNS), strict=True))
    bands = stack([band.amax(0) for band in plane.split(height)])
    cells = stack([part.amax(1) for part in bands.split(width, 1)], 1)
    powers = (cells / BAR).log10()
    most = powers.nan_to_num(posinf=0.0, neginf=0.0).max().clamp_min(1e-6)
    levels = where(cells > BAR, (9 * powers / most).ceil().clamp(1, 9), 0).int()
    return ["".join(map(str, row)) for row in levels.tolist()] if levels.min() == 0 else []


def _worst_row(leaf: Leaf) -> tuple[str, list[float | None], list[float | None]]:
    """Its place, and its values in both; nothing if it is long, or of one element."""
    *others, length = leaf.off.shape or (1,)
    if not 1 < length <= COLUMNS or leaf.value.is_complex():
        return "", [], []
    row = int(leaf.off.argmax()) // length
    yours, expected = (_rounded(tensor.reshape(-1, length)[row]) for tensor in (leaf.answer, leaf.value))
    return index(row, leaf.off.shape[:-1]) if others else "", yours, expected


def _rounded(row: Tensor) -> list[float | None]:
    return [float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None for value in row.tolist()]
