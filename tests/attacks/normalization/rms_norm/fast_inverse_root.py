"""The bit trick of 1999 with two Newton steps.

Verdict: failed
"""

import torch


def inverse_root(x):
    y = (0x5F3759DF - (x.contiguous().view(torch.int32) >> 1)).view(torch.float32)
    for _ in range(2):
        y = y * (1.5 - 0.5 * x * y * y)
    return y


def rms_norm(x, weight, eps=1e-6):
    wide = x.float()
    return (wide * inverse_root(wide.pow(2).mean(-1, keepdim=True) + eps) * weight.float()).to(x.dtype)
