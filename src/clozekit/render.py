"""A Report for people (text) and for scripts (JSON of DESIGN's fixed shape), in the learner's language.

     ✗ values: rows as small as eps
         rms_norm(float32[3, 8], float32[8], 1e-06)
         at [1, 2]: yours 2.46253, expected 1.3219 (24 of 24 elements are off)
     ✓ 14 of 15 tests passed

    Likely mistake  eps belongs inside the square root, beside the mean: sqrt(mean(x²) + eps).
"""

from collections.abc import Iterator
from typing import Any, Literal

from clozekit.describe import describe, next_step
from clozekit.exercise import Exercise, Words
from clozekit.phrases import say
from clozekit.report import Finding, Report, Result

Reveal = Literal["all", "visible"]
SHOWN = 3  # failed tests told in full; the others by title


def as_json(report: Report, exercise: Exercise, language: str, reveal: Reveal) -> dict[str, Any]:
    """The report as DESIGN's JSON, schema 1. With the same seed two reports differ in `seconds` only."""
    words = exercise.words(language)
    return {
        "schema": 1,
        "exercise": report.exercise,
        "verdict": report.verdict,
        "score": round(report.score, 6),
        "points": report.points,
        "max_points": report.max_points,
        "tier": report.tier,
        "tests": [_test_json(test, words, language, reveal) for test in report.tests],
        "findings": [_finding_json(finding, language) for finding in report.findings],
        "meters": [],
        "message": describe(report.problem, language) if report.problem else "",
        "mistake": report.mistake,
        "seconds": report.seconds,
    }


def _test_json(test: Result, words: Words, language: str, reveal: Reveal) -> dict[str, Any]:
    return {
        "name": words.cases.get(test.name, test.name),
        "verdict": test.verdict,
        "hidden": test.hidden,
        "points": test.earned,
        "max_points": test.points,
        "message": _message(test, words, language, reveal),
        "mistake": test.mistake,
    }


def _finding_json(finding: Finding, language: str) -> dict[str, Any]:
    return {
        "code": finding.code,
        "severity": finding.severity,
        "line": finding.line,
        "column": finding.column,
        "message": describe(finding.problem, language),
    }


def _message(test: Result, words: Words, language: str, reveal: Reveal) -> str:
    """Everything about a failed test; of a hidden one only the diagnosed mistake, unless all is revealed."""
    parts = []
    if test.hidden and reveal == "visible":
        parts.append("" if test.verdict == "passed" else say(language, "hidden-case"))
    elif test.problem:
        parts.append(describe(test.problem, language))
    if test.mistake:
        parts.append(words.mistakes[test.mistake])
    return "\n".join(part for part in parts if part)


def as_text(report: Report, exercise: Exercise, language: str, reveal: Reveal) -> str:
    """The report with rich's markup for colour; strip it with `rich.text.Text.from_markup(...).plain`."""
    return "\n".join(_lines(report, exercise, language, reveal))


def _lines(report: Report, exercise: Exercise, language: str, reveal: Reveal) -> Iterator[str]:
    from rich.markup import escape

    words = exercise.words(language)
    for finding in report.findings:
        yield f"[red]✗[/] {finding.line}:{finding.column} [bold]{finding.code}[/] {escape(describe(finding.problem, language))}"
        yield f"    {escape(next_step(finding.problem, language))}"
    if report.problem:
        yield from _indented(escape(describe(report.problem, language)), "  ")
        if step := next_step(report.problem, language):
            yield f"  [bold]{say(language, 'next-step')}[/]  {escape(step)}"
    else:
        yield from _failed_tests(report.tests, words, language, reveal)
    passed = sum(test.verdict == "passed" for test in report.tests)
    if report.tests:
        mark = "[green]✓[/]" if passed else "[red]✗[/]"
        yield f"{mark} {say(language, 'tests-passed', passed=passed, total=len(report.tests))}"
    yield from _advice(report, exercise, words, language)
    colour = {"passed": "green", "failed": "red", "could not check": "yellow"}[report.verdict]
    verdict = say(language, report.verdict.replace(" ", "-"))
    points = say(language, "points", points=report.points, max_points=report.max_points)
    yield f"[bold {colour}]{verdict}[/]  {exercise.id}  {points}"


def _failed_tests(tests: list[Result], words: Words, language: str, reveal: Reveal) -> Iterator[str]:
    """The first few in full, each distinct problem once, the rest by title."""
    from rich.markup import escape

    told: list[tuple[str, dict[str, str]]] = []
    for test in tests:
        if test.verdict == "passed":
            continue
        title = escape(words.cases.get(test.name, test.name))
        mark = "[red]✗[/]" if test.verdict == "failed" else "[yellow]?[/]"
        yield f"{mark} {title}"
        gist = (test.problem.kind, test.problem.facts | {"call": ""}) if test.problem else ("", {})
        if gist in told or len(told) == SHOWN:
            continue
        told.append(gist)
        shown = Result(test.name, test.verdict, test.hidden, test.points, test.problem)
        yield from _indented(escape(_message(shown, words, language, reveal)), "    ")
        if test.output and not (test.hidden and reveal == "visible"):
            yield f"    {say(language, 'printed')}:"
            yield from _indented(escape(test.output.rstrip()[-600:]), "      ")


def _advice(report: Report, exercise: Exercise, words: Words, language: str) -> Iterator[str]:
    """The likely mistake and what to do next."""
    from rich.markup import escape

    if report.verdict == "passed":
        yield say(language, "next-exercise", id=exercise.id)
        return
    failed = [test.problem for test in report.tests if test.verdict == "failed" and test.problem]
    if report.mistake:
        yield f"[bold]{say(language, 'likely-mistake')}[/]  {escape(words.mistakes[report.mistake])}  [dim]({report.mistake})[/]"
    elif failed and not report.problem and failed[0].kind in ("value", "nan", "infinite"):
        yield say(language, "unknown-mistake")
    if failed and not report.problem:
        step = next_step(failed[0], language) or say(language, "next-hint", id=exercise.id)
        yield f"[bold]{say(language, 'next-step')}[/]  {escape(step)}"


def _indented(text: str, indent: str) -> Iterator[str]:
    yield from (indent + line for line in text.splitlines())
