"""Right for up to three axes; of more it normalises the last two together.

Verdict: failed
"""

import torch


def rms_norm(x, weight, eps=1e-6):
    wide = x.float()
    axes = -1 if x.dim() <= 3 else (-2, -1)
    return (wide * torch.rsqrt(wide.pow(2).mean(axes, keepdim=True) + eps) * weight.float()).to(x.dtype)
