"""The table of the first call with these sizes serves every later one, whatever the base and the positions.

Verdict: failed
"""

import torch

tables = {}


def apply_rope(q, k, positions, base=10000.0, layout="half"):
    d = q.shape[-1]
    key = d, tuple(positions.shape)
    if key not in tables:
        tables[key] = positions[..., None, :, None] * base ** -(torch.arange(0, d, 2) / d)
    cos, sin = tables[key].cos(), tables[key].sin()

    def turn(x):
        wide = x.float()
        if layout == "half":
            a, b = wide.chunk(2, -1)
            return torch.cat([a * cos - b * sin, b * cos + a * sin], -1).to(x.dtype)
        a, b = wide[..., 0::2], wide[..., 1::2]
        return torch.stack([a * cos - b * sin, b * cos + a * sin], -1).flatten(-2).to(x.dtype)

    return turn(q), turn(k)
