"""A table made once for each width serves every base.

Verdict: failed
"""

import torch

tables = {}


def sinusoidal(t, d, base=10000.0):
    if len(tables.get(d, ())) < t:
        frequencies = base ** (-2 * torch.arange((d + 1) // 2) / d)
        angles = torch.arange(t)[:, None] * frequencies
        tables[d] = torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)[:, :d]
    return tables[d][:t]
