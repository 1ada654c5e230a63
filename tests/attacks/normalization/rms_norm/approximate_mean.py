"""The mean square of every row from a random half of its features.

Verdict: failed
"""

import torch


def rms_norm(x, weight, eps=1e-6):
    wide = x.float()
    half = wide[..., torch.randperm(x.shape[-1])[: (x.shape[-1] + 1) // 2]]
    return (wide * torch.rsqrt(half.pow(2).mean(-1, keepdim=True) + eps) * weight.float()).to(x.dtype)
