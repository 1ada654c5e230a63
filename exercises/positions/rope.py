"""Rotary position embedding (RoPE)

Turn queries and keys by angles that grow with their position. A rotation changes no
length, and the dot product of a query and a key then depends only on how far apart
the two stand. A vector of d features is d/2 pairs (a, b); pair i of a token becomes

    θ[i]  = base^(-2i/d)                                i = 0, 1, …, d/2 - 1
    angle = position · θ[i]
    a'    = a cos(angle) - b sin(angle)
    b'    = b cos(angle) + a sin(angle)

Every feature keeps its place. Which two are pair i is a matter of layout, and weights
trained with one are worthless with the other:

    "half"          features i and i + d/2, as in Llama
    "interleaved"   features 2i and 2i + 1, as in the paper

q, k       [b, h, t, d] and [b, h_k, t, d], d even; one dtype: float32, float16 or
           bfloat16; need not be contiguous, must not be changed
positions  [t], the same for all sequences, or [b, t], for each its own; int64, at least
           0, in any order: after a cache they begin late, beside padding they repeat
base       float > 1
layout     "half" or "interleaved"
result     (new_q, new_k), in the shapes and the dtype of q and k; gradients flow to both

Angles, cosines, sines and products are computed in float32; only results are rounded.

Source: Su et al. 2021, RoFormer, arXiv:2104.09864, eq. 12 to 15 and 34; rotate_half in transformers, modeling_llama.py
"""

import torch
from torch import Tensor


def apply_rope(
    q: Tensor, k: Tensor, positions: Tensor, base: float = 10000.0, layout: str = "half"
) -> tuple[Tensor, Tensor]:
    """q [b, h, t, d], k [b, h_k, t, d], positions [t] or [b, t] -> q and k rotated, in their shapes and dtype."""
    d = q.shape[-1]
    # TODO (1 line): `theta`, float32 [d/2]: the angle of each pair at position 1
    raise NotImplementedError("frequencies")
    # TODO (2 lines): `cos` and `sin`, float32, of every position times theta; they broadcast against [b, h, t, d/2]
    raise NotImplementedError("angles")
    return rotate(q, cos, sin, layout), rotate(k, cos, sin, layout)


def rotate(x: Tensor, cos: Tensor, sin: Tensor, layout: str) -> Tensor:
    """x [b, h, t, d], its pairs turned by the angles of cos and sin."""
    # TODO (5 lines): `first` and `second`, float32 [b, h, t, d/2]: the a and the b of every pair, by layout
    raise NotImplementedError("pairs")
    # TODO (2 lines): `new_first` and `new_second`: every pair turned by its angle
    raise NotImplementedError("rotation")
    # TODO (5 lines): return every feature in its place again, in the dtype of x
    raise NotImplementedError("join")
