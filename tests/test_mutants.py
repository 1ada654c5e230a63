import textwrap

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clozekit import mutants as engine
from clozekit.mutants import mutants

RMS_NORM = '''\
import torch
from torch import Tensor


def rms_norm(x: Tensor, weight: Tensor, eps: float = 1e-6) -> Tensor:
    """x (..., d), weight (d,) -> (..., d), in the dtype of x."""
    wide = x.float()  # in float16 a square overflows from |x| = 256
    # BLANK normalise
    rms = torch.sqrt(wide.pow(2).mean(-1, keepdim=True) + eps)  # 均方根 (..., 1)
    y = wide / rms  # (..., d)
    # END
    return y.to(x.dtype) * weight
'''

ATTENTION = """\
import math

import torch.nn as nn


class MultiHeadAttention(nn.Module):
    def __init__(self, d_model: int, num_heads: int, bias: bool = True):
        super().__init__()
        # BLANK layers
        self.num_heads = num_heads
        self.q_proj = nn.Linear(d_model, d_model, bias=bias)
        # END

    def forward(self, x, mask=None):
        b, t, d = x.shape
        # BLANK split
        q, k, v = (  # 每个头 (b, h, t, d / h)
            proj(x).view(b, t, self.num_heads, d // self.num_heads).transpose(1, 2)
            for proj in (self.q_proj, self.k_proj, self.v_proj)
        )
        # END
        # BLANK attend
        scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])  # (b, h, t, t)
        if mask is not None:
            scores = scores.masked_fill(
                ~mask,  # 看不见
                float("-inf"),
            )
        out = (
            scores.softmax(dim=-1)  # 每行之和为 1
            @ v
        )
        # END
        return self.out_proj(out.transpose(1, 2).reshape(b, t, d))
"""

BPE = """\
import re
from collections import Counter


def train_bpe(text, num_merges):
    words = Counter(re.findall(r" ?\\S+|\\s+", text))
    splits = {word: [bytes([b]) for b in word.encode("utf-8")] for word in words}
    merges: list[tuple[bytes, bytes]] = []
    for _ in range(num_merges):
        pairs = Counter()
        for word, count in words.items():
            for pair in zip(splits[word], splits[word][1:]):
                pairs[pair] += count
        if not pairs:
            break
        best = max(pairs, key=lambda pair: (pairs[pair], pair))
        merges.append(best)
        for parts in splits.values():
            i = 0
            while i < len(parts) - 1:
                if (parts[i], parts[i + 1]) == best:
                    parts[i : i + 2] = [parts[i] + parts[i + 1]]
                i += 1
    return merges
"""

SOFTMAX = """\
import triton
import triton.language as tl


@triton.jit
def kernel(y, x, stride, cols, BLOCK: tl.constexpr):
    # BLANK kernel
    row = tl.program_id(0)
    at = tl.arange(0, BLOCK)
    v = tl.load(x + row * stride + at, mask=at < cols, other=-float("inf")).to(tl.float32)
    e = tl.exp(v - tl.max(v, axis=0))
    tl.store(y + row * stride + at, e / tl.sum(e, axis=0), mask=at < cols)
    # END
"""

SOLUTIONS = {"rms_norm": RMS_NORM, "attention": ATTENTION, "bpe": BPE, "softmax": SOFTMAX}
each = pytest.mark.parametrize("source", SOLUTIONS.values(), ids=SOLUTIONS)


def keys(source: str) -> list[str]:
    return [mutant.key for mutant in mutants(source)]


def test_keys_show_the_line_and_the_change():
    assert keys(RMS_NORM) == [
        "normalise | rms = {torch.sqrt ->}(wide.pow(2).mean(-1, keepdim=True) + eps)",
        "normalise | rms = torch.sqrt(wide.pow({2 -> 3}).mean(-1, keepdim=True) + eps)",
        "normalise | rms = torch.sqrt(wide.pow({2 -> 1}).mean(-1, keepdim=True) + eps)",
        "normalise | rms = torch.sqrt(wide.pow(2).{mean -> sum}(-1, keepdim=True) + eps)",
        "normalise | rms = torch.sqrt(wide.pow(2).mean({-1 -> 0}, keepdim=True) + eps)",
        "normalise | rms = torch.sqrt(wide.pow(2).mean({-1 -> -2}, keepdim=True) + eps)",
        "normalise | rms = torch.sqrt(wide.pow(2).mean(-1, keepdim={True -> False}) + eps)",
        "normalise | rms = torch.sqrt(wide.pow(2).mean(-1, keepdim=True) {+ -> -} eps)",
        "normalise | y = wide {/ -> *} rms",
    ]


def test_a_change_over_several_lines_shows_its_first_line_without_its_comment():
    assert {
        "attend | {scores = scores.masked_fill( ... -> pass}",
        "attend | {scores.softmax(dim=-1) ... -> v ...}",
    } <= set(keys(ATTENTION))


