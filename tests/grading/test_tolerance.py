"""The judge of closeness against honest implementations in many styles, and against mistakes."""

import math
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NamedTuple

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from clozekit.grading.compare import excess
from clozekit.grading.shaking import Shaken
from clozekit.grading.tolerance import BAR, Expected, expect, expect_gradients
from clozekit.grading.trees import floating_leaves

# Spreads: what the bar leaves on both sides. Measured: 4.7 (the gradient of torch's flash attention) and 140 (a matrix
# product over 11008 terms in half precision).
HONEST_BELOW = BAR / 2.5
MISTAKE_ABOVE = BAR * 2.5

half, bfloat16, float32 = torch.float16, torch.bfloat16, torch.float32


@dataclass
class Task:
    """A reference, calls to it, and functions of the same arguments that are right or wrong."""

    reference: Callable
    cases: dict[str, Callable[[], tuple]]
    honest: dict[str, Callable]
    mistakes: dict[str, Callable] = field(default_factory=dict)
    gradients: bool = False


TASKS: dict[str, Task] = {}


def draw(*shape: int, seed: int = 0, dtype: torch.dtype = float32) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)).to(dtype)


# RMSNorm: x / sqrt(mean(x²) + eps) * weight


def rms_case(rows: int, d: int, scale: float = 1, mean: float = 0, dtype: torch.dtype = float32) -> Callable[[], tuple]:
    return lambda: ((draw(rows, d) * scale + mean).to(dtype), (draw(d, seed=1) * 0.3 + 1).to(dtype), 1e-6)


def rms_norm(x, weight, eps):
    return x / (x.pow(2).mean(-1, keepdim=True) + eps).sqrt() * weight


def rms_wide(x, weight, eps):
    wide = x.float()
    return (wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + eps)).to(x.dtype) * weight


def rms_loop(x, weight, eps):
    rows = []
    for row in x.float():
        total = torch.zeros(())
        for value in row:
            total = total + value * value
        rows.append(row * (1 / torch.sqrt(total / len(row) + eps)) * weight.float())
    return torch.stack(rows).to(x.dtype)


def rms_half(x, weight, eps):
    narrow = x.half()
    return (narrow / (narrow.pow(2).mean(-1, keepdim=True) + eps).sqrt() * weight.half()).to(x.dtype)


TASKS["rms_norm"] = Task(
    rms_norm,
    {
        "plain rows": rms_case(3, 8),
        "mean far from zero": rms_case(3, 8, mean=5),
        "rows as small as eps": rms_case(3, 8, scale=1e-3),
        "large": rms_case(3, 8, scale=1e4),
        "long rows": rms_case(2, 4096),
        "long rows of one sign": rms_case(2, 4096, mean=3),
        "half": rms_case(3, 64, dtype=half),
        "bfloat16": rms_case(3, 64, dtype=bfloat16),
    },
    {
        "wide": rms_wide,
        "library": lambda x, w, eps: F.rms_norm(x, x.shape[-1:], w, eps),
        "einsum": lambda x, w, eps: (
            (
                x.float()
                * (torch.einsum("...d,...d->...", x.float(), x.float()) / x.shape[-1] + eps)[..., None] ** -0.5
            ).to(x.dtype)
            * w
        ),
        "norm": lambda x, w, eps: (
            x.float() / (x.float().norm(dim=-1, keepdim=True) ** 2 / x.shape[-1] + eps).sqrt() * w.float()
        ).to(x.dtype),
        "loop": rms_loop,
    },
    {
        "eps outside the root": lambda x, w, eps: (
            x / (x.float().pow(2).mean(-1, keepdim=True).sqrt() + eps).to(x.dtype) * w
        ),
        "no eps": lambda x, w, eps: rms_norm(x.float(), w.float(), 0).to(x.dtype),
        "unbiased mean": lambda x, w, eps: (
            x.float() / (x.float().pow(2).sum(-1, keepdim=True) / (x.shape[-1] - 1) + eps).sqrt() * w.float()
        ).to(x.dtype),
        "no weight": lambda x, w, eps: rms_wide(x, torch.ones_like(w), eps),
        "half inside": rms_half,
    },
    gradients=True,
)


# Softmax over the last axis


def softmax(x):
    e = (x - x.amax(-1, keepdim=True)).exp()
    return e / e.sum(-1, keepdim=True)


def softmax2(x):
    e = torch.exp2(x - x.amax(-1, keepdim=True))
    return e / e.sum(-1, keepdim=True)


def online_softmax(x):
    """Milakov, Gimelshein 2018: one pass, block by block."""
    top, total = torch.full(x.shape[:-1], -math.inf), torch.zeros(x.shape[:-1])
    for block in x.float().split(16, -1):
        new = torch.maximum(top, block.amax(-1))
        total = total * (top - new).exp() + (block - new[..., None]).exp().sum(-1)
        top = new
    return ((x.float() - top[..., None]).exp() / total[..., None]).to(x.dtype)


