"""RoPE for longer texts: interpolation, NTK, YaRN

RoPE turns pair i of a vector by θ[i] = base^(-2i/d) from one position to the next. In
texts longer than the L tokens of its training a model meets angles that it never saw, and
fails. Three methods turn more slowly, so that it can read s times as much:

    linear:   θ[i] / s
    ntk:      (base · s^(d/(d-2)))^(-2i/d)
    yarn:     (1 - γ[i]) · θ[i] / s + γ[i] · θ[i]

linear squeezes all positions into L, near ones as well. ntk leaves the first pair as it is
and makes the last one s times slower. yarn goes by how many turns a pair makes within L:

    r[i] = L · θ[i] / (2π)
    γ[i] = (r[i] - 1) / (32 - 1), kept between 0 and 1

Pairs of many turns tell near tokens apart and are left alone; those that never finished
one are interpolated. With yarn cosines and sines are also multiplied by 0.1 ln(s) + 1,
which sharpens attention over many tokens; with the others by 1.

d         int, even, at least 4
base      float > 1
factor    s, float, at least 1
method    "linear", "ntk" or "yarn"
orig_len  L, int, at least 1
result    (inv_freq, attn_scale): float32 [d/2], and a Python float

In transformers and the authors' code γ is a straight line in i instead of r[i]; here it is
as in the paper.

Source: Chen et al. 2023, arXiv:2306.15595; Peng et al. 2023, YaRN, arXiv:2309.00071, §3
"""

import math

import torch
from torch import Tensor


def scaled_inv_freq(d: int, base: float, factor: float, method: str, orig_len: int) -> tuple[Tensor, float]:
    """The angles per position, [d/2], for texts `factor` times as long, and what scales cosines and sines."""
    exponents = -torch.arange(0, d, 2) / d  # [d/2]
    theta = base**exponents  # [d/2], as in training
    if method == "linear":
        # TODO (1 line): return what the method "linear" gives, and its attention scale
        raise NotImplementedError("linear")
    if method == "ntk":
        # TODO (1 line): return what the method "ntk" gives, and its attention scale
        raise NotImplementedError("ntk")
    # TODO (1 line): `turns` [d/2]: r, how many turns each pair makes within orig_len positions
    raise NotImplementedError("turns")
    # TODO (1 line): `keep` [d/2]: γ
    raise NotImplementedError("ramp")
    # TODO (2 lines): return what the method "yarn" gives, and its attention scale
    raise NotImplementedError("blend")
