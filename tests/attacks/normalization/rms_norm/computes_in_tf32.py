"""Rounds both factors to the ten bits of TF32.

Verdict: failed
"""

import torch


def tf32(x):
    return (x.contiguous().view(torch.int32) + 0x1000 & ~0x1FFF).view(torch.float32)


def rms_norm(x, weight, eps=1e-6):
    wide = x.float()
    scale = torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + eps)
    return (tf32(wide.detach()) * tf32(scale.detach()) * weight.float()).to(x.dtype)