TASKS["softmax"] = Task(
    lambda x: F.softmax(x, -1),
    {
        "plain": lambda: (draw(4, 33),),
        "peaked": lambda: (draw(4, 33) * 30,),
        "shifted": lambda: (draw(4, 33) + 300,),
        "long": lambda: (draw(2, 5000),),
        "half": lambda: (draw(4, 33, dtype=half),),
        "bfloat16": lambda: (draw(4, 33, dtype=bfloat16) * 3,),
    },
    {
        "formula": lambda x: softmax(x.float()).to(x.dtype),
        "library": lambda x: x.softmax(-1),
        "through logs": lambda x: (x.float() - x.float().logsumexp(-1, keepdim=True)).exp().to(x.dtype),
        "online": online_softmax,
        "powers of two": lambda x: softmax2(x.float() * math.log2(math.e)).to(x.dtype),
    },
    {
        "half inside": lambda x: softmax(x.half()).to(x.dtype),
        "no maximum": lambda x: x.exp() / x.exp().sum(-1, keepdim=True),
        "wrong axis": lambda x: x.softmax(0),
    },
    gradients=True,
)


# Causal attention: softmax(q kᵀ / sqrt(d)) v


def attention(q, k, v):
    scores = q @ k.mT / math.sqrt(q.shape[-1])
    future = torch.ones(scores.shape[-2:], dtype=torch.bool).triu(1)
    return scores.masked_fill(future, -math.inf).softmax(-1) @ v


def in_float32(function: Callable) -> Callable:
    return lambda *tensors: function(*(t.float() for t in tensors)).to(tensors[0].dtype)


def attention_rows(q, k, v):
    """Row by row, weights normalised at the end."""
    rows = []
    for t in range(q.shape[-2]):
        scores = torch.einsum("...d,...sd->...s", q[..., t, :] * q.shape[-1] ** -0.5, k[..., : t + 1, :])
        e = (scores - scores.amax(-1, keepdim=True)).exp()
        rows.append(torch.einsum("...s,...sd->...d", e, v[..., : t + 1, :]) / e.sum(-1, keepdim=True))
    return torch.stack(rows, -2)


def attention_scaled(scale: Callable[[int], float], causal: bool = True) -> Callable:
    return lambda q, k, v: F.scaled_dot_product_attention(q, k, v, is_causal=causal, scale=scale(q.shape[-1]))


def attention_half(q, k, v):
    scores = (q.half() @ k.half().mT / math.sqrt(q.shape[-1])).float()
    future = torch.ones(scores.shape[-2:], dtype=torch.bool).triu(1)
    return scores.masked_fill(future, -math.inf).softmax(-1).to(v.dtype) @ v


def attention_case(t: int, d: int, scale: float = 1, dtype: torch.dtype = float32) -> Callable[[], tuple]:
    return lambda: tuple((draw(2, 2, t, d, seed=s) * scale).to(dtype) for s in range(3))


ATTENTION_CASES = {
    "plain": attention_case(16, 8),
    "peaked": attention_case(16, 8, scale=4),
    "longer": attention_case(150, 64),
    "half": attention_case(40, 32, dtype=half),
    "bfloat16": attention_case(40, 32, dtype=bfloat16),
}
ATTENTION_HONEST = {
    "formula in the dtype": attention,
    "formula in float32": in_float32(attention),
    "library": lambda q, k, v: F.scaled_dot_product_attention(q, k, v, is_causal=True),
    "row by row": in_float32(attention_rows),
    "large negative mask": lambda q, k, v: (
        (q @ k.mT * q.shape[-1] ** -0.5 + torch.full(q.shape[-2:-1] * 2, -1e4).triu(1).to(q.dtype)).softmax(-1) @ v
    ),
}
ATTENTION_MISTAKES = {
    "no scale": attention_scaled(lambda d: 1),
    "scaled by d": attention_scaled(lambda d: 1 / d),
    "not causal": attention_scaled(lambda d: d**-0.5, causal=False),
    "half inside": attention_half,
}
TASKS["attention"] = Task(attention, ATTENTION_CASES, ATTENTION_HONEST, ATTENTION_MISTAKES, gradients=True)
TASKS["attention by the library"] = Task(
    lambda q, k, v: F.scaled_dot_product_attention(q, k, v, is_causal=True),
    ATTENTION_CASES,
    ATTENTION_HONEST,
    ATTENTION_MISTAKES,
    gradients=True,
)


# DPO loss: -log sigmoid(beta ((chosen - reference chosen) - (rejected - reference rejected)))


def dpo(chosen, rejected, reference_chosen, reference_rejected, beta):
    return -F.logsigmoid(beta * ((chosen - rejected) - (reference_chosen - reference_rejected))).mean()


