"""Which known mistake is it? The one whose answers, to the very same calls, are those of the submission.

A submission that forgot eps and one that we made forget it differ by rounding; both are far from the truth. So an
answer is a mistake's if it is twenty times nearer to the mistake's answer than that is to the reference, in every call
of every test: the tests that pass must pass for the mistake too. A mistake that only loses precision (`rounding=True`)
has no answer of its own; it is recognised by the set of tests that it fails, and by how far off it is there. Where a right
answer costs too much, the mistake must exceed the same meters, by about as much.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from clozekit.grading import laws
from clozekit.grading.candidate import Answer, Candidate
from clozekit.grading.compare import difference
from clozekit.grading.questions import Question
from clozekit.grading.tolerance import Expected
from clozekit.grading.trees import parts
from clozekit.meters import bills
from clozekit.report import Meter, MeterName, Problem

NEARER = 20.0
SIMILAR = 30.0  # two losses of precision: bfloat16 rounds 8 times as coarsely as float16
NO_SYMPTOM = {
    "blank",
    "missing",
    "timeout",
    "unasked",
    "budget",
    "exit",
    "protocol",
    "device-memory",
}  # what these do is not a wrong answer
Trials = Mapping[str, list[Question]]
Price = Callable[[Question, Candidate], Mapping[MeterName, Meter] | Problem]


def diagnose(
    trials: Trials,
    mistaken: Mapping[str, str],
    suspect: Candidate,
    rounding: frozenset[str],
    price: Price | None = None,
) -> str | None:
    """The name of the first mistake that explains every answer, or None.

    trials: the questions of each test, as the submission answered them; a failed test ends with its refused question.
    mistaken: for each mistake the source that makes it. suspect: runs those sources. price: what a call of full size
    costs the one that it runs now.
    """
    refused = {name: trial[-1].problem for name, trial in trials.items() if trial and trial[-1].problem}
    if not any(_is_symptom(problem, trials[name]) for name, problem in refused.items()):
        return None
    # a short refused test comes first: it clears most mistakes; and costs last, since kernels are compiled for them
    ordered = sorted(trials, key=lambda name: (is_priced(trials[name]), name not in refused, len(trials[name])))
    by_pattern = None
    for name, source in mistaken.items():
        same = _same_verdict if name in rounding else _same_answer
        if same is _same_verdict and by_pattern:
            continue
        if all(
            _same_costs(trials[test], source, suspect, price)
            if price and is_priced(trials[test])
            else _same_trial(trials[test], source, suspect, same)
            for test in ordered
        ):
            if same is _same_answer:
                return name
            by_pattern = name
    return by_pattern


def _is_symptom(problem: Problem, trial: list[Question]) -> bool:
    """Whether a mistake may be known by this: a kernel that is compiled for too long, but no other call that hangs."""
    return problem.kind not in NO_SYMPTOM or (problem.kind == "timeout" and is_priced(trial))


def is_priced(trial: list[Question]) -> bool:
    """Whether a test asks for the costs of a call."""
    return any(question.priced for question in trial)


def _same_costs(trial: list[Question], source: str, suspect: Candidate, price: Price) -> bool:
    """Both cheap enough, or both too dear in the same way, by about as much."""
    suspect.become(source)
    for question in trial:
        theirs = price(question, suspect)
        if isinstance(theirs, Problem):
            if question.meters or question.problem is None or question.problem.kind != theirs.kind:
                return False
        elif not question.meters or not bills.alike(question.meters, theirs):
            return False
    return True


def _same_trial(
    trial: list[Question], source: str, suspect: Candidate, same: Callable[[Question, Candidate], bool]
) -> bool:
    """One test replayed from a fresh start, as it ran."""
    suspect.become(source)
    return all(same(question, suspect) for question in trial)


def _same_verdict(question: Question, suspect: Candidate) -> bool:
    """Both right, or both wrong in the same way and about as far off: noise has a size, though no values."""
    problem = question.judge(suspect.ask(question.request, question.buffers))
    if problem is None or question.problem is None:
        return problem is None and question.problem is None
    ours, theirs = (float(each.facts.get("excess", "inf")) for each in (question.problem, problem))
    return problem.kind == question.problem.kind and ours <= SIMILAR * theirs and theirs <= SIMILAR * ours


def _same_answer(question: Question, suspect: Candidate) -> bool:
    answer = suspect.ask(question.request, question.buffers)
    if suspect.broken:
        return False  # a mistake's file loads; whatever keeps it from loading here is not the mistake
    problem = question.judge(answer)
    if question.problem is None or problem is None:
        return problem is None and question.problem is None
    if question.answer.problem or answer.problem:
        return _symptom(question.answer) == _symptom(answer)
    if sorted(question.answer.changed) != sorted(answer.changed):
        return False
    if question.bars and _is_cost(question.problem) and _is_cost(problem):
        return bills.alike(question.costs(question.answer), question.costs(answer))
    same_dtype = problem == question.problem and problem.kind == "dtype"  # both have the same wrong one
    return all(
        alike(ours, theirs, replace(expected, dtype=None, dtypes={}) if same_dtype else expected)
        for (_, ours, expected), (_, theirs, _) in zip(
            question.pairs(question.answer), question.pairs(answer), strict=True
        )
    )


def _is_cost(problem: Problem) -> bool:
    return problem.kind.startswith("meter-")


def _symptom(answer: Answer) -> tuple[str, str]:
    return (answer.problem.kind, answer.problem.facts.get("type", "")) if answer.problem else ("", "")


def alike(answer: Any, mistaken: Any, expected: Expected) -> bool:
    """Whether two answers are the same up to rounding, seen from what is expected: leaf by leaf both right, or near."""
    if difference(answer, expected) is None and difference(mistaken, expected) is None:
        return True
    if isinstance(answer, Tensor) and isinstance(mistaken, Tensor):
        if isinstance(expected.value, laws.Law) and answer.shape == mistaken.shape == expected.value.shape:
            return laws.alike(answer, mistaken, expected.value)
        return _near(answer, mistaken, expected.value if isinstance(expected.value, Tensor) else None)
    if type(answer) is not type(mistaken):
        return False
    if isinstance(answer, float):
        return alike(torch.tensor(answer), torch.tensor(mistaken), expected)
    ours, theirs = parts(answer), parts(mistaken)
    if ours is None or theirs is None:
        return bool(answer == mistaken)
    known, spreads = parts(expected.value) or {}, parts(expected.spread) or {}
    return ours.keys() == theirs.keys() and all(
        alike(ours[step], theirs[step], replace(expected, value=known.get(step), spread=spreads.get(step)))
        for step in ours
    )


def _near(answer: Tensor, mistaken: Tensor, exact: Tensor | None) -> bool:
    if answer.shape != mistaken.shape or answer.dtype != mistaken.dtype:
        return False
    if not answer.is_floating_point():
        return torch.equal(answer, mistaken)
    rounding = 4 * torch.finfo(answer.dtype).eps  # of a norm, after a few steps
    answer, mistaken = answer.double(), mistaken.double()
    finite = answer.isfinite()
    if not torch.equal(finite, mistaken.isfinite()):
        return False
    if not torch.equal(answer[~finite].nan_to_num(), mistaken[~finite].nan_to_num()):
        return False
    known = finite
    if exact is not None and exact.shape == mistaken.shape:
        known = finite & exact.isfinite()
        if not torch.equal(answer[finite & ~known].sign(), mistaken[finite & ~known].sign()):
            return False  # in place of an infinity -1e4 and -1e9 are one mistake, and 0 is another
        away = (mistaken - exact.double())[known].norm()
        if away > (0 if known.all() else rounding * exact.double()[known].norm()):  # else the infinities tell
            return bool((answer - mistaken)[known].norm() * NEARER <= away)
    return bool((answer - mistaken)[known].norm() <= max(0.001, rounding) * mistaken[known].norm())
