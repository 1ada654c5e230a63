"""What a comparison says of every kind of wrong answer."""

import math
from dataclasses import replace
from typing import Any, NamedTuple

import pytest
import torch
from torch import tensor

from clozekit.grading.compare import Difference, difference, elementwise_excess, excess
from clozekit.grading.tolerance import BAR, Expected, expect
from clozekit.grading.trees import is_floating, mapped

inf, nan = math.inf, math.nan
float16, bfloat16, float32, float64 = torch.float16, torch.bfloat16, torch.float32, torch.float64


class Output(NamedTuple):
    loss: Any
    z: Any


def exactly(value: Any, width: float = 1e-3, dtype: torch.dtype | None = float32) -> Expected:
    """A value with a spread of this width in every floating leaf."""

    def spread(leaf: Any) -> Any:
        floats = is_floating(leaf) or isinstance(leaf, float | complex)
        return torch.full(torch.as_tensor(leaf).shape, width, dtype=float64) if floats else None

    value = mapped(lambda leaf: leaf.to(float64) if is_floating(leaf) and not leaf.is_complex() else leaf, value)
    return Expected(value, mapped(spread, value), float32, dtype)


MATRIX = tensor([[1.0, 2.0], [3.0, 4.0]])
VOCABULARY = {i: bytes([i]) for i in range(8)}