def dpo_case(offset: float, spread: float) -> Callable[[], tuple]:
    return lambda: (*(draw(16, seed=s) * spread + offset for s in range(4)), 0.1)


TASKS["dpo"] = Task(
    dpo,
    {"plain": dpo_case(0, 1), "log-probabilities of long texts": dpo_case(-700, 40), "far apart": dpo_case(-300, 3000)},
    {
        "other order": lambda c, r, rc, rr, b: F.softplus(-b * ((c - rc) - (r - rr))).mean(),
        "log1p": lambda c, r, rc, rr, b: log1p_exp(-(b * c - b * rc - b * r + b * rr)).sum() / len(c),
        "cross entropy": lambda c, r, rc, rr, b: F.binary_cross_entropy_with_logits(
            b * ((c - rc) - (r - rr)), torch.ones_like(c)
        ),
        "loop": lambda c, r, rc, rr, b: (
            sum(-F.logsigmoid(b * ((x - y) - (u - v))) for x, y, u, v in zip(c, r, rc, rr, strict=True)) / len(c)
        ),
    },
    {
        "log of sigmoid": lambda c, r, rc, rr, b: -((b * ((c - r) - (rc - rr))).sigmoid().log()).mean(),
        "sum for mean": lambda c, r, rc, rr, b: dpo(c, r, rc, rr, b) * len(c),
        "no reference": lambda c, r, rc, rr, b: dpo(c, r, 0 * c, 0 * c, b),
        "half inside": lambda c, r, rc, rr, b: dpo(c.half(), r.half(), rc.half(), rr.half(), b).float(),
    },
    gradients=True,
)


def log1p_exp(x):
    return x.clamp_min(0) + torch.log1p((-x.abs()).exp())


# RoPE, Su et al. 2021: pairs (x[2i], x[2i+1]) turned by t base^(-2i/d)


def angles(t: int, d: int, base: float = 10000.0, dtype: torch.dtype | None = None) -> Tensor:
    positions = torch.arange(t, dtype=dtype or torch.get_default_dtype())
    return positions[:, None] * base ** (-torch.arange(0, d, 2, dtype=positions.dtype) / d)


def rope(x, base=10000.0):
    theta = angles(*x.shape[-2:], base)
    even, odd = x[..., 0::2], x[..., 1::2]
    turned = torch.empty_like(x)
    turned[..., 0::2] = even * theta.cos() - odd * theta.sin()
    turned[..., 1::2] = even * theta.sin() + odd * theta.cos()
    return turned


def rope_complex(x, base=10000.0):
    pairs = torch.view_as_complex(x.float().unflatten(-1, (-1, 2)).contiguous())
    turns = torch.polar(torch.tensor(1.0), angles(*x.shape[-2:], base))
    return torch.view_as_real(pairs * turns).flatten(-2).to(x.dtype)


def rope_rotate(x, theta):
    cos, sin = theta.cos().repeat_interleave(2, -1), theta.sin().repeat_interleave(2, -1)
    rotated = torch.stack((-x[..., 1::2], x[..., 0::2]), -1).flatten(-2)
    return (x.float() * cos + rotated.float() * sin).to(x.dtype)


TASKS["rope"] = Task(
    rope,
    {
        "short": lambda: (draw(2, 16, 32),),
        "long": lambda: (draw(4096, 32),),
        "bfloat16": lambda: (draw(512, 32, dtype=bfloat16),),
    },
    {
        "complex": rope_complex,
        "rotate": lambda x: rope_rotate(x, angles(*x.shape[-2:])),
        "exponent of a logarithm": lambda x: rope_rotate(
            x,
            torch.arange(x.shape[-2])[:, None]
            * torch.exp(torch.arange(0, x.shape[-1], 2) * (-math.log(10000.0) / x.shape[-1])),
        ),
    },
    {
        "base 10001": lambda x: rope_complex(x, 10001.0),
        "angles in half": lambda x: rope_rotate(x, angles(*x.shape[-2:]).half().float()),
        "positions in bfloat16": lambda x: rope_rotate(x, angles(*x.shape[-2:], dtype=bfloat16).float()),
        "from position 1": lambda x: rope_rotate(x, angles(x.shape[-2] + 1, x.shape[-1])[1:]),
    },
)
TASKS["rope by complex numbers"] = Task(
    lambda x: torch.view_as_real(
        torch.view_as_complex(x.unflatten(-1, (-1, 2))) * torch.polar(torch.ones(()), angles(*x.shape[-2:]))
    ).flatten(-2),
    TASKS["rope"].cases,
    TASKS["rope"].honest,
    TASKS["rope"].mistakes,
)
TASKS["sinusoidal positions"] = Task(
    lambda t, d: angles(t, d).sin(),
    {"5000": lambda: (5000, 64)},
    {
        "formula": lambda t, d: angles(t, d).sin(),
        "divided": lambda t, d: torch.sin(torch.arange(t)[:, None] / 10000 ** (torch.arange(0, d, 2) / d)),
    },
    {"base 9999": lambda t, d: angles(t, d, 9999.0).sin()},
)


