"""A class as its template shows it: who has what, which mistakes are made, which cases refuse most, what answers cost.

Made of the lines of results.jsonl, or of what a gradebook makes of them. In an anonymous page is
nothing that a student wrote, the names of files included.
"""

import statistics
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import NamedTuple, Protocol

from clozekit.catalog import Catalog
from clozekit.classroom.handed import Line
from clozekit.exercise import Words
from clozekit.phrases import say
from clozekit.report import Verdict
from clozekit.rules.pages import MODULES, page

FIRST = 3  # cases of one exercise
LONGEST = 400  # characters of why a file could not be checked
VERDICTS: tuple[Verdict, ...] = ("passed", "failed", "could not check")


class Grade(Protocol):
    """What one student has for one exercise: of a gradebook, or of the best line."""

    @property
    def student(self) -> str: ...
    @property
    def exercise(self) -> str: ...
    @property
    def points(self) -> float: ...
    @property
    def verdict(self) -> Verdict: ...
    @property
    def late_days(self) -> int: ...
    @property
    def line(self) -> Line | None: ...


class Best(NamedTuple):
    """A grade where nobody keeps a gradebook."""

    student: str
    exercise: str
    points: float
    verdict: Verdict
    late_days: int
    line: Line | None


class Cell(NamedTuple):
    """One student, one exercise. share: of the points that there are."""

    verdict: Verdict
    points: float
    share: float
    late_days: int


class Row(NamedTuple):
    """One student, an entry for each exercise, and the sum."""

    name: str
    cells: list[Cell | None]
    points: float
    share: float


class Column(NamedTuple):
    """One exercise. tenths: how many answers have 0 to 10 %, …, 90 to 100 %, all of the points. median: a share."""

    id: str
    title: str
    max_points: float
    verdicts: dict[Verdict, int]
    tenths: list[int]
    median: float

    @property
    def handed_in(self) -> int:
        return sum(self.verdicts.values())


class Count(NamedTuple):
    """How many `met` it, of those whom it concerns: `what` is a mistake explained, or the title of a case."""

    what: str
    name: str
    exercise: str
    hidden: bool
    met: int
    of: int

    @property
    def share(self) -> float:
        return self.met / self.of


class Cost(NamedTuple):
    """What answers to one exercise cost, as ratios to the bar, in order."""

    exercise: str
    name: str
    ratios: list[float]

    @property
    def median(self) -> float:
        return statistics.median(self.ratios)

    @property
    def beyond(self) -> int:
        return sum(ratio > 1 for ratio in self.ratios)


class Unchecked(NamedTuple):
    """What could not be checked, and why. student, file and message are empty in an anonymous page."""

    exercise: str
    student: str
    file: str
    message: str


class ClassView(NamedTuple):
    """The whole class. unknown: failed answers that ran, and in which no known mistake was recognised."""

    rows: list[Row]
    columns: list[Column]
    verdicts: dict[Verdict, int]
    mistakes: list[Count]
    unknown: int
    cases: list[Count]
    costs: list[Cost]
    unchecked: list[Unchecked]

    @property
    def absent(self) -> int:
        return len(self.rows) * len(self.columns) - sum(self.verdicts.values())


def class_view(
    lines: list[Line], grades: Iterable[Grade], catalog: Catalog, language: str, anonymous: bool
) -> ClassView:
    """What the template `class_page.html` asks for."""
    exercises = {exercise.id: exercise for exercise in catalog}
    found = {(grade.student, grade.exercise): grade for grade in grades or best(lines) if grade.exercise in exercises}
    order = [id for id in exercises if any(id == each for _, each in found)]
    words = {id: exercises[id].words(language) for id in order}
    worth = {id: max((line["max_points"] for line in lines if line["exercise"] == id), default=0.0) for id in order}
    counted = [grade.line for grade in found.values() if grade.line]
    titles = {id: _titles(exercises[id].words, language) for id in order}
    columns = [_column(id, words[id].title, worth[id], [g for g in found.values() if g.exercise == id]) for id in order]
    rows = [_row(name, [found.get((name, id)) for id in order], [*worth.values()]) for name in _students(lines, found)]
    if anonymous:
        rows.sort(key=lambda row: -row.points)
        rows = [row._replace(name=say(language, "class-number", number=i)) for i, row in enumerate(rows, 1)]
    mistakes = list(_mistakes(lines, words, language))
    return ClassView(
        rows,
        columns,
        {verdict: sum(column.verdicts[verdict] for column in columns) for verdict in VERDICTS},
        sorted(mistakes, key=lambda each: (-each.met, -each.share, each.name)),
        sum(line["verdict"] == "failed" and "message" not in line and not _names(line) for line in counted),
        _hardest(_cases(counted, words, titles)),
        list(_costs(counted, words)),
        list(_unchecked(lines, found, words, anonymous)),
    )


def best(lines: Iterable[Line]) -> list[Best]:
    """Of several answers of a student to one exercise that with the most points; any that was checked before one that was not."""
    found: dict[tuple[str, str], Best] = {}
    for line in lines:
        if line["student"]:
            place = line["student"], line["exercise"]
            new = Best(*place, line["points"], line["verdict"], 0, line)
            found[place] = max(found.get(place, new), new, key=_rank)  # of equals the first
    return list(found.values())


