"""The sum of the weights in the half precision of q: after many tiles it no longer grows.

Verdict: failed
"""

import math
import torch


def tiled_attention(q, k, v, block_q, block_k, causal=False):
    b, h, t, d = q.shape
    out, lse = torch.empty_like(q), torch.empty(b, h, t)
    for first in range(0, t, block_q):
        end = min(first + block_q, t)
        rows = q[:, :, first:end].float() / math.sqrt(d)
        peak = torch.full(rows.shape[:3], -math.inf)
        total = torch.zeros_like(peak)
        mixed = torch.zeros_like(rows)
        for start in range(0, end if causal else t, block_k):
            keys = k[:, :, start:start + block_k].float()
            values = v[:, :, start:start + block_k].float()
            scores = rows @ keys.mT
            if causal:
                i = torch.arange(first, end)[:, None]
                j = start + torch.arange(keys.shape[2])
                scores = scores.masked_fill(j > i, -math.inf)
            new = torch.maximum(peak, scores.amax(-1))
            a = torch.exp(peak - new)
            p = torch.exp(scores - new[..., None])
            total = (total.to(q.dtype) * a.to(q.dtype) + p.to(q.dtype).sum(-1)).float()
            mixed = mixed * a[..., None] + p @ values
            peak = new
        out[:, :, first:end] = mixed / total[..., None]
        lse[:, :, first:end] = peak + total.log()
    return out, lse