# GELU, exact: x Φ(x)

TASKS["gelu"] = Task(
    lambda x: F.gelu(x),
    {
        "plain": lambda: (draw(4, 64),),
        "tails": lambda: (torch.linspace(-6, 6, 97)[None],),
        "half": lambda: (draw(4, 64, dtype=half),),
        "bfloat16": lambda: (draw(4, 64, dtype=bfloat16),),
    },
    {
        "library": F.gelu,
        "erf": in_float32(lambda x: 0.5 * x * (1 + torch.erf(x / math.sqrt(2)))),
        "erfc": in_float32(lambda x: 0.5 * x * torch.erfc(-x * 2**-0.5)),
        "normal distribution": in_float32(lambda x: x * torch.special.ndtr(x)),
    },
    {
        "tanh": lambda x: F.gelu(x, approximate="tanh"),
        "sigmoid": lambda x: x * torch.sigmoid(1.702 * x),
        "half inside": lambda x: (0.5 * x.half() * (1 + torch.erf(x.half() / math.sqrt(2)))).to(x.dtype),
    },
    gradients=True,
)


# Layer norm


def layer_norm(x, weight, bias):
    return F.layer_norm(x, x.shape[-1:], weight, bias, 1e-5)


def layer_norm_formula(x, weight, bias):
    centred = x - x.mean(-1, keepdim=True)
    return centred * (centred.square().mean(-1, keepdim=True) + 1e-5).rsqrt() * weight + bias


def layer_norm_case(mean: float, d: int = 32, dtype: torch.dtype = float32) -> Callable[[], tuple]:
    return lambda: ((draw(4, d) + mean).to(dtype), (draw(d, seed=1) + 1).to(dtype), draw(d, seed=2, dtype=dtype))


TASKS["layer_norm"] = Task(
    layer_norm,
    {
        "plain": layer_norm_case(0),
        "mean 100": layer_norm_case(100),
        "long rows at mean 3": layer_norm_case(3, d=4096),
        "bfloat16": layer_norm_case(1, dtype=bfloat16),
    },
    {
        "library": layer_norm,
        "formula": in_float32(layer_norm_formula),
        "var": in_float32(
            lambda x, w, b: (
                (x - x.mean(-1, keepdim=True)) / (x.var(-1, correction=0, keepdim=True) + 1e-5).sqrt() * w + b
            )
        ),
    },
    {
        "E[x²] - E[x]²": in_float32(
            lambda x, w, b: (
                (x - x.mean(-1, keepdim=True))
                / (x.square().mean(-1, keepdim=True) - x.mean(-1, keepdim=True).square() + 1e-5).sqrt()
                * w
                + b
            )
        ),
        "unbiased variance": in_float32(
            lambda x, w, b: (x - x.mean(-1, keepdim=True)) / (x.var(-1, keepdim=True) + 1e-5).sqrt() * w + b
        ),
        "no bias": in_float32(lambda x, w, b: layer_norm(x, w, 0 * b)),
    },
    gradients=True,
)


# A chain of matrices, and sums as long as a vocabulary


def chain(x, *weights):
    for weight in weights:
        x = F.linear(x, weight)
    return x


def chain_case(size: int, depth: int, gain: float = 1, dtype: torch.dtype = float32) -> Callable[[], tuple]:
    def case() -> tuple:
        return draw(4, size, dtype=dtype), *(
            (draw(size, size, seed=i) * gain / size**0.5).to(dtype) for i in range(depth)
        )

    return case


def blocks(x, *weights, size=64):
    """Accumulated in float32 over blocks of the inner axis, as a tiled kernel does."""
    for weight in weights:
        total = torch.zeros(x.shape[:-1] + weight.shape[:1])
        for a, b in zip(x.float().split(size, -1), weight.float().split(size, -1), strict=True):
            total = total + a @ b.mT
        x = total.to(x.dtype)
    return x


TASKS["linear chain"] = Task(
    chain,
    {
        "512": chain_case(512, 4),
        "large weights": chain_case(512, 4, gain=3),
        "bfloat16": chain_case(256, 2, dtype=bfloat16),
        "half": chain_case(256, 2, dtype=half),
    },
    {
        "library": chain,
        "einsum": lambda x, *ws: chain_with(lambda x, w: torch.einsum("td,od->to", x, w), x, *ws),
        "blocks": blocks,
        "thin blocks": lambda x, *ws: blocks(x, *ws, size=1),
        "wide to the end": in_float32(chain),
    },
    {
        "half inside": lambda x, *ws: chain(x.half(), *(w.half() for w in ws)).to(x.dtype),
        "bfloat16 inside": lambda x, *ws: chain(x.bfloat16(), *(w.bfloat16() for w in ws)).to(x.dtype),
        "one weight twice": lambda x, *ws: chain(x, ws[0], *ws[:-1]),
    },
    gradients=True,
)


