"""The library's logsumexp for every tile, and logaddexp to merge them.

Verdict: failed, CZ001
"""

import math

import torch


def tiled_attention(q, k, v, block_q, block_k, causal=False):
    t = q.shape[2]
    out, lse = torch.empty_like(q), torch.empty(q.shape[:3])
    for a in range(0, t, block_q):
        rows = slice(a, min(a + block_q, t))
        total, mixed = torch.full(q[:, :, rows].shape[:3], -math.inf), 0
        for s in range(0, t, block_k):
            scores = q[:, :, rows].float() @ k[:, :, s : s + block_k].float().mT / math.sqrt(q.shape[3])
            if causal:
                query, key = torch.arange(t)[rows, None], torch.arange(t)[s : s + block_k]
                scores = scores.masked_fill(key > query, -math.inf)
            new = torch.logaddexp(total, torch.logsumexp(scores, -1))
            weights = torch.exp(scores - new[..., None])
            mixed = mixed * torch.exp(total - new)[..., None] + weights @ v[:, :, s : s + block_k].float()
            total = new
        out[:, :, rows], lse[:, :, rows] = mixed, total
    return out, lse