def _rank(grade: Best) -> tuple[bool, float, bool]:
    return grade.verdict != "could not check", grade.points, grade.verdict == "passed"


def _students(lines: Iterable[Line], found: Iterable[tuple[str, str]]) -> list[str]:
    return sorted({line["student"] for line in lines if line["student"]} | {student for student, _ in found})


def _row(name: str, grades: list[Grade | None], worth: list[float]) -> Row:
    cells = [
        Cell(grade.verdict, grade.points, _share(grade.points, most), grade.late_days) if grade else None
        for grade, most in zip(grades, worth, strict=True)
    ]
    points = round(sum(cell.points for cell in cells if cell), 6)
    return Row(name, cells, points, _share(points, sum(worth)))


def _share(points: float, most: float) -> float:
    return min(1.0, max(0.0, points / most)) if most else 0.0


def _column(id: str, title: str, worth: float, grades: list[Grade]) -> Column:
    verdicts = Counter(grade.verdict for grade in grades)
    shares = [_share(grade.points, worth) for grade in grades if grade.verdict != "could not check"]
    tenths = Counter(int(10 * share) for share in shares)
    return Column(
        id,
        title,
        worth,
        {verdict: verdicts[verdict] for verdict in VERDICTS},
        [tenths[each] for each in range(11)],
        statistics.median(shares) if shares else 0.0,
    )


def _titles(words: Callable[[str], Words], language: str) -> dict[str, str]:
    """The title of each case, by the one that a line has in whichever language it was graded."""
    wanted, chinese = words(language).cases, words("zh").cases
    return {
        told: wanted.get(name, name) for name, zh in chinese.items() for told in (zh, words("en").cases.get(name, name))
    }


def _names(line: Line) -> set[str]:
    """The mistakes that were recognised in an answer, and the rules that it breaks."""
    broken = {finding["code"] for finding in line["findings"] if finding["severity"] == "error"}
    return {test["mistake"] for test in line["tests"] if test["mistake"]} | broken


def _mistakes(lines: Iterable[Line], words: dict[str, Words], language: str) -> Iterator[Count]:
    """A student who makes a mistake twice makes it once."""
    students: dict[tuple[str, str], set[str]] = defaultdict(set)
    checked: dict[str, set[str]] = defaultdict(set)
    for line in lines:
        if line["exercise"] in words and line["verdict"] != "could not check":
            checked[line["exercise"]].add(line["student"])
            for name in _names(line):
                students[line["exercise"], name].add(line["student"])
    for (id, name), made in students.items():
        told = page(name, language).line if name in MODULES else words[id].mistakes.get(name, name)
        yield Count(told, name, words[id].title, False, len(made), len(checked[id]))


def _cases(lines: Iterable[Line], words: dict[str, Words], titles: dict[str, dict[str, str]]) -> Iterator[Count]:
    """The cases that refused any of these answers."""
    refused: Counter[tuple[str, str]] = Counter()
    asked: Counter[tuple[str, str]] = Counter()
    hidden = set()
    for line in lines:
        for test in line["tests"]:
            case = line["exercise"], test["name"]
            asked[case] += test["verdict"] != "could not check"
            refused[case] += test["verdict"] == "failed"
            hidden |= {case} if test["hidden"] else set()
    for (id, name), count in refused.items():
        if count:
            case = id, name
            yield Count(titles[id].get(name, name), "", words[id].title, case in hidden, count, asked[case])


def _hardest(cases: Iterable[Count]) -> list[Count]:
    """By the share that was refused; of one exercise only a few before those of the others."""
    place: Counter[str] = Counter()
    ranked = []
    for case in sorted(cases, key=lambda each: (-each.share, -each.of, each.exercise)):
        ranked.append((place[case.exercise] >= FIRST, case))
        place[case.exercise] += 1
    return [case for _, case in sorted(ranked, key=lambda each: each[0])]


def _costs(lines: Collection[Line], words: dict[str, Words]) -> Iterator[Cost]:
    """Every cost that has a bar. Where the bar is nothing at all, what is beyond it is infinitely far."""
    found: dict[tuple[str, str], list[float]] = defaultdict(list)
    for line in lines:
        for meter in line["meters"]:
            if meter["bar"] is not None:
                beyond = float("inf") if meter["value"] > 0 else 0.0
                ratio = meter["value"] / meter["bar"] if meter["bar"] else beyond
                found[line["exercise"], meter["name"]].append(ratio)
    for id, each in words.items():
        for (exercise, name), ratios in found.items():
            if exercise == id:
                yield Cost(each.title, name, sorted(ratios))


def _unchecked(
    lines: Iterable[Line], found: dict[tuple[str, str], Grade], words: dict[str, Words], anonymous: bool
) -> Iterator[Unchecked]:
    """Every file that could not be checked, unless another of the same student for the same exercise could."""
    for line in lines:
        grade = found.get((line["student"], line["exercise"]))
        if line["verdict"] != "could not check" or (grade and grade.verdict != "could not check"):
            continue
        title = words[line["exercise"]].title if line["exercise"] in words else ""
        told = ("", "", "") if anonymous else (line["student"], line["file"], line.get("message", "")[:LONGEST])
        yield Unchecked(title, *told)