def test_a_function_names_the_place_in_a_file_without_blanks():
    cache = "class KVCache:\n    n = 0\n    def __len__(self):\n        return -self.n\n"
    attend = "def attend(q, k):\n    return q @ k\n"
    assert keys(cache + attend) == ["KVCache.__len__ | return {- ->}self.n", "attend | return {q @ k -> k @ q}"]


def test_a_repeated_line_is_counted():
    assert keys("def f(a):\n    a += b\n    a += b  # again\n") == [
        "f | {a += b -> pass}",
        "f | a {+ -> -}= b",
        "f | {a += b -> pass} #2",
        "f | a {+ -> -}= b #2",
    ]


def test_mutants_that_say_the_same_are_one():
    assert keys("def f(a):\n    return (1, 1)\n") == [
        "f | return ({1 -> 2}, 1)",
        "f | return ({1 -> 0}, 1)",
        "f | return (1, {1 -> 2})",
        "f | return (1, {1 -> 0})",
    ]


def test_an_attribute_is_first_defined_in_init():
    assert not any("pass" in key for key in keys(ATTENTION) if key.startswith("layers"))


def test_windows_line_endings_change_neither_keys_nor_mutants():
    for windows, mutant in zip(mutants(RMS_NORM.replace("\n", "\r\n")), mutants(RMS_NORM), strict=True):
        assert windows == (mutant.key, mutant.line, mutant.source.replace("\n", "\r\n"))


@each
def test_keys_are_unique(source):
    assert len(set(keys(source))) == len(keys(source)) > 8


@each
def test_every_mutant_is_python_and_differs_in_one_place_inside_a_blank(source):
    for mutant in mutants(source):
        above = shared(source, mutant.source)
        below = shared(source[:above:-1], mutant.source[:above:-1])
        changed = range(mutant.line, source.count("\n", 0, len(source) - below) + 2)
        assert engine.meaning(mutant.source) not in (None, engine.meaning(source))
        assert mutant.line == source.count("\n", 0, above) + 1
        assert set(changed) <= blank_lines(source)


def shared(a: str, b: str) -> int:
    """How many characters at the start of both are the same."""
    return next(i for i, pair in enumerate(zip(a + "\0", b + "\1", strict=False)) if pair[0] != pair[1])


def blank_lines(source: str) -> set[int]:
    inside, numbers = "# BLANK" not in source, set()
    for number, line in enumerate(source.splitlines(), 1):
        inside = (inside or "# BLANK" in line) and "# END" not in line
        numbers |= {number} if inside else set()
    return numbers


@each
def test_no_edit_breaks_the_syntax(source):
    assert all(is_python(source))


@each
@settings(deadline=None, max_examples=15)
@given(data=st.data())
def test_keys_survive_new_lines_and_comments(source, data):
    lines = source.splitlines()
    for _ in range(3):
        place = data.draw(st.integers(0, len(lines)))
        lines.insert(place, data.draw(st.sampled_from(["", "    ", "# 注释 + 1", "            # max"])))
    assert keys("\n".join(lines) + "\n") == keys(source)


@each
def test_keys_survive_another_indent(source):
    inside = [key.removeprefix("Outer.") for key in keys("class Outer:\n" + textwrap.indent(source, "    "))]
    assert inside == keys(source)


EXPRESSIONS = st.recursive(
    st.sampled_from(["x", "n", "1", "0.5", "-1", "True", "'均'", "self.k", "torch.float32"]),
    lambda e: st.builds(
        str.format,
        st.sampled_from([
            "({} + {})", "({} ** -{})", "({}) @ ({})", "({}  # 乘 + 1\n * {})", "(not {} and {})", "({} is  not {})",
            "({} < {})", "x[{}:{}]", "x[:, {} : ({}) + 1]", "(x[{}] + {}).float()", "torch.sqrt({}) // n",
            "f(n, key={}, other={},)", "f(key=({}), *{})", "({} if {} else n)", "[*range({}, {})]",
            "[y for y in {} if {}]", "torch.cat([{}, {}])", "torch.where({}, {}, n)", "(lambda x, y=1: {})({})",
            "f'{{{}}}'", "\\\n{}",
        ]),
        e, e,
    ),
    max_leaves=8,
)  # fmt: skip


@settings(deadline=None, max_examples=60)
@given(expression=EXPRESSIONS)
def test_no_expression_breaks_the_syntax(expression):
    if engine.meaning(source := f"def forward(self, x, n):\n    return ({expression})\n"):
        assert all(is_python(source))


def is_python(source):
    text = engine.Text(source)
    for node in text.code(text.tree):
        for start, end, new in engine.edits(text, node):
            yield engine.meaning((text.bytes[:start] + new.encode() + text.bytes[end:]).decode()) is not None
