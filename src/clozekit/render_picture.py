"""A Picture for a terminal: a heat map of digits, and a row of numbers as bars.

    where [2, 8] is off, from . (right) to 9 (farthest):
      ........
      87..8..7
    row [1]  expected  ▆▆▅·▅▆·▅
    row [1]  yours     ███··█··

In colour the digits are cells of a heat map; without, they say the same. A terminal that has no bars shows digits for
them, see `in_ascii`.
"""

import math
from collections.abc import Iterator, Sequence

from clozekit.phrases import say
from clozekit.report import Picture

LINES = 8
# Yellow to violet, ever darker: told apart by every eye, and visible on light and dark.
HEAT = "#ffe9a8 #ffd071 #fdb24a #f6913d #ea7044 #d75154 #bb3569 #972279 #6b1583".split()
LIGHT = 5  # of them bear dark text
Line = list[tuple[str, str]]  # texts, each with a style of rich
BARS = "·▁▂▃▄▅▆▇█"
UNKNOWN = "×"  # a value that is not finite
PLAIN = str.maketrans(BARS + UNKNOWN, ".12345678x")


def lines(picture: Picture, language: str) -> Iterator[Line]:
    """As `render` prints them."""
    rows = list(_bars(picture, language))
    if len(picture.shape) == 1 and rows and picture.errors:
        yield from _aligned([*rows, (say(language, "picture-off"), [_cell(digit) for digit in picture.errors[0]])])
        return
    if picture.errors:
        yield [(say(language, "picture-map", shape=picture.shape), "")]
        yield from ([("  ", ""), *map(_cell, row)] for row in coarser(picture.errors, LINES - 1 - len(rows)))
    yield from _aligned(rows)


def coarser(errors: list[str], rows: int) -> list[str]:
    """The map in at most so many rows, each the worst of several."""
    height = math.ceil(len(errors) / rows)
    parts = (errors[start : start + height] for start in range(0, len(errors), height))
    return ["".join(map(max, zip(*part, strict=True))) for part in parts]


def _cell(digit: str) -> tuple[str, str]:
    if digit == "0":
        return ".", "dim"
    return digit, f"{'black' if int(digit) <= LIGHT else 'white'} on {HEAT[int(digit) - 1]}"


def _bars(picture: Picture, language: str) -> Iterator[tuple[str, Line]]:
    """Both rows, each behind its label, where no value is below zero: a bar has one direction only."""
    known = [value for value in (*picture.expected, *picture.yours) if value is not None]
    if not known or min(known) < 0 or not max(known):
        return
    place = say(language, "picture-row", row=picture.row) if picture.row else ""
    yield place + say(language, "picture-expected"), [(bars(picture.expected, max(known)), "")]
    yield place + say(language, "picture-yours"), [(bars(picture.yours, max(known)), "bold")]


def _aligned(rows: list[tuple[str, Line]]) -> Iterator[Line]:
    from rich.cells import cell_len

    width = max((cell_len(label) for label, _ in rows), default=0)
    for label, line in rows:
        yield [(label + " " * (width + 2 - cell_len(label)), ""), *line]


def bars(values: Sequence[float | None], top: float) -> str:
    """A character for each value, from 0 to `top`; a full one for `top` alone."""
    return "".join(UNKNOWN if value is None else BARS[_height(value / top)] for value in values)


def _height(share: float) -> int:
    return 1 + int(share * (len(BARS) - 2)) if share else 0


def in_ascii(error: UnicodeError) -> tuple[str, int]:
    """How a stream writes what its encoding lacks: a bar as a digit, all else as a question mark."""
    assert isinstance(error, UnicodeEncodeError)
    text = error.object[error.start : error.end].translate(PLAIN)
    return "".join(c if c.isascii() else "?" for c in text), error.end
