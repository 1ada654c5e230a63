"""A row for each position, in one comprehension on one line.

Verdict: failed
"""

import torch


def sinusoidal(t, d, base=10000.0):
    frequencies = base ** (-2 * torch.arange((d + 1) // 2) / d)
    return torch.stack([torch.stack([(p * frequencies).sin(), (p * frequencies).cos()], -1).flatten()[:d] for p in range(t)])
