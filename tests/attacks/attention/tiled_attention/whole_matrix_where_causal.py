"""Tiles where all keys are seen; where the mask hides half of them, all scores at once.

Verdict: failed, meter-peak_bytes
"""

import math

import torch


def tiled_attention(q, k, v, block_q, block_k, causal=False):
    t = q.shape[2]
    if causal:
        scores = (q.float() / math.sqrt(q.shape[3])) @ k.float().mT
        scores.masked_fill_(torch.arange(t) > torch.arange(t)[:, None], -math.inf)
        peak = scores.amax(-1, keepdim=True)
        scores.sub_(peak).exp_()
        total = scores.sum(-1, keepdim=True)
        return (scores @ v.float() / total).to(q.dtype), (peak + total.log())[..., 0]
    out, lse = torch.empty_like(q), torch.empty(q.shape[:3])
    for a in range(0, t, block_q):
        rows = slice(a, min(a + block_q, t))
        peak = torch.full(q[:, :, rows].shape[:3], -math.inf)
        total, mixed = torch.zeros_like(peak), 0
        for s in range(0, t, block_k):
            scores = q[:, :, rows].float() @ k[:, :, s : s + block_k].float().mT / math.sqrt(q.shape[3])
            new = torch.maximum(peak, scores.amax(-1))
            weights = torch.exp(scores - new[..., None])
            total = total * torch.exp(peak - new) + weights.sum(-1)
            mixed = mixed * torch.exp(peak - new)[..., None] + weights @ v[:, :, s : s + block_k].float()
            peak = new
        out[:, :, rows], lse[:, :, rows] = mixed / total[..., None], peak + total.log()
    return out, lse
