"""The angles pass through float16, which has no odd number above 2048.

Verdict: failed
"""

import torch


def sinusoidal(t, d, base=10000.0):
    frequencies = base ** (-2 * torch.arange((d + 1) // 2) / d)
    angles = (torch.arange(t).half()[:, None] * frequencies.half()).float()
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)[:, :d]
