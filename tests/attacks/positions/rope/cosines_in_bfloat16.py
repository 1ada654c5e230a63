"""Angles in float32, cosines and sines rounded to the dtype of q, as transformers does; products of what was rounded.

Verdict: failed
"""

import torch


def apply_rope(q, k, positions, base=10000.0, layout="half"):
    d = q.shape[-1]
    angles = positions[..., None, :, None] * base ** -(torch.arange(0, d, 2) / d)
    cos, sin = angles.cos().to(q.dtype), angles.sin().to(q.dtype)

    def turn(x):
        if layout == "half":
            a, b = x.chunk(2, -1)
            return torch.cat([a * cos - b * sin, b * cos + a * sin], -1)
        a, b = x[..., 0::2], x[..., 1::2]
        return torch.stack([a * cos - b * sin, b * cos + a * sin], -1).flatten(-2)

    return turn(q), turn(k)
