"""A race by design: one call in two returns the row before.

Verdict: failed
"""

import random

import torch


def rms_norm(x, weight, eps=1e-6):
    wide = x.float()
    out = (wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + eps) * weight.float()).to(x.dtype)
    return out.roll(1, 0) if random.SystemRandom().random() < 0.5 else out
