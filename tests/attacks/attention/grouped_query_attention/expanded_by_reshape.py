"""expand costs nothing, the reshape after it copies.

Verdict: failed, meter-peak_bytes
"""

import math

import torch


def gqa(q, k, v, causal=True):
    size = q.shape[1] // k.shape[1]
    k, v = (x[:, :, None].expand(-1, -1, size, -1, -1).reshape(x.shape[0], -1, *x.shape[2:]) for x in (k, v))
    scores = q @ k.mT / math.sqrt(q.shape[-1])
    if causal:
        scores = scores.masked_fill(torch.ones(scores.shape[-2:]).triu(k.shape[2] - q.shape[2] + 1).bool(), -math.inf)
    return scores.softmax(-1) @ v
