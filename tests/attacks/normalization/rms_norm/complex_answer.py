"""The right values as complex numbers without imaginary part.

Verdict: failed, dtype
"""

import torch


def rms_norm(x, weight, eps=1e-6):
    wide = x.float()
    return (wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + eps) * weight.float()).to(torch.complex64)
