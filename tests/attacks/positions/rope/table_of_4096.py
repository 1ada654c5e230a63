"""A table as long as the model's context; what stands further on wraps around.

Verdict: failed
"""

import torch


def apply_rope(q, k, positions, base=10000.0, layout="half"):
    d = q.shape[-1]
    angles = torch.outer(torch.arange(4096), base ** -(torch.arange(0, d, 2) / d))
    angles = angles[positions % 4096]
    angles = angles[:, None] if positions.ndim == 2 else angles

    def turn(x):
        wide, cos, sin = x.float(), angles.cos(), angles.sin()
        if layout == "half":
            a, b = wide.chunk(2, -1)
            return torch.cat([a * cos - b * sin, b * cos + a * sin], -1).to(x.dtype)
        a, b = wide[..., 0::2], wide[..., 1::2]
        return torch.stack([a * cos - b * sin, b * cos + a * sin], -1).flatten(-2).to(x.dtype)

    return turn(q), turn(k)
