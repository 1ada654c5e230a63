"""Answers to the same inputs: what rounding allows, and no more."""

import pytest
import torch

from clozekit.bench.answers import differ, slack
from clozekit.grading.tolerance import expect
from clozekit.report import Problem

X = torch.randn(8, 16, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_two_right_answers_are_the_same_and_a_wrong_one_is_not(dtype):
    x = X.to(dtype)
    shares = slack(expect(lambda x: torch.softmax(x, -1), [x]))
    y = torch.softmax(x, -1)
    other = (x.float().exp() / x.float().exp().sum(-1, keepdim=True)).to(dtype)
    assert differ([y], [other], shares) is None
    wrong = y.clone()
    wrong[3, 5] = wrong.max() * 1.5
    assert differ([wrong], [y], shares).facts["where"] == "[3, 5]"


def test_each_tensor_has_a_share_of_its_own():
    shares = slack(expect(lambda x: (x * 1e6, x.argmax(-1), x.sum()), [X]))
    assert len(shares) == 3
    assert shares[1] == 0.0
    assert 0 < shares[0] < shares[2]


def test_an_answer_of_zeros_has_room_for_its_rounding():
    assert slack(expect(lambda x: x * 0, [X]))[0] > 0


NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("yours", "theirs", "where"),
    [
        ([1.0, NAN], [1.0, NAN], None),
        ([1.0, INF, -INF], [1.0, INF, -INF], None),
        ([1.0, 1.0], [1.0, NAN], "[1]"),
        ([NAN, 1.0], [1.0, 1.0], "[0]"),
        ([1.0, -INF], [1.0, INF], "[1]"),
        ([1.0, INF], [1.0, 2.0], "[1]"),
        ([0.0, 1.09], [0.0, 1.0], None),
        ([0.0, 1.11], [0.0, 1.0], "[1]"),
        ([1, 2], [1, 2], None),
        ([1, 2], [1, 3], "[1]"),
        ([True], [False], "[0]"),
        ([], [], None),
    ],
)
def test_values(yours, theirs, where):
    share = 0.1 if isinstance((yours or [0.0])[0], float) else 0.0
    found = differ([torch.tensor(yours)], [torch.tensor(theirs)], [share])
    assert (found and found.facts["where"]) == where


def test_shape_and_dtype_are_part_of_an_answer():
    found = differ([X, X[:2]], [X, X.half()], [1.0, 1.0])
    assert found == Problem("speed-answer", {"where": "[1]", "yours": "float32[2, 16]", "expected": "float16[8, 16]"})
