"""A Report for people (text) and for scripts (JSON of DESIGN's fixed shape), in the learner's language.

 ✗ values: rows as small as eps
     rms_norm(float32[3, 8], float32[8], 1e-06)
     at [1, 2]: yours 2.46253, expected 1.3219 (24 of 24 elements are off)
 ✓ 14 of 15 tests passed

Likely mistake  eps belongs inside the square root, beside the mean: sqrt(mean(x²) + eps).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import msgspec

from clozekit import render_picture
from clozekit.describe import clean, describe, next_step
from clozekit.exercise import Exercise, Words
from clozekit.phrases import say
from clozekit.report import WRONG, Finding, Meter, Problem, Report, Result

if TYPE_CHECKING:
    from rich.text import Text

Reveal = Literal["all", "visible"]
Styled = list[tuple[str, str]]  # one line: texts, each with a style of rich ("" for none)
SHOWN = 3  # failed tests told in full; the others by title


class Advice(NamedTuple):
    """The likely mistake explained, or that it is an unknown one; its name, if it has one; the next step."""

    mistake: str = ""
    name: str = ""
    step: str = ""


def as_json(report: Report, exercise: Exercise | None, language: str, reveal: Reveal) -> dict[str, Any]:
    """The report as DESIGN's JSON, schema 1. With the same seed two reports differ in `seconds` only.

    `message` is there only where nothing could be graded, and says why; `cell` only for a notebook, `notes` for a course pack.
    A report without tests needs no exercise.
    """
    words = exercise.words(language) if exercise else None
    return {
        "schema": 1,
        "exercise": report.exercise,
        "verdict": report.verdict,
        "score": round(report.score, 6),
        "points": report.points,
        "max_points": report.max_points,
        "tier": report.tier,
        "tests": [_test_json(test, words, language, reveal) for test in report.tests] if words else [],
        "findings": [_finding_json(finding, language) for finding in report.findings],
        "meters": [_meter_json(meter) for meter in report.meters],
        **({"message": describe(veiled(report.problem, reveal), language)} if report.problem else {}),
        **({"cell": report.cell} if report.cell else {}),
        **({"notes": [describe(note, language) for note in report.notes]} if report.notes else {}),
        "seconds": report.seconds,
    }


def _test_json(test: Result, words: Words, language: str, reveal: Reveal) -> dict[str, Any]:
    return {
        "name": words.cases.get(test.name, test.name),
        "verdict": test.verdict,
        "hidden": test.hidden,
        "points": test.earned,
        "max_points": test.points,
        "message": message(test, words, language, reveal),
        "mistake": test.mistake,
    }


def _meter_json(meter: Meter) -> dict[str, Any]:
    """JSON knows no infinity: a cost that is only shown has no bar."""
    return msgspec.to_builtins(meter) | ({"bar": None} if math.isinf(meter.bar) else {})  # type: ignore[no-any-return]


def _finding_json(finding: Finding, language: str) -> dict[str, Any]:
    return {
        "code": finding.code,
        "severity": finding.severity,
        "line": finding.line,
        "column": finding.column,
        "message": describe(finding.problem, language),
    }


def veiled(problem: Problem, reveal: Reveal) -> Problem:
    """What went wrong with all of a grading. An error of the grader may hold what a hidden case does, or its own source."""
    return Problem("grader-veiled") if problem.kind == "grader" and reveal == "visible" else problem


def is_veiled(test: Result, reveal: Reveal) -> bool:
    return test.hidden and reveal == "visible"


def message(test: Result, words: Words, language: str, reveal: Reveal) -> str:
    """Everything about a failed test; of a hidden one only the diagnosed mistake, unless all is revealed."""
    parts = []
    if is_veiled(test, reveal):
        parts.append("" if test.verdict == "passed" else say(language, "hidden-case"))
    elif test.problem:
        parts += [describe(test.problem, language), _reason(test.problem, words)]
    if test.mistake:
        parts.append(words.mistakes.get(test.mistake, test.mistake))
    return "\n".join(part for part in parts if part)


def _reason(problem: Problem, words: Words) -> str:
    """Why a meter has a bar, in the exercise's own words."""
    prefix, _, name = problem.kind.partition("-")
    return words.thresholds.get(name, "") if prefix == "meter" else ""  # type: ignore[call-overload]


def as_text(report: Report, exercise: Exercise, language: str, reveal: Reveal, interview: bool = False) -> Text:
    """The report in colour, for a rich console; `.plain` is the text alone. Never markup: answers may hold brackets.

    interview: whether one runs in which the exercise is asked.
    """
    from rich.text import Text

    lines = _lines(report, exercise, language, reveal, interview)
    return Text("\n").join(Text.assemble(*((clean(text), style) for text, style in line)) for line in lines)


