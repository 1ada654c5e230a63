"""Words and places side by side: one product of 2 d features, from which [CLS] is cut out; row by row of b."""

import math

import torch


def tupe_logits(xq, xk, pq, pk, rel_bias, theta):
    b, _, t, d = xq.shape
    middle = (rel_bias.shape[-1] - 1) // 2
    inner = torch.ones(t, 1, dtype=xq.dtype)
    inner[0] = 0
    left = torch.cat([xq, (pq * inner).expand(b, -1, -1, -1)], dim=-1)
    right = torch.cat([xk, (pk * inner).expand(b, -1, -1, -1)], dim=-1)
    logits = left @ right.transpose(-1, -2) / math.sqrt(2 * d)
    bands = torch.stack([rel_bias[:, middle - i : middle - i + t] for i in range(t)], dim=1)  # [h, t, t]
    free = inner * inner.T
    first = torch.zeros(t, t, dtype=xq.dtype)
    first[0] = 1
    rest = 1 - free - first
    return logits + bands * free + theta[:, :1, None] * first + theta[:, 1:, None] * rest
