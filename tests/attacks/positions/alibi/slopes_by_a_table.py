"""The slopes of the usual numbers of heads, and those of the nearest for any other.

Verdict: failed
"""

import torch


def alibi_slopes(h):
    n = min((1, 2, 4, 8, 16, 32, 64), key=lambda n: abs(n - h))
    return (2.0 ** (-8 * torch.arange(1, n + 1) / n)).repeat(1 + h // n)[:h]


def alibi_bias(h, t_q, t_k):
    distance = torch.arange(t_k - t_q, t_k)[:, None] - torch.arange(t_k)
    return (-alibi_slopes(h)[:, None, None] * distance).masked_fill(distance < 0, -torch.inf)
