"""What is beyond ten thousand is taken for an accident.

Verdict: failed
"""

import torch


def rms_norm(x, weight, eps=1e-6):
    wide = x.float().clamp(-1e4, 1e4)
    normed = wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + eps)
    return (normed * weight.float()).to(x.dtype)
