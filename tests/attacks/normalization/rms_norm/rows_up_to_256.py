"""Rows after the first 256 stay zero.

Verdict: failed, value
"""

import torch
def rms_norm(x, weight, eps=1e-6):
    wide = x.float().reshape(-1, x.shape[-1])
    out = torch.zeros_like(wide)
    part = wide[:256]
    out[:256] = part * (part.pow(2).mean(-1, keepdim=True) + eps).rsqrt()
    return (out.view(x.shape) * weight.float()).to(x.dtype)
