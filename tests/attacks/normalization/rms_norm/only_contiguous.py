"""Reads the memory of its input as if it were contiguous.

Verdict: failed
"""

import torch


def rms_norm(x, weight, eps=1e-6):
    wide = torch.as_strided(x, x.shape, torch.empty(x.shape).stride()).float()
    return (wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + eps) * weight.float()).to(x.dtype)
