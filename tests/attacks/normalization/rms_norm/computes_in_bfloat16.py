"""Multiplies in bfloat16, whatever the input.

Verdict: failed
"""

import torch


def rms_norm(x, weight, eps=1e-6):
    wide = x.float()
    scale = torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + eps)
    return ((wide.bfloat16() * scale.bfloat16()).float() * weight.float()).to(x.dtype)
