"""The derivative by central differences, which in float32 has half of the digits.

Verdict: failed
"""

import torch


def swish(x, beta=1.0):
    wide = x.float()
    return (wide * torch.sigmoid(beta * wide)).to(x.dtype)


def swish_grad(x, beta=1.0):
    wide, h = x.float(), 1e-3
    above, below = ((wide + by) * torch.sigmoid(beta * (wide + by)) for by in (h, -h))
    return ((above - below) / (2 * h)).to(x.dtype)
