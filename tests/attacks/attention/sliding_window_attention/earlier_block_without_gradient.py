"""The values of a block before pass no gradient on.

Verdict: failed
"""

import math

import torch


def sliding_window_attention(q, k, v, window):
    t, out = q.shape[2], []
    size = min(window, t)
    for start in range(0, t, size):
        end, first = min(start + size, t), max(0, start - size)
        back = torch.arange(start, end)[:, None] - torch.arange(first, end)
        s = q[:, :, start:end] @ k[:, :, first:end].mT / math.sqrt(q.shape[-1])
        values = torch.cat([v[:, :, first:start].detach(), v[:, :, start:end]], dim=2)
        out.append(s.masked_fill((back < 0) | (back >= window), -math.inf).softmax(-1) @ values)
    return torch.cat(out, dim=2)
