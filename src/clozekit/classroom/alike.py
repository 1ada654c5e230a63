"""Which answers of a class to one exercise are alike far beyond what it takes to solve it.

    Found("normalization/rms_norm", compared=28, usual=0.02,
          pairs=[Pair(0.94, 31.0, Answer("ada", …), Answer("bob", …))], groups=[["ada", "bob"]], …)

What the starter says, the solution and the known mistakes is common knowledge and counts for nothing; of the rest a fingerprint
counts the more, the fewer students have it. A pair is told if most of what either has of its own is in the other as well, and
that is more than one idea. Why two answers are alike no number says: see docs/similarity.md.
"""

import math
import statistics
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from itertools import combinations
from typing import Any, NamedTuple

from clozekit import blanks
from clozekit.classroom.fingerprints import Prints, fingerprints
from clozekit.classroom.handed import Handed
from clozekit.describe import describe
from clozekit.exercise import LANGUAGES, LEVELS, Exercise
from clozekit.report import Problem
from clozekit.submission import LIMIT, Unreadable, Upload, read

BAR = 0.5  # independent answers to the kit's exercises stay below 0.42, disguised copies begin at 0.68: docs/similarity.md
EVIDENCE = 10.0  # fingerprints that nobody else has, or more that a few have: one changed expression yields six


class Answer(NamedTuple):
    """What a student handed in for one exercise, as text."""

    student: str
    file: str
    source: str
    prints: Prints


class Pair(NamedTuple):
    """Two answers. likeness: 0 to 1. evidence: what they share, in fingerprints that nobody else has."""

    likeness: float
    evidence: float
    one: Answer
    other: Answer


class LeftOut(NamedTuple):
    """A file that could not be compared, or not all of it."""

    student: str
    file: str
    problem: Problem


class Found(NamedTuple):
    """One exercise. usual: the likeness that half of all pairs do not reach.

    pairs: those above the bar, the most alike first. groups: students whom they connect. links: of the pairs those that are
    enough to connect each group, the most alike. common: fingerprints that tell nothing.
    """

    exercise: str
    compared: int
    usual: float
    pairs: list[Pair]
    groups: list[list[str]]
    links: list[Pair]
    common: Collection[str]


def texts(
    handed: Iterable[Handed], opened: Callable[[str, Upload], bytes]
) -> tuple[dict[str, list[Answer]], list[LeftOut]]:
    """What can be compared, by exercise, and what cannot. `opened` finds the answer to an exercise in a notebook."""
    answers: dict[str, list[Answer]] = defaultdict(list)
    left_out = []
    for each in handed:
        try:
            source = _text(each, opened)
        except Unreadable as unreadable:
            left_out.append(LeftOut(each.student, each.file, unreadable.problem))
            continue
        prints = fingerprints(source)
        if prints.cut:
            left_out.append(LeftOut(each.student, each.file, Problem("alike-cut")))
        answers[each.exercise].append(Answer(each.student, each.file, source, prints))
    return dict(answers), left_out


def _text(handed: Handed, opened: Callable[[str, Upload], bytes]) -> str:
    if handed.problem:
        raise Unreadable(handed.problem)
    try:
        upload = read(handed.path, links=False)
    except OSError as error:
        raise Unreadable(Problem("unreadable", {"reason": error.strerror or str(error)})) from None
    raw = opened(handed.exercise, upload) if upload.name.endswith(".ipynb") else upload.raw
    if len(raw) > LIMIT:
        raise Unreadable(Problem("too-large", {"limit": str(LIMIT)}))
    if b"\0" in raw:
        raise Unreadable(Problem("binary"))
    try:
        return raw.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise Unreadable(Problem("not-utf8", {"place": f"line {line}"})) from None


def common_knowledge(exercise: Exercise) -> set[str]:
    """The fingerprints of what nobody has to have from a neighbour: starters, the solution, the known mistakes.

    Raises:
        ContentError: the exercise is broken.
    """
    sources = [exercise.starter(level, language) for level in LEVELS for language in LANGUAGES]
    sources += [blanks.reveal(exercise.solution), *map(exercise.mistaken, exercise.mistakes.values())]
    return {each for source in sources for each in fingerprints(source).places}


