"""What must not be in the files of a released exercise, looked for in all of them before they are written.

    leak(secrets(exercise, cases), "starters/lab/square.guided.en.py", content)
        Leak("starters/lab/square.guided.en.py", Secret("return scale * x * x", "a line of a blank in solutions/lab/square.py"))

Secret are: lines of a blank, unless the solution has them outside of its blanks as well; lines of every mistake, reference and
hidden test, of every function in the grader that is no visible test, unless a statement or a hint has them as well; names and
explanations of mistakes; titles of hidden cases. Short ones are words that everybody uses: they are looked for as a whole line
or not at all.
"""

import ast
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from clozekit import blanks, syntax
from clozekit.exercise import LANGUAGES, Exercise
from clozekit.protocol import Case

SHORT = 12  # bytes of a text that everybody may have written: `return x` gives nothing away


class Secret(NamedTuple):
    """A text, and what it is."""

    text: str
    what: str


class Leak(NamedTuple):
    """A secret in a file."""

    file: str
    secret: Secret

    def __str__(self) -> str:
        return f"{self.file} would hold {self.secret.what}: {self.secret.text!r}"


def secrets(exercise: Exercise, cases: Iterable[Case]) -> Iterator[Secret]:
    """What a pack must not tell of an exercise; `cases`: all of them."""
    code = _outside(exercise.solution)
    words = [text for each in map(exercise.words, LANGUAGES) for text in (each.statement, *each.hints)]
    yield from _lines(_blanks(exercise), code)
    yield from _lines((*_mistakes(exercise), *_functions(exercise)), "\n".join([code, *words]))
    for mistake in exercise.mistakes:
        texts = [exercise.words(language).mistakes.get(mistake, "") for language in LANGUAGES]
        yield from (
            Secret(text, f"the mistake `{mistake}`") for text in (mistake, *texts) if len(text.encode()) >= SHORT
        )
    for case in cases:
        titles = {case.name, *(exercise.words(language).cases.get(case.name, case.name) for language in LANGUAGES)}
        if case.hidden:
            yield from (Secret(title, "the title of a hidden case") for title in sorted(titles))


def leak(known: Iterable[Secret], file: str, content: str) -> Leak | None:
    """The first secret that a text holds. One of few characters counts where a line or a string consists of it."""
    lines = {line.strip(" \"'") for line in content.splitlines()}
    found = (
        each for each in known if (each.text in content if len(each.text.encode()) >= SHORT else each.text in lines)
    )
    return next((Leak(file, each) for each in found), None)


def _lines(texts: Iterable[Secret], given: str) -> Iterator[Secret]:
    """Each line that a learner does not know anyway, without the comment behind it."""
    for text, what in texts:
        for line in (line.strip().partition("  # ")[0].strip() for line in text.splitlines()):
            if len(line.encode()) >= SHORT and line not in given:
                yield Secret(line, what)


def _outside(solution: str) -> str:
    """The code that every learner is given."""
    inside = {number for blank in blanks.find(solution) for number in range(blank.first, blank.last + 1)}
    lines = solution.splitlines()
    return "\n".join(line for number, line in enumerate(lines, 1) if number not in inside)


def _blanks(exercise: Exercise) -> Iterator[Secret]:
    lines = exercise.solution.splitlines()
    for blank in blanks.find(exercise.solution):
        yield Secret("\n".join(lines[blank.first : blank.last - 1]), f"a line of the blank `{blank.name}`")


def _mistakes(exercise: Exercise) -> Iterator[Secret]:
    for name, mistake in exercise.mistakes.items():
        yield Secret(mistake.code, f"a line of the mistake `{name}`")


def _functions(exercise: Exercise) -> Iterator[Secret]:
    """All of the grader but its visible tests; what these ask is in the pack."""
    grader = exercise.grader_path.read_text("utf-8")
    for node in _definitions(grader):
        if not _is_visible_test(node):
            yield Secret(ast.get_source_segment(grader, node) or "", f"a line of `{node.name}` in the grader")


def asserting(exercise: Exercise) -> list[str]:
    """The visible tests that decide by themselves, which is not written down: only what goes through `check` is."""
    tests = filter(_is_visible_test, _definitions(exercise.grader_path.read_text("utf-8")))
    return [test.name for test in tests if any(isinstance(node, ast.Assert) for node in ast.walk(test))]


def _definitions(grader: str) -> Iterator[ast.FunctionDef | ast.ClassDef]:
    return (node for node in syntax.parse(grader).body if isinstance(node, ast.FunctionDef | ast.ClassDef))


def _is_visible_test(node: ast.FunctionDef | ast.ClassDef) -> bool:
    marks = [ast.unparse(mark) for mark in node.decorator_list]
    return node.name.startswith("test_") and not any(mark.endswith("mark.hidden") for mark in marks)
