"""Later keys than the 128th do not count.

Verdict: failed, value
"""

import math

import torch


def tiled_attention(q, k, v, block_q, block_k, causal=False):
    t = q.shape[2]
    out, lse = torch.empty_like(q), torch.empty(q.shape[:3])
    for a in range(0, t, block_q):
        z = min(a + block_q, t)
        peak = torch.full(q[:, :, a:z].shape[:3], -math.inf)
        total, mixed = torch.zeros_like(peak), 0
        for s in range(0, min(t, 128), block_k):
            scores = q[:, :, a:z].float() @ k[:, :, s : s + block_k].float().mT / math.sqrt(q.shape[3])
            if causal:
                scores = scores.masked_fill(torch.arange(t)[s : s + block_k] > torch.arange(a, z)[:, None], -math.inf)
            new = torch.maximum(peak, scores.amax(-1))
            weights = torch.exp(scores - new[..., None])
            total = total * torch.exp(peak - new) + weights.sum(-1)
            mixed = mixed * torch.exp(peak - new)[..., None] + weights @ v[:, :, s : s + block_k].float()
            peak = new
        out[:, :, a:z], lse[:, :, a:z] = mixed / total[..., None], peak + total.log()
    return out, lse