def compare(exercise: str, answers: list[Answer], common: set[str]) -> Found:
    """Who is alike in one exercise."""
    every = pairs(answers, common)
    usual = statistics.median(pair.likeness for pair in every) if every else 0.0
    told = sorted((pair for pair in every if pair.likeness >= BAR and pair.evidence >= EVIDENCE), key=_rank)
    groups, links = _groups(told)
    return Found(exercise, len(answers), usual, told, groups, links, common)


def pairs(answers: list[Answer], common: set[str]) -> list[Pair]:
    """Every two answers of different students."""
    own = [answer.prints.places.keys() - common for answer in answers]
    weight = _weights(answers, own)
    total = [_sum(weight, prints) for prints in own]
    found = []
    for i, j in combinations(range(len(answers)), 2):
        if answers[i].student != answers[j].student:
            evidence = _sum(weight, own[i] & own[j])
            likeness = evidence / math.sqrt(total[i] * total[j]) if evidence else 0.0
            found.append(Pair(likeness, evidence, answers[i], answers[j]))
    return found


def _weights(answers: list[Answer], own: list[set[str]]) -> dict[str, float]:
    """1 for what at most two students have, towards 0 for what all have."""
    students: dict[str, set[str]] = defaultdict(set)
    for answer, prints in zip(answers, own, strict=True):
        students[answer.student] |= prints
    owners = Counter(each for prints in students.values() for each in prints)
    others = max(1, len(students) - 1)
    return {each: math.log(others / (max(count - 2, 0) + 0.5)) / math.log(2 * others) for each, count in owners.items()}


def _sum(weight: Mapping[str, float], prints: Iterable[str]) -> float:
    return math.fsum(weight[each] for each in prints)


def _rank(pair: Pair) -> tuple[float, float, str, str]:
    return -pair.likeness, -pair.evidence, pair.one.student, pair.other.student


def _groups(told: list[Pair]) -> tuple[list[list[str]], list[Pair]]:
    """Who is connected by pairs, the largest group first, and the pairs that connect what was not connected before."""
    home: dict[str, list[str]] = {}
    links = []
    for pair in told:
        one, other = (home.setdefault(name, [name]) for name in (pair.one.student, pair.other.student))
        if one is not other:
            links.append(pair)
            one += other
            home |= dict.fromkeys(other, one)
    groups = {id(group): sorted(group) for group in home.values()}
    return sorted(groups.values(), key=lambda group: (-len(group), group)), links


def shared(pair: Pair, common: Collection[str]) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """The parts of both texts that made them a pair, from where to where."""
    both = (pair.one.prints.places.keys() & pair.other.prints.places.keys()) - set(common)
    one, other = (list(_parts(answer.prints, both)) for answer in (pair.one, pair.other))
    return one, other


def as_json(found: Iterable[Found], left_out: Iterable[LeftOut]) -> dict[str, Any]:
    """All of it for scripts; of each file the lines in which the parts are that both have."""
    return {
        "schema": 1,
        "exercises": [
            {
                "exercise": each.exercise,
                "compared": each.compared,
                "usual": round(each.usual, 4),
                "bar": BAR,
                "groups": each.groups,
                "pairs": [_pair_json(pair, each.common) for pair in each.pairs],
            }
            for each in found
        ],
        "left_out": [
            {"student": each.student, "file": each.file, "message": describe(each.problem, "en")} for each in left_out
        ],
    }


def _pair_json(pair: Pair, common: Collection[str]) -> dict[str, Any]:
    files = [
        {
            "student": answer.student,
            "file": answer.file,
            "lines": [[answer.source.count("\n", 0, at) + 1 for at in part] for part in parts],
        }
        for answer, parts in zip((pair.one, pair.other), shared(pair, common), strict=True)
    ]
    return {"likeness": round(pair.likeness, 4), "evidence": round(pair.evidence, 2), "files": files}


def _parts(prints: Prints, wanted: Iterable[str]) -> Iterator[tuple[int, int]]:
    """What these fingerprints cover, overlaps joined."""
    start = stop = 0
    for first, last in sorted(place for each in wanted for place in prints.places[each]):
        if first > stop:
            if stop:
                yield start, stop
            start = first
        stop = max(stop, last)
    if stop:
        yield start, stop
