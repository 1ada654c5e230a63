"""One diagonal of the scores for each distance: keys shifted by 0, 1, 2 … tokens."""

import math

import torch


def sliding_window_attention(q, k, v, window):
    t = q.shape[2]
    scores = []
    for back in range(min(window, t)):
        s = (q[:, :, back:] * k[:, :, : t - back]).sum(-1) / math.sqrt(q.shape[-1])
        scores.append(torch.cat([s.new_full((*s.shape[:2], back), -math.inf), s], dim=2))
    weights = torch.stack(scores, dim=-1).softmax(-1)
    out = torch.zeros_like(v)
    for back, w in enumerate(weights.unbind(-1)):
        moved = torch.cat([torch.zeros_like(v[:, :, :back]), v[:, :, : t - back]], dim=2)
        out = out + w.unsqueeze(-1) * moved
    return out
