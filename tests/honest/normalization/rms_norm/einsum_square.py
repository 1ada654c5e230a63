"""The squares summed by einsum, d counted by hand, division instead of rsqrt."""

import math

from torch import Tensor, einsum, float32, sqrt


def rms_norm(x: Tensor, weight: Tensor, eps: float = 1e-6) -> Tensor:
    wide = x.to(dtype=float32)
    d = math.prod(x.shape[-1:])
    mean_square = einsum("...i,...i->...", wide, wide) / d
    rms = sqrt(mean_square + eps).unsqueeze(-1)
    return einsum("...i,i->...i", wide / rms, weight.to(float32)).to(dtype=x.dtype)
