"""The bias of an encoder: later keys are as near as earlier ones, and hidden by a large number.

Verdict: failed
"""

import torch


def alibi_slopes(h):
    n = 2 ** (h.bit_length() - 1)
    odd = torch.arange(1, 2 * (h - n) + 1, 2)
    return torch.cat([2.0 ** (-8 * torch.arange(1, n + 1) / n), 2.0 ** (-4 * odd / n)])


def alibi_bias(h, t_q, t_k):
    distance = torch.arange(t_k - t_q, t_k)[:, None] - torch.arange(t_k)
    return (-alibi_slopes(h)[:, None, None] * distance.abs()) - 1e9 * (distance < 0)
