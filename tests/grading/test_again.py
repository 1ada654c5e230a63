"""What is asked again: near enough to the first call to be as fair, far enough for whoever remembered that one."""

import random

import pytest
import torch

from clozekit.earlier import CALLS, Earlier
from clozekit.grading.again import LITTLE, is_little, refilled, repeated

SEEDS = range(40)
FLOATS = {
    "a matrix": lambda: torch.randn(4, 5),
    "a row": lambda: torch.randn(9),
    "one column": lambda: torch.randn(6, 1),
    "two elements": lambda: torch.randn(2),
    "half precision": lambda: torch.randn(3, 8).half(),
    "whole numbers": lambda: torch.randperm(16).float()[None],
    "transposed": lambda: torch.randn(5, 4).T,
    "with -inf": lambda: torch.randn(3, 6).masked_fill(torch.eye(3, 6).bool(), -torch.inf),
    "as large as float16 goes": lambda: torch.tensor([[6e4, -6e4, 5e4, 1.0, 3.0, 6e4]]).half(),
}


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("kind", FLOATS)
def test_refilled_values_are_others_within_the_case(kind, seed):
    torch.manual_seed(seed)
    x = FLOATS[kind]()
    found = refilled(None, (x,), {}, random.Random(seed))
    (y,) = found.args
    assert (y.shape, y.dtype) == (x.shape, x.dtype)
    changed = (x != y).nonzero().tolist()
    assert 1 <= len(changed) <= 2
    assert y.isnan().sum() == 0
    assert torch.equal(y.isinf().sum(), x.isinf().sum())
    assert y[y.isfinite()].abs().max() <= x[x.isfinite()].abs().max()
    assert len(y.unique()) >= len(x.unique())  # no tie that was not there
    if x.numel() > 2:
        assert x.flatten()[0] == y.flatten()[0]
        assert x.flatten()[-1] == y.flatten()[-1]
    if len(changed) == 2:
        assert torch.equal(x.flatten().sort()[0], y.flatten().sort()[0])
        assert changed[0][:-1] == changed[1][:-1] or x.shape[-1] == 1  # of one row: a distribution stays one


def test_both_kinds_of_change_come_up():
    x = torch.randn(4, 5)
    sorts = [refilled(None, (x,), {}, random.Random(seed)).args[0].flatten().sort()[0] for seed in SEEDS]
    assert len({torch.equal(each, x.flatten().sort()[0]) for each in sorts}) == 2


def test_a_modules_parameters_change_too_and_other_arguments_do_not():
    mask, x, parameters = torch.rand(3, 3) < 0.5, torch.randn(3, 4), {"w": torch.randn(4, 4)}
    found = refilled(parameters, (x, mask, 0.1, [1, 2]), {"flag": True}, random.Random(0))
    assert not torch.equal(found.parameters["w"], parameters["w"])
    assert found.args[1] is mask
    assert found.args[2:] == (0.1, [1, 2])
    assert found.kwargs == {"flag": True}


@pytest.mark.parametrize("x", [torch.zeros(2, 3), torch.randn(3, 1).expand(3, 5), torch.tensor(1.0), torch.arange(4)])
def test_nothing_is_asked_where_nothing_can_change(x):
    assert refilled(None, (x,), {}, random.Random(0)) is None


def test_a_text_loses_a_character_and_a_name_does_not():
    found = refilled(None, ("low lower", "mean"), {}, random.Random(0))
    assert found.args == ("low ower", "mean")


def test_repeated_tensors_are_equal_and_lie_otherwise():
    x, scalar, labels = torch.randn(3, 4), torch.tensor(2.0), torch.arange(3)
    found = repeated(None, (x, scalar, labels), {"y": x})
    assert torch.equal(found.args[0], x)
    assert not found.args[0].is_contiguous()
    assert found.args[0].storage_offset() == 1
    assert torch.equal(found.kwargs["y"], x)
    assert found.args[2] is labels


def test_what_has_little_to_do_is_known_by_its_arguments():
    assert is_little((torch.randn(LITTLE),), {})
    assert not is_little((torch.randn(LITTLE), 1.0), {})
    assert not is_little(("x" * (LITTLE + 1),), {})


def test_earlier_things_must_stay():
    earlier, result, given = Earlier(), [torch.zeros(2), {"a": b"x"}], torch.ones(3)
    earlier.keep("result", result)
    earlier.keep("argument", given)
    assert earlier.disturbed() == []
    result[1]["a"] = b"y"
    assert earlier.disturbed() == ["result"]
    given[0] = 5
    assert earlier.disturbed() == ["argument", "result"]
    earlier.renew()
    assert earlier.disturbed() == []


def test_only_the_last_calls_are_looked_at():
    earlier, first = Earlier(), torch.zeros(2)
    earlier.keep("result", first)
    for _ in range(2 * CALLS):
        earlier.keep("result", torch.zeros(2))
    first += 1
    assert earlier.disturbed() == []


HEAD = """\
import pytest
import torch

from clozekit.grading import reference


@reference("square")
def definition(x, scale=2.0):
    return scale * x * x


"""
MIXED = """\
def test_gradients(check):
    check("square", torch.ones(2))
    check("square", torch.ones(2), gradients=True)


@pytest.mark.parametrize("i", range(12))
def test_mode(check, i):
    check("square", torch.rand(2))
"""
MODES = """\
import torch


def square(x, scale=2.0):
    with torch.enable_grad():
        print((x.detach().requires_grad_() * 2).requires_grad)
    return scale * x * x
"""
KEEPS = """\
import functools

import torch


@functools.cache
def twos(n):
    return torch.full((n,), 2.0)


def square(x, scale=2.0):
    buffer = twos(len(x)).mul_(1.0)
    return buffer * x * x
"""
REMEMBERS = """\
kept = []


def square(x, scale=2.0):
    print("call", len(kept))
    kept.append(scale * x * x)
    return kept[0]
"""


def test_a_test_is_of_one_mode_and_nobody_knows_which(grade, author):
    first, *others = grade(MODES, author(grader=HEAD + MIXED)).tests
    assert (first.verdict, first.output.split()[1]) == ("passed", "True")
    assert [test.verdict for test in others] == ["passed"] * 12
    assert {test.output for test in others} == {"True\n", "False\n"}  # what is asked again is not heard


def test_tables_that_are_kept_between_calls_do_for_every_mode(grade, author):
    modes = MIXED + 'def test_last(check):\n    check("square", torch.ones(2), gradients=True)\n'
    assert grade(KEEPS, author(grader=HEAD + modes)).verdict == "passed"


def test_a_refilled_argument_may_be_expanded(grade, author):
    """Half of what is asked again moves an element, half exchanges two; neither touches the expanded argument."""
    grader = (
        HEAD.replace("scale=2.0", "scale")
        + """\
@pytest.mark.parametrize("i", range(4))
def test_expanded(check, i):
    check("square", torch.rand(2, 3), torch.rand(3).expand(2, 3))
"""
    )
    assert grade("def square(x, scale):\n    return scale * x * x\n", author(grader=grader)).verdict == "passed"


def test_what_is_asked_again_is_heard_where_it_fails(grade, author):
    plain = 'def test_plain(check):\n    check("square", torch.rand(5))\n'
    (test,) = grade(REMEMBERS, author(grader=HEAD + plain)).tests
    assert test.verdict == "failed"
    assert test.problem.facts["again"] == "refilled"
    assert test.output == "call 0\ncall 1\n"
