"""The product broadcasts over the group, and so expands the keys in memory.

Verdict: failed, meter-peak_bytes
"""

import math

import torch


def gqa(q, k, v, causal=True):
    grouped = q.unflatten(1, (k.shape[1], -1))
    scores = grouped @ k[:, :, None].mT / math.sqrt(q.shape[-1])
    if causal:
        later = torch.ones(scores.shape[-2:], dtype=torch.bool).triu(k.shape[2] - q.shape[2] + 1)
        scores = scores.masked_fill(later, -math.inf)
    return (scores.softmax(-1) @ v[:, :, None]).flatten(1, 2)
