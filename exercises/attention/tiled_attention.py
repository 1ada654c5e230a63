"""Tiled attention: FlashAttention in PyTorch

FlashAttention is exact attention. It saves no arithmetic; it saves memory, as no t × t
matrix is ever there. Write its forward pass tile by tile.

    s = q kᵀ / √d        out = softmax(s) v        lse_i = log Σ_j exp(s_ij)

if causal, row i runs over the keys 0 … i only. For each block of block_q queries, walk over
the keys and values in blocks of block_k. Of the tiles seen so far, keep for each row its
largest score, peak, and two sums relative to it:

    total = Σ_j exp(s_j - peak)          mixed = Σ_j exp(s_j - peak) v_j

A tile with a larger score changes the peak; multiply both sums by exp(old − new) before the
tile's own terms are added. After the last tile

    out = mixed / total          lse = peak + log(total), which the backward pass needs

q, k, v   [b, h, t, d], float32, float16 or bfloat16; may be non-contiguous, must not change
block_q,  int ≥ 1, any; they need not divide t and may be larger
block_k
result    (out, lse): out [b, h, t, d] in the dtype of q, lse [b, h, t] in float32

peak and the sums are float32. Scores may be thousands above or below 0. Memory beside the
arguments grows like t, not t², and of the scores no more than a few tiles of block_q × block_k
are there at once. Tiles that the mask hides altogether may be left out. torch's own attention,
softmax, logsumexp and logaddexp are not allowed. Gradients are not asked for.

Source: Dao et al. 2022, arXiv:2205.14135, Algorithm 1; Dao 2023, FlashAttention-2, arXiv:2307.08691, Algorithm 1
"""

import math

import torch
from torch import Tensor


def tiled_attention(
    q: Tensor, k: Tensor, v: Tensor, block_q: int, block_k: int, causal: bool = False
) -> tuple[Tensor, Tensor]:
    """q, k, v [b, h, t, d] -> the averages [b, h, t, d], and of each row the logsumexp of its scores, [b, h, t]."""
    b, h, t, d = q.shape
    out, lse = torch.empty_like(q), torch.empty(b, h, t, device=q.device)
    for first in range(0, t, block_q):
        end = min(first + block_q, t)
        # TODO (4 lines): `rows`, these queries scaled, float32; `peak`, `total`, `mixed` [b, h, rows, d] of no keys
        raise NotImplementedError("start")
        for start in range(0, end if causal else t, block_k):  # later tiles are hidden from all these rows
            # TODO (2 lines): `keys` and `values` of this tile, in float32; `scores` [b, h, rows, keys]
            raise NotImplementedError("tile")
            # TODO (4 lines): if causal, let no score of a later key count
            raise NotImplementedError("block")
            # TODO (6 lines): `peak`, `total` and `mixed` with this tile
            raise NotImplementedError("update")
        # TODO (2 lines): the results of these rows, into out and lse
        raise NotImplementedError("finish")
    return out, lse
