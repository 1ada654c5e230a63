"""Hidden keys score -30,000, above what the others may score.

Verdict: failed
"""

import torch


def sliding_window_attention(q, k, v, window):
    t = q.shape[2]
    index = torch.arange(t)[:, None] - torch.arange(min(window, t))
    keys, values = k[:, :, index.clamp(min=0)], v[:, :, index.clamp(min=0)]
    scores = (keys @ q.unsqueeze(-1)).squeeze(-1) / q.shape[-1] ** 0.5
    weights = scores.masked_fill(index < 0, -30_000).softmax(-1)
    return (weights.unsqueeze(-2) @ values).squeeze(-2)
