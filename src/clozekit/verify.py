"""The proof of a grader: `cloze verify` runs it, and the tests do for every exercise.

    the solution passes; both starters fail at a blank; every mistake is refused and diagnosed as itself;
    every mutant of the solution is refused, or listed as equivalent with a reason; words and files agree

A Proof has complaints (what must be fixed) and notes (what an author should look at).
"""

import ast
import math
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from msgspec import Struct, field

from clozekit import blanks, syntax
from clozekit.engine import Engine
from clozekit.errors import ContentError
from clozekit.exercise import LANGUAGES, LEVELS, Exercise
from clozekit.mutants import Mutant, mutants
from clozekit.report import Report
from clozekit.submission import Upload

BAR = 20.0  # the same as grading.tolerance.BAR, which imports torch; a test compares the two
NARROW = 2.5  # an honest answer nearer to the bar than this factor, or a mistake so near above it, deserves a look


class Margin(Struct):
    """One test: the worst honest answer and the nearest refused mistake, in spreads; the bar lies between."""

    test: str
    honest: float
    mistake: float | None = None


class Proof(Struct):
    """What was found out about one exercise."""

    id: str
    complaints: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    margins: list[Margin] = field(default_factory=list)
    mistakes: dict[str, int] = field(default_factory=dict)  # how many tests refuse each
    mutants: int = 0
    justified: int = 0
    survivors: list[str] = field(default_factory=list)
    seconds: float = 0.0


Tick = Callable[[str], None]


def prove(
    exercise: Exercise,
    engine: Engine,
    *,
    with_mutants: bool = True,
    every: int = 1,
    tick: Tick = lambda what: None,
) -> Proof:
    """Prove one exercise. `every`: of the mutants, one in so many is tried. `tick` hears what is being looked at.

    Raises:
        ContentError: a file of the exercise cannot be read at all.
    """
    began = time.perf_counter()
    proof = Proof(exercise.id)
    proof.complaints += static_complaints(exercise)
    tick("solution")
    solved = _grade(exercise, engine, blanks.reveal(exercise.solution), margins=True)
    if solved.verdict != "passed":
        proof.complaints.append(f"the solution does not pass: {_first_problem(solved)}")
    else:
        _look_at_cases(exercise, proof, solved)
        for level in LEVELS:
            tick(f"{level} starter")
            proof.complaints += _starter_complaints(exercise, engine, level)
        _try_mistakes(exercise, engine, proof, tick)
        if with_mutants:
            _try_mutants(exercise, engine, proof, every, tick)
    proof.seconds = round(time.perf_counter() - began, 1)
    return proof


def static_complaints(exercise: Exercise) -> Iterator[str]:
    """What can be seen without running anything: names that must agree between the four files."""
    sheet = exercise.sheet
    named = {blank.name for blank in blanks.find(exercise.solution)}
    if not named:
        yield f"{exercise.solution_path} marks no blank; put `# BLANK name` and `# END` around one idea"
    for what, keys, wanted in (
        ("blanks", sheet.en.blanks, named),
        ("mistakes", sheet.en.mistakes, set(exercise.mistakes)),
    ):
        if missing := sorted(wanted - set(keys)):
            yield f"[en.{what}] and [zh.{what}] lack {', '.join(missing)}"
        if stray := sorted(set(keys) - wanted):
            yield f"[en.{what}] and [zh.{what}] explain {', '.join(stray)}, which does not exist"
    if not exercise.starter_path.exists() or exercise.starter_path.read_text("utf-8") != exercise.render():
        yield f"{exercise.starter_path} is stale; run `cloze build`"
    yield from _signature_complaints(exercise)


def _signature_complaints(exercise: Exercise) -> Iterator[str]:
    """`entry` in the TOML declares what the solution defines."""
    defined = dict(blanks.functions(syntax.parse(exercise.solution)))
    for declaration in exercise.sheet.entry:
        name, _, arguments = declaration.partition("(")
        node = defined.get(name) or defined.get(f"{name}.__init__")
        if node is None:
            if f"class {name}" not in exercise.solution:
                yield f"entry `{declaration}`: the solution defines no `{name}`"
            continue
        plain = ast.arguments(
            posonlyargs=node.args.posonlyargs,
            args=[ast.arg(arg.arg) for arg in node.args.args if arg.arg != "self"],
            vararg=node.args.vararg,
            kwonlyargs=[ast.arg(arg.arg) for arg in node.args.kwonlyargs],
            kw_defaults=node.args.kw_defaults,
            kwarg=node.args.kwarg,
            defaults=node.args.defaults,
        )
        declared = ast.unparse(syntax.parse(f"def f({arguments}: pass").body[0].args)  # type: ignore[attr-defined]
        if ast.unparse(plain) != declared:
            yield f"entry `{declaration}`: the solution has `{name}({ast.unparse(plain)})`"


def _grade(exercise: Exercise, engine: Engine, source: str, **options: Any) -> Report:
    options.setdefault("diagnose", False)
    return engine.grade(exercise, Upload(f"{exercise.name}.py", source.encode()), **options)


def _first_problem(report: Report) -> str:
    from clozekit.describe import describe

    for test in report.tests:
        if test.problem:
            return f"{test.name}: {describe(test.problem, 'en')}"
    if report.findings:
        return describe(report.findings[0].problem, "en")
    return describe(report.problem, "en") if report.problem else report.verdict


