"""Softmax, and causal attention."""

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F

from tasks.task import Task, bfloat16, draw, float32, half, in_float32

TASKS: dict[str, Task] = {}


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
