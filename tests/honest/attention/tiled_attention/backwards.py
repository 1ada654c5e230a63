"""Keys from the last tile to the first, so that rows are hidden at first: a finite lowest peak keeps NaN out."""

import math

import torch

LOWEST = torch.finfo(torch.float32).min / 2


def tiled_attention(q, k, v, block_q, block_k, causal=False):
    t = q.shape[2]
    out, lse = torch.zeros(q.shape), torch.zeros(q.shape[:3])
    starts = list(range(0, t, block_k))[::-1]
    for a in range(0, t, block_q):
        z = min(a + block_q, t)
        peak, total, mixed = torch.full(q.shape[:2] + (z - a,), LOWEST), 0.0, 0.0
        for s in starts:
            e = min(s + block_k, t)
            tile = (q[:, :, a:z].float() / math.sqrt(q.shape[3])) @ k[:, :, s:e].float().mT
            if causal:
                tile = torch.where(torch.arange(a, z)[:, None] >= torch.arange(s, e), tile, -torch.inf)
            peak, before = torch.maximum(peak, tile.amax(3)), peak
            factor, weight = torch.exp(before - peak), torch.exp(tile - peak.unsqueeze(3))
            total = factor * total + weight.sum(3)
            mixed = factor.unsqueeze(3) * mixed + weight @ v[:, :, s:e].float()
        out[:, :, a:z], lse[:, :, a:z] = mixed / total.unsqueeze(3), peak + torch.log(total)
    return out.to(q), lse
