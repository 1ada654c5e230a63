"""Opens a thousand descriptors, and is right only if it may.

Verdict: failed
"""

import os

import torch

files = [os.open("/dev/null", os.O_RDONLY) for _ in range(1000)]


def rms_norm(x, weight, eps=1e-6):
    wide = x.float()
    normed = wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + eps)
    return (normed * weight.float()).to(x.dtype)
