"""Distances end at 1023, as the model was trained on 1024 tokens.

Verdict: failed
"""

import torch


def alibi_slopes(h):
    n = 2 ** (h.bit_length() - 1)
    odd = torch.arange(1, 2 * (h - n) + 1, 2)
    return torch.cat([2.0 ** (-8 * torch.arange(1, n + 1) / n), 2.0 ** (-4 * odd / n)])


def alibi_bias(h, t_q, t_k):
    distance = torch.arange(t_k - t_q, t_k)[:, None] - torch.arange(t_k)
    bias = -alibi_slopes(h)[:, None, None] * distance.clamp(max=1023)
    return bias.masked_fill(distance < 0, -torch.inf)
