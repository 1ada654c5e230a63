"""Which known mistake is it? The one whose answers, to the very same calls, are those of the submission.

A submission that forgot eps and one that we made forget it differ by rounding; both are far from the truth. So an answer
is a mistake's if it is twenty times nearer to the mistake's answer than that is to the reference, in every call of every
test: the tests that pass must pass for the mistake too. A mistake that only loses precision (`rounding=True`) has no
answer of its own; it is recognised by the set of tests that it fails.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from clozekit.grading.candidate import Answer, Candidate
from clozekit.grading.check import Question

NEARER = 20.0
NO_SYMPTOM = {"blank", "missing", "timeout", "budget", "exit", "protocol"}  # what these do is not a wrong answer
Trials = Mapping[str, list[Question]]


def diagnose(trials: Trials, mistaken: Mapping[str, str], suspect: Candidate, rounding: frozenset[str]) -> str | None:
    """The name of the first mistake that explains every answer, or None.

    trials: the questions of each test, as the submission answered them; a failed test ends with its refused question.
    mistaken: for each mistake the source that makes it. suspect: runs those sources.
    """
    refused = {name: trial[-1].problem for name, trial in trials.items() if trial and trial[-1].problem}
    if all(problem.kind in NO_SYMPTOM for problem in refused.values()):
        return None
    ordered = sorted(
        trials, key=lambda name: (name not in refused, len(trials[name]))
    )  # one refused test clears most mistakes
    questions = [question for name in ordered for question in trials[name]]
    by_pattern = None
    for name, source in mistaken.items():
        suspect.become(source)
        if name in rounding:
            if by_pattern is None and all(_same_verdict(question, suspect) for question in questions):
                by_pattern = name
        elif all(_same_answer(question, suspect) for question in questions):
            return name
    return by_pattern


def _same_verdict(question: Question, suspect: Candidate) -> bool:
    problem = question.judge(suspect.ask(question.request, question.buffers))
    return (problem and problem.kind) == (question.problem and question.problem.kind)


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
    pairs = zip(question.pairs(question.answer), question.pairs(answer), strict=True)
    return all(alike(ours, theirs, expected.value) for (_, ours, expected), (_, theirs, _) in pairs)


def _symptom(answer: Answer) -> tuple[str, str]:
    return (answer.problem.kind, answer.problem.facts.get("type", "")) if answer.problem else ("", "")


def alike(answer: Any, mistaken: Any, exact: Any) -> bool:
    """Whether `answer` is `mistaken` up to rounding, seen from `exact`; all three are trees of the same kinds of leaves."""
    if isinstance(answer, Tensor):
        return isinstance(mistaken, Tensor) and _near(answer, mistaken, exact if isinstance(exact, Tensor) else None)
    if type(answer) is not type(mistaken):
        return False
    if isinstance(answer, dict):
        known = exact if isinstance(exact, dict) else {}
        return answer.keys() == mistaken.keys() and all(alike(answer[k], mistaken[k], known.get(k)) for k in answer)
    if isinstance(answer, list | tuple):
        known = exact if isinstance(exact, list | tuple) and len(exact) == len(answer) else [None] * len(answer)
        return len(answer) == len(mistaken) and all(map(alike, answer, mistaken, known))
    if isinstance(answer, float):
        return alike(
            torch.tensor(answer), torch.tensor(mistaken), torch.tensor(exact) if isinstance(exact, float) else None
        )
    return bool(answer == mistaken)


def _near(answer: Tensor, mistaken: Tensor, exact: Tensor | None) -> bool:
    if answer.shape != mistaken.shape or answer.dtype != mistaken.dtype:
        return False
    if not answer.is_floating_point():
        return torch.equal(answer, mistaken)
    answer, mistaken = answer.double(), mistaken.double()
    finite = answer.isfinite()
    if not torch.equal(finite, mistaken.isfinite()):
        return False
    if not torch.equal(answer[~finite].nan_to_num(), mistaken[~finite].nan_to_num()):
        return False
    distance = (answer - mistaken)[finite].norm()
    if exact is not None and exact.shape == mistaken.shape:
        away = (mistaken - exact.double())[finite].nan_to_num().norm()
        if away > 0:
            return bool(distance * NEARER <= away)
    return bool(distance * 1000 <= mistaken[finite].norm())