def _lines(report: Report, exercise: Exercise, language: str, reveal: Reveal, interview: bool) -> Iterator[Styled]:
    words = exercise.words(language)
    for finding in report.findings:
        place = f" {place_of(finding, report.cell, language)} "
        mark = ("✗", "red") if finding.severity == "error" else ("!", "yellow")
        yield [mark, (place, ""), (finding.code, "bold"), (f" {describe(finding.problem, language)}", "")]
        yield from _indented(next_step(finding.problem, language), "    ")
    if report.problem:
        problem = veiled(report.problem, reveal)
        yield from _indented(located(problem, report.cell, language), "  ")
        if step := next_step(problem, language):
            yield [("  ", ""), (say(language, "next-step"), "bold"), (f"  {step}", "")]
    else:
        yield from _failed_tests(report.tests, words, language, reveal)
    passed = sum(test.verdict == "passed" for test in report.tests)
    if report.tests:
        count = say(language, "tests-passed", passed=passed, total=len(report.tests))
        yield [("✓", "green") if passed else ("✗", "red"), (f" {count}", "")]
    for note in report.notes:
        yield from _indented(describe(note, language), "  ")
    yield from _advice(report, exercise, language, reveal, interview)
    colour = {"passed": "green", "failed": "red", "could not check": "yellow"}[report.verdict]
    verdict = say(language, report.verdict.replace(" ", "-"))
    points = say(language, "points", points=report.points, max_points=report.max_points)
    yield [(verdict, f"bold {colour}"), (f"  {exercise.id}  {points}", "")]


def located(problem: Problem, cell: str, language: str) -> str:
    """What went wrong with all of a grading; in a notebook with the cell that a line is counted in."""
    where = say(language, "in-cell", cell=cell) if cell and "line" in problem.facts else ""
    return where + describe(problem, language)


def place_of(finding: Finding, cell: str, language: str) -> str:
    """In a file 5:12; in a notebook, where a line alone says little, in words."""
    if not cell:
        return f"{finding.line}:{finding.column}"
    return say(language, "cell-place", cell=cell, line=finding.line, column=finding.column)


def _failed_tests(tests: list[Result], words: Words, language: str, reveal: Reveal) -> Iterator[Styled]:
    """The first few in full, one of them with a picture, more of the same as a number, the rest by title."""
    told: list[tuple[str, dict[str, str]]] = []
    repeated, drawn = 0, False
    for test in tests:
        if test.verdict == "passed":
            continue
        gist: tuple[str, dict[str, str]] = (test.name, {})
        if test.problem and not is_veiled(test, reveal):
            gist = (test.problem.kind, test.problem.facts | {"call": ""})
        if gist in told:
            repeated += 1
            continue
        title = words.cases.get(test.name, test.name)
        yield [("✗", "red") if test.verdict == "failed" else ("?", "yellow"), (f" {title}", "")]
        if len(told) == SHOWN:
            continue
        told.append(gist)
        shown = Result(test.name, test.verdict, test.hidden, test.points, test.problem)
        yield from _indented(message(shown, words, language, reveal), "    ")
        if test.picture and not drawn and not is_veiled(test, reveal):
            picture = [[("    ", ""), *line] for line in render_picture.lines(test.picture, language)]
            drawn = bool(picture)
            yield from picture
        if test.output and not is_veiled(test, reveal):
            yield [(f"    {say(language, 'printed')}:", "")]
            yield from _indented(test.output.rstrip()[-600:], "      ")
    if repeated:
        yield [("✗", "red"), (f" {say(language, 'same-reason', count=repeated)}", "")]


def _advice(report: Report, exercise: Exercise, language: str, reveal: Reveal, interview: bool) -> Iterator[Styled]:
    found = advice(report, exercise, language, reveal, interview)
    if report.verdict == "passed":
        yield [(found.step, "")]
        return
    if found.name:
        yield [(say(language, "likely-mistake"), "bold"), (f"  {found.mistake}  ", ""), (f"({found.name})", "dim")]
    elif found.mistake:
        yield [(found.mistake, "")]
    if found.step:
        yield [(say(language, "next-step"), "bold"), (f"  {found.step}", "")]


def advice(report: Report, exercise: Exercise, language: str, reveal: Reveal, interview: bool) -> Advice:
    """The likely mistake and what to do next. A veiled case has no part in it, and nothing that an interview refuses."""
    if report.verdict == "passed":
        ahead = "next-in-interview" if interview else "next-in-pack" if exercise.pack else "next-exercise"
        return Advice(step=say(language, ahead, id=exercise.id))
    failed = [test for test in report.tests if test.verdict == "failed" and test.problem]
    problems = [test.problem for test in failed if test.problem and not is_veiled(test, reveal)]
    mistake, step = "", ""
    if report.mistake:
        mistake = exercise.words(language).mistakes.get(report.mistake, report.mistake)
    elif problems and not report.problem and _is_unlike(problems[0]) and not exercise.pack:  # which knows no mistakes
        mistake = say(language, "unknown-mistake")
    if failed and not report.problem:
        step = next_step(problems[0], language) if problems else ""
        step = step or say(language, "next-in-interview" if interview else "next-hint", id=exercise.id)
    return Advice(mistake, report.mistake or "", step)


def _is_unlike(problem: Problem) -> bool:
    """Whether an answer was compared with those of mistakes, and is none of them."""
    return problem.kind in WRONG and "again" not in problem.facts


def _indented(text: str, indent: str) -> Iterator[Styled]:
    yield from ([(indent + line, "")] for line in text.split("\n") if text)
