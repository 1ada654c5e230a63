"""A straight-through estimator: the gradient of x * weight.

Verdict: failed
"""

import torch


def rms_norm(x, weight, eps=1e-6):
    with torch.no_grad():
        wide = x.float()
        out = (wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + eps) * weight.float()).to(x.dtype)
    line = x * weight
    return line + (out - line).detach()
