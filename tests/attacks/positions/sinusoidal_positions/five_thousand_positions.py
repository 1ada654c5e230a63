"""The usual max_len=5000: further positions get the encoding of the last one.

Verdict: failed
"""

import torch


def sinusoidal(t, d, base=10000.0):
    frequencies = base ** (-2 * torch.arange((d + 1) // 2) / d)
    angles = torch.arange(t).clamp(max=4999)[:, None] * frequencies
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)[:, :d]
