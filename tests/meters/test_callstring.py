"""Calls of full size, written down; and what people type instead."""

import pytest

from clozekit.meters.callstring import BadCall, Blank, parse


def test_tensors_and_literals():
    call = parse(" attention(float16[4, 16, 2048, 64], int64[7], -1.5, (64, 2), causal=True, mask=None) ")
    assert call.target == "attention"
    assert call.text == "attention(float16[4, 16, 2048, 64], int64[7], -1.5, (64, 2), causal=True, mask=None)"
    assert call.args == [
        Blank("float16", [4, 16, 2048, 64], [16 * 2048 * 64, 2048 * 64, 64, 1]),
        Blank("int64", [7], [1]),
        -1.5,
        [64, 2],
    ]
    assert call.kwargs == {"causal": True, "mask": None}
    assert call.size == 4 * 16 * 2048 * 64 * 2 + 7 * 8


@pytest.mark.parametrize("view", ["T", "mT"])
def test_a_transposed_tensor(view):
    (tensor,) = parse(f"f(float32[5, 3, 2].{view})").args
    assert (tensor.shape, tensor.strides) == ([5, 2, 3], [6, 1, 2])
    assert tensor.extent == tensor.size == 5 * 3 * 2 * 4


BAD = {
    "softmax": "no call",
    "softmax(": "never closed",
    "": "no call",
    "a.b(float32[3])": "no call of a function",
    "f(float33[3])": "no dtype float33",
    "f(float32[n])": "whole numbers",
    "f(float32[-3])": "whole numbers",
    "f(float32[1.5])": "whole numbers",
    "f(float32[True])": "whole numbers",
    "f(x)": "neither a tensor",
    "f(open('/etc/passwd'))": "neither a tensor",
    "f({1: 2})": "neither a tensor",
    "f(1j)": "neither a tensor",
    "f([[1]])": "neither a tensor",
    "f(*x)": "a star",
    "f(**x)": "a star",
    "f(float32[3].T)": "two axes",
    "f(float32[1000000, 1000000])": "4 TB",
    "f(" + "(" * 500 + ")" * 500 + ")": "no call",
}


@pytest.mark.parametrize("text", BAD)
def test_what_is_no_call_is_told_with_the_place(text):
    with pytest.raises(BadCall, match=BAD[text]):
        parse(text)
