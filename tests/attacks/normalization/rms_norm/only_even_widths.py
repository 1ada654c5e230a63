"""Works on pairs of features and forgets the last one of an odd width.

Verdict: failed
"""

import torch


def rms_norm(x, weight, eps=1e-6):
    wide = x.float()
    pairs = wide[..., : x.shape[-1] // 2 * 2]
    mean = pairs.unflatten(-1, (-1, 2)).pow(2).sum(-1).mean(-1, keepdim=True) / 2
    return (wide * torch.rsqrt(mean.nan_to_num(0) + eps) * weight.float()).to(x.dtype)
