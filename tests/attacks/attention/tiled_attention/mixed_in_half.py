"""The sums of the values in the half precision of q: after many tiles they no longer grow.

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
        mixed = torch.zeros_like(rows).to(q.dtype)
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
            total = total * a + p.sum(-1)
            mixed = (mixed * a[..., None]).to(q.dtype) + (p @ values).to(q.dtype)
            peak = new
        out[:, :, first:end] = mixed / total[..., None]
        lse[:, :, first:end] = peak + total.log()
    return out, lse
