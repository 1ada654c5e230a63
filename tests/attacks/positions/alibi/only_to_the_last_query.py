"""Every row is that of the last query: right where there is one query, as in decoding.

Verdict: failed
"""

import torch


def alibi_slopes(h):
    n = 2 ** (h.bit_length() - 1)
    odd = torch.arange(1, 2 * (h - n) + 1, 2)
    return torch.cat([2.0 ** (-8 * torch.arange(1, n + 1) / n), 2.0 ** (-4 * odd / n)])


def alibi_bias(h, t_q, t_k):
    past = torch.arange(t_k - t_q, t_k)[:, None]
    ramp = torch.arange(t_k) - (t_k - 1)
    bias = alibi_slopes(h)[:, None, None] * ramp.expand(t_q, t_k)
    return bias.masked_fill(torch.arange(t_k) > past, -torch.inf)