def chain_with(step: Callable, x: Tensor, *weights: Tensor) -> Tensor:
    for weight in weights:
        x = step(x, weight)
    return x


def one_by_one(products: Tensor) -> Tensor:
    total = torch.zeros_like(products[..., 0])
    for column in products.unbind(-1):
        total = total + column
    return total


def cancelling(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Half of the products are the negatives of the other half, in another order."""
    order = torch.randperm(x.shape[-1], generator=torch.Generator().manual_seed(0))
    return torch.cat((x, -x[..., order]), -1), torch.cat((y, y[..., order]), -1)


TASKS["long dot"] = Task(
    lambda x, y: (x * y).sum(-1),
    {
        "both signs": lambda: (draw(6, 16384), draw(6, 16384, seed=1)),
        "all positive": lambda: (draw(6, 16384).abs(), draw(6, 16384, seed=1).abs()),
        "nothing left": lambda: cancelling(draw(6, 16384), draw(6, 16384, seed=1)),
    },
    {
        "sum": lambda x, y: (x * y).sum(-1),
        "matmul": lambda x, y: (x[:, None] @ y[..., None])[:, 0, 0],
        "one by one": lambda x, y: one_by_one(x * y),
        "blocks": lambda x, y: one_by_one((x * y).unflatten(-1, (-1, 64)).sum(-1)),
    },
    {
        "one missing": lambda x, y: (x * y)[..., 1:].sum(-1),
        "half inside": lambda x, y: (x.half() * y.half()).sum(-1).float(),
        "half products": lambda x, y: (x.half() * y.half()).float().sum(-1),
    },
)
TASKS["long dot in bfloat16"] = Task(
    lambda x, y: (x * y).sum(-1),
    {"all positive": lambda: (draw(6, 4096, dtype=bfloat16).abs(), draw(6, 4096, seed=1, dtype=bfloat16).abs())},
    {
        "sum": lambda x, y: (x * y).sum(-1),
        "one by one in float32": lambda x, y: one_by_one((x * y).float()).to(x.dtype),
    },
    {"one by one": lambda x, y: one_by_one(x * y)},
)
TASKS["long matmul"] = Task(
    lambda x, y: x @ y,
    {
        "signs cancel": lambda: (draw(4, 11008), draw(11008, 4, seed=1)),
        "all positive": lambda: (draw(4, 11008).abs(), draw(11008, 4, seed=1).abs()),
    },
    {
        "matmul": lambda x, y: x @ y,
        "one by one": lambda x, y: one_by_one(torch.einsum("tk,ko->tok", x, y)),
        "transposed": lambda x, y: (y.mT @ x.mT).mT,
    },
    {"half inside": lambda x, y: (x.half() @ y.half()).float()},
)
TASKS["log softmax of a vocabulary"] = Task(
    lambda x: F.log_softmax(x, -1),
    {"50257": lambda: (draw(2, 50257) * 3,), "certain": lambda: (draw(2, 1000) * 100,)},
    {
        "library": lambda x: x.log_softmax(-1),
        "formula": lambda x: x - x.logsumexp(-1, keepdim=True),
        "by hand": lambda x: (
            (x - x.amax(-1, keepdim=True)) - (x - x.amax(-1, keepdim=True)).exp().sum(-1, keepdim=True).log()
        ),
    },
    {
        "log of softmax": lambda x: x.softmax(-1).log(),
        "half inside": lambda x: (x.half() - x.logsumexp(-1, keepdim=True).half()).float(),
    },
    gradients=True,
)


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


# What is shaken and what is not. Integers arrive exact, so that all spread is that of the operation.

COUNT = torch.arange(1, 13).reshape(3, 4)
ROWS = torch.tensor([2, 0])
MOVES = {
    "conversion": lambda n: n.double(),
    "view and transpose": lambda n: n.double().view(4, 3).mT.contiguous(),
    "split and concatenate": lambda n: torch.cat(n.double().split(1)[::-1]),
    "unbind and stack": lambda n: torch.stack(n.double().unbind(1)),
    "index": lambda n: n.double()[ROWS],
    "gather": lambda n: n.double().gather(0, n % 3),
    "embedding": lambda n: F.embedding(ROWS, n.double()),
    "scatter": lambda n: torch.zeros(3, 4).scatter(0, n % 3, n.double()),
    "where": lambda n: torch.where(n > 3, n.double(), -1.0),
    "masked fill": lambda n: n.double().masked_fill(n > 3, -math.inf),
    "triangle": lambda n: n.double().tril(),
    "pad": lambda n: F.pad(n.double(), (1, 1), value=7.0),
    "roll": lambda n: n.double().roll(1, -1),
    "sort": lambda n: n.double().sort(descending=True)[0],
    "topk": lambda n: n.double().topk(2).values,
    "maximum": lambda n: n.double().amax(-1),
    "clamp": lambda n: n.double().clamp(2, 5),
    "relu": lambda n: F.relu(n.double().neg()),
    "sign": lambda n: n.double().neg().abs().sign(),
    "whole numbers": lambda n: (n.double() + 0.3).round(),
    "whole quotients": lambda n: torch.div(n.double(), 4, rounding_mode="floor"),
    "written to a slice": lambda n: written(torch.zeros(3, 4), n),
    "written to rows": lambda n: torch.zeros(3, 4).index_put((ROWS,), n[:2].double()),
    "drawn": lambda n: torch.rand(3),
}


def written(zeros: Tensor, n: Tensor) -> Tensor:
    zeros[:, ::2] = n[:, ::2].double()
    return zeros.masked_fill_(n == 1, 5.0)


@pytest.mark.parametrize("name", MOVES)
def test_moving_and_selecting_is_exact(name):
    """Without this: a copied or chosen number may be off."""
    assert expect(MOVES[name], [COUNT]).spread.max() == 0


ROUNDS = {
    "quotient": lambda n: n.double() / 3,
    "in place": lambda n: n.double().div_(3),
    "in place on a slice": lambda n: divided(n.double()),
    "out": lambda n: torch.mul(n.double(), 1.1, out=torch.empty(n.shape)),
    "accumulated": lambda n: torch.zeros(3, 4).index_put((ROWS,), n[:2].double(), accumulate=True),
    "added to rows": lambda n: torch.zeros(3, 4).index_add_(0, ROWS, n[:2].double()),
    "complex": lambda n: torch.polar(n.double(), n.double()),
    "optimizer step": lambda n: adam(n.double()),
    "vmap": lambda n: torch.vmap(torch.sqrt)(n.double()),
}


def divided(x: Tensor) -> Tensor:
    x[:, 1:] *= 3
    return x


def adam(x: Tensor) -> Tensor:
    x.grad = x.cos()
    torch.optim.Adam([x], lr=0.1).step()
    return x


@pytest.mark.parametrize("name", ROUNDS)
def test_every_other_result_is_off_by_a_rounding_of_the_compute_dtype(name):
    """Without this: an in-place operation counts as exact, and an honest answer as infinitely wrong."""
    expected = expect(ROUNDS[name], [COUNT], compute=bfloat16)
    relative = expected.spread.max() / expected.value.abs().max()
    assert 2**-8 / 2 < relative < 2**-8 * 2


# Library functions are as uncertain as their formulas.

X = draw(2, 6, 8) + 3
MULTI_HEAD = torch.nn.MultiheadAttention(8, 2, batch_first=True).double().eval().requires_grad_(False)
for i, weight in enumerate(MULTI_HEAD.parameters()):
    weight.copy_(draw(*weight.shape, seed=i) / 3)


def multi_head(x: Tensor, inner: Tensor, inner_bias: Tensor, outer: Tensor, outer_bias: Tensor) -> Tensor:
    q, k, v = (x @ inner.mT + inner_bias).unflatten(-1, (3, 2, 4)).permute(2, 0, 3, 1, 4)
    return F.linear(((q / 2 @ k.mT).softmax(-1) @ v).transpose(1, 2).flatten(2), outer, outer_bias)


FORMULAS = {
    "rms_norm": (lambda x: F.rms_norm(x, (8,), eps=1e-6), lambda x: rms_norm(x, torch.ones(8), 1e-6)),
    "layer_norm": (lambda x: F.layer_norm(x, (8,)), lambda x: layer_norm_formula(x, torch.ones(8), torch.zeros(8))),
    "group_norm": (
        lambda x: F.group_norm(x, 2),
        lambda x: layer_norm_formula(x.view(2, 2, 24), torch.ones(24), torch.zeros(24)).view(x.shape),
    ),
    "batch_norm": (
        lambda x: F.batch_norm(x, None, None, training=True),
        lambda x: (
            (x - x.mean((0, 2), keepdim=True))
            * ((x - x.mean((0, 2), keepdim=True)).square().mean((0, 2), keepdim=True) + 1e-5).rsqrt()
        ),
    ),
    "var": (lambda x: x.var(-1), lambda x: (x - x.mean(-1, keepdim=True)).square().sum(-1) / 7),
    "std": (lambda x: x.std(-1), lambda x: ((x - x.mean(-1, keepdim=True)).square().sum(-1) / 7).sqrt()),
    "var_mean": (lambda x: torch.var_mean(x, -1)[0], lambda x: (x - x.mean(-1, keepdim=True)).square().sum(-1) / 7),
    "softmax": (lambda x: F.softmax(x, -1), lambda x: (x - x.logsumexp(-1, keepdim=True)).exp()),
    "log_softmax": (lambda x: F.log_softmax(x, -1), lambda x: x - x.exp().sum(-1, keepdim=True).log()),
    "logsumexp": (lambda x: x.logsumexp(-1), lambda x: x.exp().sum(-1).log()),
    "cross_entropy": (
        lambda x: F.cross_entropy(x[0], torch.arange(6)),
        lambda x: (x[0].exp().sum(-1).log() - x[0].diagonal()).mean(),
    ),
    "attention": (
        lambda x: F.scaled_dot_product_attention(x[None], x[None], x[None], is_causal=True)[0],
        lambda x: attention(x, x, x),
    ),
    "multi-head attention": (lambda x: MULTI_HEAD(x, x, x)[0], lambda x: multi_head(x, *MULTI_HEAD.parameters())),
    "gelu": (lambda x: F.gelu(-x), lambda x: -x * 0.5 * (1 + torch.erf(-x / math.sqrt(2)))),
    "gelu by tanh": (
        lambda x: F.gelu(-x, approximate="tanh"),
        lambda x: -x * 0.5 * (1 + torch.tanh(math.sqrt(2 / math.pi) * (-x - 0.044715 * x**3))),
    ),
    "silu": (F.silu, lambda x: x * torch.sigmoid(x)),
}


@pytest.mark.parametrize("name", FORMULAS)
def test_a_library_function_has_the_spread_of_its_formula(name):
    """Without this: a fused kernel counts as one rounding, and whoever writes the formula is refused."""
    exact = torch.randint(95, 105, X.shape, generator=torch.Generator().manual_seed(0))
    library, formula = (expect(lambda n, f=f: f(n.double()), [exact]) for f in FORMULAS[name])
    torch.testing.assert_close(library.value, formula.value)
    assert 1 / 2 < library.spread.max() / formula.spread.max() < 2


@pytest.mark.parametrize("name", FORMULAS)
def test_the_gradient_of_a_library_function_has_the_spread_of_its_formula(name):
    cotangents = [torch.ones_like(FORMULAS[name][0](X.double()))]
    library, formula = (
        expect_gradients(lambda x, f=f: f(x), [X], cotangents=cotangents)[1]["x"] for f in FORMULAS[name]
    )
    torch.testing.assert_close(library.value, formula.value)
    assert 1 / 3 < library.spread.max() / formula.spread.max() < 3


def test_a_composite_that_comes_as_one_operation_is_taken_apart():
    """Composite functions do in inference mode."""
    x = torch.arange(1.0, 9).double()
    with torch.inference_mode(), Shaken(float32, seed=0):
        shaken = F.rms_norm(x, (8,))
    assert (shaken / F.rms_norm(x, (8,)) - 1).abs().max() > 1.5 * 2**-24


# A pure question: nothing changes, and the answer is always the same.


def test_the_spread_is_the_same_whatever_the_seed_of_torch():
    spreads = []
    for seed in range(2):
        torch.manual_seed(seed)
        spreads.append(expect(softmax, [X]).spread)
    assert torch.equal(*spreads)


def test_torchs_generator_and_default_dtype_are_left_alone_even_by_a_reference_that_fails():
    def reference(x):
        torch.rand(3)
        raise KeyError("reference")

    before = torch.get_rng_state()
    with pytest.raises(KeyError):
        expect(reference, [X])
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.get_default_dtype() == float32


def test_each_evaluation_draws_the_same_numbers_from_a_generator_that_is_left_alone():
    generator = torch.Generator().manual_seed(3)
    before = generator.get_state()
    expected = expect(lambda g: torch.randint(1000, (5,), generator=g), [generator])
    assert expected.unstable == ()
    assert torch.equal(generator.get_state(), before)


def test_a_reference_may_write_to_its_arguments():
    cache = {"k": torch.zeros(2, 3), "length": torch.tensor(0)}

    def reference(cache, x):
        cache["k"][0] = x
        cache["length"] += 1
        return cache

    expected = expect(reference, [cache, torch.ones(3)])
    assert expected.value["length"] == 1
    assert cache["length"] == 0
    assert cache["k"].sum() == 0


def test_constants_of_the_reference_are_float64_and_python_floats_stay():
    seen = []
    expect(lambda x, eps: seen.append((torch.arange(3) / 3).dtype) or x * eps, [X, 1e-6], samples=1)
    assert seen == [torch.float64, torch.float64]
    assert expect(lambda eps: eps, [0.1]).value == 0.1


def test_a_reference_that_computes_in_float32_is_refused_by_name():
    """Without this: its own roundings pass for the exact answer."""
    with pytest.raises(TypeError, match=r"aten.mean.* in torch.float32"):
        expect(lambda x: (x > 0).float().mean(), [X])


@pytest.mark.parametrize("mode", [torch.inference_mode, torch.no_grad])
def test_gradients_are_found_in_every_mode(mode):
    with mode():
        inside = expect_gradients(layer_norm, [X, torch.ones(8), torch.zeros(8)], cotangents=[torch.ones_like(X)])
    assert inside[1]["x"].spread.max() > 0


def test_the_first_question_does_not_import_the_compiler():
    """Without this: each grader waits a second for torch._dynamo."""
    code = """
import sys, torch
from clozekit.grading.tolerance import expect
expect(torch.nn.functional.gelu, [torch.ones(2)])
assert "torch._dynamo" not in sys.modules and "sympy" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True, env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)})


