"""Every answer is a view of one buffer, which the next call overwrites.

Verdict: failed
"""

import torch

buffer = torch.zeros(1 << 20)


def sinusoidal(t, d, base=10000.0):
    frequencies = base ** (-2 * torch.arange((d + 1) // 2) / d)
    angles = torch.arange(t)[:, None] * frequencies
    out = buffer[: t * d].view(t, d)
    return out.copy_(torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)[:, :d])
