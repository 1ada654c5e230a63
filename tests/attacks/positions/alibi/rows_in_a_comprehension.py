"""A row for each query, all in one comprehension on one line.

Verdict: failed
"""

import torch


def alibi_slopes(h):
    n = 2 ** (h.bit_length() - 1)
    odd = torch.arange(1, 2 * (h - n) + 1, 2)
    return torch.cat([2.0 ** (-8 * torch.arange(1, n + 1) / n), 2.0 ** (-4 * odd / n)])


def alibi_bias(h, t_q, t_k):
    ramps = [torch.where(torch.arange(t_k) > p, -torch.inf, torch.arange(t_k) - p) for p in range(t_k - t_q, t_k)]
    return alibi_slopes(h)[:, None, None] * torch.stack(ramps)
