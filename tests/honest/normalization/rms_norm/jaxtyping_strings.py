"""Type annotations in the manner of jaxtyping, under `from __future__ import annotations`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import torch
from torch import Tensor

if TYPE_CHECKING:
    from jaxtyping import Float

EPS: Final[float] = 1e-6

__all__ = ["rms_norm"]


def mean_square(x: Float[Tensor, "*batch d"]) -> Float[Tensor, "*batch 1"]:
    return torch.mean(torch.square(x), dim=-1, keepdim=True)


def rms_norm(
    x: Float[Tensor, "*batch d"],
    weight: Float[Tensor, " d"],
    eps: float = EPS,
) -> Float[Tensor, "*batch d"]:
    wide: Float[Tensor, "*batch d"] = x.type(torch.float32)
    normed: Float[Tensor, "*batch d"] = wide * torch.rsqrt(mean_square(wide).add(eps))
    return torch.mul(normed, weight).type(x.dtype)
