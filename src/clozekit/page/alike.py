"""What is alike in a class as its template shows it: groups, and pairs side by side with the common parts marked."""

from collections.abc import Iterator
from typing import NamedTuple

from clozekit.catalog import Catalog
from clozekit.classroom.alike import BAR, Answer, Found, LeftOut, Pair, shared
from clozekit.describe import describe

AROUND = 2  # lines that are shown around a marked one
LINES = 400  # of one file
WIDTH = 300  # characters of one line
PAIRS = 60  # of one exercise
FEW = 8  # answers; of fewer nothing is usual


class Piece(NamedTuple):
    """A part of a line; `marked`: both have it."""

    text: str
    marked: bool


class Passage(NamedTuple):
    """Lines in a row. skipped: those before it that are not shown, as (first, last)."""

    skipped: tuple[int, int] | None
    lines: list[tuple[int, list[Piece]]]


class Side(NamedTuple):
    """One file of a pair."""

    student: str
    file: str
    passages: list[Passage]


class PairView(NamedTuple):
    """Two files. likeness: in per cent."""

    likeness: int
    evidence: int
    sides: tuple[Side, Side]


class ExerciseView(NamedTuple):
    """One exercise in which something is alike. more: pairs that are not shown."""

    id: str
    title: str
    compared: int
    few: bool
    usual: int
    bar: int
    groups: list[list[str]]
    pairs: list[PairView]
    more: int


class AlikeView(NamedTuple):
    """The whole class. quiet: titles of the exercises in which nothing is."""

    exercises: list[ExerciseView]
    quiet: list[str]
    left_out: list[tuple[str, str, str]]


def alike_view(found: list[Found], left_out: list[LeftOut], catalog: Catalog, language: str) -> AlikeView:
    """What the template `alike_page.html` asks for."""
    titles = {each.exercise: catalog[each.exercise].words(language).title for each in found}
    return AlikeView(
        [_exercise(each, titles[each.exercise]) for each in found if each.pairs],
        [titles[each.exercise] for each in found if not each.pairs],
        [(each.student, each.file, describe(each.problem, language)) for each in left_out],
    )


def _exercise(found: Found, title: str) -> ExerciseView:
    shown = found.links[:PAIRS]
    return ExerciseView(
        found.exercise,
        title,
        found.compared,
        found.compared < FEW,
        round(100 * found.usual),
        round(100 * BAR),
        found.groups,
        [_pair(pair, found) for pair in shown],
        len(found.pairs) - len(shown),
    )


def _pair(pair: Pair, found: Found) -> PairView:
    one, other = shared(pair, found.common)
    sides = _side(pair.one, one), _side(pair.other, other)
    return PairView(round(100 * pair.likeness), round(pair.evidence), sides)


def _side(answer: Answer, parts: list[tuple[int, int]]) -> Side:
    return Side(answer.student, answer.file, list(passages(answer.source, parts)))


def passages(source: str, parts: list[tuple[int, int]]) -> Iterator[Passage]:
    """The lines with a marked part and those around them."""
    lines = list(pieces(source, parts))
    near = {
        each
        for number, line in enumerate(lines)
        if any(piece.marked for piece in line)
        for each in range(number - AROUND, number + AROUND + 1)
    }
    shown = sorted(near & {*range(len(lines))})[:LINES]
    ends = [at for at, number in enumerate(shown) if at + 1 == len(shown) or shown[at + 1] > number + 1]
    first, last = 0, 0
    for end in ends:
        numbers = shown[first : end + 1]
        skipped = (last + 1, numbers[0]) if numbers[0] > last else None
        yield Passage(skipped, [(number + 1, lines[number]) for number in numbers])
        first, last = end + 1, numbers[-1] + 1
    if last < len(lines):
        yield Passage((last + 1, len(lines)), [])


def pieces(source: str, parts: list[tuple[int, int]]) -> Iterator[list[Piece]]:
    """Every line, cut where a part begins or ends. What is indented stays unmarked up to its first letter."""
    left = iter([*parts, (len(source) + 1, len(source) + 1)])
    start, stop = next(left)
    at = 0
    for line in source.removesuffix("\n").split("\n"):
        end = min(at + len(line), at + WIDTH)
        found = []
        while at < end:
            while stop <= at:
                start, stop = next(left)
            inside = start <= at
            cut = min(end, stop if inside else start)
            text = source[at:cut]
            if inside and (blank := len(text) - len(text.lstrip())):
                found.append(Piece(text[:blank], False))
            found.append(Piece(text.lstrip() if inside else text, inside))
            at = cut
        at += len(line) - min(len(line), WIDTH) + 1
        yield found
