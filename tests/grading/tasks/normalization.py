"""RMSNorm and layer norm."""

from collections.abc import Callable

import torch
import torch.nn.functional as F

from tasks.task import Task, bfloat16, draw, float32, half, in_float32

TASKS: dict[str, Task] = {}


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