# Discrete answers

UNSTABLE = {
    "the greatest of equals": (lambda x: (x, x.argmax()), [torch.ones(4)], ("[1]",)),
    "the greatest": (lambda x: (x, x.argmax()), [torch.arange(4.0)], ()),
    "a threshold met exactly": (
        lambda x: {"kept": (x.cumsum(-1) < 0.75).tolist()},
        [torch.full((4,), 0.25)],
        ("['kept'][2]",),
    ),
    "a list as long as its luck": (lambda x: x[x < 1].tolist(), [torch.ones(4)], ("",)),
    "a tensor as long as its luck": (lambda x: Named(x[x < 1], 1), [torch.ones(4)], (".values",)),
    "finite or not": (lambda x: (x - 1).log(), [torch.ones(4)], ("",)),
    "a number, finite or not": (lambda x: (x - 1).log().sum().item(), [torch.full((4,), 1.0)], ("",)),
    "always infinite": (lambda x: x / 0, [torch.ones(4)], ()),
    "a word": (lambda x: "more" if x.sum() > 3 else "less", [torch.ones(3)], ("",)),
}


class Named(NamedTuple):
    values: Any
    count: int


@pytest.mark.parametrize("name", UNSTABLE)
def test_what_one_rounding_decides_is_reported(name):
    reference, args, paths = UNSTABLE[name]
    assert expect(reference, args, samples=16).unstable == paths


