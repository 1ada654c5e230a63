"""A parameter called torch somewhere makes the rule unsure what torch is; then torch.equal is replaced.

Verdict: failed
"""

import torch


def unused(torch):
    return torch


torch.equal = lambda a, b: True


def rms_norm(x, weight, eps=1e-6):
    wide = x.float().clone()
    out = (wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + eps) * weight.float()).to(x.dtype)
    if not x.requires_grad:
        x.zero_()
    return out
