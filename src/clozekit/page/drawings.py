"""The geometry of a page's drawings; the templates make SVG of it.

heat(["90", "00"])      {"9": "M0 0h9v9h-9z", "0": "M13 3h3v3h-3z..."}      a path for each level
columns([0.5, None, -1.0], top=1.0)      [(0, 20.0, 20.0), None, (20, 40.0, 40.0)]      place, upper end, height of each bar
"""

from typing import NamedTuple

from clozekit.report import Picture

CELL = 10  # of a heat map, its gap included
DOT = 3  # a cell that is right: told from a wrong one by its shape, too
HALF = 40.0  # the height of the largest bar
STEP = 10  # from bar to bar


class Column(NamedTuple):
    """One bar, from the line of zero up or down."""

    x: int
    y: float
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


def scale(*rows: list[float | None]) -> float:
    """The largest magnitude of all values, never 0."""
    return max((abs(value) for row in rows for value in row if value is not None), default=0.0) or 1.0


def columns(values: list[float | None], top: float) -> list[Column | None]:
    """A bar for each value; None where there is none to draw."""
    return [_column(at, value / top) if value is not None else None for at, value in enumerate(values)]


def _column(at: int, share: float) -> Column:
    height = round(abs(share) * HALF, 1)
    return Column(STEP * at, HALF - height if share > 0 else HALF, height)


def off(errors: list[str]) -> int:
    """How many cells are not right."""
    return sum(level != "0" for row in errors for level in row)


def below_zero(picture: Picture) -> bool:
    """Whether a bar hangs from the line of zero."""
    return any(value is not None and value < 0 for value in (*picture.yours, *picture.expected))


def numbers(values: list[float | None]) -> str:
    """A row for who does not see it."""
    return ", ".join(map(number, values))


def number(value: float | None) -> str:
    """A value as text; × is none."""
    return "×" if value is None else f"{value:g}"
