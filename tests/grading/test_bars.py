"""The judge of closeness against honest implementations in many styles, and against mistakes."""

from collections.abc import Callable
from functools import cache

import pytest
import torch
from tasks import TASKS
from tasks.task import draw
from torch import Tensor

from clozekit.grading.compare import excess
from clozekit.grading.tolerance import BAR, Expected, expect, expect_gradients
from clozekit.grading.trees import floating_leaves

# Spreads: what the bar leaves on both sides. Measured: 4.7 (the gradient of torch's flash attention) and 140 (a matrix
# product over 11008 terms in half precision).
HONEST_BELOW = BAR / 2.5
MISTAKE_ABOVE = BAR * 2.5
EVERY_CASE = [(task, case) for task in TASKS for case in TASKS[task].cases]
EVERY_MISTAKE = [(task, mistake) for task in TASKS for mistake in TASKS[task].mistakes]


@cache
def judged(task: str, case: str) -> tuple[tuple, Expected, dict[str, Expected], list[Tensor]]:
    """The arguments of a case, what is expected, and the cotangents if the task has gradients."""
    reference, args = TASKS[task].reference, TASKS[task].cases[case]()
    answer = expect(reference, args)
    if not TASKS[task].gradients:
        return args, answer, {}, []
    cotangents = [draw(*t.shape, seed=9, dtype=answer.dtype) for t in floating_leaves(answer.value)]
    return args, *expect_gradients(reference, args, cotangents=cotangents), cotangents


def spreads_off(function: Callable, task: str, case: str) -> float:
    """How far off a function is, in its answer or its gradients."""
    args, expected, gradients, cotangents = judged(task, case)
    if not gradients:
        return excess(function(*args), expected)
    inputs = [a.clone().requires_grad_() if isinstance(a, Tensor) else a for a in args]
    tensors = [a for a in inputs if isinstance(a, Tensor)]
    answer = function(*inputs)
    found = torch.autograd.grad([answer], tensors, cotangents, materialize_grads=True)
    off = [excess(gradient, wanted) for gradient, wanted in zip(found, gradients.values(), strict=True)]
    return max(excess(answer.detach(), expected), *off)


@pytest.mark.parametrize(("task", "case"), EVERY_CASE)
def test_the_honest_stay_well_below_the_bar(task, case):
    """Without this: an answer is refused for its order of operations."""
    off = {name: spreads_off(function, task, case) for name, function in TASKS[task].honest.items()}
    assert {name: value for name, value in off.items() if value > HONEST_BELOW} == {}


@pytest.mark.parametrize(("task", "mistake"), EVERY_MISTAKE)
def test_mistakes_are_well_above_the_bar_in_a_case_that_exposes_them(task, mistake):
    """Without this: the spread could be as wide as one likes."""
    function = TASKS[task].mistakes[mistake]
    assert max(spreads_off(function, task, case) for case in TASKS[task].cases) > MISTAKE_ABOVE


@pytest.mark.parametrize(("task", "case"), EVERY_CASE)
def test_no_case_here_is_decided_by_a_rounding(task, case):
    assert judged(task, case)[1].unstable == ()