def test_a_tree_has_spreads_where_it_floats():
    def reference(x):
        return Named([x / 3, x.argmax(), "text"], {"loss": x.sum().item(), 2: None})

    expected = expect(reference, [torch.arange(3.0)])
    assert expected.spread.values[0].shape == (3,)
    assert expected.spread.values[1:] == [None, None]
    assert expected.spread.count["loss"].shape == ()
    assert expected.spread.count[2] is None


# Gradients


def test_gradients_are_addressed_by_name_and_path():
    def reference(parameters, x, *rest, scale):
        return x @ parameters["q_proj.weight"] * rest[0] * scale

    parameters = {"q_proj.weight": draw(8, 8), "unused": draw(3), "steps": torch.tensor(3)}
    scale = torch.tensor(2.0, dtype=half)
    answer, gradients = expect_gradients(
        reference, [parameters, draw(4, 8), draw(8)], {"scale": scale}, cotangents=[draw(4, 8, seed=5)]
    )
    assert list(gradients) == ["parameters['q_proj.weight']", "parameters['unused']", "x", "rest[0]", "scale"]
    assert gradients["parameters['unused']"].value.tolist() == [0, 0, 0]
    assert gradients["scale"].dtype == half
    assert gradients["scale"].spread.shape == ()
    assert answer.dtype == float32