# expected, answer, and the difference
WRONG = {
    "nothing returned": (MATRIX, None, Difference("type", "", "None", "Tensor")),
    "a float for a tensor": (tensor(1.0), 1.0, Difference("type", "", "float", "Tensor")),
    "a tensor for a float": (1.0, tensor(1.0), Difference("type", "", "Tensor", "float")),
    "a list for a tuple": ((1, 2), [1, 2], Difference("type", "", "list", "tuple")),
    "a tuple for a list": ([1, 2], (1, 2), Difference("type", "", "tuple", "list")),
    "a bool for an int": ([1], [True], Difference("type", "[0]", "bool", "int")),
    "an int for a bool": ({"done": True}, {"done": 1}, Difference("type", "['done']", "int", "bool")),
    "a bool for a float": (1.0, True, Difference("type", "", "bool", "float")),
    "a float for an int": (3, 3.0, Difference("type", "", "float", "int")),
    "bytes for text": (["ab"], [b"ab"], Difference("type", "[0]", "bytes", "str")),
    "something for None": ((MATRIX, None), (MATRIX, MATRIX), Difference("type", "[1]", "Tensor", "None")),
    "a field of a named tuple": (Output(2.0, None), (2.0, 1), Difference("type", ".z", "int", "None")),
    "another length": ([1, 2, 3, 4], [1, 2, 4], Difference("length", "", "3", "4", position=2)),
    "the beginning": ([[5, 6], [7]], [[5], [7]], Difference("length", "[0]", "1", "2", position=1)),
    "nothing but lengths": ((), (1, 2), Difference("length", "", "2", "0", position=0)),
    "other keys": ({"a": 1, "b": 2}, {"a": 1, "c": 2}, Difference("keys", "", "'c'", "'b'")),
    "a key too many": ({"a": 1}, {1: 1, "a": 1}, Difference("keys", "", "1", "")),
    "many keys missing": (VOCABULARY, {}, Difference("keys", "", "", "0, 1, 2, 3, 4, …")),
    "another shape": (MATRIX, MATRIX[:1], Difference("shape", "", "(1, 2)", "(2, 2)", total=4)),
    "a dimension kept": (tensor(1.0), tensor([1.0]), Difference("shape", "", "(1,)", "()")),
    "half precision": (MATRIX, MATRIX.half(), Difference("dtype", "", "float16", "float32", total=4)),
    "double precision": (MATRIX, MATRIX.double(), Difference("dtype", "", "float64", "float32", total=4)),
    "whole numbers": (MATRIX, MATRIX.int(), Difference("dtype", "", "int32", "float32", total=4)),
    "floats for indices": (tensor([1, 2]), tensor([1.0, 2.0]), Difference("dtype", "", "float32", "int64", total=2)),
    "numbers for bools": (tensor([True]), tensor([1]), Difference("dtype", "", "int64", "bool")),
    "real for complex": (tensor([1j]), tensor([1.0]), Difference("dtype", "", "float32", "complex64")),
    "an index": (
        (tensor([[0, 5], [6, 7]]),),
        (tensor([[0, 5], [8, 9]]),),
        Difference("value", "[0][1, 0]", "8", "6", wrong=2, total=4),
    ),
    "a mask": (tensor([True, False]), tensor([True, True]), Difference("value", "[1]", "1", "0", total=2)),
    "a number": ({"steps": 3}, {"steps": 4}, Difference("value", "['steps']", "4", "3")),
    "a word": (["low", "er"], ["low", "est"], Difference("value", "[1]", "'est'", "'er'")),
    "a byte": (b"\x00a", b"\x00b", Difference("value", "", "b'\\x00b'", "b'\\x00a'")),
    "late in a long text": (
        "a" * 100 + "b" + "c" * 100,
        "a" * 100 + "d" + "c" * 100,
        Difference("value", "", f"…'{'a' * 20}d{'c' * 19}'…", f"…'{'a' * 20}b{'c' * 19}'…"),
    ),
    "a number too long to write": (7, 16**5000, Difference("value", "", "0x1" + "0" * 57 + "…", "7")),
    "a number too large for a float": (7.0, 10**400, Difference("infinite", "", "inf", "7")),
    "the worst element": (
        (MATRIX, MATRIX),
        (MATRIX, MATRIX + tensor([[0.0, 0.125], [0.25, 0.0]])),
        Difference("value", "[1][1, 0]", "3.25", "3", excess=250, wrong=2, total=4),
    ),
    "a scalar": (Output(tensor(1.0), 0), (tensor(1.5), 0), Difference("value", ".loss", "1.5", "1", excess=500)),
    "a float": ([2.5], [2.75], Difference("value", "[0]", "2.75", "2.5", excess=250)),
    "an int for a float": (2.5, 3, Difference("value", "", "3", "2.5", excess=500)),
    "a complex number": (
        tensor([1j]),
        tensor([1j + 3e2]),
        Difference("value", "[0]", "300+1j", "0+1j", excess=300000),
    ),
    "not a number": (MATRIX, MATRIX * tensor([1.0, nan]), Difference("nan", "[0, 1]", "nan", "2", wrong=2, total=4)),
    "infinite": (MATRIX, MATRIX / tensor([1.0, 0.0]), Difference("infinite", "[0, 1]", "inf", "2", wrong=2, total=4)),
    "a number for NaN": (tensor([nan]), tensor([0.0]), Difference("value", "[0]", "0", "nan")),
    "a number for an infinity": (tensor([-inf]), tensor([-1e9]), Difference("value", "[0]", "-1e+09", "-inf")),
    "the other infinity": (tensor([-inf]), tensor([inf]), Difference("value", "[0]", "inf", "-inf")),
    "NaN for an infinity": (tensor([inf]), tensor([nan]), Difference("nan", "[0]", "nan", "inf")),
    "a float that is NaN": (1.0, nan, Difference("nan", "", "nan", "1")),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_answer_is_described(name):
    value, answer, wanted = WRONG[name]
    found = difference(answer, exactly(value))
    assert found is not None
    assert replace_excess(found) == replace_excess(wanted)
    assert found.excess == pytest.approx(wanted.excess, rel=0.01)  # the rounding of the answer is subtracted
    assert excess(answer, exactly(value)) == found.excess


def replace_excess(found: Difference) -> Difference:
    return replace(found, excess=0)


RIGHT = {
    "the same": (MATRIX, MATRIX),
    "below the bar": (MATRIX, MATRIX + 1e-3 * (BAR - 1)),
    "a float": (1.0, 1.0 + 1e-3 * (BAR - 1)),
    "an int for a float": (3.0, 3),
    "a plain tuple for a named one": (Output(1.0, None), (1.0, None)),
    "a named tuple for a plain one": ((1.0, None), Output(1.0, None)),
    "another order of keys": ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
    "a smaller kind of integer": (tensor([1, 2]), tensor([1, 2], dtype=torch.int32)),
    "the same infinities and NaN": (tensor([inf, -inf, nan, 1]), tensor([inf, -inf, nan, 1])),
    "no elements": (torch.zeros(0, 3), torch.zeros(0, 3)),
    "text": (["a", b"a", None, {}, (), True], ["a", b"a", None, {}, (), True]),
    "complex": (tensor([1 + 1j]), tensor([1 + 1j])),
}


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_answer_is_accepted(name):
    value, answer = RIGHT[name]
    assert difference(answer, exactly(value)) is None
    assert excess(answer, exactly(value)) <= BAR


def test_the_bar_lies_between():
    """Without this: the bar could be anything."""
    assert difference(MATRIX + 1e-3 * (BAR + 0.1), exactly(MATRIX)).excess == pytest.approx(BAR + 0.1, rel=0.01)


def test_any_floating_dtype_will_do_if_none_is_named_but_no_integer():
    expected = exactly(MATRIX, dtype=None)
    assert difference(MATRIX.half(), expected) is None
    assert difference(MATRIX.double(), expected) is None
    assert difference(MATRIX.int(), expected).kind == "dtype"


def test_a_leaf_may_have_a_dtype_of_its_own():
    expected = replace(exactly((MATRIX, MATRIX)), dtypes={"[1]": bfloat16})
    assert difference((MATRIX, MATRIX.bfloat16()), expected) is None
    assert difference((MATRIX, MATRIX), expected).where == "[1]"


def test_as_many_digits_as_tell_two_numbers_apart():
    found = difference(tensor([1.0000001], dtype=float64), exactly(tensor([1.0]), 1e-12, dtype=float64))
    assert (found.yours, found.expected) == ("1.0000001", "1")


def test_an_operation_without_roundings_must_be_met_exactly():
    """Without this: 0 / 0 spreads are no difference."""
    expected = expect(lambda n: -n.double(), [torch.arange(4)])
    right = -torch.arange(4.0)
    assert difference(right, expected) is None
    assert difference(right + 1e-5, expected).excess == inf


# answer, exact value, dtype of the answer: free without any spread?
ROUNDED = {
    "one unit in the last place": (1 + 2**-7, 1.0, bfloat16, True),
    "two": (1 + 2**-6, 1.0, bfloat16, False),
    "one unit, negative": (-1 - 2**-23, -1.0, float32, True),
    "lost below the smallest normal": (0.0, 1e-39, float32, True),
    "small but not lost": (0.0, 1e-37, float32, False),
    "a subnormal of float16": (0.0, 5e-8, float16, True),
    "twice that": (0.0, 2e-7, float16, False),
    "overflow": (inf, 65520.0, float16, True),
    "overflow of the other sign": (-inf, 65520.0, float16, False),
    "no overflow": (inf, 65000.0, float16, False),
    "clipped": (65504.0, 1e5, float16, False),
}


@pytest.mark.parametrize("name", ROUNDED)
def test_the_rounding_of_the_answer_itself_is_free(name):
    answer, value, dtype, free = ROUNDED[name]
    off = elementwise_excess(tensor([answer]).double(), tensor([value]).double(), torch.zeros(1).double(), dtype)
    assert (off.item() == 0) is free


def test_a_number_that_may_overflow_may_be_infinite():
    expected = replace(exactly(tensor([65000.0]), 100), dtype=float16)
    assert difference(tensor([inf], dtype=float16), expected) is None


def test_the_excess_of_a_right_answer_is_measured_too():
    """`cloze verify` prints the margin on the honest side."""
    assert excess((MATRIX + 0.002, 1), exactly((MATRIX, 1))) == pytest.approx(2, rel=0.01)
    assert excess((MATRIX, 2), exactly((MATRIX, 1))) == inf
