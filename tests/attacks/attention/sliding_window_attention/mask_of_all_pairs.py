"""Scores of blocks only, cut out of a boolean mask of all pairs.

Verdict: failed, meter-peak_bytes
"""

import math

import torch


def sliding_window_attention(q, k, v, window):
    t, out = q.shape[2], []
    size = min(window, t)
    band = torch.ones(t, t, dtype=torch.bool).tril().triu(1 - window)
    for start in range(0, t, size):
        end, first = min(start + size, t), max(0, start - size)
        s = q[:, :, start:end] @ k[:, :, first:end].mT / math.sqrt(q.shape[-1])
        out.append(s.masked_fill(~band[start:end, first:end], -math.inf).softmax(-1) @ v[:, :, first:end])
    return torch.cat(out, dim=2)
