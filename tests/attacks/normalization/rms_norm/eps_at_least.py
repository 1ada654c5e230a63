"""An eps below 1e-12 is taken for a mistake of the caller's.

Verdict: failed
"""

import torch


def rms_norm(x, weight, eps=1e-6):
    wide = x.float()
    normed = wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + max(eps, 1e-12))
    return (normed * weight.float()).to(x.dtype)
