"""Changes the weight through its address, past autograd's version counter.

Verdict: failed, changed
"""

import ctypes

import torch


def rms_norm(x, weight, eps=1e-6):
    wide, scale = x.float(), weight.float().clone()
    out = (wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + eps) * scale).to(x.dtype)
    ctypes.memset(weight.data_ptr(), 0, weight.element_size() * weight.numel())
    return out