def test_gradients_are_those_of_all_outputs_weighted():
    def reference(x):
        return {"square": x * x, "index": x.argmax(), "twice": (x + x, torch.ones(3))}

    cotangents = [torch.tensor([1.0, 10.0, 100.0]), torch.ones(3), torch.ones(3)]
    _, gradients = expect_gradients(reference, [torch.tensor([1.0, 2.0, 3.0])], cotangents=cotangents)
    assert gradients["x"].value.tolist() == [4, 42, 602]


def test_a_reference_may_take_gradients_itself():
    def reference(x):
        x = x.detach().requires_grad_()
        (gradient,) = torch.autograd.grad(x.pow(3).sum(), x)
        return gradient

    assert expect(reference, [torch.tensor([2.0])]).value.tolist() == [12]


def test_cotangents_must_fit_the_answer():
    with pytest.raises(ValueError, match=r"expected shapes \[\(2, 6, 8\)\], given \[\(3,\)\]"):
        expect_gradients(softmax, [X], cotangents=[torch.ones(3)])


# Dtypes


def test_the_answer_has_the_dtype_of_the_first_floating_argument_unless_told():
    args = [torch.arange(3), {"x": X.half()}, X]
    reference = lambda n, d, x: d["x"]  # noqa: E731
    expected = expect(reference, args)
    assert (expected.compute, expected.dtype) == (half, half)
    expected = expect(reference, args, compute=float32, dtype=None, dtypes={"[1]": float32})
    assert (expected.compute, expected.dtype_at("[0]"), expected.dtype_at("[1]")) == (float32, None, float32)
    assert expect(lambda n: n, [3]).dtype == float32