def _look_at_cases(exercise: Exercise, proof: Proof, solved: Report) -> None:
    """Titles that lack a translation, cases that one rounding decides, answers near the bar."""
    titles = {test.name for test in solved.tests}
    translated = set(exercise.sheet.zh.cases)
    if missing := sorted(titles - translated):
        proof.complaints.append(f"[zh.cases] lacks {', '.join(repr(title) for title in missing)}")
    if stray := sorted(translated - titles):
        proof.complaints.append(
            f"[zh.cases] translates {', '.join(repr(title) for title in stray)}, which no test is called"
        )
    proof.complaints += [
        f"one rounding decides the reference: {place}; move the case off the border" for place in solved.unstable
    ]
    worst: dict[str, float] = {}
    for margin in solved.margins:
        worst[margin.test] = max(worst.get(margin.test, 0.0), margin.excess)
    proof.margins = [Margin(test, honest) for test, honest in worst.items()]
    proof.notes += [
        f"{test}: the solution itself is {honest:.3g} spreads off; the bar is {BAR:g}"
        for test, honest in worst.items()
        if honest > BAR / NARROW
    ]


def _starter_complaints(exercise: Exercise, engine: Engine, level: str) -> Iterator[str]:
    for language in LANGUAGES:
        rendered = exercise.render(level, language)
        longest = max(rendered.splitlines(), key=len, default="")
        if len(longest) > 120:
            yield f"the {level} starter ({language}) has a line of {len(longest)} characters: {longest[:60]}…"
        report = _grade(exercise, engine, rendered)
        kinds = {test.problem.kind for test in report.tests if test.problem}
        if report.verdict != "failed" or kinds - {"blank"}:
            yield f"the untouched {level} starter ({language}) is not refused for its blanks: {_first_problem(report)}"


def _try_mistakes(exercise: Exercise, engine: Engine, proof: Proof, tick: Tick) -> None:
    """Every mistake is refused, and called by its name."""

    def attempt(name: str) -> tuple[str, Report | str]:
        tick(name)
        try:
            return name, _grade(
                exercise, engine, exercise.mistaken(exercise.mistakes[name]), diagnose=True, margins=True
            )
        except ContentError as error:
            return name, str(error)

    refusing: dict[str, set[str]] = {margin.test: set() for margin in proof.margins}
    nearest: dict[str, float] = {}
    for name, report in _parallel(attempt, exercise.mistakes):
        if isinstance(report, str):
            proof.complaints.append(report)
            continue
        refused = [test.name for test in report.tests if test.verdict == "failed"]
        proof.mistakes[name] = len(refused)
        if report.verdict != "failed":
            proof.complaints.append(f"mistake {name} is not refused: {report.verdict}")
        elif report.tests and all(test.problem and test.problem.kind == "raised" for test in report.tests):
            proof.complaints.append(
                f"mistake {name} raises in every test, so that any file that does so would have its name"
            )
        elif report.mistake is None:
            proof.complaints.append(f"mistake {name} is refused but not recognised")
        elif report.mistake != name:
            proof.complaints.append(
                f"mistake {name} is taken for {report.mistake}; add a case that tells them apart, or merge them"
            )
        for margin in report.margins:
            if margin.test in refused and margin.excess > BAR:
                nearest[margin.test] = min(nearest.get(margin.test, math.inf), margin.excess)
        for test in refused:
            refusing.setdefault(test, set()).add(name)
    for each in proof.margins:
        found = nearest.get(each.test)
        each.mistake = found if found is not None and math.isfinite(found) else None
        if each.mistake is not None and each.mistake < BAR * NARROW:
            proof.notes.append(f"{each.test}: a mistake is only {each.mistake:.3g} spreads off; the bar is {BAR:g}")
    proof.notes += [
        f"{test}: refuses no mistake; which one is it for?" for test, names in refusing.items() if not names
    ]


def _try_mutants(exercise: Exercise, engine: Engine, proof: Proof, every: int, tick: Tick) -> None:
    """Every mutant is refused, or justified; those that are left out are still known by name."""

    def attempt(mutant: Mutant) -> tuple[Mutant, bool]:
        tick(mutant.key)
        return mutant, _grade(exercise, engine, blanks.reveal(mutant.source), stop_at_first=True).verdict == "failed"

    found = list(mutants(exercise.solution))
    justified = exercise.sheet.equivalent
    for mutant, refused in _parallel(attempt, found[::every]):
        proof.mutants += 1
        if mutant.key in justified:
            proof.justified += 1
            if refused:
                proof.complaints.append(f"[equivalent] lists a mutant that is refused: {mutant.key}")
        elif not refused:
            proof.survivors.append(mutant.key)
            proof.complaints.append(
                f"a mutant passes, line {mutant.line}: {mutant.key}; "
                "add a case, or list it under [equivalent] with the reason"
            )
    stray = justified.keys() - {mutant.key for mutant in found}
    proof.complaints += [f"[equivalent] lists a mutant that does not exist: {key}" for key in sorted(stray)]


def _parallel(attempt: Callable, items: Iterable) -> list:
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(attempt, items))
