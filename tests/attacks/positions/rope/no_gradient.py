"""Right values, made below autograd: nothing flows back.

Verdict: failed
"""

import torch


@torch.no_grad()
def apply_rope(q, k, positions, base=10000.0, layout="half"):
    d = q.shape[-1]
    angles = positions[..., None, :, None] * base ** -(torch.arange(0, d, 2) / d)
    cos, sin = angles.cos(), angles.sin()

    def turn(x):
        wide = x.float()
        if layout == "half":
            a, b = wide.chunk(2, -1)
            return torch.cat([a * cos - b * sin, b * cos + a * sin], -1).to(x.dtype)
        a, b = wide[..., 0::2], wide[..., 1::2]
        return torch.stack([a * cos - b * sin, b * cos + a * sin], -1).flatten(-2).to(x.dtype)

    return turn(q), turn(k)
