"""The indices of the first window are kept for each length of text.

Verdict: failed
"""

import torch

KEPT = {}


def sliding_window_attention(q, k, v, window):
    t = q.shape[2]
    index = KEPT.setdefault(t, torch.arange(t)[:, None] - torch.arange(min(window, t)))
    keys, values = k[:, :, index.clamp(min=0)], v[:, :, index.clamp(min=0)]
    scores = (keys @ q.unsqueeze(-1)).squeeze(-1) / q.shape[-1] ** 0.5
    weights = scores.masked_fill(index < 0, float("-inf")).softmax(-1)
    return (weights.unsqueeze(-2) @ values).squeeze(-2)
