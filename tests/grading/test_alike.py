"""Two wrong answers are one mistake where they are far nearer to each other than to the truth."""

import math
from types import SimpleNamespace

import pytest
import torch

from clozekit import calls
from clozekit.grading.diagnosis import alike, diagnose
from clozekit.grading.questions import Question
from clozekit.grading.tolerance import Expected
from clozekit.meters import callstring
from clozekit.report import Problem

TRUTH = [1.0, -2.0, 0.5, 3.0]
MASKED = [1.0, -math.inf, 0.5, -math.inf]  # logits of which two are forbidden
CASES = {
    # truth, the answer, the mistake's, are they one
    "off by a rounding": (TRUTH, [2.0, -4.0, 1.0, 6.00001], [2.0, -4.0, 1.0, 6.0], True),
    "as far from each other as from the truth": (TRUTH, [0.0, -2.0, 0.5, 3.0], [2.0, -2.0, 0.5, 3.0], False),
    "two stand-ins for an infinity": (MASKED, [1.0, -1e4, 0.5, -1e4], [1.0, -3e38, 0.5, -3e38], True),
    "0 in its place": (MASKED, [1.0, -1e4, 0.5, -1e4], [1.0, 0.0, 0.5, 0.0], False),
    "infinities where there are none": (TRUTH, [1.0, -math.inf, 0.5, 3.0], [1.0, math.inf, 0.5, 3.0], False),
    "one infinity missing": (MASKED, [1.0, -math.inf, 0.5, -1e4], [1.0, -1e4, 0.5, -math.inf], False),
    "the rest is off in another way": (MASKED, [2.0, -1e4, 0.5, -1e4], [1.0, -1e4, 0.6, -1e4], False),
    "the rest is right but for roundings": (MASKED, [1.0000002, -2.0, 0.5, -1.0], [1.0, -2.0, 0.5000001, -1.0], True),
    "all is forbidden": ([-math.inf] * 2, [-1e4, -1e4], [-1e9, -1e9], True),
}


@pytest.mark.parametrize("name", CASES)
def test_alike(name):
    truth, answer, mistaken, one = CASES[name]
    truth = torch.tensor(truth, dtype=torch.float64)
    expected = Expected(truth, torch.full_like(truth, 1e-9), torch.float32, torch.float32, {}, ())
    assert alike(torch.tensor(answer), torch.tensor(mistaken), expected) is one


@pytest.mark.parametrize(("other", "one"), [(1.01, True), (1.1, False)])
def test_answers_of_a_wrong_shape_are_alike_up_to_the_roundings_of_their_dtype(other, one):
    """There is no truth of that shape that tells how far off they are."""
    answer = torch.randn(3, 7, dtype=torch.bfloat16)
    truth = torch.zeros(7, dtype=torch.float64)
    expected = Expected(truth, truth, torch.bfloat16, torch.bfloat16, {}, ())
    assert alike(answer, other * answer, expected) is one


@pytest.mark.parametrize(("priced", "mistake"), [(True, "one_warp"), (False, None)])
def test_a_kernel_that_is_compiled_for_too_long_is_known_by_it(priced, mistake):
    """Triton 3.9 takes minutes for 256 elements a thread. A call of real size that hangs may be anything."""
    late = Problem("timeout", {"seconds": "60"})
    call = callstring.parse("softmax(bfloat16[512, 8192])")
    question = Question(
        call.text, calls.Call(0, "softmax", None, [], {}), [], priced=call if priced else None, problem=late
    )
    suspect = SimpleNamespace(become=lambda source: setattr(suspect, "source", source))
    mistaken = {"an_extra_pass": "two passes", "one_warp": "num_warps=1"}
    found = diagnose(
        {"costs": [question]}, mistaken, suspect, frozenset(), lambda _, who: late if "warps" in who.source else {}
    )
    assert found == mistake
