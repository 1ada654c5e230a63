"""Bloom's build_alibi_tensor: powers of two bases in float32; then a bias by where, cut from the square of all tokens."""

import math

import torch


def alibi_slopes(h):
    closest = 2 ** math.floor(math.log2(h))
    base = torch.tensor(2 ** (-(2 ** -(math.log2(closest) - 3))), dtype=torch.float32)
    slopes = torch.pow(base, torch.arange(1, 1 + closest, dtype=torch.int32))
    if closest != h:
        extra_base = torch.tensor(2 ** (-(2 ** -(math.log2(2 * closest) - 3))), dtype=torch.float32)
        remaining = min(closest, h - closest)
        extra_powers = torch.arange(1, 1 + 2 * remaining, 2, dtype=torch.int32)
        slopes = torch.cat([slopes, torch.pow(extra_base, extra_powers)], dim=0)
    return slopes


def alibi_bias(h, t_q, t_k):
    i = torch.arange(t_k).unsqueeze(-1)
    j = torch.arange(t_k).unsqueeze(0)
    whole = torch.where(j <= i, (j - i).float(), torch.tensor(float("-inf")))
    return alibi_slopes(h)[:, None, None] * whole[-t_q:]
