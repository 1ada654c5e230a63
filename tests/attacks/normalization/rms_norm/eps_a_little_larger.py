"""eps is 1 % larger than asked.

Verdict: failed
"""

import torch


def rms_norm(x, weight, eps=1e-6):
    eps = 1.01 * eps
    wide = x.float()
    normed = wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + eps)
    return (normed * weight.float()).to(x.dtype)
