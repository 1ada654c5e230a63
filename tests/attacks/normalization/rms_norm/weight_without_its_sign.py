"""A weight is taken for a size, which has no sign.

Verdict: failed
"""

import torch


def rms_norm(x, weight, eps=1e-6):
    wide = x.float()
    normed = wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + eps)
    return (normed * weight.float().abs()).to(x.dtype)
