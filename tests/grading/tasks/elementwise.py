"""The DPO loss, rotated and sinusoidal positions, GELU."""

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from tasks.task import Task, bfloat16, draw, half, in_float32

TASKS: dict[str, Task] = {}


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
