"""Right up to noise of one part in ten thousand.

Verdict: failed
"""

import torch


def rms_norm(x, weight, eps=1e-6):
    wide = x.float()
    out = wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + eps) * weight.float()
    return (out * (1 + 1e-4 * torch.randn_like(out))).to(x.dtype)
