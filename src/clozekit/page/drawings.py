"""The geometry of a page's drawings; the templates make SVG of it.

heat(["90", "00"])      {"9": "M0 0h9v9h-9z", "0": "M13 3h3v3h-3z..."}      a path for each level
columns([1.0, 0.5], [None, -1.0])       two rows side by side, as pairs of bars on one line of zero
growth([Step("short", 900, 1000), Step("long", 9000, 2000)], 1.25)      a cost that grows faster than the solution's
"""

import math
from typing import NamedTuple

from clozekit.report import Step

CELL = 10  # of a heat map, its gap included
DOT = 3  # a cell that is right: told from a wrong one by its shape, too
WIDE, TALL = 240.0, 120.0  # of a curve
HEIGHT = 50.0  # of the bars, from the largest value to the smallest or to zero


class Column(NamedTuple):
    """One bar: its upper end and its height."""

    y: float
    height: float


class Curve(NamedTuple):
    """The place of each step; how high the lines of the bar and of the solution end, which start at the origin."""

    points: list[tuple[float, float]]
    bar: float
    ours: float


class Columns(NamedTuple):
    """Expected and yours at each place, None where a value cannot be drawn. zero: where that line is."""

    pairs: list[tuple[Column | None, Column | None]]
    zero: float
    height: float


def heat(errors: list[str]) -> dict[str, str]:
    """The cells of each level as one path."""
    paths: dict[str, str] = {}
    for y, row in enumerate(errors):
        for x, level in enumerate(row):
            inset, side = ((CELL - 1 - DOT) // 2, DOT) if level == "0" else (0, CELL - 1)
            cell = f"M{CELL * x + inset} {CELL * y + inset}h{side}v{side}h-{side}z"
            paths[level] = paths.get(level, "") + cell
    return paths


def off(errors: list[str]) -> int:
    """How many cells are not right."""
    return sum(level != "0" for row in errors for level in row)


def columns(expected: list[float | None], yours: list[float | None]) -> Columns:
    """Both rows in one scale."""
    known = [value for value in (*expected, *yours) if value is not None]
    top = max(map(abs, known), default=0.0) or 1.0  # first: the whole span may be beyond a float
    high, low = max(0.0, *known, 0.0) / top, min(0.0, *known, 0.0) / top
    unit = HEIGHT / ((high - low) or 1.0)

    def column(value: float | None) -> Column | None:
        if value is None:
            return None
        upper, lower = max(value / top, 0.0), min(value / top, 0.0)
        return Column(round((high - upper) * unit, 1), round(max((upper - lower) * unit, 0.4), 1))

    pairs = [(column(theirs), column(ours)) for theirs, ours in zip(expected, yours, strict=True)]
    return Columns(pairs, round(high * unit, 1), HEIGHT)


def growth(steps: list[Step], ratio: float) -> Curve:
    """A cost over that of the solution, both from zero: who grows like the solution is on a straight line. ratio: of the bar."""
    widest = max(step.bar for step in steps)
    highest = max(widest, *(step.value for step in steps))
    unit = TALL / highest
    points = [(round(WIDE * step.bar / widest, 1), round(TALL - unit * step.value, 1)) for step in steps]
    return Curve(points, round(TALL - unit * widest, 1), round(TALL - unit * widest / ratio, 1))


def halvings(ratio: float, step: float, most: float) -> float:
    """Where a ratio lies beside 1: a step to the left for each half of it, one to the right for each double, at most so far."""
    place = step * math.log2(ratio) if ratio > 0 else -most
    return round(max(-most, min(most, place)), 1)


def numbers(values: list[float | None]) -> str:
    """A row for who does not see it."""
    return ", ".join(map(number, values))


def number(value: float | None) -> str:
    """A value as text; × is none."""
    return "×" if value is None else f"{value:g}"
