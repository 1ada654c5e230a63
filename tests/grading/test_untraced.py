"""An answer for which torch was asked nothing: who may have it before the call, and who must have got it elsewhere."""

import math

import pytest
import torch

from clozekit import calls
from clozekit.grading.candidate import Answer
from clozekit.grading.questions import Question

HELD, FREE = calls.Call(0, "merge", 3, [], {}), calls.Call(0, "f", None, [], {})
EARLIER = torch.tensor([0.25, 3.5])
CASES = {
    # the call, the answer, is it refused
    "a function out of nothing": (FREE, torch.tensor([0.5, 0.7]), True),
    "a function gives what it was given": (FREE, EARLIER, False),
    "a function out of nothing, constant": (FREE, torch.zeros(2), True),
    "an object out of nothing": (HELD, torch.tensor([0.5, 0.7]), True),
    "an object out of nothing, one number": (HELD, torch.tensor([0.37]), True),
    "an object gives what it began with": (HELD, torch.full((2,), -math.inf), False),
    "an object gives what it answered earlier": (HELD, EARLIER, False),
}


@pytest.mark.parametrize("name", CASES)
def test_untraced(name):
    request, value, refused = CASES[name]
    question = Question("call", request, [], given=[EARLIER])
    problem = question.judge(Answer(value=value))
    assert (problem is not None) is refused
    assert problem is None or problem.kind == "untraced"
