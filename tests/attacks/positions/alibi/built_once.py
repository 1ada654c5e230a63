"""The bias of the first call with so many heads and keys is cut for later calls, from the wrong end.

Verdict: failed
"""

import torch

built = {}


def alibi_slopes(h):
    n = 2 ** (h.bit_length() - 1)
    odd = torch.arange(1, 2 * (h - n) + 1, 2)
    return torch.cat([2.0 ** (-8 * torch.arange(1, n + 1) / n), 2.0 ** (-4 * odd / n)])


def alibi_bias(h, t_q, t_k):
    if built.get("heads") != h or built["bias"].shape[1] < t_k:
        distance = torch.arange(t_k)[:, None] - torch.arange(t_k)
        built["heads"] = h
        built["bias"] = (-alibi_slopes(h)[:, None, None] * distance).masked_fill(distance < 0, -torch.inf)
    return built["bias"][:, -t_q:, :t_k]
